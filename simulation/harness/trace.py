"""What happened, as one hash and as the last lines of each light.

Everything that is visible from outside, and everything stored, goes into the hash with its time, so
that two runs with the same hash are the same run.
"""

import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from store.port import Append, Delete, Put, Write

LINES_KEPT = 60
"""Of each light: enough to see a command from its acceptance to what went wrong."""

Line = tuple[float, str, tuple[Any, ...]]


class Trace:
    """The story of one run. `now_s` gives world time."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.lines = 0
        self._hash = hashlib.blake2b(digest_size=16)
        self._recent: dict[str, deque[Line]] = {}
        self._each: dict[str, Any] = {}

    def note(self, about: str, what: str, *detail: Any) -> None:
        """One thing that happened, to a light (or to the service as a whole, by another name)."""
        self.lines += 1
        self._hash.update(f"{self.now_s!r} {about} {what} {detail!r}".encode())
        self._of(about).update(f"{what} {detail!r}".encode())
        recent = self._recent.get(about)
        if recent is None:
            recent = self._recent[about] = deque(maxlen=LINES_KEPT)
        recent.append((self.now_s, what, detail))

    def commit(self, writes: Sequence[Write]) -> None:
        """These were stored at once."""
        self.lines += 1
        update = self._hash.update
        update(f"{self.now_s!r} commit".encode())
        for write in writes:
            match write:
                case Put(_, key, value, _):
                    update(key.encode() + value)
                case Append(stream, entry, _, value):
                    update(stream.encode() + entry.encode() + value)
                case Delete(_, key):
                    update(key.encode())

    def digest(self) -> str:
        """The hash of all so far."""
        return self._hash.hexdigest()

    def digest_of(self, about: str) -> str:
        """The hash of what happened to one light and in which order, whatever happened to others.

        Without times: a timer of ours is exact to the quarter of a microsecond that a double of
        this size has, and which way it rounds depends on when the wait for it began.
        """
        return str(self._of(about).hexdigest())

    def _of(self, about: str) -> Any:
        one = self._each.get(about)
        if one is None:
            one = self._each[about] = hashlib.blake2b(digest_size=16)
        return one

    def recent(self, about: str) -> list[str]:
        """The last lines of a light, and of the service around it, oldest first."""
        merged = sorted([*self._recent.get(about, ()), *self._recent.get("service", ())][-200:])
        return [
            f"{at:12.3f} s  {what:12} {' '.join(map(str, detail))}" for at, what, detail in merged
        ]
