"""Counting how many frames of a light are lost, each way, from what it and its gateways tell.

Uplinks by the gaps in their counter. Downlinks by the light's own counter of them, against the
frames that a gateway took: each frame once, whether a txack told it or the server's counter did,
and none that a status has spoken of already, for news comes late, again and in any order. What MAC
commands move is neither.
"""

from actors.device.answer_order import answers
from actors.device.events import Transmitted, UplinkHeard
from actors.device.model import Device, Report, Stage
from actors.device.transition import Transition
from actors.link import loss_counters as count
from actors.link.loss_counters import NONE_COUNTED, LossCounters


def taken(transition: Transition, event: Transmitted) -> None:
    """A txack came that nobody told before."""
    device, session = transition.device, transition.device.session
    if session is None or transition.dated(event.at) < session.since:
        return
    sent, report = device.attempt, device.session_report
    if sent is not None and (sent.number, sent.stage) == (event.number, Stage.TRANSMITTED):
        return  # the counter told of it before
    if report is not None and _before(event, report):
        return
    _change(transition, count.frame_taken(_counted(device)))


def taken_unseen(transition: Transition) -> None:
    """The server's counter tells that a gateway took the frame that is out."""
    _change(transition, count.frame_taken(_counted(transition.device)))


def uplink(transition: Transition, passed_over: int) -> None:
    """The newest uplink of the running session came, so many counters after the one before."""
    _change(transition, count.uplink_heard(_counted(transition.device), passed_over))


def late(transition: Transition, event: UplinkHeard) -> None:
    """An uplink came of which nobody told; one of the running session was counted as lost."""
    session = transition.device.session
    if session is None or event.dev_addr != session.dev_addr:
        return
    if event.f_cnt in session.missing:
        _change(transition, count.uplink_late(_counted(transition.device)))


def status(transition: Transition, before: Report | None) -> None:
    """A status was taken in; `before` was the newest of the running session until then."""
    device, report = transition.device, transition.device.session_report
    counted = _counted(device)
    if report is None or not counted.downlinks_open:
        return
    arrived = report.downlinks_received - (before.downlinks_received if before is not None else 0)
    _change(transition, count.status_heard(counted, arrived, settled=_settled(device, report)))


def session_began(transition: Transition) -> None:
    """The light joined anew: its counter begins at nought."""
    counted = transition.device.losses
    if counted is not None and counted.downlinks_open:
        _change(transition, count.session_began(counted))


def _counted(device: Device) -> LossCounters:
    return NONE_COUNTED if device.losses is None else device.losses


def _change(transition: Transition, counted: LossCounters) -> None:
    transition.change(losses=counted)


def _before(event: Transmitted, report: Report) -> bool:
    """Whether the status came after the frame, so that it has counted it if it arrived."""
    if report.server_at is not None:
        return event.ends_at <= report.server_at
    return event.ends_at <= report.told_at


def _settled(device: Device, report: Report) -> bool:
    """Whether no frame was on its way when the light spoke."""
    sent, last_at = device.attempt, device.last_frame_at
    if sent is not None and sent.stage is Stage.TRANSMITTED:
        return answers(report, sent)
    return last_at is None or report.at > last_at
