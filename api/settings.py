"""All that an operator can set, with defaults that are safe.

The rule it keeps: making a settings object reads nothing but its arguments; `settings_file.py`
reads the file and the environment. Secrets are SecretStr and never show. Times are seconds.
"""

import dataclasses
import ipaddress
import math
import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from actors.device.policy import Policy
from api.auth import Scope
from lorawan.chirpstack.settings import ChirpStackSettings

ENV_PREFIX = "LAMPLIGHTER_"

# What an HTTP header and a websocket subprotocol can both carry, long enough to resist guessing:
# 24 characters of base64 are 144 bits.
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{24,200}")

_PREFIX = re.compile(r"(/[A-Za-z0-9_-]{1,64}){0,8}")


def _split(value: object) -> object:
    """A list in an environment variable is written with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _prefix(value: str) -> str:
    """A path prefix without the slash at its end; empty for none."""
    prefix = value.rstrip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("must be a path as /lamp: letters, digits, - and _ after each slash")
    return prefix


Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Seconds = Annotated[float, Field(gt=0, le=366 * 86_400, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChirpStack(_Section):
    """The network server. `target` is host:port of its gRPC API."""

    target: str
    api_key: SecretStr
    tls: bool = False
    ca_file: str | None = None
    tenant_id: str | None = None
    profile_contains: str = Field(default="kuando", min_length=1)
    """Lights are the devices whose profile's name contains this, in any case of letters."""

    @model_validator(mode="after")
    def _possible(self) -> "ChirpStack":
        self.connection()
        return self

    def connection(self) -> ChirpStackSettings:
        """The same for the client of the network server."""
        return ChirpStackSettings(
            target=self.target,
            api_key=self.api_key.get_secret_value(),
            tls=self.tls,
            ca_file=self.ca_file,
            tenant_id=self.tenant_id,
        )


class Store(_Section):
    """Where state is kept; the URL may hold a password."""

    url: SecretStr = SecretStr("sqlite:///lamplighter.db")

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: SecretStr) -> SecretStr:
        scheme, colon, _ = url.get_secret_value().partition(":")
        if not colon or scheme not in {"sqlite", "redis", "rediss", "unix", "memory"}:
            raise ValueError("must begin with sqlite:, redis:, rediss:, unix: or memory:")
        return url


class Tokens(_Section):
    """Bearer tokens by scope; several of one scope allow to change them without a gap."""

    viewer: Secrets = ()
    operator: Secrets = ()
    webhook: Secrets = ()

    @field_validator("viewer", "operator", "webhook")
    @classmethod
    def _well_formed(cls, tokens: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for token in tokens:
            if not _TOKEN.fullmatch(token.get_secret_value()):
                raise ValueError("a token has 24 to 200 characters of A-Z a-z 0-9 . _ ~ -")
        return tokens

    @model_validator(mode="after")
    def _complete(self) -> "Tokens":
        if not self.configured:
            return self
        for scope in ("operator", "webhook"):
            if not getattr(self, scope):
                raise ValueError(f"has tokens but none of scope {scope}, which nobody could use")
        values = [t.get_secret_value() for t in (*self.viewer, *self.operator, *self.webhook)]
        if len(values) != len(set(values)):
            raise ValueError("the same token stands twice; every scope needs its own")
        return self

    @property
    def configured(self) -> bool:
        """Whether there is any token."""
        return bool(self.viewer or self.operator or self.webhook)

    def by_scope(self) -> dict[Scope, Iterable[str]]:
        """In clear, for the gatekeeper."""
        return {
            Scope.VIEWER: [t.get_secret_value() for t in self.viewer],
            Scope.OPERATOR: [t.get_secret_value() for t in self.operator],
            Scope.WEBHOOK: [t.get_secret_value() for t in self.webhook],
        }


class Web(_Section):
    """The HTTP server. Without tokens it serves loopback only."""

    bind: str = "127.0.0.1"
    port: int = Field(default=8090, ge=0, le=65_535)
    tokens: Tokens = Tokens()
    origins: Names = ()
    """Origins besides our own whose pages may act: where a proxy in front changes the Host."""
    base_path: Annotated[str, AfterValidator(_prefix)] = ""
    """A path prefix that a proxy in front leaves on what it hands to us, as `/lamp`."""
    hosts: Names = ()
    """Names besides localhost under which we are reached, asked only while there is no token."""
    trusted_proxies: Names = ()
    """Addresses or networks of proxies whose X-Forwarded-For, -Host and -Port (or Forwarded) are
    believed. A proxy named here has to set or remove these headers itself."""
    rate_per_s: float = Field(default=20.0, gt=0, allow_inf_nan=False)
    rate_burst: int = Field(default=100, ge=1)
    """Requests of one address at once that show no valid token. Pages and webhooks are free."""
    token_rate_per_s: float = Field(default=200.0, gt=0, allow_inf_nan=False)
    token_rate_burst: int = Field(default=1_000, ge=1)
    """Requests of one token from one address at once: 25 dashboards behind one proxy that open
    together make 250. In the long run a fifth of what one core answers."""
    connections_most: int = Field(default=1_000, ge=10, le=100_000)
    """Open connections: five times `live_clients_most`, about 40 MB. When there are more, one that
    never showed a valid token is closed for each that comes."""
    connections_unproven_most: int = Field(default=100, ge=1, le=100_000)
    """Of those, from one address without a valid token: 16 browsers with six each."""
    wait_default_s: float = Field(default=120.0, gt=0, le=3600)
    wait_most_s: float = Field(default=180.0, gt=0, le=3600)
    """How long a command's caller may wait for the verdict."""
    handler_s: float = Field(default=12.0, gt=0)
    """All other requests: the house answers within about 10 s."""
    graceful_s: float = Field(default=4.0, gt=0)
    """At shutdown, for requests that are being answered; what still runs then is answered 503. With
    everything else that ends, a stop takes less than 10 s, whatever hangs."""
    body_bytes_most: int = Field(default=256_000, ge=1_024, le=16_000_000)
    body_timeout_s: Seconds = 10.0
    keep_alive_s: Seconds = 10.0
    """An idle connection, and one that drips its headers, is closed after this."""
    unread_s: float = Field(default=10.0, ge=0.5, le=600)
    """A peer that takes no data for so long is disconnected (TCP_USER_TIMEOUT)."""
    ping_s: Seconds = 20.0
    """Between pings on an open websocket."""
    live_clients_most: int = Field(default=200, ge=1, le=10_000)
    live_queue: int = Field(default=1_000, ge=1, le=10_000)
    """Changes waiting for one live client; one that falls behind further is dropped."""

    @property
    def loopback(self) -> bool:
        """Whether `bind` is reached from this machine only."""
        if self.bind == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.bind).is_loopback
        except ValueError:
            return False

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"{proxy} is no address and no network, as 10.0.0.0/8") from None
        return proxies

    @model_validator(mode="after")
    def _safe(self) -> "Web":
        if not self.loopback and not self.tokens.configured:
            raise ValueError(
                f"bind {self.bind} is reached from outside and no token is configured: set tokens, "
                "or bind 127.0.0.1"
            )
        if self.wait_most_s < self.wait_default_s:
            raise ValueError("wait_most_s must not be below wait_default_s")
        return self


class Radio(_Section):
    """The region's airtime rules. `duty` is a fraction; None for both leaves it to the region."""

    region: Literal[
        "EU868", "EU433", "US915", "AU915", "AS923", "IN865", "KR920", "CN470", "RU864"
    ] = "EU868"
    rx2_dr: int | None = Field(default=None, ge=0, le=15)
    duty: float | None = Field(default=None, gt=0, le=1)


class Gateways(_Section):
    """The gateway watcher."""

    poll_s: Seconds = 30.0
    offline_after_s: Seconds = 300.0


class Alerts(_Section):
    """Where alerts are sent (Apprise URLs, which hold secrets) and how often while they last."""

    urls: Secrets = ()
    repeat_s: Seconds = 3_600.0


class Logs(_Section):
    """`auto` is for people on a terminal and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


def _policy(value: object) -> object:
    """pydantic would pass over unknown and impossible numbers of a plain dataclass."""
    if not isinstance(value, dict):
        return value
    known = {field.name for field in dataclasses.fields(Policy)}
    if unknown := sorted(value.keys() - known):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    return value


def _positive(policy: Policy) -> Policy:
    numbers = {k: v for k, v in dataclasses.asdict(policy).items() if isinstance(v, int | float)}
    wrong = [k for k, v in numbers.items() if not (math.isfinite(v) and v > 0)]
    if wrong:
        raise ValueError(f"must be above 0: {', '.join(wrong)}")
    if policy.jitter >= 1 or not 1 <= policy.status_interval_min <= 255:
        raise ValueError("jitter is below 1, and status_interval_min between 1 and 255")
    return policy


class ApiSettings(BaseSettings):
    """All settings. Raises pydantic.ValidationError with every mistake."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        enable_decoding=False,
        hide_input_in_errors=True,
    )

    chirpstack: ChirpStack
    store: Store = Store()
    web: Web = Web()
    radio: Radio = Radio()
    gateways: Gateways = Gateways()
    policy: Annotated[Policy, BeforeValidator(_policy)] = Policy()
    alerts: Alerts = Alerts()
    logs: Logs = Logs()

    @field_validator("policy")
    @classmethod
    def _policy_possible(cls, policy: Policy) -> Policy:
        return _positive(policy)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the arguments: reading files and the environment is done in one place."""
        return (init_settings,)
