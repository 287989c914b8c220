"""Text from outside, where people read it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.plain_text import LINE_MOST, NAME_MOST, one_line, plain, plainly


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Desk 1", "Desk 1"),
        ("Büro Ärzte 会議室 👩\u200d💻", "Büro Ärzte 会議室 👩\u200d💻"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;owned\x07", "]0;owned"),
        ("\x9b31mred", "31mred"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\u2066b\u2069\u200f\u061c", "ab"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("one\r\ntwo\u2028three", "one two three"),
        ("\x00\x08\x7f", ""),
        ("tab\tbed", "tab bed"),
        ("\ud800", "\ufffd"),
    ],
)
def test_only_what_can_be_read_is_shown(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_long_text_is_cut() -> None:
    assert one_line("x" * 5_000) == "x" * (LINE_MOST - 1) + "…"
    assert plainly({"name": "x" * 5_000})["name"] == "x" * (NAME_MOST - 1) + "…"
    assert len(one_line("\x1b" * 5_000 + "x")) < LINE_MOST


def test_lines_stay_lines_where_there_may_be_several() -> None:
    assert plain("one\x1b[2J\ntwo") == "one[2J\ntwo"


def test_a_whole_value_is_made_plain() -> None:
    value = {"device_name": "a\nb", "tags": {"k\x1b": "v\x1b"}, "n": [1, None, "\x07x"]}
    assert plainly(value) == {"device_name": "a b", "tags": {"k": "v"}, "n": [1, None, "x"]}


@given(st.text())
def test_no_text_gets_through_that_a_terminal_obeys(text: str) -> None:
    shown = one_line(text)
    assert len(shown) <= LINE_MOST
    assert not any(
        unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}
        or (unicodedata.category(c) == "Cf" and c not in "\u200c\u200d")
        for c in shown
    )
