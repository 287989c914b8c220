"""What a goal consists of: cells that are measured, and rows that are shown.

A cell is one setting of the world; its pieces (seeds) are measured anywhere and pooled. A row is
one promise about a cell: a limit, and what was reached.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.reliability import stats

Found = dict[str, list[Any]]
"""What the pieces of each cell gave, by the cell's key."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the world, measured by `run(*args, piece)` for each piece."""

    key: str
    args: tuple[Any, ...]
    pieces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One promise: `measured` is at most `limit` (or at least, unless `most`).

    `low` and `high` bound the true value with 99 % confidence; infinite where n is too small to
    bound it. Without a limit the row is only shown.
    """

    key: str
    what: str
    unit: str
    n: int
    measured: float
    low: float
    high: float
    limit: float | None
    most: bool = True
    before: str = ""
    """Key of the figure of the version before, where that knew no such difference."""

    @property
    def key_before(self) -> str:
        """Under which the version before is kept."""
        return self.before or self.key

    @property
    def met(self) -> bool:
        """By the measured value."""
        if self.limit is None:
            return True
        return self.measured <= self.limit if self.most else self.measured >= self.limit

    @property
    def within_chance(self) -> bool:
        """Missed, and yet the true value may be within the limit."""
        if self.met or self.limit is None:
            return False
        return self.low <= self.limit if self.most else self.high >= self.limit


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised, and what measures it."""

    title: str
    text: str
    """What was done, in Markdown."""
    cells: Callable[[bool], list[Cell]]
    """All cells; fewer and shorter ones with True."""
    run: Mapping[str, Callable[..., Any]]
    """What measures a cell, by the first word of its key."""
    rows: Callable[[Found], list[Row]]
    """Those whose cells were measured."""
    why: str = ""
    """Why some are missed, in Markdown."""


def pieces(count: int) -> tuple[int, ...]:
    """So many seeds."""
    return tuple(range(1, 1 + count))


def share_row(
    key: str,
    what: str,
    hits: int,
    n: int,
    limit: float | None,
    *,
    most: bool = False,
    before: str = "",
) -> Row:
    """A share that was counted."""
    low, high = stats.share(hits, n)
    return Row(key, what, "share", n, hits / n if n else math.nan, low, high, limit, most, before)


def quantile_row(
    key: str, what: str, late_s: Sequence[float], n: int, share: float, limit: float | None
) -> Row:
    """The time within which this share of n was verified; `late_s` are the latest ones, all that
    are not among them are earlier, and what was never verified is infinite there."""
    late = sorted(late_s)
    at = [_ranked(late, n, rank) for rank in stats.quantile_ranks(share, n)]
    return Row(key, what, "s", n, at[1], at[0], at[2], limit)


def _ranked(late: list[float], n: int, rank: int) -> float:
    """The value of this rank of n, of which only the latest are known."""
    if rank > n:
        return math.inf
    index = rank - 1 - (n - len(late))
    return late[max(index, 0)]


def mean_row(
    key: str,
    what: str,
    total: float,
    squares: float,
    n: int,
    limit: float | None,
    unit: str,
    *,
    before: str = "",
) -> Row:
    """A mean, from a sum and a sum of squares."""
    mean = total / n
    spread = math.sqrt(max(0.0, squares / n - mean * mean) / max(1, n - 1))
    half = stats.Z * spread
    return Row(key, what, unit, n, mean, mean - half, mean + half, limit, before=before)


def spread_row(
    key: str,
    what: str,
    values: Sequence[float],
    n: int,
    limit: float | None,
    *,
    most: bool = True,
) -> Row:
    """A figure that each run gives; its interval from how far the runs are apart, where there are
    several."""
    if len(values) < 2:
        return Row(key, what, "figure", n, values[0], -math.inf, math.inf, limit, most)
    middle, low, high = stats.mean(values)
    return Row(key, what, "figure", n, middle, low, high, limit, most)
