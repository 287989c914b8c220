"""Asking ChirpStack what became of things: replay before retry.

There is one inquiry at a time, each with a deadline of its own; the answer is only more events,
which are placed like any others.
"""

from actors.device.effects import Heard, Inquire, NoteKind
from actors.device.events import Inquired
from actors.device.model import Inquiry
from actors.device.transition import Transition


def ask(transition: Transition, why: str, *, if_heard: bool = False) -> None:
    """Start an inquiry unless one is under way. With `if_heard` only uplinks and joins are missed:
    while the server's uplink counter stands where we know it nothing is replayed.

    What an answer holds (uplinks of sessions long over, say) starts none: the next answer would
    hold it again, and the questions would never end.
    """
    device = transition.device
    if device.inquiry is not None or transition.answering:
        return
    number, session = device.inquiries_made + 1, device.session
    asked = Inquiry(number, transition.now)
    if session is not None:
        asked = Inquiry(number, transition.now, session.number, session.f_cnt)
    transition.change(inquiry=asked, inquiries_made=number, inquired_at=transition.now)
    transition.note(NoteKind.INQUIRY, number=number, why=why)
    known = Heard(session.dev_addr, session.f_cnt) if if_heard and session is not None else None
    transition.emit(Inquire(number, known))


def begin_answer(transition: Transition, event: Inquired) -> Inquiry | None:
    """Close the inquiry and return it. None when the answer is not to the one under way."""
    inquiry = transition.device.inquiry
    if inquiry is None or inquiry.number != event.number:
        return None
    transition.change(inquiry=None)
    transition.note(
        NoteKind.INQUIRY, number=event.number, events=len(event.events), failure=event.failure
    )
    return inquiry


def overdue(transition: Transition) -> bool:
    """True when an inquiry was not answered although its deadline is long past."""
    inquiry = transition.device.inquiry
    return (
        inquiry is not None
        and transition.now >= inquiry.asked_at + transition.policy.inquiry_again_s
    )
