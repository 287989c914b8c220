"""docs/operations.md against the code: every alert and every reason."""

import re

from actors.alerts.rules import AlertKind
from actors.reasons import ReasonCode
from actors.reasons.sentences import SENTENCES
from docs.generate.parts import ROOT, documents

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """The first cells of the first table below a heading."""
    table = TEXT.split(f"## {heading}\n")[1].split("\n\n| ")[1].split("\n\n")[0]
    return [line.split(" | ")[0].strip("| ") for line in table.splitlines()[2:]]


def test_every_alert_is_told_and_none_that_does_not_exist() -> None:
    assert sorted(rows("Alerts")) == sorted(kind.value.replace("_", " ") for kind in AlertKind)


def paragraphs() -> dict[str, list[str]]:
    """The words that the guide explains, by each code that they stand for."""
    table = TEXT.split("## Why is this light still red?\n")[1].split("\n\n| ")[1].split("\n\n")[0]
    found: dict[str, list[str]] = {}
    for line in table.splitlines()[2:]:
        cells = line.strip("| ").split(" | ")
        for code in re.findall(r"`(\w+)`", cells[-1]):
            found.setdefault(code, []).append(cells[0])
    return found


def test_every_reason_has_one_paragraph() -> None:
    assert paragraphs().keys() == {code.value for code in ReasonCode} - {ReasonCode.OTHER.value}
    assert [code for code, told in paragraphs().items() if len(told) > 1] == []


def test_a_paragraph_begins_as_its_reason_does() -> None:
    """Whoever searches the guide for what is shown finds it; dots stand for what varies."""
    codes: dict[str, list[str]] = {}
    for code, (row,) in paragraphs().items():
        codes.setdefault(row, []).append(code)
    for row, some in codes.items():
        words = re.sub(r"^(?:[a-z]+(?: or [a-z]+)*): ", "", row)
        pattern = ".*".join(re.escape(part) for part in re.split(r"\s?\.\.\.\s?", words))
        said = [re.sub(r"\{\w+\}", "it", SENTENCES[ReasonCode(code)].text) for code in some]
        assert any(re.match(pattern, text) for text in said), row


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
    # statistics are told field by field
    parts = r"^lamplighter_(cluster_(store|inbox|router)_)?"
    assert [
        name for name in named if re.sub(parts, "", name).removesuffix("_total") not in code
    ] == []
