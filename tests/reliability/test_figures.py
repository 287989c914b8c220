"""What is said of figures: intervals, ranks, and when a goal is met."""

import math

import pytest

from tests.reliability import stats
from tests.reliability.goals.cell import Row, mean_row, quantile_row, share_row
from tests.reliability.goals.goals import GOALS
from tests.reliability.goals.measured import line, number_of
from tests.reliability.goals.pages import goals_page


def test_the_ranks_of_a_median_are_those_of_the_binomial() -> None:
    low, middle, high = stats.quantile_ranks(0.5, 20)
    assert (low, middle, high) == (4, 10, 17)  # P(B <= 3) = 0.0013, P(B <= 4) = 0.0059


def test_a_thousand_values_do_not_bound_their_999th_from_above_and_ten_thousand_do() -> None:
    assert stats.quantile_ranks(0.999, 1_000)[2] == 1_001
    assert stats.quantile_ranks(0.999, 10_000)[2] <= 10_000


def test_a_time_is_read_from_the_latest_ones_alone() -> None:
    late = [float(each) for each in range(900, 1_000)]
    row = quantile_row("k", "w", late, 1_000, 0.99, 1_000.0)
    assert row.measured == 989.0
    assert row.low < 989.0 < row.high
    assert row.met


def test_what_was_never_verified_is_later_than_any_goal() -> None:
    row = quantile_row("k", "w", [5.0, math.inf], 10, 0.999, 1_000.0)
    assert math.isinf(row.measured)
    assert not row.met
    assert number_of(row.measured, "s") == "never"


@pytest.mark.parametrize(("hits", "met", "chance"), [(999, True, False), (998, False, True)])
def test_a_share_below_its_goal_is_missed_even_where_chance_could_explain_it(
    hits: int, met: bool, chance: bool
) -> None:
    row = share_row("k", "w", hits, 1_000, 0.999)
    assert (row.met, row.within_chance) == (met, chance)


def test_a_mean_above_its_goal_is_missed() -> None:
    row = mean_row("k", "w", 1_300.0, 1_900.0, 1_000, 1.2, "frames")
    assert not row.met
    assert not row.within_chance
    assert "MISSED" in line(row, None)


def test_a_row_without_a_limit_is_neither_met_nor_missed_in_print() -> None:
    row = Row("k", "w", "s", 10, 5.0, 4.0, 6.0, None)
    assert line(row, None).rstrip().endswith("n=10")


def test_each_cell_is_measured_by_something_and_has_its_own_key() -> None:
    for goal in GOALS.values():
        for quick in (True, False):
            cells = goal.cells(quick)
            assert len({cell.key for cell in cells}) == len(cells)
            assert all(cell.key.split()[0] in goal.run for cell in cells)


def test_goals_without_figures_make_no_rows() -> None:
    assert all(goal.rows({}) == [] for goal in GOALS.values())
    assert "| goal |" not in goals_page({}, None)
