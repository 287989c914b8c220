"""Where a command was stored: by that it is told which of two was accepted first. Pure.

Theory. Ids of an inbox rise within one *line of history*: what one master wrote, from its promotion
on. They do not rise from line to line, for each server dates them by its own clock. But lines
follow each other: a server that is promoted begins a new one, on what it had of the line before.
Whatever the line before had beyond that is lost, and older than all of the new line. So each line
has a number, one more than that of the line that it goes on from, and a name that no other has; and
a *place* is a line, with the names of those before it, and an id.

Commands that a failover took are accepted once more by whoever answered for them, in any order and
after newer ones. Their first places say where they belong, seen from the line in which they are met
again: those of a line that is behind us come before all that follows it; those of one that went on
from an older line and was lost as a whole come after that line, and before ours. No clock is asked.
Only where two such lost lines went on from the same one (two failovers, each of which took the very
first command after the one before) does it depend on the servers' clocks, as the ids do.

A place of another history (a copy of the fleet was put back into another engine) comes before all
of this one, whatever its number.

A line is `<number>:<name>.<name>`, the newest name last, four at most. What an engine does not tell
is an empty text, and then nothing is compared.
"""

import msgspec

LINES_KEPT = 4
"""Older lines are taken for ours: those are commands of three failovers ago."""

Rank = tuple[int, bool, int, tuple[int, int]]


class _Line(msgspec.Struct, frozen=True, gc=False):
    number: int
    names: tuple[str, ...]

    def name(self, number: int) -> str | None:
        """The name of the line of this number; None for one that is too old, or is none of ours."""
        at = number - self.number - 1
        return self.names[at] if -len(self.names) <= at <= -1 else None


def id_order(entry_id: str) -> tuple[int, int]:
    """By what ids of inbox entries are compared: as text `10-0` would come before `9-0`."""
    head, _, tail = entry_id.partition("-")
    return int(head), int(tail or 0)


def line_after(stored: str, name: str) -> str:
    """The line that a server of this name writes, where `stored` is what it has."""
    before = _line(stored) if stored else _Line(0, ())
    if before.names[-1:] == (name,):
        return stored
    names = (*before.names, name)[-LINES_KEPT:]
    return f"{before.number + 1}:{'.'.join(names)}"


def place_of(line: str, entry_id: str) -> str:
    """The place of an inbox entry; empty where its line is not known."""
    return f"{line} {entry_id}" if line and entry_id else ""


def is_older(place: str, than: str, line: str = "") -> bool:
    """Whether what was stored at one place came before what was stored at another, as it is seen
    from `line`. Neither may be empty; where `line` is, it is that of the place itself."""
    here = _line(line or place.partition(" ")[0])
    return _rank(place, here) < _rank(than, here)


def goes_on_elsewhere(line: str, known: str) -> bool:
    """Whether a line is neither the known one nor one that this went on from: another server is
    spoken to. Any is, where none is known."""
    its, other = _line(line), _line(known) if known else _Line(0, ())
    return its.number > other.number or _differ(its, other, its.number)


def _rank(place: str, here: _Line) -> Rank:
    text, _, entry_id = place.partition(" ")
    its = _line(text)
    oldest = here.number - len(here.names) + 1
    if its.number >= oldest and set(its.names).isdisjoint(here.names):
        return (-1, True, its.number, id_order(entry_id))
    common = its.number
    while common > here.number or _differ(its, here, common):
        common -= 1
    return (common, common != its.number, its.number, id_order(entry_id))


def _differ(one: _Line, other: _Line, number: int) -> bool:
    names = one.name(number), other.name(number)
    return None not in names and names[0] != names[1]


def _line(text: str) -> _Line:
    number, _, names = text.partition(":")
    return _Line(int(number), tuple(names.split(".")))
