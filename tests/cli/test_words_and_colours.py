"""The words, colours and exit codes of the command line, without a service."""

from typing import Any

import pytest

from api.cli.client.errors import Mistaken, Refused, in_our_words
from api.cli.client.place import Place
from api.cli.exits import Exit
from api.cli.show.colours import parse_blink, parse_colour, swatch, words
from api.cli.show.states import sort_key, state, why
from api.cli.show.tables import shown
from api.cli.show.times import span
from api.cli.verbs.rollout import outcome
from api.cli.verbs.send import verdict
from lamplighter.client.errors import refusal

GREEN = {"red": 0, "green": 255, "blue": 0, "on": 255, "off": 0}
RED = GREEN | {"red": 255, "green": 0}


GONE = {"reachable": False, "reachability": "no_gateway_online", "reachability_since": 9_000.0}
SILENT = GONE | {"reachability": "silent", "reported_current": False}


def a_device(**changes: Any) -> dict[str, Any]:
    device: dict[str, Any] = {
        "phase": "idle",
        "wanted": GREEN,
        "reported": GREEN,
        "as_wanted": True,
        "gateways": ["g1"],
        "reachable": True,
        "reachability": "reachable",
        "reachability_since": 0.0,
        "reported_current": True,
        "reported_at": 10_000.0,
        "command_status": None,
        "command_reason": None,
    }
    return device | changes


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("red", (255, 0, 0)),
        (" OFF ", (0, 0, 0)),
        ("purple", (120, 0, 255)),
        ("#0a0B0c", (10, 11, 12)),
        ("0a0b0c", (10, 11, 12)),
    ],
)
def test_a_colour_by_name_or_number(text: str, colour: tuple[int, int, int]) -> None:
    assert parse_colour(text) == colour


@pytest.mark.parametrize("text", ["", "reddish", "#12345", "#1234567", "255,0,0", "#gg0000"])
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no colour: off, red"):
        parse_colour(text)


def test_blink_times() -> None:
    assert parse_blink("50/25") == (50, 25)
    assert parse_blink("50") == (50, 50)
    for wrong in ("", "a/b", "1/2/3", "-1/5", "300/1", "0/5"):
        with pytest.raises(ValueError, match=r"1/100 s"):
            parse_blink(wrong)


def test_every_named_colour_is_said_by_a_word() -> None:
    assert words(GREEN) == "green"
    assert words(GREEN | {"green": 0x35}) == "dim green"
    assert words(RED | {"off": 50}) == "red, blinking"
    assert words(RED | {"red": 0}) == "dark"
    assert words(None) == "unknown"
    assert "red" in swatch(RED).plain, "a colour is never the only sign"


def test_spans() -> None:
    assert [span(s) for s in (-1, 8, 180, 7_200, 200_000)] == ["0 s", "8 s", "3 min", "2 h", "2 d"]


@pytest.mark.parametrize(
    ("device", "short", "sentence"),
    [
        (a_device(), "verified", "It shows green, as it should."),
        (
            a_device(wanted=None, as_wanted=None),
            "nothing asked",
            "It shows green, and nothing is asked of it.",
        ),
        (
            a_device(
                phase="awaiting_verify",
                wanted=RED,
                as_wanted=False,
                command_status="transmitted",
            ),
            "verifying",
            (
                "It shows green, but should show red: a gateway sent it, but the light has not"
                " confirmed it yet."
            ),
        ),
        (
            a_device(phase="retrying", wanted=RED, as_wanted=False, **GONE),
            "held",
            "It shows green, but should show red: every gateway that hears it is offline (Roof).",
        ),
        (
            a_device(phase="uninitialized", reported=None, as_wanted=None, wanted=RED),
            "waiting",
            (
                "Nobody knows what it shows: it has not reported since it joined; it should show"
                " red: it hears nothing before its first report after a join."
            ),
        ),
    ],
)
def test_why_a_light_shows_what_it_shows(device: dict[str, Any], short: str, sentence: str) -> None:
    assert state(device) == short
    assert why(device, {"g1": "Roof"}) == sentence


