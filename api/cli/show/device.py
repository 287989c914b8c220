"""One light inspected, as lines for a person. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from actors.plain_text import NAME_MOST, one_line, plainly
from api.cli.show.colours import code, swatch
from api.cli.show.quality import expected
from api.cli.show.states import REACHES, step_words, why
from api.cli.show.tables import shown, state_text
from api.cli.show.times import ago, clock, span

Json = Mapping[str, Any]
_INDENT = 13


def lines(view: Json, now: float, gateways: Mapping[str, str]) -> Iterator[Text]:
    """The whole inspection, one line each."""
    view, gateways = plainly(view), plainly(gateways)
    device = view["device"]
    yield Text(device["name"] or device["dev_eui"], style="bold") + Text(
        f"  {device['dev_eui']}", style="dim"
    )
    yield Text(why(device, gateways, now))
    yield Text("")
    if device["reported"] is None or device["reported_current"]:
        yield _line("shows", swatch(device["reported"], exact=True))
    else:
        yield _line("showed", shown(device, now) + Text(f"  {code(device['reported'])}"))
    if device["wanted"] is not None:
        since = f"  since {ago(view['wanted_since'], now)}" if view["wanted_since"] else ""
        kept = "" if view["keep"] else ", not kept after a drift"
        yield _line("should show", swatch(device["wanted"], exact=True) + Text(since + kept))
    yield _line("state", state_text(device) + Text(f"  for {span(now - device['since'])}"))
    since = device["reachability_since"]
    for_long = "" if since is None else f"  for {span(now - since)}"
    yield _line("reachable", Text(REACHES.get(device["reachability"], "yes") + for_long))
    yield _line("last heard", ago(device["heard_at"], now))
    if device["last_error"]:
        yield _line("last error", f"{device['last_error']} ({ago(view['last_error_at'], now)})")
    place = f"{device['application_name']}, profile {device['profile_name']}"
    tags = ", ".join(f"{name}={value}" for name, value in device["tags"].items())
    yield _line("in", place + (f"; {tags}" if tags else ""))
    if "quality" in view:  # an older service tells nothing of it
        for label, text in expected(view["quality"], now):
            yield _line(label, text)
    yield from _session(view, now)
    yield from _gateways(view, now, gateways)
    yield from _actor(view, now)
    yield from _command(view["command"], now, gateways)


def _session(view: Json, now: float) -> Iterator[Text]:
    session, report = view["session"], view["report"]
    if session is not None:
        settings = "has its settings" if session["set_up"] else "has not its settings yet"
        counter = "" if session["f_cnt"] is None else f", uplink counter {session['f_cnt']}"
        joined = f"joined {ago(session['since'], now)} as {session['dev_addr']}"
        yield _line("session", f"{joined}, {settings}{counter}")
    yield _line(
        "counted",
        f"{view['uplinks']} uplinks ({view['duplicates']} double, {view['stale']} stale),"
        f" {view['missed']} events whose webhook was lost,"
        f" {view['joins']} joins; our last frame {ago(view['last_frame_at'], now)}",
    )
    if view["healed"]:
        times = "once" if view["healed"] == 1 else f"{view['healed']} times"
        yield _line("taken up", f"{times}, found with nothing to wake it: please report it")
    if report is not None:
        earlier = "" if report["current"] else ", of an earlier session"
        yield _line(
            "its report",
            f"{ago(report['at'], now)}{earlier}: {report['downlinks_received']} downlinks received,"
            f" {report['uplinks_sent']} uplinks sent, software {report['software_rev']},"
            f" hardware {report['hardware_rev']}, RSSI {report['rssi_dbm']} dBm",
        )


def _gateways(view: Json, now: float, names: Mapping[str, str]) -> Iterator[Text]:
    for number, heard in enumerate(view["hearings"]):
        online = "online" if heard["online"] else "OFFLINE"
        latest = ", heard the newest uplink" if heard["latest"] else ""
        yield _line(
            "" if number else "gateways",
            f"{names.get(heard['gateway_id']) or heard['gateway_id']}: {online},"
            f" RSSI {heard['rssi_dbm']} dBm, SNR {heard['snr_db']:g} dB"
            f" (margin {heard['margin_db']:g} dB), {ago(heard['heard_at'], now)}{latest}",
        )
    if not view["hearings"]:
        yield _line("gateways", "none has heard it in this session")


def _actor(view: Json, now: float) -> Iterator[Text]:
    actor = view["actor"]
    if actor is not None:
        mailbox = actor["mailbox"]
        box = f", mailbox {mailbox['depth']} of {mailbox['capacity']}" if mailbox else ""
        refused = f" ({mailbox['refused']} refused)" if mailbox and mailbox["refused"] else ""
        error = f", last crash: {actor['last_error']}" if actor["last_error"] else ""
        restarts = "1 restart" if actor["restarts"] == 1 else f"{actor['restarts']} restarts"
        yield _line("actor", f"{actor['state']}, {restarts}{box}{refused}{error}")
    if view["next_timer_at"] is not None:
        yield _line("next timer", f"in {span(view['next_timer_at'] - now)}")
    if (attempt := view["attempt"]) is not None:
        reason = f" ({attempt['reason']})" if attempt["reason"] else ""
        yield _line("on its way", f"{attempt['carries']}, {attempt['stage']}{reason}")


def _command(command: Json | None, now: float, names: Mapping[str, str]) -> Iterator[Text]:
    if command is None:
        return
    yield Text("")
    ends = f"pursued for another {span(command['expires_at'] - now)}"
    by = f", given by {one_line(command['by'], NAME_MOST)}" if command.get("by") else ""
    yield Text("open command  ", style="bold") + swatch(command["light"]) + Text(f"  {ends}{by}")
    if command["heartbeat_only"]:
        yield Text(
            "  its software answers no downlink: the verdict waits for a status", style="dim"
        )
    if command["steps_omitted"]:
        yield Text(f"  ({command['steps_omitted']} steps in the middle are left out)", style="dim")
    for step in command["timeline"]:
        yield step_line(step, command["accepted_at"], names)


def step_line(step: Json, began_at: float, names: Mapping[str, str]) -> Text:
    """One step with its time and how long after the start it came."""
    after = f"+{max(0.0, step['at'] - began_at):.1f} s"
    style = {"verified": "green", "held": "yellow", "overdue": "yellow", "rejected": "red"}
    words = Text(one_line(step_words(step, names)), style=style.get(step["kind"], "default"))
    return Text(f"  {clock(step['at'])} {after:>9}  ", style="dim") + words


def _line(label: str, what: str | Text) -> Text:
    return Text(f"{label:<{_INDENT}}", style="dim") + (
        Text(what) if isinstance(what, str) else what
    )
