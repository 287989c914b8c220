"""How well commands succeed, as tables and lines. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from actors.plain_text import plainly
from api.cli.show.fitting import Fitting
from api.cli.show.tables import table
from api.cli.show.times import span

Json = Mapping[str, Any]
Spelled = Callable[[float], str]
BAR = 30
"""Blocks of the longest bar."""


def commands(found: Json) -> Fitting:
    """What became of commands, a line for each figure."""
    made = table("Commands", "Figure", prose={"Figure": 20})
    for name, text in _figures(found):
        made.add_row(name, text)
    return made


def in_short(found: Json) -> str:
    """One line: how many ended, and how many of them were verified."""
    count = found["commands"]
    if not count:
        return f"No command ended within {_hours(found)}."
    ended = "1 command" if count == 1 else f"{count} commands"
    return f"{ended} ended within {_hours(found)}, {found['verified']} verified"


def spread(found: Json) -> Fitting:
    """How long verified commands took, and how many frames each needed."""
    made = table("Verified", "Commands", "")
    for buckets, spelled in (
        (found["time_to_verify_s"], _time),
        (found["attempts_per_success"], _frames),
    ):
        most = max((one["count"] for one in buckets), default=0)
        before = None
        for one in buckets:
            bound = one["most"]
            words = _bound(bound, before, spelled)
            bar = "█" * round(BAR * one["count"] / most) if most else ""
            made.add_row(words, str(one["count"]), Text(bar, style="cyan"))
            before = bound
    return made


def worst(rows: Sequence[Json]) -> Fitting:
    """Lights whose commands have trouble, the worst first."""
    made = table(
        *("Name", "DevEUI", "Commands", "Verified", "Failed", "Frames each", "Slowest", "Why"),
        drop=("Slowest", "Frames each", "DevEUI"),
        prose={"Name": 12, "Why": 20},
    )
    for row in plainly(rows):
        frames, slowest = row["attempts_per_success"], row["time_to_verify_most_s"]
        made.add_row(
            Text(row["name"] or row["dev_eui"]),
            row["dev_eui"],
            str(row["commands"]),
            str(row["verified"]),
            str(row["failed"]),
            "-" if frames is None else f"{frames:.1f}",
            "-" if slowest is None else _time(slowest),
            Text(row["why"]),
        )
    return made


def _figures(found: Json) -> Iterator[tuple[str, str]]:
    of = "all lights" if found["dev_eui"] is None else found["dev_eui"]
    yield "of", of
    yield "within", _hours(found)
    for name in ("commands", "open", "verified", "superseded", "withdrawn", "expired", "rejected"):
        yield name, str(found[name])
    yield "success rate", _share(found["success_rate"], f"of {found['judged']}")
    yield "first frame", _share(found["first_attempt_rate"], f"of {found['verified']} verified")
    each = found["frames_per_verified"]
    per = "" if each is None else f", {each:.2f} for each that was verified"
    yield "frames", f"{found['frames']}{per}"
    for name in ("p50", "p95", "p99"):
        seconds = found[f"time_to_verify_{name}_s"]
        yield f"time to verify {name}", "too few to tell" if seconds is None else _time(seconds)


def _hours(found: Json) -> str:
    return f"{found['hours']:g} h"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def _frames(count: float) -> str:
    return "1 frame" if count == 1 else f"{count:.0f} frames"


def _share(value: float | None, of: str) -> str:
    return "too few to tell" if value is None else f"{value * 100:.1f} % {of}"


def _bound(most: float | None, before: float | None, spelled: Spelled) -> str:
    if most is not None:
        return spelled(most)
    return "all" if before is None else f"more than {spelled(before)}"
