"""What people keep (scenes, schedules, plans, hooks) and rollouts' lights, as tables and words.
Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from actors.plain_text import one_line
from api.cli.show.colours import words
from api.cli.show.fitting import Fitting
from api.cli.show.natural import natural
from api.cli.show.tables import swatches, table
from api.cli.show.times import ago, clock

Json = Mapping[str, Any]
Rows = Sequence[Json]
CAME = {"applied": "applied", "missed": "missed", "empty": "no light"}


def scenes(rows: Rows, now: float) -> Fitting:
    """One row a scene, by name."""
    made = table(
        *("Name", "Lights", "Colours", "Changed", "By"),
        drop=("By", "Changed"),
        prose={"Name": 12, "Colours": 16, "By": 8},
    )
    for scene in sorted(rows, key=_by_name):
        gone = f" ({scene['missing']} gone)" if scene["missing"] else ""
        made.add_row(
            _plain(scene["name"]),
            f"{scene['lights']}{gone}",
            swatches(scene["colours"]),
            ago(scene["changed_at"], now),
            _plain(scene["by"]),
        )
    return made


def schedules(rows: Rows) -> Fitting:
    """One row a schedule, by name."""
    made = table(
        *("Name", "Cron", "Applies", "Next", "Last"),
        drop=("Cron", "Last"),
        prose={"Name": 12, "Applies": 14, "Last": 14, "Next": 12},
    )
    for one in sorted(rows, key=_by_name):
        upcoming = when(one["next"][0], one["time_zone"]) if one["next"] else "disabled"
        cells = (one["cron"], applies(one), upcoming, last_run(one))
        made.add_row(_plain(one["name"]), *map(Text, cells))
    return made


def plans(rows: Rows, now: float) -> Fitting:
    """One row a plan, as they come."""
    made = table(
        *("Plan", "Order", "Picture", "Changed", "By", "Id"),
        drop=("By", "Changed", "Order"),
        prose={"Plan": 12, "Picture": 10},
    )
    for plan in rows:
        made.add_row(
            _plain(plan["name"]),
            str(plan["order"]),
            picture(plan),
            ago(plan["changed_at"], now),
            _plain(plan["by"]),
            plan["id"],
        )
    return made


def places(plan: Json, names: Mapping[str, str]) -> Fitting:
    """One row for each light and gateway on a plan; `names` by id."""
    made = table("Kind", "Name", "Id", "From left", "From top", prose={"Name": 12})
    for kind, found in (("light", plan["lights"]), ("gateway", plan["gateways"])):
        for id_ in sorted(found, key=lambda one: natural(names.get(one, one))):
            x, y = found[id_]
            made.add_row(kind, _plain(names.get(id_, "not known")), id_, f"{x:.1%}", f"{y:.1%}")
    return made


def hooks(rows: Rows) -> Fitting:
    """One row a hook."""
    made = table(
        *("Name", "URL", "Told", "State", "Waiting"),
        drop=("Told",),
        prose={"Name": 12, "URL": 20, "Told": 10, "State": 16},
    )
    for one in rows:
        made.add_row(
            _plain(one["name"]),
            _plain(one["url"]),
            ", ".join(one["kinds"]),
            Text(hook_state(one)),
            str(one["waiting"]),
        )
    return made


def tries(rows: Rows) -> Fitting:
    """One row for each try to deliver, as they come."""
    made = table(
        *("At", "Event", "Try", "Answer", "Took"),
        drop=("Took",),
        prose={"Event": 20, "Answer": 20},
    )
    for line in rows:
        event = _plain(f"{line['type']} {line['event_id']}")
        answer, took = Text(try_words(line)), f"{line['took_s']:.2f} s"
        made.add_row(clock(line["at"]), event, str(line["attempt"]), answer, took)
    return made


def rollout_lights(rows: Rows) -> Fitting:
    """One row for each light of a rollout."""
    made = table("DevEUI", "State", "Reason", "Command", drop=("Command",), prose={"Reason": 20})
    for light in rows:
        reason, command = _plain(light["reason"] or ""), light["command_id"] or ""
        made.add_row(light["dev_eui"], light["state"], reason, command)
    return made


def _by_name(row: Json) -> Any:
    return natural(row["name"])


def _plain(text: str) -> Text:
    """As it is: a name in brackets is no markup."""
    return Text(one_line(text))


def lights_words(part: Mapping[str, Any]) -> str:
    """Which lights a part means."""
    if part["everything"]:
        return "all lights"
    if part["dev_euis"]:
        named = part["dev_euis"]
        return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    words = [f"tag {part['tag']}"] if part["tag"] is not None else []
    words += [f"application {part['application']}"] if part["application"] is not None else []
    return one_line(", ".join(words))


def when(at: float, zone: str) -> str:
    """A time in the schedule's own zone, with its offset."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M %z")
    except (ZoneInfoNotFoundError, ValueError):  # this machine does not know it
        return datetime.fromtimestamp(at).astimezone().strftime("%a %Y-%m-%d %H:%M %z")


def applies(schedule: Json) -> str:
    """The scene or colour, and which lights get it."""
    part = schedule["part"]
    if part is None:
        return f"scene {one_line(schedule['scene_name'] or schedule['scene_id'])}"
    return f"{words(part['light'])} to {lights_words(part)}"


def last_run(schedule: Json) -> str:
    """What came of its last time."""
    last = schedule["last"]
    if last is None:
        return "never yet"
    reason = f": {one_line(last['reason'])}" if last["reason"] else ""
    came, at = CAME.get(last["came"], last["came"]), when(last["due_at"], schedule["time_zone"])
    return f"{came} {at}{reason}"


def hook_state(hook: Json) -> str:
    """Whether it is delivered to, and why not."""
    if hook["stopped"] is not None:
        return f"stopped {clock(hook['stopped']['at'])}: {one_line(hook['stopped']['why'])}"
    if not hook["enabled"]:
        return "paused"
    if hook["failing_since"] is not None:
        return f"nothing taken since {clock(hook['failing_since'])}"
    return "delivers" if hook["last_ok_at"] is not None else "nothing to deliver yet"


def try_words(line: Json) -> str:
    """What the receiver answered, or why there was no answer."""
    if line["error"] is None:
        return str(line["status"])
    return one_line(": ".join(part for part in (line["error"], line["answer"]) if part))


def picture(plan: Json) -> str:
    """Kind and size of its picture."""
    shown = plan["picture"]
    if shown is None:
        return "no picture"
    kind = {"image/svg+xml": "SVG", "image/png": "PNG"}.get(shown["media_type"], "JPEG")
    return f"{kind}, {shown['width']} x {shown['height']}"
