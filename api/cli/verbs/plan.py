"""`lamplighter plan ...`: floor plans, listed, drawn, kept in a file and taken from one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.client.errors import ClientError, Mistaken, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, Token, place, run
from api.cli.show import kept
from lamplighter.client.paths import if_match, path

FILE_BYTES_MOST = 64 * 1024 * 1024
"""More than any file that a service takes: a mistaken name is not read into memory."""

plan_app = typer.Typer(help="Floor plans with lights and gateways on them.", no_args_is_help=True)

PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="Its id or its name.")]


@plan_app.command("list")
def list_plans(at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """List the plans in their order."""
    raise run(_list, place(at, token), as_json)


@plan_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    picture: Annotated[
        Path | None, typer.Argument(help="PNG, JPEG or SVG, at most 4 MB.", dir_okay=False)
    ] = None,
    order: Annotated[
        int | None, typer.Option(min=0, help="Its place in the list; else behind all others.")
    ] = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Add a plan; or give one of this name another picture."""
    raise run(_add, place(at, token), name, picture, order, as_json)


@plan_app.command("show")
def show(plan: PlanName, at: At = DEFAULT_AT, token: Token = None, as_json: AsJson = False) -> None:
    """Show a plan and where everything is on it."""
    raise run(_show, place(at, token), plan, as_json)


@plan_app.command("export")
def export(
    target: Annotated[Path, typer.Argument(help="A new file, as plans.zip.", dir_okay=False)],
    at: At = DEFAULT_AT,
    token: Token = None,
) -> None:
    """Write all plans, with their pictures and places, into one file."""
    raise run(_export, place(at, token), target)


@plan_app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="What export wrote.", dir_okay=False)],
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Take in the plans of a file; those of the same id are replaced."""
    raise run(_import, place(at, token), source, as_json)


@plan_app.command("remove")
def remove(plan: PlanName, at: At = DEFAULT_AT, token: Token = None) -> None:
    """Remove a plan with its picture and places."""
    raise run(_remove, place(at, token), plan)


async def _list(where: Place, as_json: bool) -> Exit:
    async with Client(where) as client:
        found = {"plans": await _plans(client)}
        if as_json:
            print_json(found)
        elif found["plans"]:
            console().print(kept.plans(found["plans"], client.now()))
        else:
            console().print("No plans.")
    return Exit.OK


async def _add(
    where: Place, name: str, picture: Path | None, order: int | None, as_json: bool
) -> Exit:
    content = None if picture is None else _read(picture)
    async with Client(where) as client:
        known = [plan for plan in await _plans(client) if plan["name"] == name]
        if len(known) > 1:
            raise Mistaken(f"{len(known)} plans are called {name!r}: give one an own name first")
        if known and content is None:
            raise Mistaken(f"there is a plan {name!r} already; a picture would replace its own")
        body = {"name": name} if order is None else {"name": name, "order": order}
        plan = known[0] if known else (await client.ask("POST", "/plans", body=body)).body
        left_out: list[str] = []
        if content is not None:
            sent = await client.send_file(
                "PUT", path("plans", plan["id"], "picture"), content, if_match(plan["revision"])
            )
            plan, left_out = sent.body["plan"], sent.body["left_out"]
    if as_json:
        print_json({"plan": plan, "left_out": left_out})
        return Exit.OK
    out = console()
    out.print(f"Plan {plan['name']} ({plan['id']}): {kept.picture(plan)}.", markup=False)
    if left_out:
        out.print(f"Left out of the drawing: {', '.join(left_out)}.", markup=False)
    return Exit.OK


async def _show(where: Place, name: str, as_json: bool) -> Exit:
    async with Client(where) as client:
        head = await _named(client, name)
        plan = await client.get(path("plans", head["id"]))
        if as_json:
            print_json(plan)
            return Exit.OK
        names = {device["dev_eui"]: device["name"] for device in await client.devices()}
        gateways = (await client.get("/gateways"))["gateways"]
        names |= {gateway["gateway_id"]: gateway["name"] for gateway in gateways}
    out = console()
    out.print(f"{plan['name']} ({plan['id']}), revision {plan['revision']}: ", end="", markup=False)
    out.print(kept.picture(plan), markup=False)
    out.print(kept.places(plan, names))
    return Exit.OK


async def _export(where: Place, target: Path) -> Exit:
    async with Client(where) as client:
        packed = await _asked(client.get_file("/plans/export"))
    try:
        with target.open("xb") as file:
            file.write(packed)
    except FileExistsError as error:
        raise Mistaken(f"{target}: exists already; an export replaces nothing") from error
    except OSError as error:
        raise Mistaken(f"{target}: {error.strerror}") from error
    console().print(f"{target}: {len(packed)} bytes", markup=False)
    return Exit.OK


async def _import(where: Place, source: Path, as_json: bool) -> Exit:
    content = _read(source)
    async with Client(where) as client:
        taken = (await client.send_file("POST", "/plans/import", content)).body
    if as_json:
        print_json(taken)
    else:
        added, replaced = len(taken["added"]), len(taken["replaced"])
        console().print(f"{added} plans added, {replaced} replaced.")
    return Exit.OK


async def _remove(where: Place, name: str) -> Exit:
    async with Client(where) as client:
        plan = await _named(client, name)
        await client.ask("DELETE", path("plans", plan["id"]), headers=if_match(plan["revision"]))
    console().print(f"Plan {plan['name']} ({plan['id']}) is removed.", markup=False)
    return Exit.OK


async def _plans(client: Client) -> list[dict[str, Any]]:
    """All heads; an older service without plans is named as such."""
    found: list[dict[str, Any]] = (await _asked(client.get("/plans")))["plans"]
    return found


async def _asked(question: Any) -> Any:
    try:
        return await question
    except Refused as error:
        if error.slug == "not-found":
            raise ClientError("this service has no floor plans; it is older") from error
        raise


async def _named(client: Client, name: str) -> dict[str, Any]:
    """The plan of this id, else the only one of this name. Raises Mistaken."""
    plans = await _plans(client)
    found = [plan for plan in plans if plan["id"] == name]
    found = found or [plan for plan in plans if plan["name"].casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(plan["id"] for plan in found)
        raise Mistaken(f"several plans are called {name!r}: {ids}")
    raise Mistaken(f"there is no plan {name!r}; `plan list` shows them")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MOST:
            raise Mistaken(f"{path}: larger than any file that a service takes")
        return path.read_bytes()
    except OSError as error:
        raise Mistaken(f"{path}: {error.strerror}") from error
