"""The chance that the next command of a light is verified within 30 s: pure arithmetic.

A command may be tried `attempts` times in that time, and each try succeeds with the chance that
neither the frame nor its answer is lost, provided that the light has power at all. Losses of single
frames are taken for independent, which they are on good links (public logs of SaintEynard,
github.com/CampusIoT/datasets: after a loss 0.968 are heard, else 0.980); on poor ones they come and
go for hours, which the fading counters follow.
"""

from collections.abc import Collection
from typing import NamedTuple

WITHIN_S = 30.0
"""A command verified by then kept the promise of fast feedback."""
SPACING_S = 10.0
SPACING_PROVEN_S = 5.0
_GAPS = {SPACING_S: (10.0, 10.0, 20.0), SPACING_PROVEN_S: (5.0, 5.0, 10.0, 20.0)}
"""Seconds between attempts, as the device machine plans them."""
ANSWER_S = 5.0
"""An attempt that starts later than so long before the end is not answered in time."""
HEARTBEAT_SLACK_S = 60.0
"""A status is not missed before it is so late: intervals of lights drift."""
MISSED_MOST = 20
"""Beyond that the odds only overflow."""


class Prior(NamedTuple):
    """What is expected of a light of which little was counted."""

    uplink_loss: float
    downlink_loss: float


def attempts_within(sw_rev: int | None, spacing_proven: Collection[int]) -> int:
    """How many attempts fit into 30 s: three 10 s apart, four where 5 s are proven to be safe."""
    spacing_s = SPACING_PROVEN_S if sw_rev in spacing_proven else SPACING_S
    at_s, count = 0.0, 1
    for gap_s in _GAPS[spacing_s]:
        at_s += gap_s
        if at_s > WITHIN_S - ANSWER_S:
            break
        count += 1
    return count


def odds_dark(silent_s: float, interval_s: float, uplink_loss: float, dark_per_s: float) -> float:
    """Odds that a light has no power, silent for `silent_s` while somebody listened.

    In every second one light in so many goes dark (`dark_per_s`); each status that is overdue was
    lost with chance `uplink_loss` if the light is well, and is missing for sure if it is dark.
    """
    silent_s = max(0.0, silent_s)
    missed = min(MISSED_MOST, int(max(0.0, silent_s - HEARTBEAT_SLACK_S) // interval_s))
    odds: float = dark_per_s * silent_s / uplink_loss**missed
    return odds


def chance_of(uplink_loss: float, downlink_loss: float, attempts: int, odds: float) -> float:
    """Chance that one of the attempts is answered."""
    answered = (1.0 - uplink_loss) * (1.0 - downlink_loss)
    chance: float = (1.0 - (1.0 - answered) ** attempts) / (1.0 + odds)
    return chance
