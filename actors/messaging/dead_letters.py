"""Messages that nobody will handle any more: kept for a while, counted, listed.

A message that crashed an actor, or waited for one that was given up, is never lost without a trace.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice

# 1,000 letters of about 1 kB (a message, its text and its reply) are 1 MB at most.
KEPT = 1_000
ERROR_CHARS = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message, whom it was for, why it died and when (Unix seconds UTC)."""

    actor_id: str
    message: object
    error: str
    at: float


@dataclass(frozen=True, slots=True)
class DeadLetterStatistics:
    """How many dead letters there were ever, how many are still kept, how many fit."""

    total: int
    kept: int
    capacity: int


class DeadLetters:
    """The newest `capacity` dead letters, and the count of all."""

    __slots__ = ("_letters", "_total")

    def __init__(self, capacity: int = KEPT) -> None:
        self._letters: deque[DeadLetter] = deque(maxlen=capacity)
        self._total = 0

    @property
    def total(self) -> int:
        """How many there were ever."""
        return self._total

    def add(self, actor_id: str, message: object, error: BaseException | str, at: float) -> None:
        """Keep a message. Of the error only text is kept: a traceback would keep its frames."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self._letters.append(DeadLetter(actor_id, message, text[:ERROR_CHARS], at))
        self._total += 1

    def recent(self, most: int) -> list[DeadLetter]:
        """At most `most` letters, newest first."""
        return list(islice(reversed(self._letters), max(most, 0)))

    def statistics(self) -> DeadLetterStatistics:
        """Counters, now."""
        return DeadLetterStatistics(self._total, len(self._letters), self._letters.maxlen or 0)
