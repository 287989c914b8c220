"""Whether a status was sent after a frame had gone out, so that it tells what became of the frame.

Two times are compared on one clock only. ChirpStack dates both the uplink and the txack by its own;
where it does not date uplinks, both are counted from when we were told, on ours. A gateway's clock
decides nothing. A wrong answer here costs a frame, never a verdict: what is proven is proven by
counters (`verification.proven`).
"""

from actors.device.model import Attempt, Report, Stage


def answers(report: Report, sent: Attempt) -> bool:
    """Whether the light spoke when the frame of `sent` had been on air."""
    if sent.stage is not Stage.TRANSMITTED or report.f_cnt < sent.fence:
        return False  # an uplink below the fence had reached the server before the enqueue
    if report.server_at is not None and sent.ends_at is not None:
        return report.server_at > sent.ends_at
    return sent.air_until is not None and report.told_at > sent.air_until
