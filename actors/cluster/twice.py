"""Questions that came before: they are not asked again.

The router sends a message again whose outcome it does not know, so the same one may lie in an inbox
twice, seconds apart. Most messages do no harm then: they tell a state, or are known by a number. A
question does. The request for a rollout makes a second one; "withdraw what is open" takes back a
command that was given after its answer; a light that was listed anew is taken off once more; what a
fail-over took, or became of an attempt, is added up twice. Each of these has the number that its
asker gave it, or its light.
"""

import trio

REMEMBERED_S = 60.0
"""The router sends nothing again after 30 s (`router.KEPT_S`), the last time with a call of some
seconds; the rest is for a reader that was held up."""
REMEMBERED_MOST = 20_000
"""Of 200 bytes each, 4 MB: 333 a second, more than a process carries out. The oldest give way."""


class AskedBefore:
    """For one process: questions by the process that asked and its number, with the inbox entry."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._asked: dict[tuple[str, int], tuple[str, float]] = {}

    def again(self, asker: str, ask: int, entry: str = "") -> bool:
        """Whether this question came before; remembers it. With `entry` the same inbox entry may
        come again: that of a light without room is offered to it until it has some."""
        now, key = trio.current_time(), (asker, ask)
        while self._asked and next(iter(self._asked.values()))[1] <= now:
            self._forget_oldest()
        if key in self._asked:
            before, _ = self._asked[key]
            return not entry or entry != before
        self._asked[key] = (entry, now + REMEMBERED_S)
        if len(self._asked) > REMEMBERED_MOST:
            self._forget_oldest()
        return False

    def _forget_oldest(self) -> None:
        del self._asked[next(iter(self._asked))]
