"""The habits of the repository that no linter knows, held as tests."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("actors", "api", "lamplighter", "lorawan", "store", "simulation", "docs")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LINES_MOST = 400
WALL_CLOCK_READERS = {
    "actors/clocks/clock.py",
    "api/cli/verbs/backup.py",
    "api/cli/demo/run.py",
    "api/cli/verbs/doctor.py",
    "api/cli/verbs/move.py",
}
"""Where a run gets its time."""
NAMED_ELSEWHERE = {"test_scheduler_determinism.py", "make_stores.py"}
"""Trio's own, and one that is kept as text beside the stores that it made."""
PUBLISHED_MAX = {"late_s_max", "_late_s_max"}
"""Named so in a metric that 0.1.0 has: `lamplighter_timers_late_s_max`."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_holds_one_concept_and_says_which(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES_MOST
    assert text.startswith('"""'), "a file begins by saying what it is for"


def test_nobody_reads_the_wall_clock_but_the_clock() -> None:
    readers = {
        name_of(path) for path in SOURCES if re.search(r"\btime\.time\(", path.read_text("utf-8"))
    }
    assert readers <= WALL_CLOCK_READERS


def bound_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_that_is_looked_at_is_there(package: str) -> None:
    assert (ROOT / package).is_dir()


def test_an_upper_bound_is_named_most() -> None:
    names = {name for path in SOURCES for name in bound_names(ast.parse(path.read_text("utf-8")))}
    found = {name for name in names if re.search(r"(^|_)max(_|$)", name.lower())}
    assert found - PUBLISHED_MAX == set()


def test_every_module_that_a_text_names_is_there() -> None:
    here = {path.name for path in SOURCES + TESTS} | NAMED_ELSEWHERE
    texts = [*SOURCES, *TESTS, *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    gone = {
        f"{name_of(path)}: {name}"
        for path in texts
        for name in re.findall(r"\b\w+\.py\b", path.read_text("utf-8"))
        if name not in here
    }
    assert gone == set()


def test_nothing_unfinished_is_marked_and_left() -> None:
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    assert [name_of(p) for p in SOURCES + TESTS if mark.search(p.read_text("utf-8"))] == []


def test_no_test_is_skipped() -> None:
    skip = re.compile(r"pytest\.(mark\.)?(skip|xfail|importorskip)")
    mine = Path(__file__)
    assert [name_of(p) for p in TESTS if p != mine and skip.search(p.read_text("utf-8"))] == []


def test_test_modules_have_names_of_their_own() -> None:
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    assert sorted(set(names)) == sorted(names)


def test_the_lock_file_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--hash=sha256:" in lock
