"""How far a log read in order was dealt with, where its entries are not dealt with in order.

Pure. The mark is the newest entry up to which all are dealt with: whoever reads on from there, now
or after a crash, misses none, and reads some again.
"""

from collections import deque


class Watermark:
    """Entries are `begun` in the order of the log, and `done` in any.

    Bound: as many are kept as are begun and not done, and those behind them.
    """

    __slots__ = ("_done", "_open", "line", "mark")

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.line = ""
        """The line of history of the mark, once an entry of it was dealt with."""
        self._open: deque[tuple[str, str]] = deque()
        self._done: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        """Entries behind the mark."""
        return len(self._open)

    @property
    def idle(self) -> bool:
        """Whether all that was begun is dealt with."""
        return not self._open

    def begun(self, entry_id: str, line: str = "") -> None:
        """The next entry was read; another line of history may have given its id as well."""
        self._open.append((line, entry_id))

    def done(self, entry_id: str, line: str = "") -> None:
        """One that was begun is dealt with; nothing happens for others."""
        self._done.add((line, entry_id))
        while self._open and self._open[0] in self._done:
            first = self._open.popleft()
            self.line, self.mark = first
            self._done.discard(first)
