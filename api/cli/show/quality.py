"""Risks of lights and grades of gateways as tables and lines. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from actors.plain_text import plainly
from api.cli.show.fitting import Fitting
from api.cli.show.tables import table
from api.cli.show.times import ago

Json = Mapping[str, Any]
LETTERS = {"A": "green", "B": "default", "C": "yellow", "D": "red"}
UNKNOWN = "nothing known yet"


def risks(rows: Sequence[Json], now: float) -> Fitting:
    """One row a light."""
    made = table(
        *("Name", "DevEUI", "In 30 s", "Lost up", "Lost down", "Margin", "Warnings"),
        drop=("Margin", "Lost up", "Lost down", "DevEUI"),
        prose={"Name": 12, "Warnings": 20, "Margin": 12},
    )
    for row in plainly(rows):
        said = [f"{one['words']} (since {ago(one['since'], now)})" for one in row["warnings"]]
        made.add_row(
            Text(row["name"] or row["dev_eui"]),
            row["dev_eui"],
            Text(chance(row["chance_30s"]), style="yellow" if said else "default"),
            of_counted(row["uplink_loss"], row["uplinks_counted"]),
            of_counted(row["downlink_loss"], row["downlinks_counted"]),
            margin(row),
            Text("! " + "; ".join(said), style="yellow") if said else "",
        )
    return made


def risks_in_short(found: Json) -> str:
    """The line below the table."""
    total, unknown = found["total"], found["unknown"]
    if total == 0:
        return f"{UNKNOWN.capitalize()} of {lights(unknown)}." if unknown else "No light matches."
    warned = ", ".join(f"{count} {rule}" for rule, count in found["warned"].items() if count)
    text = f"{lights(total)}: {f'warned of {warned}' if warned else 'none is warned of'}"
    if unknown:
        text += f"; of {lights(unknown)} more {UNKNOWN}"
    left = total - found["offset"] - len(found["risks"])
    return f"{text}; {left} more with --limit" if left > 0 else text


def expected(quality: Json | None, now: float) -> Iterator[tuple[str, str]]:
    """What is to be expected of one light, as labelled lines."""
    if quality is None:
        yield "expected", UNKNOWN
        return
    yield "expected", quality["sentence"]
    for one in quality["warnings"]:
        yield "warning", f"{one['rule']}: {one['words']} (since {ago(one['since'], now)})"


def grades(rows: Sequence[Json], names: Mapping[str, str]) -> Fitting:
    """One row a gateway, the worst first."""
    made = table("Name", "Gateway id", "Grade", "Because", prose={"Name": 10, "Because": 20})
    names = plainly(names)
    for row in sorted(plainly(rows), key=_worst_first):
        made.add_row(
            Text(names.get(row["gateway_id"], "")),
            row["gateway_id"],
            letter(row["grade"]),
            Text(row["reason"]),
        )
    return made


def lines(row: Json, names: Mapping[str, str]) -> Fitting:
    """Every line of one gateway, the worst first."""
    row, names = plainly(row), plainly(names)
    made = table("Line", "Grade", "Seen", prose={"Seen": 20})
    made.title = names.get(row["gateway_id"]) or row["gateway_id"]
    made.title_justify = "left"
    for line in sorted(row["lines"], key=_worst_first):
        made.add_row(line["line"], letter(line["grade"]), Text(line["words"]))
    return made


def letter(grade: str | None) -> Text:
    """A grade, or that there is none."""
    return Text("-", style="dim") if grade is None else Text(grade, style=LETTERS.get(grade, "red"))


def chance(value: float | None) -> str:
    """In percent, as precisely as it matters; what is not quite sure is not said to be sure."""
    if value is None:
        return "-"
    if value < 0.01:
        return "below 1 %"
    if value >= 0.9995:
        return "above 99.9 %"
    return f"{value * 100:.1f} %" if value >= 0.99 else f"{min(value, 0.98999) * 100:.0f} %"


def of_counted(loss: float | None, counted: float) -> str:
    """A loss with what it rests on."""
    return "-" if loss is None else f"{loss * 100:.0f} % of {counted:.0f}"


def margin(row: Json) -> str:
    """How far above what is needed, and how that changes."""
    if row["margin_db"] is None:
        return "-"
    trend = row["margin_trend_db_per_day"]
    changes = "" if trend is None or abs(trend) < 0.05 else f", {trend:+.1f} a day"
    return f"{row['margin_db']:.0f} dB{changes}"


def lights(count: int) -> str:
    """So many."""
    return f"{count} light{'' if count == 1 else 's'}"


def _worst_first(row: Json) -> tuple[bool, int]:
    grade = row["grade"]
    return grade is None, 0 if grade is None else -ord(grade)
