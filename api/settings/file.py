"""Read the settings from a TOML file and the environment, and list all mistakes at once.

The environment wins over the file. Nothing is ignored: an unknown table, key or LAMPLIGHTER_
variable is a mistake, because it is most likely a misspelt one. One mistake hides no other: what is
wrong is set aside, and the rest is still checked together.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from api.settings.consistency import clashes, mqtt_clashes
from api.settings.environment import environment
from api.settings.model import ApiSettings, Tables
from api.settings.mqtt import MqttSection
from api.settings.source import UnreadableFile, read_toml, readable_authorities
from api.validation import Mistake, mistakes_of
from store.engine.open import is_shared
from store.open import files_of

CONFIG_VARIABLE = "LAMPLIGHTER_CONFIG"
"""Names the file; with those of other verbs the only LAMPLIGHTER_ variable that is no setting."""
CLIENT_VARIABLES = frozenset(
    {"LAMPLIGHTER_AT", "LAMPLIGHTER_TOKEN", "LAMPLIGHTER_MOVE_FROM", "LAMPLIGHTER_MOVE_TO"}
)
"""Where the command line finds a running service, and its token."""
USUAL_FILE = "lamplighter.toml"
"""As the README calls it. It is read only where it is named: a service must not change its settings
with the folder that it is started in."""
SHOWN_MOST = 200
"""A wrong file, a picture of 1 MB, say, could hold more mistakes than anybody reads."""
# Setting wrong values aside brings defaults up, which cannot be wrong by themselves; a key deeper
# inside may show another mistake. Tables are three deep.
_ROUNDS = 5

_TEXTS = {
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "tuple_type": "must be a list",
    "extra_forbidden": "is not a known setting",
    "string_unicode": "is not UTF-8",
    "int_parsing_size": "is too large a number",
}
_ENGINE_HIDDEN = (
    "the file names an engine that processes share, but LAMPLIGHTER_STORE__URL wins over it and "
    "names a store of one process, as a container's image does: set it to the file's URL"
)
# Stand in for what is missing or wrong while the rest is looked at; never used.
_STANDINS = {"target": "localhost:8080", "api_key": "stand-in"}


class SettingsError(Exception):
    """The settings cannot be used; its text lists every mistake, one a line, without secrets."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(_shown(mistakes))
        lines = (f"  {mistake.field or 'settings'}: {mistake.problem}" for mistake in self.mistakes)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([f"{count} in the settings", *lines]))


def load_settings(path: Path | None, environ: Mapping[str, str]) -> ApiSettings:
    """The settings of a TOML file, if any, overridden by the environment.

    `LAMPLIGHTER_WEB__PORT=8090` sets `port` of table `web`; lists are separated by commas.
    Raises SettingsError with every mistake found.
    """
    mistakes: list[Mistake] = []
    values: dict[str, Any] = {}
    whole = True
    if path is not None:
        try:
            values = read_toml(path)
        except UnreadableFile as error:
            mistakes.append(Mistake(str(path), str(error)))
            whole = False
    tables = frozenset(ApiSettings.model_fields)
    over = environment(environ, tables, {CONFIG_VARIABLE, *CLIENT_VARIABLES}, mistakes)
    found = list(_wrong(_merged(values, over)))
    if _engine_hidden(values, over) and all(each.field != "store.url" for each in found):
        found.append(Mistake("store.url", _ENGINE_HIDDEN))
    # what is missing in a file that could not be read is not known to be missing
    mistakes += [each for each in found if whole or each.problem != "is missing"]
    if mistakes:
        raise SettingsError(mistakes)
    return ApiSettings.model_validate(_merged(values, over))


def load_mqtt(path: Path | None, environ: Mapping[str, str], url: str | None) -> MqttSection:
    """The `[mqtt]` table alone, of the file and the environment, for a bridge that is a process of
    its own. `url` goes over both. Raises SettingsError."""
    mistakes: list[Mistake] = []
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = read_toml(path)
        except UnreadableFile as error:
            raise SettingsError([Mistake(str(path), str(error))]) from None
    tables = frozenset(ApiSettings.model_fields)
    over = environment(environ, tables, {CONFIG_VARIABLE, *CLIENT_VARIABLES}, mistakes)
    table = _merged(values, over).get("mqtt", {})
    if url is not None and isinstance(table, Mapping):
        table = {**table, "url": url}
    try:
        section = MqttSection.model_validate(table)
    except pydantic.ValidationError as error:
        found = mistakes_of(error, most=None, texts=_TEXTS)
        mistakes += [Mistake(f"mqtt.{one.field}".rstrip("."), one.problem) for one in found]
        raise SettingsError(mistakes) from None
    mistakes += [Mistake(clash.field, clash.problem) for clash in mqtt_clashes(section)]
    mistakes += [Mistake(*each) for each in section.unreadable()]
    if mistakes:
        raise SettingsError(mistakes)
    return section


