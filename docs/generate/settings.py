"""docs/settings.md and the table of the README, from the settings and policies themselves."""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from actors.alerts import AlertPolicy
from actors.device.policy import Policy
from actors.downlink import DispatchPolicy
from actors.fleet.initialization import InitializationPolicy as Initialization
from actors.gateways import WatchPolicy
from actors.sweeper import SweepPolicy
from api.settings.callers import TokenSetting
from api.settings.environment import PREFIX
from api.settings.model import ApiSettings
from api.settings.values import YEAR_S, policy_table
from docs.generate.markdown import meanings, table

SURFACE_BEFORE = Path(__file__).parents[2] / "tests/compatibility/data/surface-0.1.0.json"
"""What 0.1.0 offered, as the tests hold it against today."""

FIRST = (
    "chirpstack.target",
    "chirpstack.api_key",
    "chirpstack.tenant_id",
    "chirpstack.profile_contains",
    "store.url",
    "web.bind",
    "web.tokens.operator",
    "web.tokens.webhook",
    "radio.region",
    "alerts.urls",
)
"""What one needs first, for the README."""

_UNITS = (
    (r".*_per_s", "requests a second"),
    (r".*_s", "s"),
    (r".*_min", "min"),
    (r".*_days", "days"),
    (r".*_hz", "Hz"),
    (r".*_db", "dB"),
    (r".*bytes_most", "bytes"),
    (r".*_burst", "requests"),
    (r"connections_.*", "connections"),
    (r"live_clients_most", "websockets"),
    (r"live_queue", "changes"),
    (r"rx2_dr", "data rate"),
    (r"duty|jitter|retry_jitter|kept_back", "share"),
    (r"port", "TCP port"),
    (r"need", "replicas"),
    (r"processes", "processes"),
    (r".*attempts_most", "attempts"),
    (r".*rounds_most", "rounds"),
    (r".*_factor|patience", "factor"),
    (r"hearings_most|unlisted_most", "gateways"),
    (r"timeline_most", "steps"),
    (r"calls_most", "calls"),
    (r"need", "replicas"),
    (r"blame_.*", "frames"),
    (r"outstanding_.*|strangers_most", "items"),
    (r"faults_most", "faults"),
    (r"prune_step", "rows"),
    (r"prune_steps_most", "commits"),
    (r"queues_most", "queues"),
    (r"under_way_most", "lights"),
)


class Setting(NamedTuple):
    """One thing that can be set, as the page shows it."""

    name: str
    default: str
    values: str
    unit: str
    meaning: str

    @property
    def variable(self) -> str:
        """The same in the environment."""
        return PREFIX + self.name.upper().replace(".", "__")


def every_setting(model: type[BaseModel] = ApiSettings, path: str = "") -> Iterator[Setting]:
    """All settings, in the order in which the models name them."""
    told = meanings(Policy if path == "policy." else model)
    for name, field in model.model_fields.items():
        inner = policy_table() if field.annotation is Policy else field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from every_setting(inner, f"{path}{name}.")
        else:
            numeric = _values(field)[:1].isdigit() or "above" in _values(field)
            unit = unit_of(name) if numeric else ""
            yield Setting(path + name, default_of(field), _values(field), unit, told.get(name, ""))


def all_settings() -> str:
    """One table for each table of the settings file."""
    parts: dict[str, list[Setting]] = {}
    for setting in every_setting():
        parts.setdefault(setting.name.rpartition(".")[0], []).append(setting)
    text = []
    for name, settings in parts.items():
        rows = [
            (f"`{s.name}`<br>`{s.variable}`", s.default, s.values, s.unit, s.meaning)
            for s in settings
        ]
        head = ("setting and variable", "default", "values", "unit", "meaning")
        text.append(f"### `[{name}]`\n\n{about(name)}\n\n{table(head, rows)}")
    return "\n\n".join(text)


def about(name: str) -> str:
    """The first paragraph that a table of the settings file says of itself."""
    owner: Any = ApiSettings
    for part in name.split("."):
        owner = owner.model_fields[part].annotation
    return " ".join(inspect.cleandoc(owner.__doc__ or "").split("\n\n")[0].split())


def first_settings() -> str:
    """The table of the README."""
    known = {setting.name: setting for setting in every_setting()}
    return table(
        ("setting", "default", "meaning"),
        [(f"`{name}`", known[name].default, known[name].meaning) for name in FIRST],
    )


def new_settings() -> str:
    """Those that 0.1.0 did not know, by their tables."""
    known = json.loads(SURFACE_BEFORE.read_text(encoding="utf-8"))["settings"]
    parts: dict[str, list[str]] = {}
    for setting in every_setting():
        owner, _, name = setting.name.rpartition(".")
        if setting.name not in known:
            parts.setdefault(owner, []).append(f"`{name}`")
    rows = [(f"`[{owner}]`", ", ".join(names)) for owner, names in parts.items()]
    return table(("table", "new there"), rows)


def fixed_numbers() -> str:
    """The numbers of the other parts, which no setting changes."""
    parts: dict[str, DispatchPolicy | WatchPolicy | AlertPolicy | SweepPolicy | Initialization] = {
        "Handing downlinks to ChirpStack": DispatchPolicy(),
        "Watching gateways": WatchPolicy(),
        "Alerts": AlertPolicy(),
        "The sweeper": SweepPolicy(),
        "Initialisation of many lights": Initialization(),
    }
    text = []
    for title, policy in parts.items():
        told = meanings(type(policy))
        rows = [
            (
                f"`{field.name}`",
                _shown(getattr(policy, field.name)),
                unit_of(field.name),
                told.get(field.name, ""),
            )
            for field in dataclasses.fields(policy)
            if isinstance(getattr(policy, field.name), int | float)
        ]
        text.append(f"### {title}\n\n{table(('number', 'value', 'unit', 'why'), rows)}")
    return "\n\n".join(text)


def unit_of(name: str) -> str:
    """The unit of a number by its name; empty when no rule knows it."""
    return next((unit for pattern, unit in _UNITS if re.fullmatch(pattern, name)), "")


def default_of(field: FieldInfo) -> str:
    """What holds where nothing is set."""
    return "required" if field.default is PydanticUndefined else _shown(field.default)


def _shown(value: object) -> str:
    if value == {}:
        return "none"
    match value:
        case None | () | "":
            return "none"
        case SecretStr():
            return f"`{value.get_secret_value()}`"
        case Enum():
            return f"`{value.value}`"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:.10g}"
        case _:
            return f"`{value}`"


def _values(field: FieldInfo) -> str:
    """What may be written there: a range, a choice, or a kind of text."""
    kind: Any = field.annotation
    if get_origin(kind) is UnionType:
        kind = get_args(kind)[0]
    limits = {
        name: getattr(each, name)
        for each in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if hasattr(each, name)
    }
    if get_origin(kind) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{each.value}`" for each in kind)
    if kind is bool:
        return "`true`, `false`"
    if limits:
        low = f"{limits['ge']:g}" if "ge" in limits else f"above {limits['gt']:g}"
        high = limits.get("le", limits.get("lt"))
        upper = "366 days" if high == YEAR_S else f"{high:.10g}"
        return f"{low} to {'below ' if 'lt' in limits else ''}{upper}"
    if get_origin(kind) is dict:
        return "table of names"
    if get_origin(kind) is tuple:
        if get_args(kind)[0] is TokenSetting:
            return "list of secrets, or a table of names"
        return "list of secrets" if get_args(kind)[0] is SecretStr else "list"
    return "secret" if kind is SecretStr else "text"
