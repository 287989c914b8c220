"""What the device machine wants done; the shell carries it out, after the new state is stored."""

from enum import StrEnum

import msgspec

from actors.device.command import Command
from actors.device.model import Attempt
from actors.link.judgement import AttemptJudged


class Submit(msgspec.Struct, frozen=True):
    """Hand this attempt to the dispatcher; it replaces an earlier one not yet in the queue."""

    attempt: Attempt


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """The dispatcher may forget what it holds for this device."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """The newest uplink that we were told of: its session and counter, -1 before any."""

    dev_addr: str
    f_cnt: int


class Inquire(msgspec.Struct, frozen=True, gc=False):
    """Ask ChirpStack for retained events and the activation; answer with `Inquired`.

    With `known` events are asked for only if the server heard more than that of the light: a replay
    takes a second or two, the counter a hundredth of one.
    """

    number: int
    known: Heard | None = None


class CommandChanged(msgspec.Struct, frozen=True):
    """A command took a step: store it, show it, tell whoever waits for its verdict."""

    command: Command


class NoteKind(StrEnum):
    """Kinds of history entries of a device."""

    JOIN = "join"
    SESSION = "session"
    STATUS = "status"
    UPLINK = "uplink"
    STALE = "stale"
    PHASE = "phase"
    COMMAND = "command"
    DOWNLINK = "downlink"
    """A frame of ours is in ChirpStack's queue."""
    TXACK = "txack"
    HELD = "held"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    DROPPED = "dropped"
    GATEWAY_ERROR = "gateway_error"
    SETUP = "setup"
    DRIFT = "drift"
    INQUIRY = "inquiry"
    HEALED = "healed"
    WITHDRAWN = "withdrawn"


class Note(msgspec.Struct, frozen=True):
    """One line for the device's history."""

    kind: NoteKind
    detail: dict[str, str | int | float | None]
    at: float | None = None
    """When it happened (Unix seconds), where that is not now: an event has a time of its own."""
    entry: str | None = None
    """The line's own id, where what happened has one: then it is kept once."""


class AnswerCaller(msgspec.Struct, frozen=True, gc=False):
    """What to tell whoever asked, once the new state is stored."""

    text: str


Effect = Submit | Withdraw | Inquire | CommandChanged | Note | AnswerCaller | AttemptJudged
