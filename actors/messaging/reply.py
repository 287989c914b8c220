"""The answer to a question put to an actor, and the errors that one who asks may get.

Whoever asks gets an answer, an error or `NoReply`, and never waits without end.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class ActorError(Exception):
    """Something between actors went wrong. Base of the family."""


class NoReply(ActorError):
    """Transient and ambiguous: nobody answered in time; the question may still be dealt with."""


class ActorCrashed(ActorError):
    """The actor crashed on this message, or was parked with the message waiting.

    The crash itself is the cause (`__cause__`) where there is one.
    """

    def __init__(self, actor_id: str, reason: str) -> None:
        super().__init__(f"{actor_id} crashed: {reason}")
        self.actor_id = actor_id
        self.reason = reason


class ActorStopped(ActorError):
    """The actor was stopped, or finished, before it got to this message."""

    def __init__(self, actor_id: str, reason: str) -> None:
        super().__init__(f"{actor_id} stopped: {reason}")
        self.actor_id = actor_id
        self.reason = reason


class Reply(Generic[T]):
    """A one-shot promise carried by a message. The first outcome wins, later ones are ignored.

    It costs one small object until somebody waits. Any number of tasks may wait.
    """

    __slots__ = ("_error", "_event", "_resolved", "_value")

    _value: T

    def __init__(self) -> None:
        self._resolved = False
        self._error: Exception | None = None
        self._event: trio.Event | None = None

    @property
    def resolved(self) -> bool:
        """Whether an outcome, value or error, is there."""
        return self._resolved

    def resolve(self, value: T) -> None:
        """Answer with `value`."""
        if not self._resolved:
            self._value = value
            self._settle()

    def fail(self, error: Exception) -> None:
        """Answer with an error, which is raised at whoever waits."""
        if not self._resolved:
            self._error = error
            self._settle()

    async def wait(self, timeout_s: float) -> T:
        """Wait for the answer. Always a checkpoint.

        Raises the error of `fail`, or NoReply after `timeout_s` seconds. An answer that arrives in
        the same instant as the timeout counts as an answer.
        """
        with trio.move_on_after(timeout_s):
            await self._settled()
        if not self._resolved:
            raise NoReply(f"no reply within {timeout_s:g} s")
        return self._outcome()

    async def outcome(self) -> T:
        """Wait for an answer that is owed for certain, as by an actor that outlives whoever asks
        and answers also when it gives up. Always a checkpoint. Raises the error of `fail`.

        `wait` costs a cancel scope with a deadline, 20 us, which is a tenth of what an event of a
        light costs in all.
        """
        await self._settled()
        return self._outcome()

    async def _settled(self) -> None:
        if self._resolved:
            await trio.lowlevel.checkpoint()
        else:
            if self._event is None:
                self._event = trio.Event()
            await self._event.wait()

    def _outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value

    def _settle(self) -> None:
        self._resolved = True
        if self._event is not None:
            self._event.set()


class ToldReply(Reply[T]):
    """A reply that tells somebody who does not wait: `told` with the error, or None for a value.

    `told` is called once, at once, and neither waits nor raises. `begun` is set by whoever takes
    the message in hand: an error after that is of this message, one before it is of others.
    """

    __slots__ = ("_told", "begun")

    def __init__(self, told: "Callable[[ToldReply[T], Exception | None], None]") -> None:
        super().__init__()
        self._told = told
        self.begun = False

    @property
    def value(self) -> T:
        """The answer, once there is one."""
        return self._value

    def _settle(self) -> None:
        super()._settle()
        self._told(self, self._error)


def fail_reply(message: object, error: Exception) -> bool:
    """Fail the reply that `message` carries, if it carries one. True if somebody was told."""
    reply = getattr(message, "reply", None)
    if not isinstance(reply, Reply) or reply.resolved:
        return False
    reply.fail(error)
    return True
