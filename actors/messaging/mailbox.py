"""The queue in front of an actor: bounded, and owned by the supervisor, not by the incarnation.

The rule it keeps: what waits survives a crash of the reader, and the message that was being handled
is given up, so that a poisoned message crashes an actor once.

Theory. A message is *waiting*, then *in hand* (taken and not yet `handled`), then gone. A crash
takes the oldest message in hand out, for the dead letters, and puts the rest of its batch back in
front of those that wait. It does what a Trio memory channel does, for one reader, at a tenth of the
memory: a fleet of 20,000 idle mailboxes costs 5 MB instead of 38 MB. It belongs to Trio's thread.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import trio

from actors.messaging.reply import ActorError, fail_reply

M = TypeVar("M")


class Offer(Enum):
    """What became of a message offered to a mailbox."""

    ACCEPTED = "accepted"
    FULL = "full"
    CLOSED = "closed"


class Overflow(Enum):
    """What a full mailbox does: refuse the newest, or give up the oldest that waits."""

    REJECT = "reject"
    DROP_OLDEST = "drop_oldest"


class MailboxFull(ActorError):
    """Transient: there was no room in time, or the message had to give way to a newer one."""


class MailboxClosed(ActorError):
    """The actor behind the mailbox is parked, stopped or finished: nobody will read this."""


@dataclass(frozen=True, slots=True)
class MailboxStatistics:
    """One look at a mailbox. Depth and peak count waiting messages; the rest counts since ever."""

    capacity: int
    depth: int
    peak: int
    accepted: int
    refused: int
    dropped: int


class Mailbox(Generic[M]):
    """At most `capacity` waiting messages for one reader.

    After a crash the rest of a batch waits again, so that depth may pass the capacity by one batch.
    """

    __slots__ = (
        "_accepted",
        "_capacity",
        "_closed",
        "_done",
        "_dropped",
        "_hand",
        "_overflow",
        "_peak",
        "_reader",
        "_refused",
        "_waiting",
        "_writers",
        "name",
    )

    def __init__(self, name: str, capacity: int, overflow: Overflow = Overflow.REJECT) -> None:
        if capacity < 1:
            raise ValueError(f"mailbox {name}: capacity {capacity} is not positive")
        self.name = name
        self._capacity = capacity
        self._overflow = overflow
        # A list, not a deque: empty it is 56 bytes against 760, and moving the rest down by one
        # costs less than a microsecond at a thousand waiting messages.
        self._waiting: list[M] = []
        self._hand: tuple[M, ...] = ()
        self._done = 0  # how many of `_hand` were handled already
        self._reader: trio.lowlevel.Task | None = None
        self._writers: trio.lowlevel.ParkingLot | None = None
        self._closed = False
        self._peak = self._accepted = self._refused = self._dropped = 0

    # For those who write.

    def offer(self, message: M) -> Offer:
        """Hand a message in without waiting. FULL and CLOSED are answers and count as refused."""
        if self._closed:
            self._refused += 1
            return Offer.CLOSED
        if len(self._waiting) >= self._capacity:
            if self._overflow is Overflow.REJECT:
                self._refused += 1
                return Offer.FULL
            self._drop_oldest()
        self._accept(message)
        return Offer.ACCEPTED

    async def put(self, message: M, timeout_s: float) -> None:
        """Hand a message in, waiting for room; only for edge to core and core to writer.

        Always a checkpoint; a cancelled `put` has not handed anything in. Raises MailboxFull after
        `timeout_s` seconds without room, MailboxClosed when nobody will read. A mailbox that drops
        its oldest never makes anyone wait.
        """
        with trio.move_on_after(timeout_s):
            await trio.lowlevel.checkpoint()
            while not self._closed:
                if len(self._waiting) < self._capacity:
                    return self._accept(message)
                if self._overflow is Overflow.DROP_OLDEST:
                    self._drop_oldest()
                    continue
                if self._writers is None:
                    self._writers = trio.lowlevel.ParkingLot()
                await self._writers.park()
        self._refused += 1
        if self._closed:
            raise MailboxClosed(f"mailbox {self.name} is closed")
        raise MailboxFull(f"mailbox {self.name} had no room within {timeout_s:g} s")

    # For the actor.

    async def take(self) -> M:
        """Wait for the next message and take it in hand. Always a checkpoint, even when one is
        there, so that an actor under flood starves nobody.

        Raises AssertionError if the message taken before was not `handled`.
        """
        await self._wait_for_mail()
        message = self._waiting.pop(0)
        self._hand = (message,)
        self._wake_writers(1)
        return message

    async def take_batch(self, most: int) -> list[M]:
        """Wait for one message, and take all that wait, at most `most`, oldest first.

        Every one of them is in hand and needs its own `handled`, in this order. Raises
        AssertionError like `take`.
        """
        if most < 1:
            raise ValueError(f"mailbox {self.name}: a batch of {most}")
        await self._wait_for_mail()
        batch = self._waiting[:most]
        del self._waiting[:most]
        self._hand = tuple(batch)
        self._wake_writers(len(batch))
        return batch

    def handled(self) -> None:
        """The oldest message in hand is dealt with. Raises AssertionError if there is none."""
        if not self._hand:
            raise AssertionError(f"mailbox {self.name}: handled() with nothing in hand")
        self._done += 1
        if self._done == len(self._hand):
            self._hand = ()
            self._done = 0

    # For the supervisor.

    def crash(self) -> M | None:
        """The reader crashed: remove and return the oldest in hand, let the rest wait in front."""
        in_hand = self._empty_hand()
        if not in_hand:
            return None
        self._waiting[:0] = in_hand[1:]
        return in_hand[0]

    def restore(self) -> None:
        """The reader was stopped without a crash: all that was in hand waits again, in front."""
        self._waiting[:0] = self._empty_hand()

    def close(self) -> list[M]:
        """Refuse all that comes from now on; returns what waited or was in hand, oldest first."""
        self.restore()
        left, self._waiting = self._waiting, []
        self._closed = True
        if self._writers is not None:
            self._writers.unpark_all()
        return left

    def reopen(self) -> None:
        """Accept messages again, after `close`."""
        self._closed = False

    def statistics(self) -> MailboxStatistics:
        """Depth and counters, now."""
        return MailboxStatistics(
            capacity=self._capacity,
            depth=len(self._waiting),
            peak=self._peak,
            accepted=self._accepted,
            refused=self._refused,
            dropped=self._dropped,
        )

    def _accept(self, message: M) -> None:
        self._waiting.append(message)
        self._accepted += 1
        self._peak = max(self._peak, len(self._waiting))
        if self._reader is not None:
            reader, self._reader = self._reader, None
            trio.lowlevel.reschedule(reader)

    def _drop_oldest(self) -> None:
        oldest = self._waiting.pop(0)
        self._dropped += 1
        fail_reply(oldest, MailboxFull(f"mailbox {self.name} gave it up for a newer message"))

    def _wake_writers(self, count: int) -> None:
        # A woken writer whose room an offer took parks again; its deadline bounds that.
        if self._writers is not None:
            self._writers.unpark(count=count)

    def _empty_hand(self) -> tuple[M, ...]:
        in_hand = self._hand[self._done :]
        self._hand = ()
        self._done = 0
        return in_hand

    async def _wait_for_mail(self) -> None:
        if self._hand:
            raise AssertionError(f"mailbox {self.name}: the last message was not handled()")
        if self._reader is not None:
            raise AssertionError(f"mailbox {self.name} has a reader already")
        if self._waiting:
            await trio.lowlevel.checkpoint()
        while not self._waiting:
            self._reader = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort_reader)

    def _abort_reader(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED
