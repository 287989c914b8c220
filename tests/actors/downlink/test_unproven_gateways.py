"""A gateway that takes frames and brings none to a light holds its lights; luck holds none."""

import random
from itertools import pairwise

import pytest
import trio

from actors.downlink.unproven_gateways import (
    LIGHTS_MOST,
    PROBE_EACH_S,
    RUN_ENDS_S,
    UnprovenGateways,
)
from actors.link.judgement import AttemptJudged
from tests.support.dispatcher_kit import RunningDispatcher, application, attempt, hearings

GATEWAY, OTHER = "a1", "b2"


def judged(
    *,
    answered: bool = False,
    first: bool = True,
    expected: float = 0.9,
    late: bool = False,
    gateway_id: str | None = GATEWAY,
) -> AttemptJudged:
    return AttemptJudged(
        number=1,
        gateway_id=gateway_id,
        first=first,
        answered=answered,
        expected=expected,
        late=late,
    )


def missed(
    gateways: UnprovenGateways, count: int, *, lights: int = 100, expected: float = 0.9
) -> int | None:
    """The frame with which the gateway became unproven, if one did."""
    for number in range(count):
        told = judged(expected=expected)
        if gateways.judged(f"light{number % lights}", told, float(number)):
            return number + 1
    return None


@pytest.mark.parametrize(("expected", "frames"), [(0.99, 6), (0.9, 6), (0.81, 9), (0.75, 10)])
def test_as_many_first_frames_as_make_it_one_in_a_million_by_luck(
    expected: float, frames: int
) -> None:
    assert missed(UnprovenGateways(), 50, expected=expected) == frames
    assert (1 - min(expected, 0.9)) ** frames <= 1.001e-6


def test_lights_that_hardly_ever_answer_say_hardly_anything() -> None:
    assert missed(UnprovenGateways(), 100, expected=0.1) is None


def test_one_or_two_dark_lights_asked_again_and_again_are_no_gateway() -> None:
    gateways = UnprovenGateways()
    assert missed(gateways, 200, lights=2) is None
    assert gateways.judged("a third", judged(), 200.0)


def test_retries_say_nothing_and_any_proof_ends_the_run() -> None:
    gateways = UnprovenGateways()
    for number in range(50):
        assert not gateways.judged(f"light{number}", judged(first=False), float(number))
    for number in range(50):
        assert not gateways.judged(f"light{number}", judged(), float(number))
        if number % 5 == 4:
            gateways.judged("some", judged(answered=True, first=False), float(number))


def test_a_frame_of_an_unknown_gateway_is_nobodys() -> None:
    gateways = UnprovenGateways()
    assert not any(
        gateways.judged(f"light{number}", judged(gateway_id=None), float(number))
        for number in range(50)
    )


def test_an_old_run_does_not_count_on() -> None:
    gateways = UnprovenGateways()
    assert missed(gateways, 5) is None
    assert not gateways.judged("a sixth", judged(), 5.0 + RUN_ENDS_S)


def test_one_light_is_tried_every_ten_seconds() -> None:
    gateways = UnprovenGateways()
    missed(gateways, 6)
    assert gateways.probe_at({GATEWAY}) == 5.0 + PROBE_EACH_S
    gateways.probing({GATEWAY}, 20.0)
    assert gateways.probe_at({GATEWAY}) == 20.0 + PROBE_EACH_S
    assert not gateways.judged("light9", judged(), 25.0)
    assert gateways.unproven[GATEWAY].frames == 7


def test_a_light_that_another_gateway_hears_does_not_wait() -> None:
    gateways = UnprovenGateways()
    missed(gateways, 6)
    assert gateways.probe_at({GATEWAY, OTHER}) is None
    assert gateways.probe_at(()) is None
    gateways.probing({GATEWAY, OTHER}, 20.0)
    assert gateways.unproven.keys() == {GATEWAY}


@pytest.mark.parametrize(
    "proof",
    [
        judged(answered=True),
        judged(answered=True, first=False),
        judged(late=True),
        judged(answered=True, late=True, expected=0.2),
    ],
)
def test_one_proof_of_whatever_kind_ends_it(proof: AttemptJudged) -> None:
    gateways = UnprovenGateways()
    missed(gateways, 6)
    assert gateways.judged("some light", proof, 30.0)
    assert gateways.probe_at({GATEWAY}) is None
    assert missed(gateways, 5) is None, "the next run begins with nothing"


def test_its_own_word_after_a_silence_ends_it_too() -> None:
    gateways = UnprovenGateways()
    missed(gateways, 6)
    assert gateways.acquitted(GATEWAY)
    assert not gateways.acquitted(GATEWAY)


