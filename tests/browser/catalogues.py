"""The catalogues of the pages' texts as Python values, read by the node of the environment."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
STATIC = ROOT / "api" / "static"
TEXTS = STATIC / "app" / "texts"
NODE = Path(sys.executable).parent / "node"
_PRINT = """
const { pathToFileURL } = await import("node:url");
const [name, file] = process.argv.slice(2);
process.stdout.write(JSON.stringify((await import(pathToFileURL(file)))[name]));
"""

Entry = str | dict[str, str]


def languages() -> list[str]:
    return sorted(path.stem for path in TEXTS.glob("*.js"))


@cache
def catalogue(language: str) -> dict[str, Entry]:
    """Every text by its key; an entry with a plural is a text for each form."""
    file = TEXTS / f"{language}.js"
    # Node guesses that the files are modules, as no package.json says so, and would warn.
    shown = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "-", language.upper(), file],
        input=_PRINT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found: dict[str, Entry] = json.loads(shown.stdout)
    return found


def texts_of(entry: Entry) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def general(entry: Entry) -> str:
    """The text, or that of most numbers: "one light" may leave out its number."""
    return entry if isinstance(entry, str) else entry["other"]


def names_in(text: str) -> set[str]:
    """What goes into a text."""
    return set(re.findall(r"\{(\w+)\}", text))
