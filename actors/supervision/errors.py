"""How a child may end, and the one function that tells the ways apart.

Exception groups are taken apart in `classify` and nowhere else. An actor with a nursery of its own
fails with a group, and so does a failed `nursery.start`; clean-up that fails during a cancellation
comes mixed with Cancelled.
"""

from dataclasses import dataclass
from enum import Enum

import trio

from actors.messaging.reply import ActorCrashed, ActorError, ActorStopped

__all__ = [
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "ChildReturned",
    "DuplicateChild",
    "Ending",
    "EndingKind",
    "StartTimedOut",
    "SupervisorGaveUp",
    "SupervisorStopped",
    "classify",
]

LEAVES_SHOWN = 3
SUMMARY_CHARS = 500


class StartTimedOut(ActorError):
    """A child did not call `task_status.started()` in time. Counts as a crash."""


class ChildReturned(ActorError):
    """A permanent child returned, which it must never do. Counts as a crash."""


class DuplicateChild(ActorError):
    """`start_child` with the id of a child that is still there: a broken rule of the caller."""


class SupervisorStopped(ActorError):
    """`start_child` while the supervisor is going down."""


class SupervisorGaveUp(ActorError):
    """A child spent its restart budget and its specification says to escalate.

    Raised by `Supervisor.run`; the last crash of the child is the cause (`__cause__`). The parent
    counts it as a crash of the supervisor; at the root the process ends.
    """

    def __init__(self, supervisor_id: str, child_id: str, reason: str) -> None:
        super().__init__(f"{supervisor_id} gave up on {child_id}: {reason}")
        self.supervisor_id = supervisor_id
        self.child_id = child_id


class EndingKind(Enum):
    """The three ways a child can raise."""

    CANCELLED = "cancelled"
    CRASHED = "crashed"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Ending:
    """What a child raised: `error` is the leaf that says most, `summary` one line about all."""

    kind: EndingKind
    error: BaseException
    summary: str


def classify(error: BaseException) -> Ending:
    """Tell a cancellation, a crash and the wish to end the process apart, groups or not.

    KeyboardInterrupt, SystemExit and GeneratorExit anywhere inside make it FATAL, and the first
    of them is `error`. Nothing but Cancelled is CANCELLED. All else is CRASHED, foreign
    BaseExceptions (another event loop's cancellation) included: they must not end the siblings.
    """
    leaves = _leaves(error)
    crashes = [leaf for leaf in leaves if not isinstance(leaf, trio.Cancelled)]
    for leaf in crashes:
        if isinstance(leaf, KeyboardInterrupt | SystemExit | GeneratorExit):
            return Ending(EndingKind.FATAL, leaf, _summary([leaf]))
    if not crashes:
        return Ending(EndingKind.CANCELLED, error, "cancelled")
    shown = crashes[0] if len(crashes) == 1 else error
    return Ending(EndingKind.CRASHED, shown, _summary(crashes))


def _leaves(error: BaseException) -> list[BaseException]:
    """The errors inside nested groups, in the order in which they are written down."""
    leaves: list[BaseException] = []
    pending = [error]
    while pending:
        one = pending.pop()
        if isinstance(one, BaseExceptionGroup):
            pending.extend(reversed(one.exceptions))
        else:
            leaves.append(one)
    return leaves


def _summary(crashes: list[BaseException]) -> str:
    shown = [f"{type(leaf).__name__}: {leaf}".rstrip(": ") for leaf in crashes[:LEAVES_SHOWN]]
    if len(crashes) > LEAVES_SHOWN:
        shown.append(f"and {len(crashes) - LEAVES_SHOWN} more")
    return "; ".join(shown)[:SUMMARY_CHARS]
