"""A gateway that takes frames and brings none to a light holds its lights; luck holds none."""

import random

import pytest

from actors.downlink.unproven_gateways import (
    LIGHTS_MOST,
    PROBE_EACH_S,
    RUN_ENDS_S,
    UnprovenGateways,
)
from actors.link.judgement import AttemptJudged

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
