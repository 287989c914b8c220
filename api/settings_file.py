"""Read the settings from a TOML file and the environment, and list all mistakes at once.

The rule it keeps: the environment wins over the file, and nothing is passed over: an unknown table,
key or LAMPLIGHTER_ variable is a mistake, because it is most likely a misspelt one.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
from pydantic_settings import EnvSettingsSource
from pydantic_settings.exceptions import SettingsError as SourceError

from api.mistakes import Mistake, mistakes_of
from api.settings import ENV_PREFIX, ApiSettings

CONFIG_VARIABLE = "LAMPLIGHTER_CONFIG"
"""Names the file; with those of the client the only LAMPLIGHTER_ variable that is no setting."""
CLIENT_VARIABLES = frozenset({"LAMPLIGHTER_AT", "LAMPLIGHTER_TOKEN"})
"""Where the command line finds a running service, and its token."""


class SettingsError(Exception):
    """The settings cannot be used; its text lists every mistake, one a line, without secrets."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = (f"  {mistake.field or 'settings'}: {mistake.problem}" for mistake in mistakes)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([f"{count} in the settings", *lines]))


class _Environment(EnvSettingsSource):
    """The environment as an argument instead of the process's own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name.lower(): value for name, value in environ.items()}
        super().__init__(ApiSettings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._environ


def load_settings(path: Path | None, environ: Mapping[str, str]) -> ApiSettings:
    """The settings of a TOML file, if any, overridden by the environment.

    `LAMPLIGHTER_WEB__PORT=8090` sets `port` of table `web`; lists are separated by commas.
    Raises SettingsError with every mistake found.
    """
    mistakes: list[Mistake] = []
    values = _file(path, mistakes) if path is not None else {}
    known = tuple(f"{ENV_PREFIX}{name}".upper() for name in ApiSettings.model_fields)
    for name in environ:
        upper = name.upper()
        if upper.startswith(ENV_PREFIX) and upper not in {CONFIG_VARIABLE, *CLIENT_VARIABLES}:
            table = name.upper().partition("__")[0]
            if table not in known or "__" not in name:
                mistakes.append(Mistake(name, "is not a known setting"))
    try:
        values = _merged(values, _Environment(environ)())
        settings = ApiSettings(**values)
    except pydantic.ValidationError as error:
        mistakes += mistakes_of(error)
    except SourceError as error:
        mistakes.append(Mistake("environment", str(error)))
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _file(path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        mistakes.append(Mistake(str(path), f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError:
        mistakes.append(Mistake(str(path), "is not UTF-8"))
    except tomllib.TOMLDecodeError as error:
        mistakes.append(Mistake(str(path), f"is not TOML: {error}"))
    return {}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _merged(below, value)  # noqa: PLW2901 the merged one takes its place
        merged[name] = value
    return merged
