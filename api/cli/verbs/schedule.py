"""`lamplighter schedule ...`: when a scene, or one colour, is applied by itself."""

from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run
from api.cli.show import kept
from api.cli.verbs.lights import Application, Tag
from api.cli.verbs.rollout import Failures, Pace, paced
from api.cli.verbs.scene import (
    ColourOption,
    Everything,
    Named,
    choice,
    part_of,
    put_named,
    remove_named,
)
from api.cli.verbs.send import Blink
from lamplighter.client.paths import path

schedule_app = typer.Typer(help="Scenes that are applied by themselves.", no_args_is_help=True)

ScheduleName = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")]


@schedule_app.command("list")
def list_schedules(at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """List the schedules: what each applies, when next, and what came of the last time."""
    raise run(_list, place(at, token), as_json)


@schedule_app.command("show")
def show(
    name: ScheduleName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Show a schedule with its next five times."""
    raise run(_show, place(at, token), name, as_json)


@schedule_app.command("save")
def save(
    name: Named,
    cron: Annotated[
        str,
        typer.Argument(metavar="CRON", help="Minute, hour, day, month, weekday: '0 18 * * 1-5'."),
    ],
    dev_euis: DevEuis = None,
    scene: Annotated[str | None, typer.Option("--scene", help="The scene that it applies.")] = None,
    colour: ColourOption = None,
    blink: Blink = None,
    everything: Everything = False,
    tag: Tag = None,
    application: Application = None,
    zone: Annotated[
        str | None, typer.Option("--zone", help="IANA time zone; by default the site's.")
    ] = None,
    late_min: Annotated[
        float,
        typer.Option("--late", min=1.0, max=720.0, help="Minutes that it may be late at most."),
    ] = 60.0,
    pace: Pace = None,
    failures_most: Failures = None,
    no_keep: Annotated[
        bool, typer.Option("--no-keep", help="Of --colour: do not bring lights back that drifted.")
    ] = False,
    disabled: Annotated[bool, typer.Option("--disabled", help="Keep it without using it.")] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Save a schedule that applies a scene, or a colour to lights. One of this name is replaced."""
    if (scene is None) is (colour is None):
        raise typer.BadParameter("give either --scene or --colour")
    body: dict[str, Any] = {
        "name": name,
        "cron": cron,
        "keep": not no_keep,
        "late_most_s": late_min * 60.0,
        "enabled": not disabled,
    }
    body |= paced(pace, failures_most)
    if zone is not None:
        body["time_zone"] = zone
    chosen = choice(dev_euis, everything, tag, application)
    if scene is not None:
        if dev_euis or everything or tag or application or blink:
            raise typer.BadParameter("lights and --blink go with --colour; a scene has its own")
        body["scene"] = scene
    else:
        body["part"] = part_of(colour or "", blink, chosen)
    raise run(_save, place(at, token), name, body, as_json)


@schedule_app.command("enable")
def enable(
    name: ScheduleName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Use a schedule again, from its next time on."""
    raise run(_change, place(at, token), name, True, as_json)


@schedule_app.command("disable")
def disable(
    name: ScheduleName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Keep a schedule without using it."""
    raise run(_change, place(at, token), name, False, as_json)


@schedule_app.command("remove")
def remove(
    name: ScheduleName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Remove a schedule; what it began goes on."""
    raise run(remove_named, place(at, token), "schedules", name, as_json)


async def _list(where: Place, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await client.get("/schedules")
    if as_json:
        print_json(found)
    elif not found["schedules"]:
        console().print("No schedules.")
    else:
        console().print(kept.schedules(found["schedules"]))
    return Exit.OK


async def _show(where: Place, name: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await client.get(path("schedules", name))
    if as_json:
        print_json(found)
        return Exit.OK
    out = console()
    own = "" if found["own_time_zone"] else ", the site's"
    out.print(f"{one_line(found['name'])}: {kept.applies(found)}", markup=False)
    out.print(f"  at   {found['cron']} ({found['time_zone']}{own})", markup=False)
    for at in found["next"]:
        out.print(f"  next {kept.when(at, found['time_zone'])}", markup=False)
    if not found["enabled"]:
        out.print("  it is disabled")
    out.print(f"  last {kept.last_run(found)}", markup=False, soft_wrap=True)
    return Exit.OK


async def _save(where: Place, name: str, body: dict[str, Any], as_json: bool) -> Exit:
    async with Client(where) as client:
        _tell(await put_named(client, "schedules", name, body), as_json)
    return Exit.OK


async def _change(where: Place, name: str, enabled: bool, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await client.get(path("schedules", name))
        body = {
            "name": found["name"],
            "cron": found["cron"],
            "time_zone": found["time_zone"] if found["own_time_zone"] else None,
            "scene": found["scene_id"],
            "part": found["part"],
            "keep": found["keep"],
            "pace_per_min": found["pace_per_min"],
            "failures_most": found["failures_most"],
            "late_most_s": found["late_most_s"],
            "enabled": enabled,
        }
        _tell(await put_named(client, "schedules", found["id"], body), as_json)
    return Exit.OK


def _tell(schedule: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(schedule)
        return
    following = "disabled"
    if schedule["next"]:
        following = f"next {kept.when(schedule['next'][0], schedule['time_zone'])}"
    console().print(f"Schedule {one_line(schedule['name'])} saved: {following}.", markup=False)
