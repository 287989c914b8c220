"""What `lamplighter init` has to know, and the settings file that it becomes. Pure."""

import ipaddress
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from api.settings.values import is_loopback
from api.webhooks.endpoint import KIND_BY_PATH

WEBHOOK_PATH = "/api/v1/webhooks/chirpstack"
PORT = 8090
_EVERYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104 what an operator asked to be reached by


class Unusable(ValueError):
    """An address at which nobody could reach us, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where ChirpStack, browsers and programs reach the service, and where it listens for that."""

    url: str
    """Scheme, host, port and path, without a slash behind it."""
    bind: str
    port: int
    base_path: str
    proxied: bool
    """Something in front of the service takes the requests: it has TLS, a path, or port 80."""

    @property
    def webhook(self) -> str:
        """What ChirpStack is to be told."""
        return self.url + WEBHOOK_PATH


def place_at(url: str, bind: str | None = None, port: int | None = None) -> Place:
    """The place that this address means. Raises Unusable.

    An address with TLS, with a path or without a port of its own is a proxy's; the service is then
    on this machine behind it, unless `bind` says otherwise.
    """
    text = url.strip()
    text = (text if "://" in text else f"http://{text}").rstrip("/")
    for path in sorted(KIND_BY_PATH, key=len, reverse=True):
        text = text.removesuffix(path)
    try:
        parts = urlsplit(text)
        given = parts.port
    except ValueError:
        raise Unusable("that is no address: its port or its brackets are wrong") from None
    host = parts.hostname
    if parts.scheme not in {"http", "https"} or not host or " " in text or not text.isprintable():
        raise Unusable("that is no address as http://10.0.0.5:8090 or https://lights.example.org")
    if parts.username is not None or parts.query or parts.fragment:
        raise Unusable("an address without user, query and fragment is needed")
    proxied = parts.scheme == "https" or bool(parts.path) or given is None
    here = "127.0.0.1" if proxied or is_loopback(host) else _EVERYWHERE[_family(host)]
    listens = PORT if proxied or given is None else given
    return Place(text, bind or here, listens if port is None else port, parts.path, proxied)


def _family(host: str) -> int:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All that is written down. `repr` would show the key: it is never shown."""

    target: str
    api_key: str
    tls: bool
    ca_file: str | None
    tenant_id: str | None
    profile_contains: str
    region: str | None
    """As the lights' profile says; None where no light was found."""
    place: Place
    store_url: str
    operator: str
    """Whose token it is, as the audit shall call them."""
    operator_hash: str
    webhook_token: str


def settings_text(known: Answers, made_on: str) -> str:
    """`lamplighter.toml` with what each line is for. `made_on` is a date."""
    chirpstack = [
        "# host:port of ChirpStack's gRPC API, without a scheme.",
        f"target = {_text(known.target)}",
        "# A key of the server, or of a tenant (then with tenant_id); it must be allowed to write.",
        f"api_key = {_text(known.api_key)}",
        "# Whether ChirpStack, or the proxy in front of it, speaks TLS.",
        f"tls = {str(known.tls).lower()}",
    ]
    if known.ca_file is not None:
        chirpstack += ["# Who is trusted there.", f"ca_file = {_text(known.ca_file)}"]
    if known.tenant_id is not None:
        chirpstack += ["# The tenant whose key it is.", f"tenant_id = {_text(known.tenant_id)}"]
    chirpstack += [
        "# Lights are the devices whose profile's name contains this.",
        f"profile_contains = {_text(known.profile_contains)}",
    ]
    blocks = [
        [
            f"# Settings of Lamplighter, written by `lamplighter init` on {made_on}.",
            "# All there are, with meaning and default: docs/settings.md, /help/settings of the",
            "# running service. `lamplighter doctor --config FILE` examines them. A variable of",
            "# the environment (LAMPLIGHTER_WEB__PORT=8091) wins. It holds secrets: chmod 600.",
        ],
        ["[chirpstack]", *chirpstack],
        [
            "[store]",
            "# What was commanded and what came of it. To be backed up:",
            "# `lamplighter backup --config FILE COPY`.",
            f"url = {_text(known.store_url)}",
        ],
        ["[web]", *_web(known.place)],
        [
            "[web.tokens.operator]",
            "# Who may command. A hash: the token itself was shown once. One more for each person:",
            "# `lamplighter token new NAME --scope operator`, or `--scope viewer` to look only.",
            f"{_text(known.operator)} = {_text(known.operator_hash)}",
        ],
        [
            "[web.tokens.webhook]",
            "# With which ChirpStack delivers events; `lamplighter setup` tells it to ChirpStack.",
            f"chirpstack = {_text(known.webhook_token)}",
        ],
        ["[radio]", *_radio(known.region)],
        [
            "# Where alerts are sent, and in which zone schedules are meant:",
            "# [alerts]",
            '# urls = ["mailto://user:password@example.org"]',
            "# [site]",
            '# time_zone = "Europe/Berlin"',
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _web(place: Place) -> list[str]:
    lines = [f"# ChirpStack and people reach it at {place.url}"]
    if place.proxied:
        lines[0] += ", a proxy that hands on to:"
    lines += [f"bind = {_text(place.bind)}", f"port = {place.port}"]
    if place.base_path:
        lines += ["# The path that the proxy leaves on.", f"base_path = {_text(place.base_path)}"]
    if place.proxied:
        lines += [
            "# The proxy's own address: whom it forwards for is believed from there alone.",
            'trusted_proxies = ["127.0.0.1"]',
        ]
    return lines


def _radio(region: str | None) -> list[str]:
    lines = ["# Its airtime rules hold."]
    lines.append('# region = "EU868"' if region is None else f"region = {_text(region)}")
    return [
        *lines,
        "# The data rate of RX2, where ChirpStack's region file differs from the region's plan:",
        "# DR3 instead of EU868's DR0 carries seven times the commands.",
        "# rx2_dr = 3",
    ]


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are TOML's, but for DEL, which JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
