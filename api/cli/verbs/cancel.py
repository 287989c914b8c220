"""`lamplighter cancel`: take back what was asked of a light, before the light confirms it."""

import re
from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.errors import Mistaken, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.completion import complete_light
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, Token, place, run
from lamplighter.client.paths import path

# A ULID, as the service gives them.
_COMMAND_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE)


def cancel(
    what: Annotated[
        str,
        typer.Argument(
            metavar="COMMAND|DEVICE",
            help="The id of a command, or a light (name or DevEUI) whose open command is meant.",
            autocompletion=complete_light,
        ),
    ],
    keep_nothing: Annotated[
        bool,
        typer.Option("--keep-nothing", help="Want nothing of the light, instead of as before."),
    ] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Take back a command that is not verified yet; what was wanted before is wanted again.

    Nothing that is in flight is flushed: the light may still take it, and is then brought back.
    """
    raise run(_cancel, place(at, token), what, keep_nothing, as_json)


async def _cancel(where: Place, what: str, keep_nothing: bool, as_json: bool) -> Exit:
    async with Client(where) as client:
        dev_eui, no_light = await _light(client, what)
        if dev_eui is not None and keep_nothing:
            answer = (await client.ask("DELETE", f"/devices/{dev_eui}/wanted")).body
            if as_json:
                print_json(answer)
            else:
                _tell(answer["command"])
                console().print(f"Nothing is asked of {dev_eui} any more.", markup=False)
            return Exit.OK
        command_id = what
        if dev_eui is not None:
            seen = await client.get(f"/devices/{dev_eui}")
            if seen["command"] is None:
                if as_json:
                    print_json({"dev_eui": dev_eui, "command": None})
                else:
                    console().print(f"No command of {dev_eui} is open.", markup=False)
                return Exit.WITHDRAWN
            command_id = seen["command"]["id"]
        try:
            return await _withdraw(client, command_id, keep_nothing, as_json)
        except Refused as error:
            if error.status == 404 and no_light:
                raise Mistaken(f"{error}, and {no_light}") from error
            raise


async def _withdraw(client: Client, command_id: str, keep_nothing: bool, as_json: bool) -> Exit:
    query = {"keep": "nothing"} if keep_nothing else None
    try:
        answer = await client.ask("DELETE", path("commands", command_id), query=query)
    except Refused as error:
        if error.slug != "ended":
            raise
        ended: Any = error.members.get("command")
        if as_json:
            print_json(ended)
        else:
            text = f"Command {command_id} had ended before: it is {ended['status']}."
            console().print(text, markup=False, soft_wrap=True)
        return Exit.WITHDRAWN
    if as_json:
        print_json(answer.body)
    else:
        _tell(answer.body)
    return Exit.OK


def _tell(command: dict[str, Any] | None) -> None:
    if command is not None:
        text = f"Command {command['id']}: {one_line(command['reason'] or 'withdrawn', 500)}."
        console().print(text, markup=False, soft_wrap=True)


async def _light(client: Client, text: str) -> tuple[str | None, str]:
    """The light that is meant; None for the id of a command, and why it is no light's name."""
    if _COMMAND_ID.fullmatch(text):
        return None, ""
    try:
        return await names.light(client, text), ""
    except names.Unknown as error:
        return None, str(error)
