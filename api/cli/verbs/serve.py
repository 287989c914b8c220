"""`lamplighter serve`: run the service until a signal."""

import os
from typing import TYPE_CHECKING

import typer

from api.cli.settings_option import Config, load

if TYPE_CHECKING:
    from api.server.signals import Load
    from api.settings.model import ApiSettings


def serve(config: Config = None) -> None:
    """Run the service against a real ChirpStack."""
    settings = load(config)
    from api.settings.file import load_settings

    raise typer.Exit(run_service(settings, lambda: load_settings(config, os.environ)))


def run_service(settings: "ApiSettings", reload: "Load | None" = None) -> int:
    """Run it; SIGHUP reads the tokens again with `reload`.

    The exit code: 0 after a stop by a signal, 1 when something cannot be had or kept.
    """
    import trio

    from api.cli.failures import explain
    from api.logging import configure
    from api.service import serve_until_signal

    configure(settings.logs)
    try:
        trio.run(serve_until_signal, settings, reload)
    except BaseExceptionGroup as group:
        return explain(group)
    return 0
