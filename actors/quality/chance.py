"""The chance that the next command of a light is verified within 30 s: pure arithmetic.

A command may be tried `attempts` times in that time, and each try succeeds with the chance that
neither the frame nor its answer is lost, provided that the light has power at all. Losses of single
frames are taken for independent, which they are on good links (public logs of SaintEynard,
github.com/CampusIoT/datasets: after a loss 0.968 are heard, else 0.980); on poor ones they come and
go for hours, which the fading counters follow.
"""

import math
from collections.abc import Collection
from typing import NamedTuple

from actors.link.loss_counters import KEEP, LossCounters, downlink_loss, uplink_loss
from actors.replace import replace

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
LOSS_LEAST, LOSS_MOST = 0.001, 0.9
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


def statuses_missed(silent_s: float, interval_s: float) -> int:
    """How many statuses are overdue."""
    return min(MISSED_MOST, int(max(0.0, silent_s - HEARTBEAT_SLACK_S) // interval_s))


def odds_dark(silent_s: float, missed: int, up: float, dark_per_s: float) -> float:
    """Odds that a light has no power, silent for `silent_s` while somebody listened.

    In every second one light in so many goes dark (`dark_per_s`); each status that is overdue was
    lost with chance `up` if the light is well, and is missing for sure if it is dark.
    """
    odds: float = dark_per_s * max(0.0, silent_s) / up**missed
    return odds


def losses_of(counters: LossCounters, prior: Prior, missed: int = 0) -> tuple[float, float]:
    """Share of frames lost up and down, of a light that has power.

    `missed` statuses that are overdue were lost, then, though no gap in the counter tells so yet.
    Both ways go over one path: a light that loses twice as many uplinks as the others of its prior
    is expected to lose twice as many downlinks, until enough of these were counted.
    """
    if missed:
        kept = math.pow(KEEP, missed)
        counters = replace(
            counters,
            uplinks_heard=counters.uplinks_heard * kept,
            uplinks_lost=counters.uplinks_lost * kept + (1.0 - kept) / (1.0 - KEEP),
        )
    up = uplink_loss(counters, prior.uplink_loss)
    like = prior.downlink_loss * up / max(prior.uplink_loss, LOSS_LEAST)
    return up, downlink_loss(counters, min(like, LOSS_MOST))


def chance_of(up: float, down: float, attempts: int, odds: float) -> float:
    """Chance that one of the attempts is answered, by the losses up and down."""
    answered = (1.0 - up) * (1.0 - down)
    return (1.0 - math.pow(1.0 - answered, attempts)) / (1.0 + odds)
