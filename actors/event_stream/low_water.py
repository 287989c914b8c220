"""Up to which entry everything was dealt with: what is stored as the mark must not be ahead of it.

An event is dealt with when its light has stored what follows from it: when the light's mailbox has
got rid of all that it had accepted by then. A txack goes to the light by way of the dispatcher,
which may keep it until a call that is under way has ended; so the mailboxes are looked at
`SETTLE_S` after the entries were handed out. Until then, and while a light or the store is behind,
the mark stays where it is; what is read again after a crash is known again by the lights.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from lorawan.stream.entries import EntryId

SETTLE_S = 5.0
"""A call to ChirpStack takes 3 s at most."""


class Tray(Protocol):
    """What is needed of a mailbox."""

    @property
    def accepted(self) -> int:
        """Messages taken in, ever."""
        ...

    @property
    def finished(self) -> int:
        """Of these, how many are gone: dealt with, or given up."""
        ...


@dataclass(slots=True)
class _Batch:
    last: EntryId
    lights: Collection[str]
    settled_at: float
    done: Callable[[], None] | None
    awaited: list[tuple[Tray, int]] | None = None


class LowWater:
    """Keeps account of the batches handed out. Times are of any clock that only rises.

    Bound: the reader waits while there are `BATCHES_MOST`.
    """

    BATCHES_MOST = 500
    """Each has 500 DevEUIs at most: 20 MB when the store hangs; minutes of a million lights."""

    def __init__(self, tray: Callable[[str], Tray | None], mark: EntryId | None = None) -> None:
        self._tray = tray
        self._batches: deque[_Batch] = deque()
        self.mark = mark
        """Everything up to this entry is dealt with; None before the first."""

    @property
    def waiting(self) -> int:
        """Batches that are not dealt with."""
        return len(self._batches)

    @property
    def full(self) -> bool:
        """Whether nothing more is to be handed out now."""
        return len(self._batches) >= self.BATCHES_MOST

    def handed_out(
        self,
        last: EntryId,
        lights: Collection[str],
        now: float,
        done: Callable[[], None] | None = None,
    ) -> None:
        """All entries up to `last` were handed out, some of them to these lights; `done` is called
        once they are dealt with."""
        self._batches.append(_Batch(last, lights, now + SETTLE_S, done))

    def look(self, now: float) -> bool:
        """Move the mark as far as it may; True where it moved."""
        moved = False
        while self._batches and self._done(self._batches[0], now):
            batch = self._batches.popleft()
            if batch.done is not None:
                batch.done()
            if self.mark is None or batch.last > self.mark:
                self.mark = batch.last
                moved = True
        return moved

    def _done(self, batch: _Batch, now: float) -> bool:
        if now < batch.settled_at:
            return False
        if batch.awaited is None:
            trays = (self._tray(dev_eui) for dev_eui in batch.lights)
            batch.awaited = [(tray, tray.accepted) for tray in trays if tray is not None]
        batch.awaited = [(tray, upto) for tray, upto in batch.awaited if tray.finished < upto]
        return not batch.awaited
