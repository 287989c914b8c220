"""The newest changes by number, shared by everybody who follows the board.

A change is kept once, whoever reads it; a reader is only a number.
"""

from actors.board.changes import Change, Subject


class ChangeRing:
    """Numbers changes from 1 on and keeps the newest `capacity` of them."""

    __slots__ = ("_kept", "number")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a ring of {capacity} changes")
        self._kept: list[Change | None] = [None] * capacity
        self.number = 0
        """Of the newest change; 0 before the first."""

    @property
    def capacity(self) -> int:
        """How many changes are kept."""
        return len(self._kept)

    def add(self, at: float, what: Subject) -> None:
        """Give the next number to a change and keep it in place of the oldest."""
        self.number += 1
        self._kept[self.number % len(self._kept)] = Change(self.number, at, what)

    def holds(self, after: int) -> bool:
        """True when every change with a number above `after` is still kept."""
        return self.number - len(self._kept) <= after <= self.number and after >= 0

    def since(self, after: int, most: int) -> list[Change]:
        """The changes with a number above `after`, oldest first, at most `most`."""
        until = min(self.number, after + most)
        size = len(self._kept)
        kept = (self._kept[number % size] for number in range(after + 1, until + 1))
        return [change for change in kept if change is not None]
