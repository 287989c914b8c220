"""How a frame to one light is paced: the rule that fits who hears it and what is known.

    who hears, what is known                        least time from a start to the next one's
    one gateway, fewer than five answers            frame, answer and 8 s: one light at a time
    the same, twenty frames later                   frame, answer and 2 s
    the same, a frame that asks for no answer       frame, answer and what was assumed in 0.1.0
    one gateway, its lag unknown                    frame, answer, 99th percentile of delay and lag
    one gateway, all known                          a batch, see `batch_plan.py`
    two gateways, each nine in ten uplinks          frame and answer: the other one listens
    three or more                                   the longer of the two: somebody always listens
    Basics Station sends                            eleven airtimes: its band is shut for ten

A lag filled with frames kills the answers that wait behind it; so without it frames go one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from actors.downlink.pacing.batch_plan import plan_batch
from actors.downlink.pacing.lead_times import LeadTimes

ANSWERS_LEAST = 5
"""Answers after which the slow start ends."""
BATCH_ANSWERS_LEAST = 20
"""Answers that a batch is planned with, at least."""
SLOW_START_S = 8.0
"""An unknown light is given so long to answer: as long as its window is open."""
SLOW_FRAMES_MOST = 20
"""If so many in a row taught nothing, there is little to lose: lights before software 5.6 never
answer."""
IMPATIENT_S = 2.0
UNASKED_S = 0.35
"""With automatic uplinks on a light answers settings, too; those that it does not answer prove
themselves later, so that one lost answer costs little."""
SLACK_S = 0.05
SHUT_AIRTIMES = 10.0
"""Basics Station in the 10 % band: off for ten airtimes after each frame (s2e.c)."""


class Rule(StrEnum):
    """Which line of the table holds."""

    SLOW_START = "slow start: too few answers are known"
    NO_ANSWERS = "too few answers are known, and none came"
    UNASKED = "settings, which ask for no answer"
    LAG_UNKNOWN = "one gateway listens, its lag is unknown"
    ONE_LISTENS = "one gateway listens"
    TWO_LISTEN = "two gateways listen"
    MANY_LISTEN = "three or more gateways listen"


@dataclass(frozen=True, slots=True)
class Pace:
    """`frames` in one go, `step_s` apart (0: at once), then `cycle_s` from the first start to the
    next one; `heard` is the share of the answers that is then heard."""

    rule: Rule
    frames: int
    step_s: float
    cycle_s: float
    heard: float = 1.0


def pace_of(
    *,
    listeners: int,
    airtime_s: float,
    answer_s: float,
    delays_s: Sequence[float],
    lag_s: float | None,
    lead_times: LeadTimes,
    gap_s: float,
    frames_most: int,
    asks: bool = True,
    patient: bool = True,
) -> Pace:
    """The pace of frames of `airtime_s` whose answers take `answer_s`, heard by so many gateways.

    `delays_s` are measured from txack to answer, ascending, with the lag `lag_s` of the one gateway
    in them. No more than `frames_most` go at once. `asks`: the frame asks for an answer; `patient`:
    an unknown light is waited for.
    """
    if listeners >= 3:
        return Pace(Rule.MANY_LISTEN, 1, 0.0, max(airtime_s + gap_s, answer_s))
    if listeners == 2:
        return Pace(Rule.TWO_LISTEN, 1, 0.0, airtime_s + answer_s)
    if len(delays_s) < ANSWERS_LEAST:
        rule, wait_s = Rule.SLOW_START, SLOW_START_S
        if not asks:
            rule, wait_s = Rule.UNASKED, UNASKED_S
        elif not patient:
            rule, wait_s = Rule.NO_ANSWERS, IMPATIENT_S
        return Pace(rule, 1, 0.0, airtime_s + answer_s + wait_s)
    if lag_s is None:
        slow_s = delays_s[min(len(delays_s) - 1, int(0.99 * len(delays_s)))]
        return Pace(Rule.LAG_UNKNOWN, 1, 0.0, airtime_s + answer_s + max(0.0, slow_s) + SLACK_S)
    plan = plan_batch(
        [max(0.0, delay_s - lag_s) for delay_s in delays_s],
        lead_times.jitters_s,
        airtime_s,
        answer_s,
        gap_s=gap_s,
        frames_most=frames_most if len(delays_s) >= BATCH_ANSWERS_LEAST else 1,
        staggered=lead_times.fine,
    )
    return Pace(Rule.ONE_LISTENS, plan.frames, plan.step_s, plan.cycle_s, plan.heard)
