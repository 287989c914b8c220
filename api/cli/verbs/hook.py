"""`lamplighter hook ...`: receivers that are posted what happens."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run
from api.cli.show import kept
from api.cli.verbs.lights import Application, Tag
from api.cli.verbs.scene import remove_named
from lamplighter.client.paths import if_match, path

hook_app = typer.Typer(help="Receivers that are posted what happens.", no_args_is_help=True)

HookName = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")]
KINDS = ("verdicts", "states", "gateways", "alerts")


@hook_app.command("list")
def list_hooks(at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """List the hooks: what each is told, and how that goes."""
    raise run(_list, place(at, token), as_json)


@hook_app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to.")],
    dev_euis: DevEuis = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help="verdicts (unless given), states, gateways or alerts."),
    ] = None,
    tag: Tag = None,
    application: Application = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a hook, and print its secret, which is shown this once."""
    if odd := [kind for kind in kinds or () if kind not in KINDS]:
        raise typer.BadParameter(f"{odd[0]} is none of {', '.join(KINDS)}")
    body: dict[str, Any] = {"name": name, "url": url, "kinds": kinds or ["verdicts"]}
    body |= {
        "dev_euis": dev_euis or [],
        "tags": [tag] if tag else [],
        "applications": [application] if application else [],
    }
    raise run(_add, place(at, token), body, as_json)


@hook_app.command("remove")
def remove(
    name: HookName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Remove a hook with its log."""
    raise run(remove_named, place(at, token), "hooks", name, as_json)


@hook_app.command("test")
def try_out(
    name: HookName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Post an event that tells nothing, and say what the receiver did."""
    raise run(_test, place(at, token), name, as_json)


@hook_app.command("log")
def log(name: HookName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """Show the last tries to deliver, oldest first."""
    raise run(_log, place(at, token), name, as_json)


@hook_app.command("pause")
def pause(
    name: HookName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Deliver nothing until it goes on; what happens is kept."""
    raise run(_change, place(at, token), name, False, as_json)


@hook_app.command("resume")
def resume(
    name: HookName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Deliver again, from where it stood; also where the service stopped it."""
    raise run(_change, place(at, token), name, True, as_json)


@hook_app.command("secret")
def secret(
    name: HookName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False
) -> None:
    """Print a new secret, shown this once; the one before signs as well for a day."""
    raise run(_secret, place(at, token), name, as_json)


async def _list(where: Place, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await client.get("/hooks")
    if as_json:
        print_json(found)
    elif not found["hooks"]:
        console().print("No hooks.")
    else:
        console().print(kept.hooks(found["hooks"]))
    return Exit.OK


async def _add(where: Place, body: dict[str, Any], as_json: bool) -> Exit:
    async with Client(where) as client:
        made = (await client.ask("POST", "/hooks", body=await names.resolved(client, body))).body
    _show_secret(made, as_json)
    return Exit.OK


async def _secret(where: Place, name: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        made = (await client.ask("POST", path("hooks", name, "secret"))).body
    _show_secret(made, as_json)
    return Exit.OK


def _show_secret(made: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    out = console()
    out.print(f"Hook {one_line(made['hook']['name'])}. Its secret, shown this once:", markup=False)
    out.print(made["secret"], markup=False, soft_wrap=True)


async def _test(where: Place, name: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        line = (await client.ask("POST", path("hooks", name, "test"))).body
    if as_json:
        print_json(line)
    else:
        words = "Taken" if line["error"] is None else "Not taken"
        console().print(
            f"{words}: {kept.try_words(line)}, after {line['took_s']:.2f} s.", markup=False
        )
    return Exit.OK if line["error"] is None else Exit.FAILED


async def _log(where: Place, name: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = await client.get(path("hooks", name, "deliveries"), {"limit": 100})
    if as_json:
        print_json(found)
        return Exit.OK
    console().print(kept.tries(found["deliveries"][::-1]))
    return Exit.OK


async def _change(where: Place, name: str, enabled: bool, as_json: bool) -> Exit:
    async with Client(where) as client:
        there = path("hooks", name)
        before = await client.get(there)
        seen = if_match(before["revision"])
        body = {"enabled": enabled}
        hook = (await client.ask("PATCH", there, body=body, headers=seen)).body
    if as_json:
        print_json(hook)
    else:
        console().print(f"Hook {one_line(hook['name'])}: {kept.hook_state(hook)}.", markup=False)
    return Exit.OK
