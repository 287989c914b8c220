"""`make planted`: how many seeds it takes until each planted bug is found, into docs/simulation.md.

The table is what was measured, and a bug that was not found is in it as such.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation.hunt import Found, hunt
from tests.simulation.planting import PLANTED

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
BEGIN = "<!-- planted bugs: written by make planted -->"
END = "<!-- end of planted bugs -->"
SEEDS_MOST = 300


def row(name: str, found: Found | None) -> str:
    if found is None:
        return f"| {name} | not in {SEEDS_MOST} | |"
    return f"| {name} | {found.seeds} | {found.what} |"


def searched(name: str) -> str:
    return row(name, hunt(name, SEEDS_MOST))


def main() -> int:
    rows = []
    with ProcessPoolExecutor() as processes:
        for each in processes.map(searched, PLANTED):
            rows.append(each)
            sys.stdout.write(each + "\n")
            sys.stdout.flush()
    table = "\n".join(["| bug | seeds needed | how it showed |", "|---|---|---|", *rows])
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
