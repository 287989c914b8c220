"""Draws the device machine from its table of phases, as Mermaid text for the documentation.

The rule it keeps: nothing is drawn by hand. `python -m actors.device.diagram FILE` rewrites the
block between the markers of a document; a test checks that the committed one is current. What the
drawing cannot show: an answered inquiry may lead anywhere the events in it lead.
"""

import sys
from pathlib import Path

from actors.device.events import Inquired
from actors.device.machine import MAY_FOLLOW
from actors.device.model import Phase

BEGIN = "<!-- state diagram: generated from actors/device/machine.py -->"
END = "<!-- end of state diagram -->"


def mermaid() -> str:
    """The state diagram, one arrow for each pair of phases, labelled with the events."""
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for event, row in MAY_FOLLOW.items():
        if event is Inquired:
            continue
        for before, following in row.items():
            for after in following:
                arrows.setdefault((before, after), []).append(event.__name__)
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.UNINITIALIZED}"]
    order = list(Phase)
    for before, after in sorted(arrows, key=lambda a: (order.index(a[0]), order.index(a[1]))):
        lines.append(f"    {before} --> {after}: {', '.join(arrows[before, after])}")
    return "\n".join(lines)


def redraw(document: str) -> str:
    """The document with its diagram replaced by the current one. ValueError without markers."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document lacks the markers {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n```mermaid\n{mermaid()}\n```\n\n{END}{tail}"


def main() -> None:
    """Rewrite the documents named on the command line."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(redraw(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
