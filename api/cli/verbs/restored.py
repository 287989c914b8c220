"""`lamplighter restored`: what a restored store would command again, and the decision."""

from typing import Annotated, Any

import typer

from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, Token, place, run


def restored(
    resume: Annotated[bool, typer.Option("--resume", help="Send what was wanted before.")] = False,
    keep_shown: Annotated[
        bool, typer.Option("--keep-shown", help="Keep what the lights show.")
    ] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what a store that was set back would command again, and decide."""
    if resume and keep_shown:
        raise typer.BadParameter("give --resume or --keep-shown, not both")
    decision = "resume" if resume else "keep_shown" if keep_shown else None
    raise run(_restored, place(at, token), decision, as_json)


async def _restored(where: Place, decision: str | None, as_json: bool) -> Exit:
    async with Client(where) as client:
        if decision is None:
            found: dict[str, Any] = await client.get("/restored-store")
        else:
            found = (await client.ask("POST", "/restored-store", body={"decision": decision})).body
    if as_json:
        print_json(found)
        return Exit.OK
    out = console()
    if not found["open"]:
        out.print("Nothing waits for a decision.")
        return Exit.OK
    out.print(f"The store {found['cause']}.", markup=False)
    for light in found["lights"]:
        shown = (
            "shows an unknown colour"
            if light["shown"] is None
            else f"shows {_words(light['shown'])}"
        )
        since = "" if light["heard_since"] else ", not heard since"
        out.print(
            f"  {light['dev_eui']} {light['name']}: {shown}{since}; "
            f"wanted before: {_words(light['wanted'])}",
            markup=False,
        )
    out.print(_ending(found, decision), markup=False)
    return Exit.OK


def _ending(found: dict[str, Any], decision: str | None) -> str:
    count = f"{found['total']} light{'' if found['total'] == 1 else 's'}"
    match decision:
        case "resume":
            return f"{count}: what was wanted before is sent now."
        case "keep_shown":
            return f"{count}: each keeps what it shows, as soon as it was heard."
        case _ if found["keep_shown"]:
            return f"{count} left, to be kept as they are as soon as they were heard."
        case _:
            return (
                f"{count}: nothing is sent to them until you decide: "
                "`lamplighter restored --resume` or `lamplighter restored --keep-shown`."
            )


def _words(light: dict[str, int]) -> str:
    colour = f"{light['red']},{light['green']},{light['blue']}"
    return colour if light["off"] == 0 else f"{colour} blinking"
