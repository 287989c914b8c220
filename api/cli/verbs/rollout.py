"""`lamplighter rollout ...`: one colour for many lights, paced, and stopped when too many fail."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.errors import ClientError, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run
from api.cli.show import kept, tables
from api.cli.show.colours import swatch
from api.cli.verbs.lights import Application, AsWanted, Gateway, Phase, Reachability, Search, Tag
from api.cli.verbs.send import Blink, Colour, NoKeep, Ttl, order
from lamplighter.client.paths import path

LOOK_S = 1.0
TOLD_EVERY_S = 5.0
"""In a pipe a line of progress so often at most."""
OVER = frozenset({"done", "cancelled", "stopped"})

rollout_app = typer.Typer(help="One colour for many lights, paced.", no_args_is_help=True)

RolloutId = Annotated[str, typer.Argument(metavar="ID", help="As `rollout list` shows it.")]
Pace = Annotated[float | None, typer.Option("--pace", min=0.001, help="Lights a minute.")]
Failures = Annotated[
    int | None, typer.Option("--failures-most", min=0, help="Stop after so many failures.")
]


NoWait = Annotated[bool, typer.Option("--no-wait", help="Start it and leave.")]
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        min=0.0,
        max=604_800.0,
        help="Seconds to wait for its end at most; without it, until it is over.",
    ),
]


@rollout_app.command("start")
def start(
    colour: Colour,
    dev_euis: DevEuis = None,
    everything: Annotated[bool, typer.Option("--all", help="Every light.")] = False,
    phase: Phase = None,
    reachability: Reachability = None,
    gateway: Gateway = None,
    application: Application = None,
    tag: Tag = None,
    search: Search = None,
    as_wanted: AsWanted = None,
    blink: Blink = None,
    ttl: Ttl = None,
    no_keep: NoKeep = False,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    pace: Pace = None,
    failures_most: Failures = None,
    wait: Wait = None,
    no_wait: NoWait = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Start a rollout for the named lights, or for those that match the filters."""
    chosen: dict[str, Any] = {
        "phase": phase,
        "reachability": reachability,
        "gateway": gateway,
        "application": application,
        "tag": tag,
        "search": search,
        "as_wanted": as_wanted,
    }
    chosen = {field: value for field, value in chosen.items() if value is not None}
    if [bool(dev_euis), everything, bool(chosen)].count(True) != 1:
        raise typer.BadParameter("name lights, or give filters, or --all")
    body = order(colour, blink, ttl, no_keep)
    body |= paced(pace, failures_most) | ({} if name is None else {"name": name})
    raise run(_start, place(at, token), body, dev_euis, chosen, waiting(wait, no_wait), as_json)


