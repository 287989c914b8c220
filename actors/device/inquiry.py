"""Asking ChirpStack what became of things: replay before retry.

The rule it keeps: one inquiry at a time, each with a deadline of its own; the answer is only more
events, which are placed like any others.
"""

from actors.device.effects import Inquire, NoteKind
from actors.device.events import Inquired
from actors.device.model import Inquiry
from actors.device.turn import Turn


def ask(turn: Turn, why: str) -> None:
    """Start an inquiry unless one is under way.

    What an answer holds (uplinks of sessions long over, say) starts none: the next answer would
    hold it again, and the questions would never end.
    """
    device = turn.device
    if device.inquiry is not None or turn.answering:
        return
    number, session = device.inquiries_made + 1, device.session
    asked = Inquiry(number, turn.now)
    if session is not None:
        asked = Inquiry(number, turn.now, session.number, session.f_cnt)
    turn.change(inquiry=asked, inquiries_made=number, inquired_at=turn.now)
    turn.note(NoteKind.INQUIRY, number=number, why=why)
    turn.emit(Inquire(number))


def begin_answer(turn: Turn, event: Inquired) -> Inquiry | None:
    """Close the inquiry and return it. None when the answer is not to the one under way."""
    inquiry = turn.device.inquiry
    if inquiry is None or inquiry.number != event.number:
        return None
    turn.change(inquiry=None)
    turn.note(
        NoteKind.INQUIRY, number=event.number, events=len(event.events), failure=event.failure
    )
    return inquiry


def overdue(turn: Turn) -> bool:
    """True when an inquiry was not answered although its deadline is long past."""
    inquiry = turn.device.inquiry
    return inquiry is not None and turn.now >= inquiry.asked_at + turn.policy.inquiry_again_s
