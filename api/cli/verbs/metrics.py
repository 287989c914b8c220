"""`lamplighter metrics`: how well commands succeed, in figures; what Prometheus asks for is served
at `/metrics`."""

from typing import Annotated, Any

import typer

from api.cli import names
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.completion import complete_light
from api.cli.console import console, print_file, print_json
from api.cli.exits import Exit
from api.cli.options import AsCsv, AsJson, At, Token, one_form, place, run
from api.cli.verbs.risks import risks

metrics_app = typer.Typer(
    help="How well commands succeed, and what is to be expected.", no_args_is_help=True
)

Hours = Annotated[
    float,
    typer.Option("--hours", min=0.01, max=8_760, help="Of the commands that ended within so many."),
]


@metrics_app.command()
def commands(
    device: Annotated[
        str | None,
        typer.Argument(
            metavar="[DEVICE]",
            help="Of this light only: its name or DevEUI.",
            autocompletion=complete_light,
        ),
    ] = None,
    hours: Hours = 24.0,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count what became of commands: success rate, frames, time to verify."""
    one_form(as_json, as_csv)
    raise run(_commands, place(at, token), device, {"hours": hours}, as_json, as_csv)


@metrics_app.command()
def reliability(
    hours: Hours = 24.0,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show the spread of times and frames, and the lights whose commands have trouble."""
    one_form(as_json, as_csv)
    raise run(_reliability, place(at, token), {"hours": hours}, as_json, as_csv)


metrics_app.command("risks")(risks)


async def _commands(
    where: Place, text: str | None, query: dict[str, Any], as_json: bool, as_csv: bool
) -> Exit:
    from api.cli.show import metrics

    async with Client(where) as client:
        path = "/metrics/downlinks"
        if text is not None:
            path = f"{path}/{await names.light(client, text)}"
        found = await _in_words(client, path, query, as_json, as_csv)
    if found is not None:
        console().print(metrics.commands(found))
    return Exit.OK


async def _reliability(where: Place, query: dict[str, Any], as_json: bool, as_csv: bool) -> Exit:
    from api.cli.show import metrics

    async with Client(where) as client:
        found = await _in_words(client, "/metrics/reliability", query, as_json, as_csv)
    if found is None:
        return Exit.OK
    out = console()
    out.print(metrics.in_short(found))
    if found["verified"]:
        out.print(metrics.spread(found))
    if found["worst"]:
        out.print(metrics.worst(found["worst"]))
    return Exit.OK


async def _in_words(
    client: Client, path: str, query: dict[str, Any], as_json: bool, as_csv: bool
) -> Any:
    """What is there, to be told in words; None where it was printed as JSON or CSV."""
    if as_csv:
        print_file(await client.get_file(path, query | {"format": "csv"}))
        return None
    found = await client.get(path, query)
    if as_json:
        print_json(found)
        return None
    return found
