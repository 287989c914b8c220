"""What the service says is said in German by the pages, and the guide tells of each reason."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import pytest

from actors.alerts.rules import AlertKind
from actors.board.reachability import Reach
from actors.quality.model import Line, Rule
from actors.quality.sentence import losses, margin, sentence_of
from actors.reasons import ReasonCode
from actors.reasons.sentences import SENTENCES
from api.guide.pages import rendered
from api.http.problems import KINDS
from tests.browser.catalogues import NODE, STATIC, Entry, catalogue, general, languages

SPEAKER = Path(__file__).parent / "said.mjs"
ANCHORS = rendered("operations").anchors
STATES = ("verified", "working", "held", "failed", "unreachable", "quiet")
ENGLISH = (
    "the",
    "is",
    "of",
    "and",
    "its",
    "to",
    "a",
    "it",
    "was",
    "were",
    "light",
    "lights",
    "since",
)
"""Words that are left where a sentence was not known as a whole."""
CHANCES = [
    *(
        sentence_of(0.97, None, [losses(up, down), margin(11.0, slope)], ())
        for up, down, slope in (
            ((3.0, 40.0), (0.0, 12.0), -0.6),
            ((0.2, 40.0), (12.0, 12.0), 0.6),
            ((40.0, 40.0), (0.2, 12.0), 0.0),
            ((1.0, 1.0), (0.0, 12.0), None),
            ((0.0, 1.0), (1.0, 12.0), None),
            ((1.0, 40.0), (0.0, 1.0), None),
            ((5.0, 40.0), (1.0, 1.0), None),
            ((0.0, 0.0), (1.0, 12.0), None),
        )
    ),
    sentence_of(0.001, None, [margin(3.0, None)], ()),
    sentence_of(0.9999, None, [margin(3.0, None)], ()),
    sentence_of(None, None, [], ()),
    sentence_of(None, "it joined lately, and its settings go first", [margin(3.0, None)], ()),
]
OTHERS = (Path(__file__).parent / "said_by_the_service.txt").read_text("utf-8").splitlines()
"""Of warnings, grades, alerts and orders, as they are said."""


class Spoken(TypedDict):
    words: str


def spoken(texts: Sequence[str]) -> list[Spoken]:
    shown = subprocess.run(
        [NODE, "--no-warnings", SPEAKER, STATIC / "app" / "base" / "said.js"],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found: list[Spoken] = json.loads(shown.stdout)
    return found


def plain(entry: Entry) -> str:
    """A text of a page as the service has it: there a plural is in the value."""
    return general(entry).replace("{n} frames", "{frames}").replace("{n} lights", "{lights}")


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_its_words_in_every_language_and_the_guide_tells_of_it(
    code: ReasonCode,
) -> None:
    sentence, key = SENTENCES[code], f"reason.{code.value}"
    words = {
        key: sentence.text,
        **({} if sentence.bare is None else {f"{key}.bare": sentence.bare}),
        **{f"{key}.{name}": each for name, each in sentence.each.items()},
        **{f"{key}.{name}.between": between for name, between in sentence.between.items()},
    }
    english = catalogue("en")
    assert words == {
        one: plain(entry)
        for one, entry in english.items()
        if one == key or one.startswith(f"{key}.")
    }
    for language in languages():
        assert words.keys() <= catalogue(language).keys()
        anchor = f"reason-{code.value.replace('_', '-')}"
        assert code is ReasonCode.OTHER or anchor in rendered("operations", language).anchors


def test_what_the_service_says_is_said_in_german() -> None:
    for told in spoken([*CHANCES, *OTHERS]):
        left = [word for word in ENGLISH if f" {word} " in f" {told['words']} "]
        assert left == [], told["words"]


def test_what_goes_into_a_sentence_stays() -> None:
    told = spoken(
        [
            "every gateway that hears this light is offline: Roof (since 10:42 UTC)",
            CHANCES[0],
            "Line 2 may fail: more than half of its statuses are lost",
            "words that nobody knows",
        ]
    )
    assert [one["words"] for one in told] == [
        "jedes Gateway, das diese Leuchte hört, ist offline: Roof (seit 10:42 UTC)",
        (
            "97 %: 3 der letzten 40 Statusmeldungen und keiner der letzten 12 Frames an sie gingen"
            " verloren; Reserve 11 dB, fällt um 0,6 dB am Tag"
        ),
        "Line 2 kann ausfallen: mehr als die Hälfte ihrer Statusmeldungen geht verloren",
        "words that nobody knows",
    ]


def test_every_state_alert_warning_and_line_has_its_paragraph() -> None:
    codes = [
        *(f"state-{state}" for state in (*STATES, *(one.value for one in Reach))),
        *(f"alert-{kind.value}" for kind in AlertKind),
        *(f"quality-{rule.value}" for rule in (*Rule, *Line)),
    ]
    assert [code for code in codes if code.replace("_", "-") not in ANCHORS] == []


def test_every_alert_and_refusal_has_its_words() -> None:
    english = catalogue("en")
    assert [kind for kind in AlertKind if f"alert.{kind.value}" not in english] == []
    for kind in KINDS:
        assert english.get(f"problem.{kind.slug}") == kind.title, kind
