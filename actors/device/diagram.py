"""Draws the device machine from its table, as Mermaid text for the documentation (`make docs`).

What the drawing cannot show: an answered inquiry may lead anywhere the events in it lead.
"""

from actors.device.events import Inquired
from actors.device.machine import MAY_FOLLOW
from actors.device.model import Phase


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
