"""When a cron expression is due, in a time zone with its daylight saving. Pure.

The rules are those of Debian's cron, by `cronsim`: a time that does not exist, for the clock was
put forward, is due right after the gap; one that exists twice is due the first time only; what
repeats within hours (a minute or an hour of `*`) goes by the time that passes.
"""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice, takewhile

from cronsim import CronSim, CronSimError

CRON_MOST = 100
"""Characters of an expression."""
FIELDS = 5


class BadCalendar(ValueError):
    """What is no cron expression or no time zone, in words for a person."""


def check(cron: str, time_zone: str) -> None:
    """Raises BadCalendar for what can never be due."""
    if len(cron) > CRON_MOST or len(cron.split()) != FIELDS:
        raise BadCalendar(
            "must have five fields: minute, hour, day of the month, month, day of the week"
        )
    zone = zone_of(time_zone)
    try:
        found = next(CronSim(cron, datetime(2026, 1, 1, tzinfo=zone)), None)
    except CronSimError as error:
        raise BadCalendar(f"cannot be read as a cron expression: {error}") from None
    if found is None:
        raise BadCalendar("is never due: there is no such day")


@lru_cache(maxsize=64)
def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of this IANA name, of the system or of the package `tzdata`.

    Raises BadCalendar.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCalendar(f"{name!r} is no time zone, as Europe/Berlin is one") from None


def next_due(cron: str, time_zone: str, after: float, most: int = 1) -> list[float]:
    """The next times after this moment (Unix seconds), the soonest first."""
    return list(islice(_after(cron, zone_of(time_zone), after), most))


def due_within(cron: str, time_zone: str, after: float, until: float) -> Iterator[float]:
    """The times after the one moment and not after the other, the soonest first."""
    return takewhile(lambda due: due <= until, _after(cron, zone_of(time_zone), after))


def _after(cron: str, zone: zoneinfo.ZoneInfo, after: float) -> Iterator[float]:
    newest = after
    for due in CronSim(cron, _date(after, zone)):
        at = due.timestamp()
        if at > newest:  # where a clock is put back, a wall time is before the one that was due
            newest = at
            yield at


def _date(at: float, zone: zoneinfo.ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone)
