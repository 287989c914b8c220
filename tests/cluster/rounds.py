"""What a campaign does to a site, one round after the other: which faults, and how close together.

Drawn beforehand from a seed, so that the counts are what they shall be.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Pattern(StrEnum):
    """One round. Between two of them all becomes well; within one nobody waits for that."""

    KILL = "one process killed"
    KILL_TWO = "two processes killed, the second while the first is taken over"
    KILL_AGAIN = "a process killed, started, and killed as it comes up"
    KILL_EACH = "each process killed in turn, as soon as the one before answers again"
    LEAVE = "one process ended by SIGTERM"
    MASTER = "the master killed"
    MASTER_WORSE = "the master killed, the replica promoted that was held back"
    MASTER_AND_PROCESS = "the master and a process killed within seconds"
    LOSSY = "both replicas held back, then the master killed"
    LOSSY_WORSE = "the replicas held back, one longer, which is promoted when the master is killed"


@dataclass(frozen=True)
class Counts:
    """How many faults of each kind a round comes to."""

    kills: int = 0
    failovers: int = 0
    lossy: int = 0


COUNTS = {
    Pattern.KILL: Counts(kills=1),
    Pattern.KILL_TWO: Counts(kills=2),
    Pattern.KILL_AGAIN: Counts(kills=2),
    Pattern.KILL_EACH: Counts(kills=3),
    Pattern.LEAVE: Counts(),
    Pattern.MASTER: Counts(failovers=1),
    Pattern.MASTER_WORSE: Counts(failovers=1),
    Pattern.MASTER_AND_PROCESS: Counts(kills=1, failovers=1),
    Pattern.LOSSY: Counts(lossy=1),
    Pattern.LOSSY_WORSE: Counts(lossy=1),
}
FAILOVERS = {Pattern.MASTER: 3, Pattern.MASTER_WORSE: 2, Pattern.MASTER_AND_PROCESS: 3}
KILLS = {Pattern.KILL: 3, Pattern.KILL_TWO: 4, Pattern.KILL_AGAIN: 1, Pattern.KILL_EACH: 4}
LOSSY = {Pattern.LOSSY: 1, Pattern.LOSSY_WORSE: 1}
"""By pattern, its weight. Where no replica must confirm, processes are left alone: what only a
killed one knew may be lost (docs/cluster.md)."""
LEAVES_EACH = 10
"""Rounds that are no kill, for each that is a process told to leave."""


def confirmed_rounds(kills: int, failovers: int, seed: int) -> list[Pattern]:
    """Of sites where a replica must confirm: no fewer than so many of each, in any order."""
    chance = random.Random(f"confirmed {seed}")
    found = list(_drawn(FAILOVERS, failovers, chance))
    kills -= sum(COUNTS[each].kills for each in found)
    while kills > 0:
        [one] = chance.choices(list(KILLS), weights=list(KILLS.values()))
        one = one if COUNTS[one].kills <= kills else Pattern.KILL
        kills -= COUNTS[one].kills
        found.append(one)
    found += [Pattern.LEAVE] * (len(found) // LEAVES_EACH)
    chance.shuffle(found)
    return found


def lossy_rounds(count: int, seed: int) -> list[Pattern]:
    """Of sites where none must."""
    return list(_drawn(LOSSY, count, random.Random(f"lossy {seed}")))


def _drawn(weights: dict[Pattern, int], count: int, chance: random.Random) -> Iterator[Pattern]:
    yield from chance.choices(list(weights), weights=list(weights.values()), k=count)
