"""Names and errors of others on a terminal: text, and nothing that it obeys."""

import io
import re
from typing import Any

import pytest
from rich.live import Live
from rich.text import Text

from api.cli.console import PlainConsole
from api.cli.show import tables
from api.cli.show.device import step_line
from api.cli.verbs.watch import Picture
from tests.cli.test_words_and_colours import a_device

HOSTILE = [
    "\x1b[2J\x1b[31mgone",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\x9b31mred",
    "a\u202egnp.exe\u202c",
    "Desk\nGarage  ✓ verified",
    "[red]Desk[/red]",
    "[link=http://evil.example]Desk",
    "x" * 5_000,
]
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def shown(*what: Any) -> str:
    """What a terminal of 300 columns gets, without the styles that are ours."""
    out = io.StringIO()
    PlainConsole(file=out, force_terminal=True, width=300, highlight=False).print(*what)
    return STYLES.sub("", out.getvalue())


def rows(name: str) -> dict[str, Any]:
    more = {"dev_eui": "20202041000f0001", "since": 0.0, "heard_at": 9_000.0, "name": name}
    return a_device(**more)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_table_shows_a_name_as_text(name: str) -> None:
    text = shown(tables.lights([rows(name)], 10_000.0, {"g1": name}))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    lines = text.rstrip().splitlines()
    assert len(lines) <= (4 if len(name) < 100 else 8), "one line for one light"
    assert len(text) < 4_000
    if name.startswith("[red]"):
        assert "[red]Desk[/red]" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_of_a_command_shows_a_reason_as_text(name: str) -> None:
    step = {"kind": "held", "at": 1.0, "reason": name, "gateway_id": "g1", "attempt": 1}
    text = shown(step_line(step, 0.0, {"g1": name}))
    assert "\x1b" not in text
    assert len(text) < 600
    assert len(text.splitlines()) <= (1 if len(name) < 100 else 3)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_drawn_again_and_again_shows_text(name: str) -> None:
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=True, width=300, height=30)
    with Live(console=console, auto_refresh=False) as live:
        live.update(Text(name), refresh=True)
    written = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue().replace("[2J", ""))
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_the_watched_picture_holds_plain_names() -> None:
    picture = Picture()
    body = {"part": 1, "gateways": [], "alerts": [], "devices": [rows("a\x1b[2J\nb")]}
    picture.take(type("M", (), {"kind": "snapshot", "body": body})())  # type: ignore[arg-type]
    assert picture.devices["20202041000f0001"]["name"] == "a[2J b"


def test_an_error_of_another_program_is_text() -> None:
    assert "\x1b" not in shown("lamplighter: \x1b]0;x\x07refused")
