"""docs/operations.md against the code: every alert, and every reason why a light waits."""

import ast
import inspect
import re
from collections.abc import Callable

import pytest

from actors.alerts.rules import AlertKind
from actors.downlink import hold_reasons
from actors.downlink.suspicion import Suspect
from actors.downlink.unproven_gateways import Unproven
from docs.generate.parts import ROOT, documents
from lorawan.network import QueueItem

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SUSPECT = Suspect(since=0.0, frames=2)
ITEM = QueueItem(id="1", f_port=1, data=b"", is_pending=False)
HEARD = [("Roof", 0.0)]

SAID: dict[str, Callable[[], str]] = {
    "offline": lambda: hold_reasons.offline(HEARD),
    "air_used_up": lambda: hold_reasons.air_used_up(["Roof"], 0.0),
    "no_answer": lambda: hold_reasons.no_answer(0.0),
    "refused": lambda: hold_reasons.refused("no"),
    "forbidden": lambda: hold_reasons.forbidden(""),
    "not_class_c": lambda: hold_reasons.not_class_c(False),
    "foreign_item": lambda: hold_reasons.foreign_item(ITEM, 0.0),
    "fault": lambda: hold_reasons.fault(""),
    "turn": lambda: hold_reasons.turn(["Roof"]),
    "suspected": lambda: hold_reasons.suspected([("Roof", SUSPECT)]),
    "unproven": lambda: hold_reasons.unproven([("Roof", Unproven(0.0, 6, 10.0, 5))]),
    "untaken": lambda: hold_reasons.untaken(["Roof"], [], 0.0),
    "untried": lambda: hold_reasons.untried(0.0),
    "frame_refused": lambda: hold_reasons.frame_refused("TOO_LATE"),
    "spaced": lambda: hold_reasons.spaced(0.0),
    "asked_again": lambda: hold_reasons.asked_again(0.0),
    "other_rate": lambda: hold_reasons.other_rate(9),
    "too_late": lambda: hold_reasons.too_late(0.0),
    "DISABLED": lambda: hold_reasons.DISABLED,
    "EARLIER_ITEM": lambda: hold_reasons.EARLIER_ITEM,
    "NOT_HEARD": lambda: hold_reasons.NOT_HEARD,
    "NEVER_JOINED": lambda: hold_reasons.NEVER_JOINED,
}
"""Every reason that the downlink side gives, as it reads."""
PARTS_OF_REASONS = {"moment", "dated", "silence", "AIRTIME_OF", "RX2_CHANGED"}


def rows(heading: str) -> list[str]:
    """The first cells of the first table below a heading."""
    table = TEXT.split(f"## {heading}\n")[1].split("\n\n| ")[1].split("\n\n")[0]
    return [line.split(" | ")[0].strip("| ") for line in table.splitlines()[2:]]


def test_every_alert_is_told_and_none_that_does_not_exist() -> None:
    assert sorted(rows("Alerts")) == sorted(kind.value.replace("_", " ") for kind in AlertKind)


def reasons_of_the_light() -> set[str]:
    """What the state machine of a light says by itself."""
    found = set()
    for path in (ROOT / "actors" / "device").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reason":
                found |= {
                    each.value
                    for each in ast.walk(node.value)
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
    return {text for text in found if len(text) > 20}


def told(reason: str) -> bool:
    """Whether some row of the table begins as this reason does; dots stand for what varies."""
    for row in rows("Why is this light still red?"):
        _, _, text = row.partition(": ")
        pattern = ".*".join(re.escape(part) for part in re.split(r"\s?\.\.\.\s?", text))
        if text and re.match(pattern, reason):
            return True
    return False


def test_no_reason_is_missing_from_this_test() -> None:
    ours = {
        name
        for name, value in vars(hold_reasons).items()
        if (
            inspect.isfunction(value)
            and value.__module__ == hold_reasons.__name__
            and name[0] != "_"
        )
        or (name.isupper() and isinstance(value, str) and name[0] != "_")
    }
    assert ours == {*SAID, *PARTS_OF_REASONS}


@pytest.mark.parametrize("name", SAID)
def test_every_reason_of_the_downlink_side_is_told(name: str) -> None:
    assert told(SAID[name]())


@pytest.mark.parametrize("reason", sorted(reasons_of_the_light()))
def test_every_reason_of_the_light_itself_is_told(reason: str) -> None:
    assert told(reason)


def test_every_metric_that_is_named_is_counted() -> None:
    rooms = [ROOT / "actors" / "metrics", ROOT / "actors" / "cluster"]
    sources = [
        *(path for room in rooms for path in room.rglob("*.py")),
        ROOT / "api" / "http" / "metrics.py",
    ]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = {
        name
        for path in documents()
        for name in re.findall(r"\b(lamplighter_[a-z_]+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [
        name
        for name in named
        if name.removeprefix("lamplighter_").removesuffix("_total") not in code
    ] == []
