"""The option that names the settings file, and the settings read from it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import errors

if TYPE_CHECKING:
    from api.settings.model import ApiSettings

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="TOML file with the settings.", envvar="LAMPLIGHTER_CONFIG"
    ),
]


def load(config: Path | None) -> "ApiSettings":
    """The settings; ends with exit code 2 and all their mistakes when they cannot be used."""
    from api.settings.file import SettingsError, load_settings, overlooked

    if note := overlooked(config):
        errors.print(f"Note: {note}.", markup=False)
    try:
        return load_settings(config, os.environ)
    except SettingsError as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(2) from None
