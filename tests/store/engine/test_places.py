"""The place of a command tells which of two was accepted first, whatever the clocks say."""

import pytest

from store.engine.places import (
    LINES_KEPT,
    is_older,
    line_after,
    place_of,
)

X = line_after("", "aaaaaaaa")
Y = line_after(X, "bbbbbbbb")
"""Promoted after X, and lost before anything of it reached the next."""
Z = line_after(X, "cccccccc")
W = line_after(Z, "dddddddd")


def test_a_line_has_a_number_and_the_names_before_it() -> None:
    assert (X, Z) == ("1:aaaaaaaa", "2:aaaaaaaa.cccccccc")
    assert line_after(Z, "cccccccc") == Z
    long = W
    for name in range(9):
        long = line_after(long, f"{name:08x}")
    number, names = long.split(":")
    assert (number, names.count(".") + 1) == ("12", LINES_KEPT)


def test_what_an_engine_does_not_tell_has_no_place() -> None:
    assert place_of("", "5-0") == place_of(X, "") == ""


@pytest.mark.parametrize(
    ("older", "newer", "seen_from"),
    [
        ((X, "9-0"), (X, "10-0"), X),
        ((X, "9-0"), (X, "10-0"), Z),  # both were lost
        ((X, "900-0"), (Z, "5-0"), Z),  # the new server's clock is behind
        ((X, "900-0"), (Y, "5-0"), Z),  # likewise, and what it wrote is lost
        ((Y, "900-0"), (Z, "5-0"), Z),  # it has nothing of Y
        ((Y, "900-0"), (Z, "5-0"), W),
        ((Y, "900-0"), (W, "5-0"), W),
        ((line_after(Y, "eeeeeeee"), "900-0"), (Z, "5-0"), Z),
        ((Y, "900-0"), (line_after(Y, "eeeeeeee"), "5-0"), Z),  # both were lost
    ],
)
def test_what_was_accepted_first_is_older(
    older: tuple[str, str], newer: tuple[str, str], seen_from: str
) -> None:
    assert is_older(place_of(*older), place_of(*newer), seen_from)
    assert not is_older(place_of(*newer), place_of(*older), seen_from)


def test_a_place_is_not_older_than_itself() -> None:
    assert not is_older(place_of(X, "9-0"), place_of(X, "9-0"), Z)
    assert not is_older(place_of(Y, "9-0"), place_of(Y, "9-0"), Z)


def test_a_line_whose_name_is_forgotten_is_taken_for_ours() -> None:
    here = W
    for name in range(LINES_KEPT):
        here = line_after(here, f"{name:08x}")
    assert is_older(place_of(Y, "900-0"), place_of(here, "5-0"), here)
    assert not is_older(place_of(here, "5-0"), place_of(Y, "900-0"), here)


@pytest.mark.parametrize("lines", range(1, 13))
def test_what_was_stored_in_another_engine_is_older_than_all_that_comes(lines: int) -> None:
    """A copy of a fleet is put back into a new engine, which counts its lines from one."""
    there = ""
    for name in range(lines):
        there = line_after(there, f"{name:08x}")
    for here in (X, Z, W):
        assert is_older(place_of(there, "900-0"), place_of(here, "5-0"), here)
        assert not is_older(place_of(here, "5-0"), place_of(there, "900-0"), here)
