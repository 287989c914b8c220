"""What is remembered of one light: its margins and counts by day, its newest margins, its joins.

Memory of one light, all bounded: 14 days of five numbers of two bytes (220 bytes with the array),
the margins of today as a histogram of 32 bytes (90), the newest 24 margins (60), today's counts and
what was seen last (250): some 620 bytes, 6 MB for 10,000 lights.

Margins are those of the best gateway of an uplink, for the spreading factor that the light uses
now: when that changes, what is remembered is converted, so that a step of ADR is no step of the
signal.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

import msgspec

DAYS_KEPT = 14
FIELDS = 5
"""Of a day: median margin in 0.01 dB, uplinks sent, heard, frames taken, received."""
NO_MARGIN = -32_768
SAMPLES_LEAST = 20
"""Margins that a day's median needs."""
HISTOGRAM_FROM_DB = -4
HISTOGRAM_BUCKETS = 32
"""1 dB each; what lies outside is put into the first or last."""
BUCKET_MOST = 255
COUNT_MOST = 32_767
RECENT_MOST = 24
RECENT_LEAST = 3
RECENT_FROM_DB, RECENT_STEPS = -8.0, 4.0
"""0.25 dB a step, from -8 to 55.75 dB."""
JOINS_MOST = 8
"""Joins remembered: enough to tell flapping, and to say how badly."""


class Day(NamedTuple):
    """One day of a light; `margin_db` is the median, None of too few."""

    margin_db: float | None
    sent: int
    heard: int
    taken: int
    received: int


class StoredPast(msgspec.Struct, frozen=True, omit_defaults=True):
    """`LightPast` in the store; bytes are base64."""

    days: list[int] = []
    today: bytes = b""
    recent: bytes = b""
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    joins: tuple[float, ...] = ()
    factor: int = 0

    def __post_init__(self) -> None:
        whole = len(self.days) % FIELDS == 0 and len(self.today) in {0, HISTOGRAM_BUCKETS}
        if not whole or any(abs(one) > -NO_MARGIN for one in self.days):
            raise ValueError("not what this version keeps of a light")


class LightPast:
    """One light. The caller says when a day is over."""

    __slots__ = ("_days", "_today", "counts", "factor", "joins", "recent")

    def __init__(self, stored: StoredPast | None = None) -> None:
        kept = stored if stored is not None else StoredPast()
        self._days = array("h", kept.days[-DAYS_KEPT * FIELDS :])
        self._today = bytearray(kept.today or HISTOGRAM_BUCKETS)
        self.recent = kept.recent
        """The newest margins, oldest first, in steps."""
        self.counts = kept.counts
        """Today: uplinks sent, heard, frames taken, received."""
        self.joins = kept.joins
        """Times of the newest joins, oldest first."""
        self.factor = kept.factor
        """Spreading factor that all margins are for; 0 before any."""

    def stored(self) -> StoredPast:
        """For the store."""
        return StoredPast(
            days=self._days.tolist(),
            today=bytes(self._today),
            recent=self.recent,
            counts=self.counts,
            joins=self.joins,
            factor=self.factor,
        )

    def heard(self, margin_db: float, factor: int, required_db: dict[int, float]) -> None:
        """An uplink came with this margin, at this spreading factor."""
        if factor != self.factor:
            if self.factor in required_db and factor in required_db:
                self._convert(required_db[self.factor] - required_db[factor])
            self.factor = factor
        bucket = min(max(math.floor(margin_db) - HISTOGRAM_FROM_DB, 0), HISTOGRAM_BUCKETS - 1)
        if self._today[bucket] == BUCKET_MOST:
            self._today = bytearray(count // 2 for count in self._today)
        self._today[bucket] += 1
        step = min(max(round((margin_db - RECENT_FROM_DB) * RECENT_STEPS), 0), 255)
        self.recent = self.recent[-RECENT_MOST + 1 :] + bytes((step,))

    def counted(self, *, sent: int = 0, heard: int = 0, taken: int = 0, received: int = 0) -> None:
        """So many frames more, today."""
        more = (sent, heard, taken, received)
        one, two, three, four = (
            min(count + by, COUNT_MOST) for count, by in zip(self.counts, more, strict=True)
        )
        self.counts = (one, two, three, four)

    def joined(self, at: float, times: int) -> None:
        """It joined so often, at about this time."""
        times = min(times, JOINS_MOST)
        self.joins = (*self.joins, *(at for _ in range(times)))[-JOINS_MOST:]

    def joins_since(self, at: float) -> int:
        """How many joins are remembered from then on."""
        return sum(one >= at for one in self.joins)

    def day_over(self) -> None:
        """Today becomes the newest of the days."""
        margin_db = self.margin_today_db
        margin = NO_MARGIN if margin_db is None else round(margin_db * 100.0)
        self._days.extend((margin, *self.counts))
        if len(self._days) > DAYS_KEPT * FIELDS:
            del self._days[:FIELDS]
        self._today = bytearray(HISTOGRAM_BUCKETS)
        self.counts = (0, 0, 0, 0)

    @property
    def margin_today_db(self) -> float | None:
        """The median of today's margins, None of too few."""
        count = sum(self._today)
        if count < SAMPLES_LEAST:
            return None
        half, below = count / 2.0, 0
        for bucket, here in enumerate(self._today):
            if below + here >= half:
                return HISTOGRAM_FROM_DB + bucket + (half - below) / here
            below += here
        raise AssertionError("half of a count is reached within it")

    @property
    def margin_yesterday_db(self) -> float | None:
        """The median of the day before, None of too few."""
        margin = self._days[-FIELDS] if self._days else NO_MARGIN
        return None if margin == NO_MARGIN else margin / 100.0

    def days(self) -> Iterator[Day]:
        """The days that are over, oldest first, and today."""
        for at in range(0, len(self._days), FIELDS):
            margin, sent, heard, taken, received = self._days[at : at + FIELDS]
            yield Day(None if margin == NO_MARGIN else margin / 100.0, sent, heard, taken, received)
        yield Day(self.margin_today_db, *self.counts)

    def margins(self, most: int) -> list[tuple[int, float]]:
        """Median margins of the last `most` days and of today, by the number of the day."""
        days = list(self.days())[-most - 1 :]
        return [(at, day.margin_db) for at, day in enumerate(days) if day.margin_db is not None]

    def recent_db(self) -> Sequence[float]:
        """The newest margins, oldest first."""
        return [RECENT_FROM_DB + step / RECENT_STEPS for step in self.recent]

    @property
    def margin_recent_db(self) -> float | None:
        """The median of the newest margins; None of fewer than three."""
        return median(self.recent_db()) if len(self.recent) >= RECENT_LEAST else None

    def _convert(self, by_db: float) -> None:
        """Every margin for another spreading factor, which needs so much more signal."""
        for at in range(0, len(self._days), FIELDS):
            if self._days[at] != NO_MARGIN:
                moved = self._days[at] + round(by_db * 100.0)
                self._days[at] = min(max(moved, NO_MARGIN + 1), COUNT_MOST)
        steps = round(by_db * RECENT_STEPS)
        self.recent = bytes(min(max(step + steps, 0), 255) for step in self.recent)
        moved_today = bytearray(HISTOGRAM_BUCKETS)
        for bucket, count in enumerate(self._today):
            to = min(max(bucket + round(by_db), 0), HISTOGRAM_BUCKETS - 1)
            moved_today[to] = min(moved_today[to] + count, BUCKET_MOST)
        self._today = moved_today
