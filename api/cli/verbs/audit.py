"""`lamplighter audit`: who did what, when."""

from typing import Annotated, Any

import typer

from api.cli import names
from api.cli.client.errors import ClientError, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_file, print_json
from api.cli.exits import Exit
from api.cli.options import AsCsv, AsJson, At, Token, one_form, place, run

LIMIT = 50


def audit(
    by: Annotated[
        str | None, typer.Option("--by", help="Only of this token or person, by name.")
    ] = None,
    what: Annotated[
        str | None, typer.Option("--what", help="Only this: command, rollout, remove, ...")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", help="Only on this light (name or DevEUI), rollout, alert."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="From then on: Unix seconds or RFC 3339.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Before then; `next_until` of the page before.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000, help="So many entries at most.")
    ] = LIMIT,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show who did what, newest first."""
    query = {"by": by, "what": what, "on": on, "since": since, "until": until, "limit": limit}
    one_form(as_json, as_csv)
    raise run(_audit, place(at, token), query, as_json, as_csv)


async def _audit(where: Place, query: dict[str, Any], as_json: bool, as_csv: bool) -> Exit:
    from api.cli.show import audit as show

    async with Client(where) as client:
        try:
            query["on"] = await _on(client, query["on"])
            if as_csv:
                print_file(await client.get_file("/audit", query | {"format": "csv"}))
                return Exit.OK
            found = await client.get("/audit", query)
        except Refused as error:
            if error.slug == "not-found":
                raise ClientError("this service keeps no audit; it is older") from error
            raise
        if as_json:
            print_json(found)
            return Exit.OK
        out = console()
        if not found["entries"]:
            out.print("Nothing of this kind is written down.")
        else:
            out.print(show.entries(found["entries"], client.now()))
        if found["next_until"] is not None:
            out.print(f"More with --until {found['next_until']}", markup=False)
    return Exit.OK


async def _on(client: Client, text: str | None) -> str | None:
    """A light's DevEUI where its name was given; whatever else something was done to, as it is."""
    if text is None:
        return None
    try:
        return await names.light(client, text)
    except names.Unknown:
        return text
