"""The floor plan of the demo: an office drawn by itself, with a desk for each light."""

import itertools
import math
from collections.abc import Sequence

from actors.plans.model import Plan, Spot
from api.plans.archive import archive
from api.plans.picture import checked

WIDTH, HEIGHT = 1200.0, 720.0
MARGIN = 40.0
CORRIDOR = 90.0
DESKS_A_ROOM = 3
"""Columns of desks between two walls."""
NAME = "Office"
PLAN_ID = "demo"


def demo_archive(lights: Sequence[str], gateways: Sequence[str]) -> bytes:
    """The plan as a file to import, with these lights at their desks."""
    desks = _desks(max(1, len(lights)))
    drawing = checked(_drawing(desks))
    plan = Plan(
        id=PLAN_ID,
        name=NAME,
        order=1,
        revision=0,
        picture=drawing.picture,
        lights=dict(zip(lights, map(_share, desks), strict=False)),
        gateways=dict(zip(gateways, map(_share, _ceilings(len(gateways))), strict=False)),
    )
    return archive([plan], {drawing.picture.digest: drawing.content})


Desk = tuple[float, float]


def _desks(count: int) -> list[Desk]:
    """Middles of so many desks, above and below the corridor, from left to right."""
    per_side = math.ceil(count / 2)
    rows = max(1, round(math.sqrt(per_side * 0.28)))
    columns = math.ceil(per_side / rows)
    wide = (WIDTH - 2 * MARGIN) / columns
    high = ((HEIGHT - CORRIDOR) / 2 - MARGIN) / rows
    found = []
    for side in (0, 1):
        top = MARGIN if side == 0 else (HEIGHT + CORRIDOR) / 2
        for number in range(per_side):
            row, column = divmod(number, columns)
            found.append((MARGIN + (column + 0.5) * wide, top + (row + 0.5) * high))
    return found[:count]


def _ceilings(count: int) -> list[Desk]:
    """Middles of gateways along the corridor."""
    return [(WIDTH * (number + 0.5) / max(1, count), HEIGHT / 2) for number in range(count)]


def _share(desk: Desk) -> Spot:
    return round(desk[0] / WIDTH, 5), round(desk[1] / HEIGHT, 5)


def _drawing(desks: Sequence[Desk]) -> bytes:
    columns = sorted({x for x, _ in desks})
    wide = (WIDTH - 2 * MARGIN) / len(columns)
    size = min(wide * 0.62, 74.0)
    upper, lower = (HEIGHT - CORRIDOR) / 2, (HEIGHT + CORRIDOR) / 2
    outside = (
        f'<rect x="{MARGIN / 2}" y="{MARGIN / 2}" width="{WIDTH - MARGIN}" '
        f'height="{HEIGHT - MARGIN}" fill="#fdfcf8" stroke="#3d4652" stroke-width="7"/>'
    )
    walls: list[str] = []
    edges = [MARGIN / 2]
    edges += [MARGIN + wide * n for n in range(DESKS_A_ROOM, len(columns), DESKS_A_ROOM)]
    edges.append(WIDTH - MARGIN / 2)
    for left, right in itertools.pairwise(edges):
        door = (left + right) / 2
        for y in (upper, lower):
            walls.append(_line(left, y, door - 22, y))
            walls.append(_line(door + 22, y, right, y))
            turn = -1 if y == upper else 1
            walls.append(
                f'<path d="M{door - 22:.0f} {y:.0f}v{turn * 40}a40 40 0 0 '
                f'{1 if turn < 0 else 0} 40 {-turn * 40}" fill="none" stroke="#a9b0b8"/>'
            )
        if right < edges[-1]:
            walls.append(_line(right, MARGIN / 2, right, upper))
            walls.append(_line(right, lower, right, HEIGHT - MARGIN / 2))
    tables = [
        f'<rect x="{x - size / 2:.0f}" y="{y - size * 0.3:.0f}" width="{size:.0f}" '
        f'height="{size * 0.6:.0f}" rx="5" fill="#efe8da" stroke="#c9bfa9"/>'
        f'<circle cx="{x:.0f}" cy="{y + size * 0.52:.0f}" r="{size * 0.13:.0f}" fill="#dfe3e8"/>'
        for x, y in desks
    ]
    corridor = (
        f'<rect x="{MARGIN / 2 + 4}" y="{upper}" width="{WIDTH - MARGIN - 8}" '
        f'height="{CORRIDOR}" fill="#eef1f4"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}">'
        f"<title>{NAME}</title>{outside}{corridor}{''.join(tables)}{''.join(walls)}</svg>"
    ).encode()


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" '
        'stroke="#3d4652" stroke-width="5"/>'
    )
