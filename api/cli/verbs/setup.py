"""`lamplighter setup`: point ChirpStack's HTTP integration at the service."""

from typing import Annotated

import typer

from api.cli.settings_option import Config, load


def setup(
    url: Annotated[str, typer.Option(help="Where ChirpStack reaches our webhook.")],
    config: Config = None,
    application: Annotated[
        list[str] | None, typer.Option(help="Application id; all with lights unless given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, change nothing.")] = False,
) -> None:
    """Create or correct ChirpStack's HTTP integration; safe to repeat."""
    settings = load(config)
    from api.cli.chirpstack_setup import run_setup

    raise typer.Exit(run_setup(settings, url, application or [], dry_run=dry_run))
