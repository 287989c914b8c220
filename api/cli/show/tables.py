"""Lights, gateways, alerts and rollouts as tables. Pure: rows in, a table out."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from actors.plain_text import plainly
from api.cli.show.colours import swatch, words
from api.cli.show.fitting import Fitting
from api.cli.show.natural import natural
from api.cli.show.states import MARKS, STYLES, kind_of, state
from api.cli.show.times import ago, span

Rows = Sequence[Mapping[str, Any]]


ALWAYS_WHOLE = frozenset({"DevEUI", "Gateway id", "Id"})
"""Cut in two they are of no use."""


def table(
    *headings: str,
    drop: Sequence[str] = (),
    prose: Mapping[str, int] | None = None,
    often_empty: Sequence[str] = (),
) -> Fitting:
    """An empty one, as all of ours look; see `Fitting`."""
    made = Fitting(*headings, drop=drop, prose=prose, often_empty=often_empty)
    for column in made.columns:
        column.no_wrap = column.header in ALWAYS_WHOLE
    return made


def lights(devices: Rows, now: float, gateways: Mapping[str, str]) -> Fitting:
    """One row a light."""
    devices = plainly(devices)
    gateways = plainly(gateways)
    made = table(
        *("Name", "DevEUI", "Shows", "Should show", "State", "Since", "Heard", "Gateways"),
        drop=("Gateways", "Since", "Heard", "DevEUI"),
        often_empty=("Should show",),
        prose={"Name": 14, "Shows": 14, "Gateways": 14},
    )
    for device in devices:
        differs = device["wanted"] is not None and device["as_wanted"] is not True
        heard = [gateways.get(each) or each for each in device["gateways"]]
        more = f" +{len(heard) - 2}" if len(heard) > 2 else ""
        made.add_row(
            Text(device["name"] or device["dev_eui"]),
            device["dev_eui"],
            shown(device, now),
            swatch(device["wanted"]) if differs else "",
            state_text(device),
            span(now - device["since"]) if device["since"] else "",
            ago(device["heard_at"], now),
            Text(", ".join(heard[:2]) + more),
        )
    return made


def shown(device: Mapping[str, Any], now: float) -> Text:
    """What it shows; in the past tense and without its colour where that was not heard lately."""
    if device["reported"] is None or device["reported_current"]:
        return swatch(device["reported"])
    age = ago(device["reported_at"], now)
    return Text(f"◌  showed {words(device['reported'])}, heard {age}", style="dim")


def state_text(device: Mapping[str, Any]) -> Text:
    """The state with its mark."""
    kind = kind_of(device)
    return Text(f"{MARKS[kind]} {state(device)}", style=STYLES[kind])


def gateways(rows: Rows, now: float) -> Fitting:
    """One row a gateway."""
    rows = sorted(plainly(rows), key=lambda one: (natural(one["name"]), one["gateway_id"]))
    made = table(
        *("Name", "Gateway id", "State", "Since", "Statistics", "Lights heard", "Airtime"),
        "Waiting",
        drop=("Lights heard", "Waiting", "Airtime", "Since", "Statistics"),
        prose={"Name": 12, "State": 10},
    )
    for row in rows:
        on = row["online"]
        words = ("✓ online" if on else "✗ offline") + ("" if row["known"] else ", not listed")
        made.add_row(
            Text(row["name"]),
            row["gateway_id"],
            Text(words, style="green" if on else "red"),
            span(now - row["since"]),
            ago(row["last_seen_at"], now),
            ago(row["heard_at"], now),
            airtime(row["airtime_used_s"], row["airtime_budget_s"]),
            str(row["pending"]),
        )
    return made


def swatches(lights: Sequence[Mapping[str, Any]]) -> Text:
    """Several colours beside each other."""
    return Text("  ").join(swatch(light) for light in lights)


def airtime(used_s: float, budget_s: float | None) -> str:
    """How much of the hour's allowance is used."""
    if not budget_s:
        return f"{used_s:.1f} s"
    return f"{used_s:.1f} of {budget_s:.0f} s ({used_s / budget_s:.0%})"


def alerts(rows: Rows, now: float) -> Fitting:
    """One row an alert."""
    rows = plainly(rows)
    made = table(
        *("Id", "State", "Kind", "About", "What", "Since", "Told"),
        drop=("Told", "Kind", "About", "Since"),
        prose={"What": 24, "About": 16},
    )
    for row in rows:
        acknowledged = row.get("acknowledged_at") is not None
        words = "closed" if not row["open"] else "acknowledged" if acknowledged else "open"
        style = {"open": "red", "acknowledged": "yellow", "closed": "dim"}[words]
        closed = f" ({row['close_reason']})" if row["close_reason"] else ""
        made.add_row(
            row["id"],
            Text(words, style=style),
            row["kind"],
            Text(row["subject"]),
            Text(row["summary"] + lasting(row, now) + closed),
            ago(row["opened_at"], now),
            f"{row['repeats'] + 1} x",
        )
    return made


def lasting(alert: Mapping[str, Any], now: float) -> str:
    """For how long the trouble of an open alert has lasted; its text names no age."""
    since = alert.get("since")
    return f", for {span(now - since)}" if alert["open"] and since is not None else ""


def rollouts(rows: Rows, now: float) -> Fitting:
    """One row a rollout."""
    rows = plainly(rows)
    made = table(
        *("Id", "Name", "Colour", "State", "Started", "Lights", "Verified", "Failed", "Open"),
        drop=("Name", "Started", "Colour", "Open", "Lights"),
        prose={"Name": 12, "State": 14},
    )
    for row in rows:
        made.add_row(
            row["id"],
            Text(row["name"] or ""),
            swatch(row["light"]),
            rollout_state(row),
            ago(row["created_at"], now),
            str(row["total"]),
            str(row["verified"]),
            Text(str(row["failed"]), style="red" if row["failed"] else "default"),
            str(row["open"] + row["waiting"]),
        )
    return made


def rollout_state(row: Mapping[str, Any]) -> Text:
    """The state, with its reason."""
    style = {"running": "cyan", "paused": "yellow", "done": "green"}.get(row["state"], "red")
    reason = f" ({row['reason']})" if row["reason"] else ""
    return Text(f"{row['state']}{reason}", style=style)