@rollout_app.command("list")
def list_rollouts(at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """List the rollouts."""
    raise run(_list, place(at, token), as_json)


@rollout_app.command("show")
def show(
    rollout_id: RolloutId, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Show a rollout and each of its lights."""
    raise run(_show, place(at, token), rollout_id, as_json)


@rollout_app.command("watch")
def watch(
    rollout_id: RolloutId,
    wait: Wait = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Follow a rollout until it is over."""
    raise run(_watch, place(at, token), rollout_id, waiting(wait, False), as_json)


@rollout_app.command("pause")
def pause(
    rollout_id: RolloutId, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Start no further lights; those begun go on."""
    raise run(_change, place(at, token), rollout_id, {"state": "paused"}, as_json)


@rollout_app.command("resume")
def resume(
    rollout_id: RolloutId,
    pace: Pace = None,
    failures_most: Failures = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a paused rollout, at another pace if given."""
    change = {"state": "running"} | paced(pace, failures_most)
    raise run(_change, place(at, token), rollout_id, change, as_json)


@rollout_app.command("again")
def again(
    rollout_id: RolloutId,
    pace: Pace = None,
    failures_most: Failures = None,
    wait: Wait = None,
    no_wait: NoWait = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Try the failed and unreached lights of a rollout again, as a new rollout."""
    body = paced(pace, failures_most)
    raise run(
        begin,
        place(at, token),
        path("rollouts", rollout_id, "again"),
        body,
        waiting(wait, no_wait),
        as_json,
    )


@rollout_app.command("cancel")
def cancel(
    rollout_id: RolloutId, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """End a rollout; lights that are not begun stay as they are."""
    raise run(_change, place(at, token), rollout_id, {"state": "cancelled"}, as_json)


def waiting(wait: float | None, no_wait: bool) -> float:
    """Seconds to wait for the end, infinity for as long as it takes, 0 for not at all."""
    if no_wait:
        return 0.0
    return math.inf if wait is None else wait


def paced(pace: float | None, failures_most: int | None) -> dict[str, float]:
    """How fast, and after how many failures not at all, as the service takes it; what is not said
    is left to it."""
    said = {"pace_per_min": pace, "failures_most": failures_most}
    return {field: value for field, value in said.items() if value is not None}


def outcome(rollout: Mapping[str, Any]) -> Exit:
    """What its state means for a script."""
    if rollout["state"] not in OVER:
        return Exit.UNVERIFIED
    return Exit.OK if rollout["state"] == "done" and not rollout["failed"] else Exit.PARTLY


async def _start(
    where: Place,
    body: dict[str, Any],
    texts: list[str] | None,
    chosen: dict[str, Any],
    wait_s: float,
    as_json: bool,
) -> Exit:
    if texts:
        body["dev_euis"] = texts
    else:
        body["filter"] = chosen
    return await begin(where, "/rollouts", body, wait_s, as_json)


async def begin(
    where: Place, path: str, body: dict[str, Any], wait_s: float, as_json: bool
) -> Exit:
    """Have a rollout begun by a request, and follow it unless nobody is to wait for it."""
    async with Client(where) as client:
        made = await _ask(client, "POST", path, await names.resolved(client, body))
        if wait_s:
            return await follow(client, made, wait_s, as_json)
        if as_json:
            print_json(made)
        else:
            console().print(f"Rollout {made['id']} started for {made['total']} lights.")
    return Exit.OK


async def _list(where: Place, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await _ask(client, "GET", "/rollouts")
        if as_json:
            print_json(found)
        elif found["rollouts"]:
            console().print(tables.rollouts(found["rollouts"], client.now()))
        else:
            console().print("No rollouts.")
    return Exit.OK


async def _show(where: Place, rollout_id: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await _ask(client, "GET", path("rollouts", rollout_id))
        if as_json:
            print_json(found)
            return Exit.OK
        out = console()
        out.print(tables.rollouts([found], client.now()))
        out.print(_pace(found))
        out.print(kept.rollout_lights(found.get("lights", ())))
    return Exit.OK


async def _watch(where: Place, rollout_id: str, wait_s: float, as_json: bool) -> Exit:
    async with Client(where) as client:
        return await follow(
            client, await _ask(client, "GET", path("rollouts", rollout_id)), wait_s, as_json
        )


async def _change(where: Place, rollout_id: str, change: dict[str, Any], as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await _ask(client, "PATCH", path("rollouts", rollout_id), change)
    if as_json:
        print_json(found)
    else:
        console().print(f"Rollout {found['id']} is {found['state']}. {_pace(found)}", markup=False)
    return Exit.OK


async def follow(client: Client, rollout: dict[str, Any], wait_s: float, as_json: bool) -> Exit:
    """Progress until it is over, or so long; a paused one is waited for, too.

    On a terminal it is a bar, in a pipe a line whenever something changed.
    """
    import trio
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    out = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    drawn = not as_json and out.is_terminal
    if not as_json:
        out.print(f"Rollout {rollout['id']}: ", swatch(rollout["light"]), _pace(rollout), sep="  ")
    line, told_at = "", -math.inf
    with Progress(*columns, console=out, disable=not drawn) as progress:
        bar = progress.add_task(rollout["state"], total=rollout["total"])
        with trio.move_on_after(wait_s):
            while True:
                ended = rollout["total"] - rollout["open"] - rollout["waiting"]
                told = f"{rollout['state']}: {rollout['verified']} verified, "
                told += f"{rollout['failed']} failed"
                progress.update(bar, completed=ended, total=rollout["total"], description=told)
                if rollout["state"] in OVER:
                    break
                told += f", {ended} of {rollout['total']} over"
                now = trio.current_time()
                if not drawn and not as_json and told != line and now - told_at >= TOLD_EVERY_S:
                    out.print(told, markup=False)
                    line, told_at = told, now
                await trio.sleep(LOOK_S)
                rollout = await _ask(client, "GET", path("rollouts", rollout["id"]))
    if as_json:
        print_json(rollout)
    else:
        _tell_end(rollout)
    return outcome(rollout)


def _tell_end(rollout: Mapping[str, Any]) -> None:
    reason = f" ({one_line(rollout['reason'])})" if rollout["reason"] else ""
    goes_on = "" if rollout["state"] in OVER else "; it goes on"
    console().print(
        f"{rollout['state']}{reason}: {rollout['verified']} of {rollout['total']} verified,"
        f" {rollout['failed']} failed, {rollout['superseded']} superseded,"
        f" {rollout['removed']} removed{_taken_back(rollout)}"
        f"{_never_begun(rollout)}{goes_on}",
        markup=False,
        soft_wrap=True,
    )


def _never_begun(rollout: Mapping[str, Any]) -> str:
    """Those whose turn had not come when it was cancelled, and those still on their way."""
    never = f", {rollout['cancelled']} never commanded" if rollout["cancelled"] else ""
    return never + (f", {rollout['open']} on their way" if rollout["open"] else "")


def _taken_back(rollout: Mapping[str, Any]) -> str:
    """An older service tells of none."""
    count = rollout.get("withdrawn", 0)
    return f", {count} withdrawn" if count else ""


def _pace(rollout: Mapping[str, Any]) -> str:
    most = rollout["failures_most"]
    return f"{rollout['pace_per_min']:g} lights a minute, stops after {most} failures"


async def _ask(client: Client, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """One request; an older service without rollouts is named as such."""
    try:
        answer: dict[str, Any] = (await client.ask(method, path, body=body)).body
    except Refused as error:
        if error.slug == "not-found":
            raise ClientError("this service has no rollouts; it is older") from error
        raise
    return answer
