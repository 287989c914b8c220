"""The wait for an answer follows from the answers: quickly, without needless retries, and for all.

The worlds are those in which the rules were chosen: a light answers after a fixed time, evenly
spread, with a long tail, with another firmware from some day on, or now and then a minute late.
"""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.link import answer_times as at
from actors.link.air_facts import DELAYS_MOST
from actors.link.answer_times import AnswerTimes, AnswerTimesRecord

FRAME_S, STATUS_S = 0.185, 0.267  # a colour and a status at SF9
ORDERS = 6_000
Delay = Callable[[random.Random, int], float]


def quick(chance: random.Random, order: int) -> float:
    return chance.uniform(0.05, 0.3)


def one_second(chance: random.Random, order: int) -> float:
    return 1.0


def spread(chance: random.Random, order: int) -> float:
    return chance.uniform(1.0, 3.0)


def long_tail(chance: random.Random, order: int) -> float:
    return 1.5 * math.exp(chance.gauss(0.0, 0.5))


STEADY = (quick, one_second, spread, long_tail)


class World:
    """Orders one after another, each lost at a share per direction. `spacing_s` is the least time
    to the next frame; an answer is needlessly retried when it came later than that and the wait."""

    def __init__(self, loss: float = 0.1, spacing_s: float = 0.0, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        self.loss, self.spacing_s = loss, spacing_s
        self.times = AnswerTimes()
        self.needless: list[int] = []
        self.windows: list[float] = []

    def run(self, delay: Delay, orders: int = ORDERS) -> "World":
        for _ in range(orders):
            self._order(delay)
        return self

    def _order(self, delay: Delay) -> None:
        chance, known_s, number = self.chance, self.times.wait_s, len(self.windows)
        airtimes_s = FRAME_S + STATUS_S
        window_s = min(30.0, max(2.0, (8.0 if known_s is None else known_s) + airtimes_s))
        self.windows.append(window_s)
        answer_s = delay(chance, number) + 0.2 + chance.uniform(-0.08, 0.18)  # webhooks
        retried_s = max(window_s, self.spacing_s) - airtimes_s
        if chance.random() < self.loss:
            return
        if chance.random() < self.loss:  # the answer is lost: a heartbeat may pass for it
            answer_s = chance.uniform(0.0, 900.0)
            if answer_s < retried_s:
                self.times.answered(answer_s)
        elif answer_s <= retried_s:
            self.times.answered(answer_s)
        else:
            self.needless.append(number)
            if (
                answer_s <= retried_s + 10.0
            ):  # before the retry counted: it is clear what it answers
                self.times.answered(answer_s)


@pytest.mark.parametrize("delay", STEADY)
def test_hardly_an_order_is_retried_while_its_answer_is_on_its_way(delay: Delay) -> None:
    world = World().run(delay)
    assert len(world.needless) <= 0.005 * ORDERS


@pytest.mark.parametrize(
    ("delay", "most_s"), [(quick, 2.1), (one_second, 2.4), (spread, 5.0), (long_tail, 9.5)]
)
def test_the_window_ends_soon_after_the_slowest_answers(delay: Delay, most_s: float) -> None:
    windows = World().run(delay).windows
    assert sum(windows[200:]) / len(windows[200:]) <= most_s


def test_twenty_answers_suffice_and_before_them_nothing_is_said() -> None:
    times = AnswerTimes()
    for _ in range(at.SAMPLES_LEAST - 1):
        times.answered(0.4)
    assert (times.wait_s, times.median_s) == (None, None)
    times.answered(0.4)
    assert times.wait_s is not None
    assert 0.4 <= times.median_s <= 0.4 * at.RATIO  # type: ignore[operator]
    assert 1.1 * 0.4 <= times.wait_s <= 1.1 * 0.4 * at.RATIO


@pytest.mark.parametrize("spacing_s", [0.0, 5.0, 10.0])
@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_a_slower_firmware_costs_two_of_a_hundred_orders_at_most(
    loss: float, spacing_s: float
) -> None:
    world = World(loss, spacing_s).run(lambda chance, order: 0.2)
    world.run(lambda chance, order: 4.0, orders=100)
    assert sum(number >= ORDERS for number in world.needless) <= 2
    assert world.times.wait_s is not None
    assert world.times.wait_s > 4.2


def test_a_quicker_firmware_is_waited_for_less_within_forty_answers() -> None:
    world = World().run(lambda chance, order: 4.0)
    world.run(quick, orders=60)
    assert world.windows[-1] == pytest.approx(2.0)


def test_answers_slower_than_the_careful_wait_are_waited_for_before_twenty_are_known() -> None:
    world = World(spacing_s=10.0).run(quick)
    world.run(lambda chance, order: 12.0, orders=100)
    assert sum(number >= ORDERS for number in world.needless) <= 6, "no window was ever so long"
    assert world.times.wait_s is not None
    assert world.times.wait_s > 12.2


@pytest.mark.parametrize("usual", [quick, spread, long_tail])
def test_lights_that_are_shut_for_a_while_make_nobody_wait_for_a_minute(usual: Delay) -> None:
    def shut_now_and_then(chance: random.Random, order: int) -> float:
        late = chance.random() < 0.05
        return chance.uniform(10.0, 60.0) if late else usual(chance, order)

    world = World(spacing_s=10.0).run(shut_now_and_then)
    assert sum(window > 12.0 for window in world.windows) <= 0.06 * ORDERS
    assert sum(world.windows) <= 9.0 * ORDERS
    assert 0.03 * ORDERS <= len(world.needless) <= 0.05 * ORDERS, "those that were really late"
    for _ in range(300):
        world.times.answered(usual(world.chance, 0))
        if world.chance.random() < 0.05:
            world.times.answered(world.chance.uniform(10.0, 60.0))
    assert 0.02 <= world.times.late_share <= 0.1, "kept, and shown"


def test_when_most_answers_are_late_it_is_no_exception_any_more() -> None:
    times = AnswerTimes()
    for count in range(400):
        times.answered(15.0 if count % 4 == 0 else 0.3)
    assert times.late_share == 0.0
    assert times.wait_s is not None
    assert times.wait_s >= 15.0


def test_one_stray_answer_moves_nothing() -> None:
    times = AnswerTimes()
    for _ in range(400):
        times.answered(0.3)
    before = times.wait_s
    times.answered(40.0)
    assert times.wait_s == before


@pytest.mark.parametrize("odd", [-0.5, 241.0, 900.0, math.inf, math.nan])
def test_what_can_be_no_answer_is_not_taken_for_one(odd: float) -> None:
    times = AnswerTimes()
    assert not times.answered(odd)
    times.delayed(odd if odd < -1 or odd > 0 else -1.5)
    assert (times.samples, times.delays_s()) == (0, ())


def test_delays_for_the_pace_are_the_newest_and_none_of_a_late_hump() -> None:
    times, chance = AnswerTimes(), random.Random(2)
    for count in range(600):
        answer_s = 30.0 if count % 25 == 0 else chance.uniform(1.0, 3.0)
        times.answered(answer_s)
        times.delayed(answer_s - 0.1)
    delays = times.delays_s()
    assert len(delays) == DELAYS_MOST - DELAYS_MOST // 25
    assert list(delays) == sorted(delays)
    assert delays[-1] < 3.0
    assert times.delays_s() is delays, "sorted once"


def test_a_gateway_with_another_lag_has_delays_of_its_own_once_there_are_enough() -> None:
    times = AnswerTimes()
    for count in range(300):
        times.answered(1.0)
        times.delayed(0.4, "quick")
        if count % 15 == 0:
            times.delayed(1.3, "slow")
            assert len(times.delays_s("slow")) in {min(count + count // 15 + 2, DELAYS_MOST), 20}
    assert set(times.delays_s("slow")) == {1.3}
    assert set(times.delays_s("quick")) == {0.4}
    assert set(times.delays_s("unheard of")) == set(times.delays_s()) == {0.4, 1.3}
    assert len(times.delays_s("quick")) == at.OWN_MOST
    for number in range(at.GATEWAYS_MOST):
        times.delayed(0.2, f"gateway {number}")
    assert set(times.delays_s("slow")) == set(times.delays_s()), "forgotten: long unanswered"


def test_delays_of_the_firmware_before_are_forgotten() -> None:
    times = AnswerTimes()
    for _ in range(300):
        times.answered(0.3)
        times.delayed(0.2)
    for _ in range(at.RECENT):
        times.answered(4.0)
        times.delayed(3.9)
    assert times.wait_s is None, "eight answers are too few to say how long the others take"
    assert set(times.delays_s()[1:]) == {3.9}, "the eighth answer's delay comes after it"


def test_what_is_stored_says_the_same_again() -> None:
    world = World().run(long_tail, orders=900)
    for delay_s in (0.25, 1.5, 0.75):
        world.times.delayed(delay_s)
    again = AnswerTimes.restored(world.times.record())
    assert again.wait_s == world.times.wait_s
    assert (again.samples, again.delays_s()) == (world.times.samples, (0.25, 0.75, 1.5))
    assert again.record() == world.times.record()


def test_an_odd_record_counts_for_nothing_and_breaks_nothing() -> None:
    odd = AnswerTimesRecord(
        counts=((-1, 3.0), (9_999, 3.0), (4, -1.0), (5, math.inf), (6, math.nan)),
        samples=10_000,
        delays=(-5.0, math.nan, 1e9),
    )
    times = AnswerTimes.restored(odd)
    assert (times.samples, times.wait_s, times.delays_s()) == (0, None, ())
    times.answered(0.3)
    assert times.samples == 1


@given(st.lists(st.floats(0.0, at.ANSWER_MOST_S), max_size=80))
def test_whatever_comes_the_wait_is_that_of_some_answer(answers: list[float]) -> None:
    times = AnswerTimes()
    for answer_s in answers:
        assert times.answered(answer_s)
        if times.wait_s is not None:
            assert 0.0 < times.wait_s <= at.MARGIN * at.RATIO * max([*answers, at.SHORTEST_S])
        assert 0.0 <= times.late_share <= at.HUMP_MOST
