"""Up to which entry everything was dealt with: what is stored as the mark must not be ahead of it.

An event is dealt with when its light has stored what follows from it: when the light's mailbox has
got rid of all that it had accepted by then. A txack goes to the light by way of the dispatcher,
which may keep it until a call that is under way has ended; so the mailboxes are looked at
`SETTLE_S` after the entries were handed out. Until then, and while a light or the store is behind,
the mark stays where it is; what is read again after a crash is known again by the lights.

Where one light is behind for long, what comes is added to the newest batch, so that the other
lights go on.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from lorawan.stream.entries import BEGINNING, EntryId

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
    lights: set[str]
    settled_at: float
    done: list[Callable[[], None]] = field(default_factory=list)
    awaited: list[tuple[Tray, int]] | None = None


class LowWater:
    """Keeps account of the batches handed out. Times are of any clock that only rises.

    Bound: from `BATCHES_MOST` on the newest takes in what comes.
    """

    BATCHES_MOST = 500
    """Each has 500 DevEUIs at most, 20 MB in all, and the newest those of this process's lights.
    A batch is a page, and mostly one event: minutes of three a second, and of a million lights."""

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
        """Whether so much is not dealt with that a store that fails is not to be given more."""
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
        if self.full:
            batch = self._batches[-1]
            batch.last, batch.awaited = max(batch.last, last), None
            batch.lights.update(lights)
        else:
            batch = _Batch(last, set(lights), 0.0)
            self._batches.append(batch)
        batch.settled_at = now + SETTLE_S
        if done is not None:
            batch.done.append(done)

    def begin_anew(self) -> None:
        """The stream was lost, and its ids may be below what they were."""
        self.mark = BEGINNING
        for batch in self._batches:
            batch.last = BEGINNING

    def look(self, now: float) -> bool:
        """Move the mark as far as it may; True where it moved."""
        moved = False
        while self._batches and self._done(self._batches[0], now):
            batch = self._batches.popleft()
            for done in batch.done:
                done()
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
