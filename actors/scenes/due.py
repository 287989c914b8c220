"""What follows from a schedule, its mark and the date: apply, tell, or wait. Pure.

Theory. A schedule has a mark: everything due up to it was dealt with. Of the times after the mark
and not after the date the newest is applied, if it is younger than the schedule's limit; those
before it are superseded by it, and only counted. If none is that young they were missed, which is
told. In both cases the mark moves to the date, in the store. So a restart or a take-over neither
repeats nor skips: what was begun under a mark that was not moved is begun again under the same
idempotency key, which leads to the same rollout.

The date is one of two clocks'. Ours may be set, and then times seem to have passed, or to come
again. A mark never goes back for that: a time that was dealt with is not due again because somebody
put the clock back by an hour.
"""

from itertools import islice

import msgspec

from actors.clocks.server_clock import ClockDifference
from actors.scenes.calendar import due_within, next_due
from actors.scenes.model import Schedule

DOUBT_S = 60.0
"""Two clocks that are nearer to each other agree: a schedule's times are whole minutes."""
AHEAD_MOST_S = 86_400.0
"""A mark that is further ahead of a date on which two clocks agree was set by a clock that was
wrong; nobody puts a clock back by a day on purpose."""
COUNTED_MOST = 1_000


class Apply(msgspec.Struct, frozen=True):
    """This time is due. `skipped` earlier ones went by, at most 1,000 are counted."""

    due_at: float
    skipped: int = 0


class Missed(msgspec.Struct, frozen=True):
    """All times since the mark are older than the limit: `due_at` is the first, `count` how many,
    at most 1,000."""

    due_at: float
    count: int


class Wait(msgspec.Struct, frozen=True):
    """Nothing before then (Unix seconds); never where `until` is None."""

    until: float | None


class Remark(msgspec.Struct, frozen=True):
    """The mark is of a wrong clock: the date takes its place."""


def right_date(now: float, stepped_s: float, difference: ClockDifference) -> float:
    """The date that two clocks speak for.

    Ours, `now`, which was set by `stepped_s` since the start; and ChirpStack's. Where ours was set
    and ChirpStack's agreed with it before, not after, that step was a mistake, and ChirpStack's
    date counts. Else ours does: that they differ from the start says not which is right.
    """
    if difference.at_least_s is None and difference.at_most_s is None:
        return now
    apart_s = difference.used_s
    if abs(apart_s) > DOUBT_S and abs(apart_s + stepped_s) <= DOUBT_S:
        return now + apart_s
    return now


def agreed(difference: ClockDifference) -> bool:
    """Whether ChirpStack's clock is known and speaks for the same date."""
    known = difference.at_least_s is not None and difference.at_most_s is not None
    return known and abs(difference.used_s) <= DOUBT_S


def decide(
    schedule: Schedule, time_zone: str, date: float, *, sure: bool = False
) -> Apply | Missed | Wait | Remark:
    """What to do at this date. `time_zone` is the site's; `sure` where two clocks agree on it."""
    if not schedule.enabled:
        return Wait(None)
    if sure and schedule.mark > date + AHEAD_MOST_S:
        return Remark()
    cron, zone = schedule.cron, schedule.time_zone or time_zone
    first = next(iter(next_due(cron, zone, schedule.mark)), None)
    if first is None or first > date:
        return Wait(first)
    young_after = max(schedule.mark, date - schedule.late_most_s)
    young = list(due_within(cron, zone, young_after, date))
    older = due_within(cron, zone, schedule.mark, min(young_after, date))
    count = sum(1 for _ in islice(older, COUNTED_MOST))
    if not young:
        return Missed(first, count)
    return Apply(young[-1], min(count + len(young) - 1, COUNTED_MOST))
