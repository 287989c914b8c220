"""docs/cli.md against the verbs themselves, and every command that any document shows."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from docs.generate.command_line import every_verb, options_of
from docs.generate.parts import ROOT, documents

VERBS = dict(every_verb())
OPTIONS = {
    called: {name for option in options_of(verb) for name in (*option.opts, *option.secondary_opts)}
    for called, verb in VERBS.items()
}
TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """What a person wrote about each verb."""
    written = TEXT.split("<!-- generated: verbs;")[0]
    parts = re.split(r"^### `(lamplighter [^`]*)`$", written, flags=re.MULTILINE)
    texts = [re.split(r"^##+ ", text, flags=re.MULTILINE)[0] for text in parts[2::2]]
    return {_verb(words): text for words, text in zip(parts[1::2], texts, strict=True)}


def _verb(words: str) -> str:
    """The verb that these words begin with."""
    found = [called for called in VERBS if f"{words} ".startswith(f"{called} ")]
    assert found, f"there is no verb for {words!r}"
    return max(found, key=len)


def test_every_verb_has_a_section() -> None:
    told = set(sections())
    assert {called for called in VERBS if not called.startswith("lamplighter demo ")} == told


@pytest.mark.parametrize("called", sorted(sections()))
def test_a_section_names_only_options_that_its_verb_has(called: str) -> None:
    told = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*)", sections()[called]))
    assert told <= OPTIONS[called]


def blocks_in(text: str) -> list[str]:
    """Each call of our program that stands in a block of its own, however deep."""
    return re.findall(r"^ {4,}(?:\S*/)?(lamplighter [a-z].*)$", text, re.MULTILINE)


# These write the file, or need one table of it only.
WITHOUT_SETTINGS = {"lamplighter init", "lamplighter bridge mqtt"}


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_a_command_to_be_copied_names_the_settings_that_it_needs(path: Path) -> None:
    for line in blocks_in(path.read_text(encoding="utf-8")):
        called = _verb(line)
        if "--config" in OPTIONS[called] and called not in WITHOUT_SETTINGS:
            assert " --config " in line, line


def shown_commands() -> list[tuple[str, str]]:
    """Each call of our program in a block or in backticks of any document."""
    found = []
    for path in documents():
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"<!-- generated: verbs;.*?<!-- end of verbs -->", "", text, flags=re.DOTALL)
        lines = blocks_in(text)
        spans = re.findall(r"`(?:\.venv/bin/)?(lamplighter [a-z][^`]*)`", text)
        found += [(path.name, line) for line in (*lines, *spans)]
    return found


@pytest.mark.parametrize(("document", "line"), shown_commands())
def test_a_command_that_is_shown_can_be_given(document: str, line: str) -> None:
    words = shlex.split(re.split(r"\s+(?:\||\|\||#)\s*", line)[0], comments=True)
    called = _verb(" ".join(words))
    assert {word for word in words if word.startswith("--")} <= {*OPTIONS[called], "--help"}


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for path in documents()
        for target in re.findall(r"`make ([a-z0-9-]+)", Path(path).read_text(encoding="utf-8"))
    }
    assert named <= targets


def checks_of_the_doctor() -> set[str]:
    """The names under which `doctor` reports."""
    found = set()
    for path in (ROOT / "api" / "cli" / "doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="ok" | "warning" | "problem" | "unknown"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    found.add(name)
                case ast.Call(func=ast.Name(id="guarded"), args=[_, ast.Constant(value=name), *_]):
                    found.add(name)
                case ast.Assign(targets=[ast.Name(id="check")], value=ast.Constant(value=name)):
                    found.add(name)
    return found


def test_every_check_of_the_doctor_is_told_and_none_that_does_not_exist() -> None:
    table = TEXT.split("| check | looks at |\n")[1].split("\n\n")[0]
    cells = [line.split(" | ")[0].strip("| ") for line in table.splitlines()[1:]]
    told = {name for cell in cells for name in cell.split(", ")}
    assert told == checks_of_the_doctor()
