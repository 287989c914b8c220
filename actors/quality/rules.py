"""When a light is worth a warning: pure rules, each with one condition to begin and one to end.

Between the two conditions a warning stays as it is, so that none comes and goes. On a synthetic
fleet of 600 lights over 60 days these rules announce most lights that fade or flap, and no sudden
death, which nothing announces.
"""

from statistics import median
from typing import NamedTuple

import msgspec

from actors.quality.light_past import RECENT_MOST, LightPast
from actors.quality.model import Rule
from actors.quality.sentence import number_of, share

TREND_DAYS = 7
TREND_DAYS_LEAST = 4
FALLS_DB_PER_DAY = -0.5
FALLS_NO_MORE_DB_PER_DAY = -0.25
DROP_DB = 5.0
LAST_DB, WELL_AGAIN_DB = 7.0, 8.5
EDGE_DB = 2.0
"""Below this margin half of the uplinks are lost (public logs: 46 to 53 % at 3 to 6 dB)."""
EDGE_WITHIN_DAYS = 3.0
LOST, LOST_NO_MORE = 0.5, 0.35
LOST_COUNTED_LEAST = 10.0
JOINS, JOINS_WITHIN_S = 3, 86_400.0
STEP_DB, STEP_EACH_DB, STEP_BACK_DB = 6.0, 3.0, 3.0
STEP_SAMPLES = RECENT_MOST // 2
MOVED_KEPT_S = 3 * 86_400.0
"""After that the new signal is the usual one."""


class Found(NamedTuple):
    """A rule looked at a light: `words` if it is to be warned, None if not."""

    rule: Rule
    words: str | None
    level_db: float | None = None
    """The margin before a step."""


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A warning that stands."""

    since: float
    level_db: float | None = None


class Trend(NamedTuple):
    """How a margin changed over days."""

    db_per_day: float
    first_db: float
    last_db: float
    days: int


def theil_sen(points: list[tuple[int, float]]) -> float:
    """The median of the slopes between all pairs: a day that is off does not turn it.

    Source: P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, 1968.
    """
    return median(
        (y2 - y1) / (x2 - x1) for at, (x1, y1) in enumerate(points) for x2, y2 in points[at + 1 :]
    )


def trend_of(past: LightPast) -> Trend | None:
    """Of the daily medians of the last week and today; None of fewer than four days."""
    points = past.margins(TREND_DAYS)
    if len(points) < TREND_DAYS_LEAST:
        return None
    days = points[-1][0] - points[0][0] + 1
    return Trend(theil_sen(points), points[0][1], points[-1][1], days)


def trend(past: LightPast, *, on: bool) -> Found:
    """Its margin falls day by day, and will soon be too small."""
    seen = trend_of(past)
    if seen is None:
        return Found(Rule.TREND, None)
    falls, last_db = seen.db_per_day, seen.last_db
    soon = falls < FALLS_DB_PER_DAY and (last_db - EDGE_DB) / -falls < EDGE_WITHIN_DAYS
    holds = soon and seen.first_db - last_db > DROP_DB and last_db < LAST_DB
    if on and not holds:
        holds = falls < FALLS_NO_MORE_DB_PER_DAY and last_db < WELL_AGAIN_DB
    if not holds:
        return Found(Rule.TREND, None)
    return Found(
        Rule.TREND,
        f"its margin fell from {seen.first_db:.0f} dB to {last_db:.0f} dB in"
        f" {number_of(seen.days, 'day')}, {-falls:.1f} dB a day: it may soon not be heard any more",
    )


def counters(uplink_loss: float, counted: float, *, on: bool) -> Found:
    """More than half of its uplinks are lost."""
    holds = counted >= LOST_COUNTED_LEAST and uplink_loss > (LOST_NO_MORE if on else LOST)
    text = f"{share(uplink_loss)} of its statuses are lost" if holds else None
    return Found(Rule.COUNTERS, text)


def flapping(past: LightPast, now: float, *, on: bool) -> Found:
    """It joins again and again."""
    joins = past.joins_since(now - JOINS_WITHIN_S)
    if joins < (1 if on else JOINS):
        return Found(Rule.FLAPPING, None)
    return Found(
        Rule.FLAPPING,
        f"it joined {number_of(joins, 'time')} in 24 h: its power supply may come and go",
    )


def moved(past: LightPast, now: float, standing: Standing | None) -> Found:
    """Its signal fell by more than 6 dB from one status to the next, and stayed so.

    Single margins scatter by 5 dB where a signal fades, so a step is told by twelve margins before
    it and twelve after it, every one of which lies clearly below; and by yesterday's median, that
    the twelve before were not high by luck.
    """
    recent = past.recent_db()
    if len(recent) < RECENT_MOST:
        return Found(Rule.MOVED, None)
    after_db = median(recent[STEP_SAMPLES:])
    if standing is not None:
        before_db = after_db + STEP_DB if standing.level_db is None else standing.level_db
        if after_db > before_db - STEP_BACK_DB or now - standing.since > MOVED_KEPT_S:
            return Found(Rule.MOVED, None)
    else:
        before_db = median(recent[:STEP_SAMPLES])
        stays = all(margin_db < before_db - STEP_EACH_DB for margin_db in recent[STEP_SAMPLES:])
        usual_db = past.margin_yesterday_db
        if usual_db is None or not stays or min(before_db, usual_db) - after_db <= STEP_DB:
            return Found(Rule.MOVED, None)
    words = (
        f"its margin fell from {before_db:.0f} dB to {after_db:.0f} dB at once and stays so:"
        " it, a gateway's antenna or something between them was moved"
    )
    return Found(Rule.MOVED, words, before_db)
