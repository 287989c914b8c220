"""Which parts of the documents are generated, and by whom.

A part begins with `<!-- generated: NAME; run make docs -->` and ends with `<!-- end of NAME -->`.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import bounds, command_line, http, reasons, settings, supervision
from docs.generate.grafana import dashboard

ROOT = Path(__file__).parents[2]

PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings.all_settings,
    "first settings": settings.first_settings,
    "new settings": settings.new_settings,
    "fixed numbers": settings.fixed_numbers,
    "tree of actors": supervision.tree,
    "state diagram": supervision.state_diagram,
    "bounds": bounds.table_of_bounds,
    "verbs": command_line.verbs,
    "exit codes": command_line.exit_codes,
    "routes": http.routes,
    "fields": http.fields,
    "reasons": reasons.all_reasons,
}

FILES: Mapping[str, Callable[[], str]] = {"deploy/grafana.json": dashboard}
"""Files that are generated as a whole."""

_PART = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z ]+); run make docs -->\n)"
    r".*?(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)


def documents() -> list[Path]:
    """Every document that may have a generated part."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def names(document: str) -> list[str]:
    """The generated parts of a document, in their order."""
    return [found["name"] for found in _PART.finditer(document)]


def rewritten(document: str) -> str:
    """The document with its parts as they are now. Raises KeyError for one that nobody makes."""

    def part(found: re.Match[str]) -> str:
        written = PARTS[found["name"]]().strip("\n")
        return f"{found['begin']}\n{written}\n\n{found['end']}"

    return _PART.sub(part, document)
