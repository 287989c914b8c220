"""`lamplighter scene ...`: named sets of lights and colours; saved, shown, applied."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.errors import Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run
from api.cli.show import kept
from api.cli.show.colours import swatch
from api.cli.verbs.lights import Application, Tag
from api.cli.verbs.rollout import Failures, NoWait, Pace, Wait, follow, paced, waiting
from api.cli.verbs.send import Blink, order
from lamplighter.client.paths import if_match, path

scene_app = typer.Typer(help="Named sets of lights and colours.", no_args_is_help=True)

SceneName = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")]
Named = Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")]
Everything = Annotated[bool, typer.Option("--all", help="Every light.")]
ColourOption = Annotated[
    str | None,
    typer.Option("--colour", metavar="COLOUR", help="One colour for all of them."),
]


class From(StrEnum):
    """What a scene is made from."""

    WANTED = "wanted"
    SHOWN = "shown"


@scene_app.command("list")
def list_scenes(at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """List the scenes."""
    raise run(_list, place(at, token), as_json)


@scene_app.command("show")
def show(
    name: SceneName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Show a scene: its colours, and which lights get each."""
    raise run(_show, place(at, token), name, as_json)


@scene_app.command("save")
def save(
    name: Named,
    dev_euis: DevEuis = None,
    everything: Everything = False,
    tag: Tag = None,
    application: Application = None,
    made_from: Annotated[
        From, typer.Option("--from", help="Of what lights should show, or of what they show.")
    ] = From.WANTED,
    colour: ColourOption = None,
    blink: Blink = None,
    no_keep: Annotated[
        bool, typer.Option("--no-keep", help="Do not bring lights back that drifted.")
    ] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Save what lights should show now as a scene, or one colour for lights with --colour.

    A scene of this name is replaced. Without lights, tag or application all lights are meant.
    """
    if blink is not None and colour is None:
        raise typer.BadParameter("--blink goes with --colour")
    chosen = choice(dev_euis, everything, tag, application)
    body: dict[str, Any] = {"name": name, "keep": not no_keep}
    if colour is not None:
        body["parts"] = [part_of(colour, blink, chosen)]
    else:
        body["made_from"] = made_from.value
        filters = {k: v for k, v in chosen.items() if k in {"tag", "application"}}
        if "dev_euis" in chosen:
            body["dev_euis"] = chosen["dev_euis"]
        elif filters:
            body["filter"] = filters
    raise run(_save, place(at, token), name, body, as_json)


@scene_app.command("apply")
def apply(
    name: SceneName,
    pace: Pace = None,
    failures_most: Failures = None,
    wait: Wait = None,
    no_wait: NoWait = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Apply a scene as one rollout, and follow it until it is over."""
    body = paced(pace, failures_most)
    raise run(_apply, place(at, token), name, body, waiting(wait, no_wait), as_json)


@scene_app.command("remove")
def remove(
    name: SceneName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Remove a scene that no schedule applies."""
    raise run(remove_named, place(at, token), "scenes", name, as_json)


def choice(
    dev_euis: list[str] | None, everything: bool, tag: str | None, application: str | None
) -> dict[str, Any]:
    """Which lights are meant, as the service takes it; all where nothing is said."""
    wide = {"tag": tag, "application": application}
    filters = {field: value for field, value in wide.items() if value is not None}
    if [bool(dev_euis), everything, bool(filters)].count(True) > 1:
        raise typer.BadParameter("name lights, or give --tag and --application, or --all")
    if dev_euis:
        return {"dev_euis": dev_euis}
    return filters or {"everything": True}


def part_of(colour: str, blink: str | None, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """One colour for these lights."""
    light = order(colour, blink, None, no_keep=False)
    del light["keep"]
    return {"light": light, **chosen}


async def put_named(client: Client, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Keep it, in place of one of this name where there is one; nobody's change is overwritten that
    comes between."""
    body = await names.resolved(client, body)
    try:
        before = await client.get(path(kind, name))
    except Refused as error:
        if error.status != 404:
            raise
        return (await client.ask("POST", f"/{kind}", body=body)).body  # type: ignore[no-any-return]
    seen = if_match(before["revision"])
    there = path(kind, before["id"])
    return (await client.ask("PUT", there, body=body, headers=seen)).body  # type: ignore[no-any-return]


async def remove_named(where: Place, kind: str, name: str, as_json: bool) -> Exit:
    """Remove a scene or a schedule."""
    async with Client(where) as client:
        await client.ask("DELETE", path(kind, name))
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        console().print(f"{kind[:-1].capitalize()} {one_line(name)} removed.", markup=False)
    return Exit.OK


async def _list(where: Place, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await client.get("/scenes")
        if as_json:
            print_json(found)
            return Exit.OK
        if not found["scenes"]:
            console().print("No scenes.")
            return Exit.OK
        console().print(kept.scenes(found["scenes"], client.now()))
    return Exit.OK


async def _show(where: Place, name: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        scene = await client.get(path("scenes", name))
    if as_json:
        print_json(scene)
        return Exit.OK
    out = console()
    stays = "" if scene["keep"] else ", not kept after a drift"
    out.print(f"{one_line(scene['name'])}: {scene['lights']} lights{stays}", markup=False)
    for part in scene["parts"]:
        out.print("  ", swatch(part["light"], exact=True), f"  {kept.lights_words(part)}", sep="")
    _tell_missing(scene["missing"])
    return Exit.OK


async def _save(where: Place, name: str, body: dict[str, Any], as_json: bool) -> Exit:
    async with Client(where) as client:
        scene = await put_named(client, "scenes", name, body)
    if as_json:
        print_json(scene)
    else:
        text = f"Scene {one_line(scene['name'])} saved: {scene['lights']} lights."
        console().print(text, markup=False)
    return Exit.OK


async def _apply(
    where: Place, name: str, body: dict[str, Any], wait_s: float, as_json: bool
) -> Exit:
    async with Client(where) as client:
        made = (await client.ask("POST", path("scenes", name, "apply"), body=body)).body
        if not as_json:
            _tell_missing(made["missing"])
        if wait_s:
            return await follow(client, made["rollout"], wait_s, as_json)
        if as_json:
            print_json(made)
        else:
            rollout = made["rollout"]
            console().print(f"Rollout {rollout['id']} started for {rollout['total']} lights.")
    return Exit.OK


def _tell_missing(missing: list[str]) -> None:
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        text = f"Known no longer, and left out: {', '.join(missing[:3])}{more}"
        console().print(text, style="yellow", markup=False, soft_wrap=True)
