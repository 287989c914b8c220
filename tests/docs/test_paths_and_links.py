"""Whatever a document names or leads to is there: files, folders, pages and their sections."""

import re
from pathlib import Path

import pytest

from docs.generate.parts import ROOT, documents

TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
TESTS = {path.name for path in (ROOT / "tests").rglob("test_*.py")}


def named_paths(text: str) -> set[str]:
    """Words in backticks, and first words of drawn lists, that are a path of this repository."""
    spans = re.findall(r"`([^`\s]+)`", text) + re.findall(r"^    ([a-z_/]+/) ", text, re.MULTILINE)
    found = {span.split("::")[0].rstrip(".,:") for span in spans}
    paths = {each for each in found if "/" in each and each.split("/")[0] in TOP}
    topics = {each for each in paths if each.startswith("lamplighter/") and ".py" not in each}
    return paths - topics  # those of MQTT begin as the package is named


def anchors(text: str) -> set[str]:
    """The sections of a page, as its headings are linked to."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return set(plain)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_path_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name in sorted(named_paths(text)) if not list(ROOT.glob(name))] == []
    tests = set(re.findall(r"`(test_[a-z0-9_]+\.py)`", text))
    assert sorted(tests - TESTS) == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_leads_to_a_page_and_a_section_of_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        if not page.exists() or (anchor and anchor not in anchors(page.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


def test_every_page_is_found_from_the_readme() -> None:
    seen: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+)[)#]", page.read_text(encoding="utf-8"))
        left += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert [path.name for path in documents() if path.resolve() not in seen] == []
