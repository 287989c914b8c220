"""`lamplighter init`: from nothing to settings that work; with lights, what it was in 0.1.0."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.client.place import DEFAULT_AT
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token
from api.cli.verbs import initialize

OF_LIGHTS = "With lights: as `lamplighter initialize`"
_LIGHTS = {"rich_help_panel": OF_LIGHTS}
"""Callers of 0.1.0 gave lights to this verb."""


def init(
    dev_euis: DevEuis = None,
    chirpstack: Annotated[
        str | None,
        typer.Option(
            "--chirpstack",
            metavar="HOST:PORT",
            envvar="LAMPLIGHTER_CHIRPSTACK__TARGET",
            help="ChirpStack's gRPC API.",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key",
            envvar="LAMPLIGHTER_CHIRPSTACK__API_KEY",
            help="Its API key; better in the environment, where no other user sees it.",
        ),
    ] = None,
    tenant_id: Annotated[
        str | None,
        typer.Option(
            "--tenant-id",
            envvar="LAMPLIGHTER_CHIRPSTACK__TENANT_ID",
            help="The key's tenant, where it is a tenant's.",
        ),
    ] = None,
    tls: Annotated[
        bool | None,
        typer.Option(
            "--tls/--no-tls",
            envvar="LAMPLIGHTER_CHIRPSTACK__TLS",
            help="Whether ChirpStack speaks TLS; found out unless given.",
        ),
    ] = None,
    ca_file: Annotated[
        str | None,
        typer.Option(
            "--ca-file",
            envvar="LAMPLIGHTER_CHIRPSTACK__CA_FILE",
            help="PEM file of the authorities to trust there.",
        ),
    ] = None,
    profile_contains: Annotated[
        str,
        typer.Option(
            "--profile-contains",
            envvar="LAMPLIGHTER_CHIRPSTACK__PROFILE_CONTAINS",
            help="Part of the name of the lights' device profile.",
        ),
    ] = "kuando",
    url: Annotated[
        str | None,
        typer.Option("--url", help="Address at which ChirpStack and people reach Lamplighter."),
    ] = None,
    bind: Annotated[
        str | None,
        typer.Option(
            "--bind", envvar="LAMPLIGHTER_WEB__BIND", help="Address to listen on; of --url."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1,
            max=65_535,
            envvar="LAMPLIGHTER_WEB__PORT",
            help="Port to listen on; that of --url.",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            envvar="LAMPLIGHTER_STORE__URL",
            help="Where state is kept; lamplighter.db beside the settings unless given.",
        ),
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option("--operator", help="Whose token is made; you unless given."),
    ] = None,
    config: Annotated[
        Path,
        typer.Option("--config", "-c", help="The file to write.", envvar="LAMPLIGHTER_CONFIG"),
    ] = Path("lamplighter.toml"),
    change: Annotated[
        bool,
        typer.Option("--setup/--no-setup", help="Have ChirpStack send its events to us."),
    ] = True,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Replace a file that is there. With lights: give them all again."
        ),
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every light.", **_LIGHTS)] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0.0, help="Seconds to wait for the end.", **_LIGHTS)
    ] = 3_600.0,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Set an installation up: ask for ChirpStack, try it, write the settings, set up, examine.

    Without a terminal the options say everything. A settings file that is there is not touched.
    """
    if dev_euis or everything:
        initialize.initialize(dev_euis, everything, force, wait, at, token, as_json)
        return
    if as_json:
        raise typer.BadParameter("--json is for lights: name them, or give --all")
    from api.cli.installing.dialogue import Given, Person
    from api.cli.installing.run import Plan, run_init

    given = Given(
        target=chirpstack,
        api_key=api_key,
        tls=tls,
        ca_file=ca_file,
        tenant_id=tenant_id,
        profile_contains=profile_contains,
        url=url,
        bind=bind,
        port=port,
    )
    plan = Plan(path=config, force=force, change=change, store_url=store, operator=operator)
    try:
        code = run_init(given, plan, Person())
    except (KeyboardInterrupt, typer.Abort):
        code = Exit.INTERRUPTED
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is not None:
            raise
        code = Exit.INTERRUPTED
    raise typer.Exit(code)
