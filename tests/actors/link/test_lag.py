"""The forwarder's lag told apart from the light's delay, for what is met in the field."""

from random import Random

import pytest

from actors.link.lag import Basis, Lag, SlotDelay, beyond_s, delay_of, lag_of

FLOOR_S = 0.92
"""How soon a light speaks after a frame in RX1 at SF9: its windows close then."""

DELAYS = {
    "at once": lambda rng: rng.uniform(0.05, 0.3),
    "1 s": lambda rng: 1.0 + rng.uniform(-0.005, 0.005),
    "1 to 3 s": lambda rng: rng.uniform(1.0, 3.0),
    "median 1.5 s": lambda rng: 1.5 * 2.718281828 ** rng.gauss(0.0, 0.6),
}


def seen(kind, lag_s, slots, sums, seed):
    """What an honest world shows: some delays without lag, some with."""
    rng = Random(f"{kind} {lag_s} {seed}")
    delay = DELAYS[kind]
    without = []
    for _ in range(slots):
        delay_s = max(delay(rng), FLOOR_S)
        without.append(SlotDelay(delay_s, FLOOR_S))
    return [lag_s + delay(rng) for _ in range(sums)], without


@pytest.mark.parametrize("lag_s", [0.08, 1.0])
@pytest.mark.parametrize(
    ("kind", "wrong_most"), [(kind, 0.02 * ("to" in kind or "median" in kind)) for kind in DELAYS]
)
@pytest.mark.parametrize("sums", [5, 60])
def test_a_lag_is_hardly_ever_taken_for_the_other_kind(kind, wrong_most, lag_s, sums):
    """Never where the delay is steady; one or two in a hundred where it differs by seconds."""
    wrong = 0
    for seed in range(400):
        with_lag, without = seen(kind, lag_s, 5, sums, seed)
        lag = lag_of(with_lag, without)
        wrong += lag is not None and abs(lag.lag_s - lag_s) >= 0.15
    assert wrong <= 400 * wrong_most


@pytest.mark.parametrize("lag_s", [0.08, 1.0])
@pytest.mark.parametrize(("kind", "least"), [("at once", 1.0), ("1 s", 1.0), ("1 to 3 s", 0.4)])
def test_the_probe_of_five_lights_mostly_decides(kind, least, lag_s):
    decided = 0
    for seed in range(200):
        with_lag, without = seen(kind, lag_s, 5, 30, seed)
        decided += lag_of(with_lag, without) is not None
    assert decided >= 200 * least


def test_a_delay_that_is_always_the_same_gives_the_lag_itself():
    with_lag, without = seen("1 s", 0.35, 5, 10, 0)
    lag = lag_of(with_lag, without)
    assert lag is not None
    assert lag.basis is Basis.MEASURED
    assert lag.lag_s == pytest.approx(0.35, abs=0.02)


def test_answers_sooner_than_a_second_rule_a_lag_of_a_second_out_without_any_probe():
    with_lag, _ = seen("at once", 0.08, 0, 10, 0)
    assert lag_of(with_lag, ()) == Lag(0.08, Basis.EXCLUDED)


@pytest.mark.parametrize(("kind", "lag_s"), [("at once", 1.0), ("1 s", 0.08), ("1 to 3 s", 0.08)])
def test_late_answers_alone_tell_nothing(kind, lag_s):
    with_lag, _ = seen(kind, lag_s, 0, 60, 0)
    assert lag_of(with_lag, ()) is None


def test_few_samples_decide_nothing():
    with_lag, without = seen("1 s", 1.0, 2, 30, 0)
    assert delay_of(without) is None
    with_lag, without = seen("1 s", 1.0, 5, 2, 0)
    assert lag_of(with_lag, without) is None


def test_a_delay_at_the_floor_is_an_upper_bound():
    _, without = seen("at once", 0.08, 5, 0, 0)
    delay = delay_of(without)
    assert delay is not None
    assert delay.at_most
    assert delay.median_s == pytest.approx(FLOOR_S)
    _, without = seen("1 to 3 s", 0.08, 5, 0, 0)
    delay = delay_of(without)
    assert delay is not None
    assert not delay.at_most


# ------------------------------------------------------------------ two gateways compared


@pytest.mark.parametrize("kind", DELAYS)
@pytest.mark.parametrize("difference_s", [0.0, 0.92])
def test_the_difference_of_two_lags_is_bounded_from_above(kind, difference_s) -> None:
    """By what answers of the same software show, whatever their delay; twice in 60 it may fail."""
    wrong = 0
    for seed in range(60):
        ours, _ = seen(kind, 0.08 + difference_s, 0, 40, f"ours {seed}")
        theirs, _ = seen(kind, 0.08, 0, 40, f"theirs {seed}")
        at_most_s = beyond_s(ours, theirs)
        wrong += at_most_s < difference_s
        assert at_most_s < difference_s + 1.6
    assert wrong <= 6


def test_forwarders_of_a_kind_differ_by_little_where_lights_answer_at_once() -> None:
    ours, _ = seen("at once", 1.0, 0, 40, "ours")
    theirs, _ = seen("at once", 1.0, 0, 40, "theirs")
    assert beyond_s(ours, theirs) < 0.1
