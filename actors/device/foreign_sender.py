"""Somebody else sends to this light: its colour changes though no frame of ours changes it.

In doubt the change was ours. It counts as foreign only where all of this holds:

* both reports are of one session that has its settings, so no join turned the light dim green;
* the light received a downlink in between, so it did not change by itself;
* what is shown now is not what is wanted, so it was no frame of the newest wish;
* no frame of an earlier wish can have come in between. ChirpStack sends one light's items in their
  order, so the proof of a wish is the end of all frames before it; of a wish that ended unproven
  nothing is sent `OUT_S` later, and the earlier report is younger than that.
"""

from actors.device.effects import NoteKind
from actors.device.model import Device, Foreign, Report
from actors.device.transition import Transition
from lorawan.kuando import AFTER_JOIN, LightState

OUT_S = 60.0
"""An item lives 30 s, ChirpStack looks at it every few seconds, and an uplink is dated within
seconds."""
KEPT = 2
"""The second change is told of."""
WITHIN_S = 3_600.0


def look(transition: Transition, before: Report | None) -> None:
    """A status came; `before` was the newest of the running session until then."""
    report, wanted = transition.device.session_report, transition.device.wanted
    if (
        report is None
        or before is None
        or wanted is None
        or not _changed(transition.device, before)
    ):
        return
    if report.light in (wanted.light, AFTER_JOIN):
        return
    change = Foreign(report.at, report.light)
    transition.change(foreign=(*transition.device.foreign, change)[-KEPT:])
    transition.note(NoteKind.DRIFT, foreign="yes", shows=in_words(report.light))
    if repeated(transition.device, transition.now):
        transition.trouble(foreign_words(transition.device))


def repeated(device: Device, now: float) -> bool:
    """Whether it happened more than once within an hour, and lately."""
    changes = device.foreign
    return (
        len(changes) >= KEPT
        and changes[-1].at - changes[-KEPT].at <= WITHIN_S
        and now < changes[-1].at + WITHIN_S
    )


def over_at(device: Device) -> float | None:
    """When it is no longer called so unless it happens again."""
    return device.foreign[-1].at + WITHIN_S if len(device.foreign) >= KEPT else None


def foreign_words(device: Device) -> str:
    """What is said of it; names no age."""
    shown = in_words(device.foreign[-1].light) if device.foreign else "another colour"
    return (
        f"somebody else sends to this light: it showed {shown} after a downlink that was not of"
        " this service, and not for the first time; find the other sender (a program with an API"
        " key of ChirpStack, an integration, a second instance) and end it"
    )


def in_words(light: LightState) -> str:
    """Its five bytes."""
    return f"{light.red},{light.green},{light.blue},{light.on},{light.off}"


def _changed(device: Device, before: Report) -> bool:
    report, session = device.session_report, device.session
    if report is None or session is None or not session.set_up:
        return False
    if (before.dev_addr, before.session) != (report.dev_addr, report.session):
        return False
    if device.unsettled_until is not None and before.at < device.unsettled_until:
        return False
    return report.light != before.light and report.downlinks_received > before.downlinks_received
