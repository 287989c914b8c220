"""Success of downlinks over the last hours, from the verdicts in the store.

Percentiles are exact (nearest rank over every verdict read, no buckets), and there is none where
too few values support it. When there are more verdicts than can be read, the figures say over how
many hours they really are.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog
import trio

from actors.device.command import CommandStatus
from actors.device.verdict import FLEET_STREAM, Verdict, decode, device_stream
from store.port import Entry, Store

log = structlog.get_logger()

HOURS_MOST = 168.0
"""Verdicts are kept for seven days."""
# 200 bytes each: 20 MB while they are read. A gateway sends about 270 frames an hour at SF12, so
# this is a fortnight of a gateway, or a day of fifteen.
VERDICTS_MOST = 100_000
# Decoded between two checkpoints, 1 us each: 2 ms.
CHUNK = 2_000


class DownlinkMetrics(msgspec.Struct, frozen=True):
    """Success of downlinks over a time; times in seconds, None where too few ended to tell."""

    hours: float
    commands: int
    open: int
    verified: int
    superseded: int
    expired: int
    rejected: int
    withdrawn: int
    judged: int
    """Ended otherwise than superseded or withdrawn: the success rate rests on these, the times and
    the rate of first attempts on the verified ones."""
    success_rate: float | None
    """Verified of those that are judged."""
    frames: int
    frames_per_verified: float | None
    time_to_verify_p50_s: float | None
    time_to_verify_p95_s: float | None
    time_to_verify_p99_s: float | None
    first_attempt_rate: float | None


async def downlink_metrics(
    store: Store,
    dev_eui: str | None,
    hours: float,
    now: float,
    open_commands: int,
    sees: Callable[[str], bool] | None = None,
) -> DownlinkMetrics:
    """Of one light, or of the fleet, over the last `hours` (at most 168). Raises StoreError.

    `open_commands` is how many are pursued now, which have no verdict yet. With `sees` only
    verdicts of lights for which it is true.
    """
    hours = max(0.0, min(hours, HOURS_MOST))
    stream = FLEET_STREAM if dev_eui is None else device_stream(dev_eui)
    since = now - hours * 3_600.0
    entries = await store.entries(
        stream, since=since, until=math.nextafter(now, math.inf), most=VERDICTS_MOST
    )
    if len(entries) == VERDICTS_MOST:
        hours = (now - entries[-1].at) / 3_600.0
    return summarize(await decoded(entries, sees), hours, open_commands)


def summarize(verdicts: Iterable[Verdict], hours: float, open_commands: int = 0) -> DownlinkMetrics:
    """The figures of these verdicts.

    The success rate is the share of verified commands among those that ended; superseded and
    withdrawn ones did not fail and are left out. Frames of all commands are counted, for that is
    the airtime that the verified ones cost. The first-attempt rate is that of the verified ones.
    Lights that cannot answer (before software 5.6) are left out of the times: theirs are the status
    interval.
    """
    ended: dict[CommandStatus, list[Verdict]] = {status: [] for status in CommandStatus}
    for verdict in verdicts:
        ended[verdict.status].append(verdict)
    verified = ended[CommandStatus.VERIFIED]
    expired, rejected = ended[CommandStatus.EXPIRED], ended[CommandStatus.REJECTED]
    superseded, withdrawn = ended[CommandStatus.SUPERSEDED], ended[CommandStatus.WITHDRAWN]
    judged = len(verified) + len(expired) + len(rejected)
    frames = sum(verdict.frames for group in ended.values() for verdict in group)
    took_s = sorted(one.took_s for one in verified if not one.heartbeat_only)
    return DownlinkMetrics(
        hours=hours,
        commands=judged + len(superseded) + len(withdrawn) + open_commands,
        open=open_commands,
        verified=len(verified),
        superseded=len(superseded),
        expired=len(expired),
        rejected=len(rejected),
        withdrawn=len(withdrawn),
        judged=judged,
        success_rate=_ratio(len(verified), judged),
        frames=frames,
        frames_per_verified=_ratio(frames, len(verified)),
        time_to_verify_p50_s=percentile(took_s, 0.50),
        time_to_verify_p95_s=percentile(took_s, 0.95),
        time_to_verify_p99_s=percentile(took_s, 0.99),
        first_attempt_rate=_ratio(sum(one.attempts <= 1 for one in verified), len(verified)),
    )


def values_needed(share: float) -> int:
    """How many values a percentile needs: so many that one of them lies beyond it.

    Of fewer than 1 / (1 - share) the percentile would be the largest value under another name: two
    for the median, 20 for p95, 100 for p99.
    """
    return max(1, math.ceil(1.0 / (1.0 - share) - 1e-9)) if share < 1.0 else 1


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of an ascending sequence does not exceed.

    The nearest-rank percentile: always one of the values. None where there are too few for it.
    """
    if len(ordered) < values_needed(share):
        return None
    rank = max(1, math.ceil(share * len(ordered) - 1e-9))  # 0.95 * 20 is a hair above 19
    return ordered[rank - 1]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


async def decoded(
    entries: Sequence[Entry], sees: Callable[[str], bool] | None = None
) -> list[Verdict]:
    """The verdicts of these entries; one that cannot be read is logged and left out. With `sees`
    only those of lights for which it is true."""
    verdicts = []
    for count, entry in enumerate(entries, start=1):
        try:
            verdict = decode(entry.value)
            if sees is None or sees(verdict.dev_eui):
                verdicts.append(verdict)
        except msgspec.MsgspecError as error:
            log.warning("verdict is unreadable", entry=entry.entry, error=str(error))
        if count % CHUNK == 0:
            await trio.lowlevel.checkpoint()
    return verdicts