@pytest.mark.parametrize(
    ("device", "short", "sentence"),
    [
        (
            a_device(**SILENT),
            "silent",
            "It showed green, heard 3 h ago, as it should. It has not been heard for 3 h.",
        ),
        (
            a_device(**SILENT, wanted=None, as_wanted=None),
            "silent",
            (
                "It showed green, heard 3 h ago, and nothing is asked of it."
                " It has not been heard for 3 h."
            ),
        ),
        (
            a_device(**GONE),
            "no gateway",
            (
                "It shows green, as it should."
                " Every gateway that hears it is offline for 3 h (Roof)."
            ),
        ),
        (
            a_device(**GONE | {"reachability": "disabled"}),
            "disabled",
            "It shows green, as it should. It is disabled in ChirpStack for 3 h.",
        ),
        (
            a_device(
                phase="uninitialized",
                reported=None,
                as_wanted=None,
                wanted=None,
                **GONE | {"reachability": "never_heard"},
            ),
            "not heard yet",
            (
                "Nobody knows what it shows: it has not reported since it joined,"
                " and nothing is asked of it."
            ),
        ),
    ],
)
def test_a_light_that_is_not_heard_is_told_of_in_the_past(
    device: dict[str, Any], short: str, sentence: str
) -> None:
    assert state(device) == short
    assert why(device, {"g1": "Roof"}, 19_800.0) == sentence


def test_the_troubled_lights_come_first() -> None:
    lights = [
        a_device(name=name, dev_eui=name, since=0.0, heard_at=None, **changes)
        for name, changes in (
            ("well", {}),
            ("silent", SILENT),
            ("working", {"phase": "retrying", "wanted": RED, "as_wanted": False}),
            ("failed", {"phase": "failed"}),
            ("held", {"command_status": "held"}),
        )
    ]
    lights.sort(key=lambda each: sort_key(each, "state"))
    assert [each["name"] for each in lights] == ["failed", "held", "silent", "working", "well"]


def test_a_colour_of_the_past_is_not_drawn_in_its_colour() -> None:
    past = shown(a_device(**SILENT), 19_800.0)
    assert past.plain == "◌  showed green, heard 3 h ago"
    assert not any("#00ff00" in str(span.style) for span in past.spans)


@pytest.mark.parametrize(
    ("status", "overdue", "code"),
    [
        ("verified", True, Exit.OK),
        ("accepted", False, Exit.UNVERIFIED),
        ("held", False, Exit.HELD),
        ("transmitted", True, Exit.OVERDUE),
        ("superseded", False, Exit.SUPERSEDED),
        ("expired", False, Exit.EXPIRED),
        ("rejected", False, Exit.REJECTED),
    ],
)
def test_a_verdict_has_a_code_of_its_own(status: str, overdue: bool, code: Exit) -> None:
    assert verdict({"status": status, "overdue": overdue}) is code


@pytest.mark.parametrize(
    ("state_", "failed", "code"),
    [
        ("done", 0, Exit.OK),
        ("done", 1, Exit.PARTLY),
        ("cancelled", 0, Exit.PARTLY),
        ("stopped", 6, Exit.PARTLY),
        ("paused", 0, Exit.UNVERIFIED),
    ],
)
def test_what_a_rollout_comes_to(state_: str, failed: int, code: Exit) -> None:
    assert outcome({"state": state_, "failed": failed}) is code


def test_addresses() -> None:
    assert Place.of("localhost:8090/", None).live == "ws://localhost:8090/api/v1/live"
    assert Place.of("https://x.example/lamp/api/v1", "t").at == "https://x.example/lamp"
    assert "secret" not in repr(Place.of("http://x", "secret"))
    for wrong in ("ftp://x", "http://", "http://u:p@x", "http://x?y=1", "http://x:99999", "a b"):
        with pytest.raises(Mistaken, match="is no address"):
            Place.of(wrong, None)
    with pytest.raises(Mistaken, match="--token"):
        Place.of("http://x", "a b")


def told(status: int, body: bytes, retry_after: str | None = None) -> Refused:
    error = in_our_words(refusal(status, body, retry_after))
    assert isinstance(error, Refused)
    return error


def test_problems_become_words_and_a_code() -> None:
    body = b'{"type":"urn:lamplighter:problem:invalid","title":"Mistakes","errors":'
    body += b'[{"field":"red","problem":"is too large"}]}'
    error = told(422, body)
    assert (error.slug, error.exit, str(error)) == ("invalid", 2, "Mistakes; red is too large")
    assert told(429, b"", "7").exit is Exit.FAILED
    assert "try again in 7 s" in str(told(429, b"", "7"))
    assert told(503, b"<html>").exit is Exit.FAILED