def test_luck_holds_hardly_a_gateway_in_two_hundred_thousand_frames() -> None:
    gateways, chance = UnprovenGateways(), random.Random(11)
    held = 0
    for number in range(200_000):
        expected = 0.8 + 0.15 * (number % 10) / 10
        answered = chance.random() < expected
        told = judged(answered=answered, expected=expected)
        held += gateways.judged(f"light{number % 500}", told, float(number)) and not answered
    assert held <= 1


def test_lights_of_a_long_run_are_bounded() -> None:
    gateways = UnprovenGateways()
    missed(gateways, 100, expected=0.3)
    assert sum(len(run.lights) for run in gateways._runs.values()) <= LIGHTS_MOST


# ------------------------------------------------------------------ the whole dispatcher


def submit(it: RunningDispatcher, name: str, *gateways: str, number: int = 1) -> None:
    if name not in it.network.server.lights:
        it.network.server.add(name, *gateways)
    it.dispatcher.submit(name, attempt(number, at=it.clock.now()), hearings(*gateways))


def unanswered(it: RunningDispatcher, *gateways: str, frames: int = 6) -> None:
    """So many lights were sent a frame through each of these, and none was answered."""
    for gateway_id in gateways:
        for number in range(frames):
            it.dispatcher.judged(f"earlier-{number}", judged(gateway_id=gateway_id))
    it.dispatcher.look()


async def test_lights_of_an_unproven_gateway_wait_but_for_one_in_ten_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        unanswered(it, "gw-a")
        for number in range(8):
            submit(it, f"light-{number}", "gw-a")
        await trio.sleep(45.0)
        gaps = [round(later - one) for one, later in pairwise(it.enqueued())]
        assert len(gaps) == 3
        assert min(gaps) >= PROBE_EACH_S - 1
        left = it.dispatcher.waiting()
        assert len(left) == 4
        for one in left:
            (text,) = it.held(one.dev_eui)
            assert text == (
                "no light answers through gateway gw-a (6 frames since 08:00 UTC, and no status in"
                " reply): look at its antenna and its transmitter; one light is tried every 10 s"
            )
        assert it.dispatcher.statistics().gateways_unproven == 1


async def test_one_proof_through_it_lets_all_of_them_go(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: list[tuple[str, bool]] = []
    async with application(on_unproven=lambda *one: told.append(one)) as (it, _):
        unanswered(it, "gw-a")
        for number in range(6):
            submit(it, f"light-{number}", "gw-a")
        await trio.sleep(15.0)
        assert len(it.enqueued()) == 1
        it.dispatcher.judged("light-0", judged(answered=True, gateway_id="gw-a"))
        await trio.sleep(15.0)
        assert len(it.enqueued()) == 6
        assert told == [("gw-a", True), ("gw-a", False)]


async def test_lights_that_another_gateway_hears_and_those_of_others_go_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        unanswered(it, "gw-a")
        submit(it, "held", "gw-a")
        submit(it, "shared", "gw-a", "gw-b")
        submit(it, "other", "gw-b")
        await trio.sleep(9.0)
        assert it.enqueued("held") == []
        assert it.enqueued("shared")
        assert it.enqueued("other")


async def test_where_all_that_hear_a_light_are_unproven_it_waits(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        unanswered(it, "gw-a", "gw-b")
        submit(it, "shared", "gw-a", "gw-b")
        await trio.sleep(5.0)
        assert it.enqueued() == []
        (text,) = it.held("shared")
        assert text.startswith("no light answers through gateway gw-a (6 frames")
        assert ", gw-b (6 frames" in text
        await trio.sleep(10.0)
        assert len(it.enqueued("shared")) == 1


async def test_another_gateway_that_is_away_hears_no_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.dispatcher.gateway_changed("gw-b", False)
        unanswered(it, "gw-a")
        submit(it, "light-1", "gw-a", "gw-b")
        await trio.sleep(5.0)
        assert it.enqueued() == []
        it.dispatcher.gateway_changed("gw-b", True)
        await trio.sleep(3.0)
        assert len(it.enqueued()) == 1


async def test_a_gateway_that_comes_back_is_trusted_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        unanswered(it, "gw-a")
        submit(it, "light-1", "gw-a")
        await trio.sleep(2.0)
        it.dispatcher.gateway_changed("gw-a", True)
        await trio.sleep(3.0)
        assert len(it.enqueued()) == 1
        assert it.dispatcher.statistics().gateways_unproven == 0