def overlooked(path: Path | None) -> str:
    """What to say where no file was named and the usual one lies in the working directory."""
    try:
        if path is not None or not Path(USUAL_FILE).is_file():
            return ""
    except OSError:
        return ""
    return (
        f"{USUAL_FILE} in this folder is not read, because it was not named: use"
        f" `--config {USUAL_FILE}`, or set {CONFIG_VARIABLE}={USUAL_FILE}"
    )


def _engine_hidden(file: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    """Whether the environment puts a store of one process before an engine of the file's.

    The container image names such a store. Each process would serve the fleet alone, on an empty
    one of its own, and all of them command the same lights.
    """
    named, winner = _store_url(file), _store_url(over)
    if named is None or winner is None:
        return False
    return is_shared(named) and not is_shared(winner)


def _store_url(values: Mapping[str, Any]) -> str | None:
    table = values.get("store")
    url = table.get("url") if isinstance(table, Mapping) else None
    return url if isinstance(url, str) else None


def _wrong(values: dict[str, Any]) -> Iterator[Mistake]:
    """Every mistake in these values, alone and together."""
    wrong: set[str] = set()
    tables: Tables | None = None
    for _ in range(_ROUNDS):
        try:
            tables = Tables.model_validate(values)
            break
        except pydantic.ValidationError as error:
            for mistake in mistakes_of(error, most=None, texts=_TEXTS):
                if mistake.field not in wrong:
                    wrong.add(mistake.field)
                    yield mistake
            for each in error.errors(include_url=False, include_input=False, include_context=False):
                values = _without(values, each["loc"])
            values = {**values, "chirpstack": {**_STANDINS, **values.get("chirpstack", {})}}
    if tables is None:
        return

    def settled(field: str) -> bool:
        return not any(
            field == each or field.startswith(f"{each}.") or each.startswith(f"{field}.")
            for each in wrong
        )

    for clash in clashes(tables):
        if all(map(settled, clash.between)):
            yield Mistake(clash.field, clash.problem)
    if settled("chirpstack.ca_file") and tables.chirpstack.ca_file is not None:
        problem = readable_authorities(tables.chirpstack.ca_file)
        if problem:
            yield Mistake("chirpstack.ca_file", problem)
    if settled("mqtt"):
        yield from (Mistake(*each) for each in tables.mqtt.unreadable())
        yield from (Mistake(*each) for each in tables.hooks.unreadable())
    if settled("store.url"):
        for option, file in files_of(tables.store.url.get_secret_value()).items():
            if problem := readable_authorities(file, any_pem=True):
                yield Mistake("store.url", f"the file of {option} {problem}")


def _without(values: Mapping[str, Any], location: Sequence[str | int]) -> dict[str, Any]:
    """Values without what this location names, or without the list that holds it."""
    name = location[0] if location else None
    if not isinstance(name, str) or name not in values:
        return dict(values)
    left, inside = dict(values), values[name]
    if len(location) > 1 and isinstance(inside, Mapping) and location[1] in inside:
        left[name] = _without(inside, location[1:])
    elif len(location) == 1 or not isinstance(inside, Mapping):
        del left[name]
    return left


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The environment over the file; a table of settings does not hide that the file has none."""
    merged = dict(under)
    for name, value in over.items():
        if isinstance(value, Mapping) and name in merged:
            below = merged[name]
            merged[name] = _merged(below, value) if isinstance(below, Mapping) else below
        else:
            merged[name] = value
    return merged


def _shown(mistakes: list[Mistake]) -> Iterator[Mistake]:
    for mistake in mistakes[:SHOWN_MOST]:
        yield Mistake(_printable(mistake.field), _printable(mistake.problem))
    if len(mistakes) > SHOWN_MOST:
        yield Mistake("", f"and {len(mistakes) - SHOWN_MOST} more")


def _printable(text: str, most: int = 300) -> str:
    """Names come from a file or the environment: no control characters, no endless lines."""
    cut = text if len(text) <= most else f"{text[:most]}..."
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut
    )
