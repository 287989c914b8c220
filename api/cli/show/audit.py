"""The audit as a table. Pure: rows in, a table out."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from actors.plain_text import plainly
from api.cli.show.fitting import Fitting
from api.cli.show.tables import Rows, table
from api.cli.show.times import ago


def entries(rows: Rows, now: float) -> Fitting:
    """One row an entry."""
    prose = {"Who": 10, "On": 16, "More": 14}
    made = table("When", "Who", "Did", "On", "More", drop=("More",), prose=prose)
    for row in plainly(rows):
        made.add_row(
            ago(row["at"], now),
            Text(row["by"] or "unknown"),
            row["what"].replace("_", " "),
            Text(row["on"]),
            Text(more(row)),
        )
    return made


def more(row: Mapping[str, Any]) -> str:
    """Its facts, and where it came from."""
    facts = [f"{name} {value}" for name, value in row["detail"].items() if value not in (None, "")]
    return ", ".join([*facts, f"from {row['peer']}"] if row["peer"] else facts)
