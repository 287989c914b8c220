"""`lamplighter risks`: which lights will make trouble, and how that is known."""

from typing import Annotated, Any

import typer

from api.cli import names
from api.cli.client.errors import ClientError, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_file, print_json
from api.cli.exits import Exit
from api.cli.options import AsCsv, AsJson, At, Token, one_form, place, run
from api.cli.verbs.lights import Application, Gateway, Phase, Reachability, Search, Tag

LIMIT = 20


def risks(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000, help="So many lights at most.")
    ] = LIMIT,
    warned: Annotated[
        bool | None,
        typer.Option("--warned/--not-warned", help="Only those that a rule warns of, or not."),
    ] = None,
    phase: Phase = None,
    reachability: Reachability = None,
    gateway: Gateway = None,
    application: Application = None,
    tag: Tag = None,
    search: Search = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List the lights most at risk, the worst first: chance, losses, margin, warnings."""
    query = {
        "limit": limit,
        "warned": warned,
        "phase": phase,
        "reachability": reachability,
        "gateway": gateway,
        "application": application,
        "tag": tag,
        "search": search,
    }
    one_form(as_json, as_csv)
    raise run(_risks, place(at, token), query, as_json, as_csv)


async def _risks(where: Place, query: dict[str, Any], as_json: bool, as_csv: bool) -> Exit:
    from api.cli.show import quality

    async with Client(where) as client:
        query = await names.resolved(client, query)
        if as_csv:
            print_file(await client.get_file("/risks", query | {"format": "csv"}))
            return Exit.OK
        found = await asked(client, "/risks", query)
        if as_json:
            print_json(found)
            return Exit.OK
        out = console()
        if found["risks"]:
            out.print(quality.risks(found["risks"], client.now()))
    out.print(quality.risks_in_short(found))
    return Exit.OK


async def asked(client: Client, path: str, query: dict[str, Any] | None = None) -> Any:
    """What a service tells that an older one does not. Raises ClientError."""
    try:
        return await client.get(path, query)
    except Refused as error:
        if error.slug == "not-found":
            text = "this service does not tell what is to be expected; it is older"
            raise ClientError(text) from error
        raise
