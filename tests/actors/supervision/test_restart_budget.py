"""Restart budget and backoff, as arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.supervision import Backoff, Budget

TIMES = st.lists(st.floats(0, 10_000), max_size=60).map(sorted)
BACKOFFS = st.builds(
    Backoff,
    first_s=st.floats(0, 10),
    factor=st.floats(1, 100),
    most_s=st.floats(10, 1000),
    jitter=st.floats(0, 1),
)
CHANCES = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 6), st.floats(0.5, 500), TIMES)
def test_no_period_ever_holds_more_restarts_than_the_budget(
    restarts: int, period_s: float, crashes: list[float]
) -> None:
    budget = Budget(restarts, period_s)
    spent: tuple[float, ...] = ()
    granted: list[float] = []
    for at in crashes:
        paid = budget.spend(spent, at)
        in_period = [before for before in granted if at - before < period_s]
        assert (paid is None) == (len(in_period) >= restarts)
        if paid is not None:
            spent = paid
            granted.append(at)
        assert len(spent) <= restarts


def test_the_default_allows_five_restarts_a_minute() -> None:
    spent: tuple[float, ...] | None = ()
    for at in (0.0, 1.0, 2.0, 3.0, 4.0):
        assert spent is not None
        spent = Budget().spend(spent, at)
    assert spent is not None
    assert Budget().spend(spent, 59.9) is None
    assert Budget().spend(spent, 60.0) == (1.0, 2.0, 3.0, 4.0, 60.0)


def test_no_restart_is_a_budget_too() -> None:
    assert Budget(restarts=0).spend((), 0.0) is None


@given(BACKOFFS, st.integers(-3, 5000), CHANCES)
def test_a_delay_stays_within_its_bounds(backoff: Backoff, n: int, chance: float) -> None:
    delay_s = backoff.delay_s(n, chance)
    assert 0 <= delay_s <= backoff.most_s
    assert delay_s >= backoff.first_s * (1 - backoff.jitter) * (1 - 1e-9)


@given(BACKOFFS, st.integers(1, 2000), CHANCES)
def test_the_next_delay_is_never_shorter_for_the_same_chance(
    backoff: Backoff, n: int, chance: float
) -> None:
    assert backoff.delay_s(n + 1, chance) >= backoff.delay_s(n, chance)


def test_the_default_doubles_up_to_half_a_minute() -> None:
    delays = [Backoff().delay_s(n, chance=0.0) for n in range(1, 11)]
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])
    assert Backoff().delay_s(1, chance=0.5) == pytest.approx(0.18)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_s": -1},
        {"first_s": 31},
        {"factor": 0.5},
        {"jitter": 1.1},
        {"most_s": float("inf")},
    ],
)
def test_a_backoff_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not a backoff"):
        Backoff(**wrong)


@pytest.mark.parametrize("wrong", [{"restarts": -1}, {"period_s": 0.0}, {"period_s": float("nan")}])
def test_a_budget_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not a restart budget"):
        Budget(**wrong)  # type: ignore[arg-type]
