"""`lamplighter devices` and `lamplighter device`: what the lights show, and why."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.errors import Mistaken, Refused
from api.cli.client.http import PAGE, PAGES_MOST, Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.completion import complete_gateway
from api.cli.console import console, print_file, print_json
from api.cli.exits import Exit
from api.cli.options import AsCsv, AsJson, At, DevEui, Token, place, run
from lamplighter.client.paths import path


class Phases(StrEnum):
    """The phases of a light, as the service names them."""

    UNINITIALIZED = "uninitialized"
    INITIALIZING = "initializing"
    IDLE = "idle"
    AWAITING_VERIFY = "awaiting_verify"
    RETRYING = "retrying"
    FAILED = "failed"


class Reaches(StrEnum):
    """How a light can be reached, as the service names it."""

    REACHABLE = "reachable"
    SILENT = "silent"
    NO_GATEWAY_ONLINE = "no_gateway_online"
    NEVER_HEARD = "never_heard"
    DISABLED = "disabled"


class Sort(StrEnum):
    """What the list may be sorted by."""

    NAME = "name"
    DEV_EUI = "dev-eui"
    COLOUR = "colour"
    STATE = "state"
    SINCE = "since"
    HEARD = "heard"
    RISK = "risk"


Phase = Annotated[
    list[Phases] | None,
    typer.Option("--phase", help="In this phase; repeatable."),
]
Reachability = Annotated[
    list[Reaches] | None,
    typer.Option("--reachability", help="Those that can be reached like this now; repeatable."),
]
Gateway = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        help="Heard by this gateway (its name or id).",
        autocompletion=complete_gateway,
    ),
]
Application = Annotated[str | None, typer.Option("--application", help="Its id or name.")]
Tag = Annotated[str | None, typer.Option("--tag", help="KEY or KEY=VALUE.")]
Search = Annotated[str | None, typer.Option("--search", help="Part of the DevEUI or the name.")]
AsWanted = Annotated[
    bool | None,
    typer.Option("--as-wanted/--not-as-wanted", help="Only those that show what they should."),
]


def devices(
    phase: Phase = None,
    reachability: Reachability = None,
    gateway: Gateway = None,
    application: Application = None,
    tag: Tag = None,
    search: Search = None,
    as_wanted: AsWanted = None,
    sort: Annotated[Sort, typer.Option(help="By which column.")] = Sort.NAME,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the lights: what each shows, what it should show, and its state."""
    query = {
        "phase": phase,
        "reachability": reachability,
        "gateway": gateway,
        "application": application,
        "tag": tag,
        "search": search,
        "as_wanted": as_wanted,
    }
    if as_csv:
        if as_json or reverse or sort is not Sort.NAME:
            raise typer.BadParameter("--csv lists by DevEUI, and goes with no --json")
        raise run(_devices_csv, place(at, token), query)
    raise run(_devices, place(at, token), query, sort, reverse, as_json)


def device(
    dev_eui: DevEui, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Inspect one light: what it is doing, why, and what comes next."""
    raise run(_device, place(at, token), dev_eui, as_json)


def remove(
    dev_eui: DevEui, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Take a light off the board. It comes back only if ChirpStack lists it."""
    raise run(_delete, place(at, token), dev_eui, "", "removed", as_json)


def flush(
    dev_eui: DevEui, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Empty ChirpStack's queue of one light: for a foreign item that is stuck.

    What is being sent just now is dropped with it, and the light may then ignore the next frame.
    """
    raise run(_delete, place(at, token), dev_eui, "/queue", "flushed", as_json)


def revive(
    device: DevEui, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Give the actor of a light another life, after it crashed too often and was parked.

    Where no light is called so, that of any other actor by its id: hooks, say.
    """
    raise run(_revive, place(at, token), device, as_json)


async def _revive(where: Place, text: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        dev_eui = unknown = ""
        try:
            dev_eui = await names.light(client, text)
        except names.Unknown as error:
            unknown = str(error)
        if unknown:
            if not await _revived(client, text):
                raise Mistaken(f"no actor {one_line(text)!r} is parked, and {unknown}")
            told, lives = {"actor": text}, f"Actor {text} lives again."
        else:
            if not await _revived(client, f"device {dev_eui}"):
                await client.get(f"/devices/{dev_eui}")  # says so where there is no such light
                raise Mistaken(f"light {dev_eui} is not parked: its actor runs")
            told, lives = {"dev_eui": dev_eui}, f"Light {dev_eui} lives again."
    if as_json:
        print_json(told | {"revived": True})
    else:
        console().print(lives, markup=False)
    return Exit.OK


async def _revived(client: Client, actor_id: str) -> bool:
    try:
        await client.ask("POST", path("supervisor", actor_id, "revive"))
    except Refused as error:
        if error.slug != "unknown-actor":
            raise
        return False
    return True


async def _delete(where: Place, text: str, what: str, done: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        dev_eui = await names.light(client, text)
        await client.ask("DELETE", f"/devices/{dev_eui}{what}")
    if as_json:
        print_json({"dev_eui": dev_eui, done: True})
    else:
        subject = "Light" if not what else "ChirpStack's queue of light"
        console().print(f"{subject} {dev_eui} {done}.", markup=False)
    return Exit.OK


async def gateway_names(client: Client) -> dict[str, str]:
    """What the gateways are called, by id."""
    found = await client.get("/gateways")
    return {each["gateway_id"]: each["name"] for each in found["gateways"]}


async def _devices(
    where: Place, query: dict[str, Any], sort: str, reverse: bool, as_json: bool
) -> Exit:
    from api.cli.show import states, tables

    async with Client(where) as client:
        found = await client.devices(await names.resolved(client, query))
        found.sort(key=lambda each: states.sort_key(each, sort), reverse=reverse)
        if as_json:
            print_json({"total": len(found), "devices": found})
            return Exit.OK
        out = console()
        if not found:
            out.print("No light matches.")
            return Exit.OK
        out.print(tables.lights(found, client.now(), await gateway_names(client)))
    counts = [(kind, sum(states.kind_of(each) == kind for each in found)) for kind in states.ORDER]
    told = ", ".join(f"{count} {kind}" for kind, count in counts if count)
    out.print(f"{len(found)} light{'s' if len(found) != 1 else ''}: {told}")
    return Exit.OK


async def _devices_csv(where: Place, query: dict[str, Any]) -> Exit:
    """The service's own CSV, page after page, with one line of names."""
    async with Client(where) as client:
        query = await names.resolved(client, query)
        for number in range(PAGES_MOST):
            asked = {"format": "csv", "limit": PAGE, "offset": number * PAGE}
            content = await client.get_file("/devices", query | asked)
            head, _, rows = content.partition(b"\r\n")
            if number and not rows:
                break
            print_file(rows if number else head + b"\r\n" + rows)
    return Exit.OK


async def _device(where: Place, text: str, as_json: bool) -> Exit:
    from api.cli.show.device import lines

    async with Client(where) as client:
        view = await client.get(f"/devices/{await names.light(client, text)}")
        if as_json:
            print_json(view)
            return Exit.OK
        out = console()
        for line in lines(view, client.now(), await gateway_names(client)):
            out.print(line, soft_wrap=True)
    return Exit.OK
