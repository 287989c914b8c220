"""`lamplighter ask`: have a light say now what it shows."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEui, Token, place, run
from api.cli.show.states import why

LOOK_S = 1.0


def ask(
    device: DevEui,
    wait: Annotated[
        float,
        typer.Option("--wait", min=0.0, max=86_400.0, help="Seconds to wait for its answer."),
    ] = 30.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only ask.")] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask a light for a status, and wait until it says what it shows."""
    raise run(_ask, place(at, token), device, 0.0 if no_wait else wait, as_json)


async def _ask(where: Place, text: str, wait_s: float, as_json: bool) -> Exit:
    import trio

    async with Client(where) as client:
        dev_eui = await names.light(client, text)
        before = await client.get(f"/devices/{dev_eui}")
        asked = (await client.ask("POST", f"/devices/{dev_eui}/status")).body
        seen, told = before, False
        with trio.move_on_after(wait_s) if wait_s else trio.CancelScope():
            while wait_s and not told:
                await trio.sleep(LOOK_S)
                seen = await client.get(f"/devices/{dev_eui}")
                told = _counters(seen) != _counters(before)
    if as_json:
        print_json({**asked, "answered": told if wait_s else None, "device": seen["device"]})
    else:
        _tell(asked, seen["device"], told, wait_s)
    return Exit.OK if told or not wait_s else Exit.UNVERIFIED


def _counters(seen: Mapping[str, Any]) -> tuple[Any, ...]:
    """What differs once it reported again."""
    report = seen["report"]
    return () if report is None else (report["at"], report["f_cnt"])


def _tell(asked: Mapping[str, Any], device: Mapping[str, Any], told: bool, wait_s: float) -> None:
    out, name = console(), one_line(device["name"] or device["dev_eui"])
    if asked["outcome"] == "busy":
        out.print(f"{name} is about to speak anyway: a frame to it is on its way.", markup=False)
    elif not wait_s:
        out.print(f"{name} is asked for a status.", markup=False)
    if told:
        out.print(f"{name} answered. {one_line(why(device), 500)}", markup=False, soft_wrap=True)
    elif wait_s:
        out.print(f"{name} did not answer within {wait_s:g} s.", markup=False, soft_wrap=True)
