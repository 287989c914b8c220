"""The habits of the dashboard's files, held as tests: no browser is needed."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
STATIC = ROOT / "api" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
FILES = sorted(path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html"})
LINES_MOST = 400
NAMESPACE = "http://www.w3.org/2000/svg"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_holds_one_concept_and_says_which(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("// ")
    assert text.count("\n") <= LINES_MOST


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_loaded_from_elsewhere_nor_made_from_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert re.findall(r"https?://|@import|innerHTML|insertAdjacentHTML|\beval\(", text) == []
    assert re.findall(r"<script(?![^>]*src=)|\son\w+=\"|style=\"", text) == []


def test_every_file_that_is_named_is_there() -> None:
    for path in SCRIPTS:
        for target in re.findall(r'(?:from|import) "(\.[^"]+)"', path.read_text("utf-8")):
            assert (path.parent / target).is_file(), f"{name_of(path)}: {target}"
    for page in STATIC.glob("*.html"):
        for target in re.findall(r'"static/([^"]+)"', page.read_text("utf-8")):
            assert (STATIC / target).is_file(), f"{name_of(page)}: {target}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_address_is_relative(path: Path) -> None:
    """A proxy may show the pages below a path of its own."""
    text = path.read_text(encoding="utf-8")
    assert (
        re.findall(r"""(?:href|src|action)="/|url\(["']?/|["'`]/(?:api|static|demo|docs)\b""", text)
        == []
    )


def test_every_module_is_asked_for_at_once() -> None:
    """A module that is found only in another one costs a slow network a round trip."""
    index = (STATIC / "index.html").read_text("utf-8")
    named = set(re.findall(r'"modulepreload" href="static/([^"]+)"', index))
    modules = {path.relative_to(STATIC).as_posix() for path in (STATIC / "app").rglob("*.js")}
    assert named == modules - {"app/main.js", "app/base/wire.js"}


def test_the_lock_of_the_type_checker_names_no_index() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: found for name, found in lock["packages"].items() if name}
    assert set(packages) == {"node_modules/typescript"}
    assert all("resolved" not in found and "integrity" in found for found in packages.values())


def test_every_picture_of_the_guide_is_there_and_small() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).is_file(), f"{name_of(document)}: {target}"
    assert sum(path.stat().st_size for path in (ROOT / "docs").glob("*.png")) < 2_400_000


def test_what_a_page_needs_is_an_operation_of_the_service() -> None:
    """A name that is written wrong would be refused to nobody, and always be offered."""
    described = json.loads((ROOT / "tests" / "data" / "openapi.json").read_text("utf-8"))
    operations = {
        *described["answers"],
        "POST /demo/gateways/{gateway_id}/{what}",
        "GET /demo/state",
    }
    needed = {
        operation
        for path in FILES
        for operation in re.findall(
            r"""["'`]((?:GET|POST|PUT|PATCH|DELETE) /[^"'`$]+)["'`]""", path.read_text("utf-8")
        )
    }
    assert needed - operations == set()
    assert len(needed) >= 20
