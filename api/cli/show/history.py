"""The log of events of a light, as lines for a person. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from actors.plain_text import one_line
from api.cli.show.colours import swatch

Json = Mapping[str, Any]
STYLES = {
    "refused": "red",
    "dropped": "red",
    "gateway_error": "red",
    "not_sent": "yellow",
    "held": "yellow",
    "stale": "dim",
    "phase": "dim",
    "inquiry": "dim",
}
WORDS = ("note", "reason", "why", "problem", "unproven", "done", "text", "code", "asked")
"""What says in words what happened."""
WORD_CHARS = 200
KIND_CHARS = 14


def lines(page: list[Json], names: Mapping[str, str]) -> Iterator[Text]:
    """Each event on a line of its own, in their order."""
    for event in page:
        yield line(event, names)


def line(event: Json, names: Mapping[str, str]) -> Text:
    """One event: when, what, and what it says."""
    kind, detail = str(event["kind"]), event["detail"]
    made = Text(f"{_moment(event['at'])}  ", style="dim")
    made += Text(f"{one_line(kind):<{KIND_CHARS}}", style=STYLES.get(kind, "default"))
    light = _light(detail.get("shows") or detail.get("light"))
    if light is not None:
        made += swatch(light) + Text("  ")
    made += Text(", ".join(_facts(detail, names)))
    return made + (Text("  (told later)", style="dim") if detail.get("replayed") else Text(""))


def _facts(detail: Json, names: Mapping[str, str]) -> Iterator[str]:
    gateway = detail.get("gateway")
    by = one_line(names.get(str(gateway)) or str(gateway)) if gateway else ""
    if isinstance(detail.get("rssi_dbm"), int) and by:
        others = int(detail.get("gateways", 1)) - 1
        more = f" and {others} more" if others > 0 else ""
        yield f"{detail['rssi_dbm']} dBm, {detail.get('snr_db', 0):g} dB by {by}{more}"
    elif by:
        yield f"by {by}"
    for name in ("became", "carries"):
        if detail.get(name):
            yield one_line(str(detail[name]).replace("_", " "))
    if detail.get("before"):
        yield one_line(f"{detail['before']} -> {detail.get('after')}")
    for name, label in (("command_id", "command"), ("attempt", "attempt"), ("f_cnt", "counter")):
        if detail.get(name) is not None:
            yield f"{label} {one_line(str(detail[name]))}"
    for name in WORDS:
        if isinstance(detail.get(name), str):
            yield one_line(detail[name], WORD_CHARS)
    if detail.get("dev_addr"):
        yield f"DevAddr {one_line(str(detail['dev_addr']))}"
    if detail.get("sf") is not None:
        mhz = f" at {detail['mhz']:g} MHz" if isinstance(detail.get("mhz"), int | float) else ""
        yield f"SF{detail['sf']}{mhz}"
    if detail.get("raw"):
        yield one_line(str(detail["raw"]), 2 * WORD_CHARS)


def _light(text: Any) -> dict[str, int] | None:
    parts = str(text or "").split(",")
    if len(parts) != 5 or not all(part.isdigit() for part in parts):
        return None
    return dict(zip(("red", "green", "blue", "on", "off"), map(int, parts), strict=True))


def _moment(at: float) -> str:
    """Day and time here, to the tenth of a second."""
    when = datetime.fromtimestamp(at).astimezone()
    return f"{when:%m-%d %H:%M:%S}.{when.microsecond // 100_000}"
