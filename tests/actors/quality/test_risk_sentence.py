"""What is said of a light: right for every count, and nothing that was not measured."""

import pytest

from actors.quality.model import LightWarning, Rule
from actors.quality.sentence import NOTHING_KNOWN, losses, margin, sentence_of, share


@pytest.mark.parametrize(
    ("uplinks", "downlinks", "text"),
    [
        (
            (3.1, 40.2),
            (0.0, 12.0),
            "3 of the last 40 statuses and none of the last 12 frames to it were lost",
        ),
        ((0.0, 40.0), (0.0, 0.0), "none of the last 40 statuses were lost"),
        ((1.0, 40.0), (0.0, 0.0), "1 of the last 40 statuses was lost"),
        ((0.0, 1.0), (0.0, 0.0), "the last status was not lost"),
        (
            (0.0, 1.0),
            (0.0, 1.0),
            "the last status was not lost, and the last frame to it was not lost",
        ),
        ((1.0, 1.0), (0.0, 0.0), "the last status was lost"),
        ((0.3, 60.0), (0.0, 0.0), "hardly any of the last 60 statuses were lost"),
        ((0.0, 0.0), (2.0, 5.0), "2 of the last 5 frames to it were lost"),
        ((40.0, 40.0), (0.0, 0.0), "all of the last 40 statuses were lost"),
        (
            (0.0, 5.0),
            (0.0, 1.0),
            "none of the last 5 statuses were lost, and the last frame to it was not lost",
        ),
        (
            (2.0, 5.0),
            (0.0, 1.0),
            "2 of the last 5 statuses were lost, and the last frame to it was not lost",
        ),
        ((0.0, 0.4), (0.0, 0.0), None),
    ],
)
def test_losses_are_said_in_plain_english(
    uplinks: tuple[float, float], downlinks: tuple[float, float], text: str | None
) -> None:
    assert losses(uplinks, downlinks) == text


def test_a_margin_says_where_it_goes() -> None:
    assert margin(None, None) is None
    assert margin(11.4, None) == "margin 11 dB"
    assert margin(11.4, 0.04) == "margin 11 dB, steady"
    assert margin(11.4, -0.62) == "margin 11 dB, falling 0.6 dB a day"
    assert margin(11.4, 1.0) == "margin 11 dB, rising 1.0 dB a day"


def test_a_chance_is_never_certain() -> None:
    assert [share(one) for one in (0.0, 0.004, 0.5, 0.989, 0.99, 0.9951, 0.9999, 1.0)] == [
        "below 1 %",
        "below 1 %",
        "50 %",
        "99 %",
        "99.0 %",
        "99.5 %",
        "above 99.9 %",
        "above 99.9 %",
    ]


def test_the_whole_is_the_chance_with_its_evidence_and_warnings() -> None:
    warning = LightWarning(Rule.COUNTERS, 0.0, "60 % of its statuses are lost")
    evidence = ("3 of the last 40 statuses were lost", None, "margin 11 dB")
    assert (
        sentence_of(0.97, None, evidence, (warning,))
        == "97 %: 3 of the last 40 statuses were lost; margin 11 dB; 60 % of its statuses are lost"
    )


def test_without_anything_counted_nothing_is_claimed() -> None:
    assert sentence_of(None, None, (None, None), ()) == NOTHING_KNOWN


def test_what_keeps_every_frame_from_it_is_said_instead_of_a_chance() -> None:
    told = sentence_of(None, "it is disabled in ChirpStack", ("margin 11 dB",), ())
    assert told == "it is disabled in ChirpStack: margin 11 dB"
