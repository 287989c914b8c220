"""How single settings are written: what each kind of value may be, and its one spelling.

Every value that an operator can write becomes a right value here, or a message that does not repeat
it, for it may be a secret. No check is left for the running service to fail in.
"""

import dataclasses
import ipaddress
import re
import typing
from enum import Enum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    create_model,
)

from actors.alerts.delivery import understood
from actors.device.policy import FIXED_PLAN, Policy, RetryPlan
from actors.scenes.calendar import zone_of
from api.http.origins import normal_host, normal_name, normal_origin
from lorawan.airtime import region
from lorawan.chirpstack.settings import checked_api_key, checked_target
from lorawan.stream.redis_source import checked_url
from store.errors import StoreError
from store.open import check_url

YEAR_S = 366 * 86_400

_PREFIX = re.compile(r"(/[A-Za-z0-9_-]{1,64}){0,8}")
# A comma ends an Apprise URL only where another one follows: their options hold commas, too.
_BETWEEN_URLS = re.compile(r"[,\s]+(?=[A-Za-z][A-Za-z0-9]*://)")


def _split(value: object) -> object:
    """A list in an environment variable is written with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _split_urls(value: object) -> object:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        return value
    found: list[object] = []
    for part in parts:
        text = part.get_secret_value() if isinstance(part, SecretStr) else part
        if isinstance(text, str):
            found += [each.strip() for each in _BETWEEN_URLS.split(text) if each.strip(", \t\n")]
        else:
            found.append(text)
    return found


def _no_bool(value: object) -> object:
    """Python counts true as 1; a port or a time it is not."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 pydantic's way
    return value


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty: leave it out where it is not wanted")
    if not value.isprintable():
        raise ValueError("must be one line without control characters")
    return value


def _bind(value: str) -> str:
    if value.count(":") == 1 or "]:" in value:
        raise ValueError("is an address or a host name alone; the port is web.port")
    if "/" in value:
        raise ValueError("is an address or a host name, without scheme and path")
    return normal_name(value)


def _prefix(value: str) -> str:
    """A path prefix without the slash at its end; empty for none."""
    prefix = value.rstrip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("must be a path as /lamp: letters, digits, - and _ after each slash")
    return prefix


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError("is no address and no network, as 10.0.0.0/8") from None


def _key(key: SecretStr) -> SecretStr:
    return SecretStr(checked_api_key(key.get_secret_value()))


def _store_url(url: SecretStr) -> SecretStr:
    try:
        check_url(url.get_secret_value())
    except StoreError as error:
        raise ValueError(str(error)) from None
    return url


def _stream_url(url: SecretStr) -> SecretStr:
    return SecretStr(checked_url(url.get_secret_value()))


def _apprise(urls: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    wrong = [
        str(number)
        for number, url in enumerate(urls, start=1)
        if not understood(url.get_secret_value())
    ]
    if wrong:
        raise ValueError(f"Apprise does not understand address {', '.join(wrong)}")
    return urls


_Number = BeforeValidator(_no_bool)
Whole = Annotated[int, _Number]
Number = Annotated[float, _Number]
Seconds = Annotated[float, Field(ge=0.05, le=YEAR_S), _Number]
"""Nothing is asked, pinged or given up twenty times a second."""
Text = Annotated[str, AfterValidator(_text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_split)]
Bind = Annotated[str, AfterValidator(_bind)]
PathPrefix = Annotated[str, AfterValidator(_prefix)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(normal_origin)], ...], BeforeValidator(_split)
]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(normal_host)], ...], BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_split)]
AppriseUrls = Annotated[
    tuple[SecretStr, ...], BeforeValidator(_split_urls), AfterValidator(_apprise)
]
StoreUrl = Annotated[SecretStr, AfterValidator(_store_url)]
StreamUrl = Annotated[SecretStr, AfterValidator(_stream_url)]
Target = Annotated[str, AfterValidator(checked_target)]
ApiKey = Annotated[SecretStr, AfterValidator(_key)]
RegionName = Annotated[str, AfterValidator(lambda name: region(name).name)]


def is_loopback(bind: str) -> bool:
    """Whether a bind address is reached from this machine only."""
    if bind == "localhost":
        return True
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # before Python 3.13 these count as outside
    return bool((mapped or address).is_loopback)


# --- policy --------------------------------------------------------------------------------------

_LIMITS: dict[str, Any] = {
    "backoff_factor": Field(ge=1, le=100),
    "jitter": Field(ge=0, lt=1),
    "status_interval_min": Field(ge=1, le=255),
    "quick_interval_min": Field(ge=1, le=255),
}
# By the unit at the end of a name. A thousand attempts or hearings are more than a light lives.
_BY_UNIT: tuple[tuple[str, Any], ...] = (
    ("_s", Field(ge=0.01, le=YEAR_S)),
    ("_most", Field(ge=1, le=1_000)),
    ("", Field(gt=0, le=1_000_000)),
)


def policy_table() -> type[BaseModel]:
    """The same fields as `Policy`, with limits: a plain dataclass would take any number."""
    fields: dict[str, Any] = {}
    for name, kind in typing.get_type_hints(Policy).items():
        numeric = kind in {int, float}
        enum = isinstance(kind, type) and issubclass(kind, Enum)
        if numeric:
            unit = next(limit for end, limit in _BY_UNIT if name.endswith(end))
            kind = Annotated[kind, _LIMITS.get(name, unit), _Number]  # noqa: PLW2901 the same field
        elif not enum and kind is not bool:
            raise TypeError(f"policy.{name} is of a kind that no limit is known for")
        fields[name] = (kind, Policy.__dataclass_fields__[name].default)
    config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)
    return create_model("Policy", __config__=config, **fields)


_PolicyTable = policy_table()


def _policy(value: object) -> object:
    table = dataclasses.asdict(value) if isinstance(value, Policy) else value
    if isinstance(table, dict) and "plan" not in table and FIXED_PLAN & table.keys():
        # of a file of 0.1.0, or of somebody who wants these numbers
        table = {**table, "plan": RetryPlan.FIXED.value}
    return Policy(**dict(_PolicyTable.model_validate(table)))


PolicyValue = Annotated[Policy, BeforeValidator(_policy)]


def a_time_zone(value: str) -> str:
    """The IANA name of a time zone that is known here. Raises ValueError."""
    zone_of(value)
    return value
