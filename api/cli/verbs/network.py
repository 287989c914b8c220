"""`lamplighter gateways` and `lamplighter alerts`."""

from typing import Annotated

import typer

from api.cli.client.errors import ClientError, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, Token, place, run
from api.cli.verbs.risks import asked
from lamplighter.client.paths import path

ALERTS_MOST = 1_000

alerts_app = typer.Typer(help="What is wrong, and what was.")


def gateways(
    quality: Annotated[
        bool, typer.Option("--quality", help="Their grades with every line instead.")
    ] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the gateways: online or not, airtime used, frames waiting; or how good each is."""
    raise run(_grades if quality else _gateways, place(at, token), as_json)


@alerts_app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the open alerts, newest first."""
    if context.invoked_subcommand is None:
        raise run(_alerts, place(at, token), everything, as_json)


@alerts_app.command("acknowledge")
def acknowledge(
    alert_id: Annotated[str, typer.Argument(help="Its id, as `alerts` lists it.")],
    by: Annotated[str | None, typer.Option("--by", help="Your name.")] = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody looks after an alert, which ends its repetitions."""
    raise run(_acknowledge, place(at, token), alert_id, by, as_json)


async def _gateways(where: Place, as_json: bool) -> Exit:
    from api.cli.show import tables

    async with Client(where) as client:
        found = await client.get("/gateways")
        if as_json:
            print_json(found)
            return Exit.OK
        out = console()
        if not found["gateways"]:
            out.print("No gateway is known yet.")
            return Exit.OK
        out.print(tables.gateways(found["gateways"], client.now()))
        online = sum(each["online"] for each in found["gateways"])
        out.print(f"{online} of {found['total']} online")
    return Exit.OK


async def _grades(where: Place, as_json: bool) -> Exit:
    from api.cli.show import quality

    async with Client(where) as client:
        found = await client.get("/gateways")
        names = {each["gateway_id"]: each["name"] for each in found["gateways"]}
        graded = [
            await asked(client, f"/gateways/{gateway_id}/quality") for gateway_id in sorted(names)
        ]
    if as_json:
        print_json({"total": len(graded), "gateways": graded})
        return Exit.OK
    out = console()
    if not graded:
        out.print("No gateway is known yet.")
        return Exit.OK
    out.print(quality.grades(graded, names))
    for each in graded:
        if each["lines"]:
            out.print(quality.lines(each, names))
    return Exit.OK


async def _alerts(where: Place, everything: bool, as_json: bool) -> Exit:
    from api.cli.show import tables

    async with Client(where) as client:
        query = {"open": None if everything else True, "limit": ALERTS_MOST}
        found = await client.get("/alerts", query)
        if as_json:
            print_json(found)
            return Exit.OK
        out = console()
        if not found["alerts"]:
            out.print("No alerts." if everything else "No open alerts.")
            return Exit.OK
        out.print(tables.alerts(found["alerts"], client.now()))
    return Exit.OK


async def _acknowledge(where: Place, alert_id: str, by: str | None, as_json: bool) -> Exit:
    async with Client(where) as client:
        there = path("alerts", alert_id, "acknowledge")
        try:
            answer = await client.ask("POST", there, body={"by": by} if by else {})
        except Refused as error:
            if error.slug == "not-found":
                raise ClientError("this service cannot acknowledge alerts; it is older") from error
            raise
    if as_json:
        print_json(answer.body)
    else:
        console().print(f"Acknowledged {alert_id}.", markup=False)
    return Exit.OK
