"""How to reach one ChirpStack server, and how long to wait for it.

The API key never shows: it is not in the repr, not in any message, and a key that gRPC would refuse
(and print) is refused here first.
"""

import ipaddress
import re
from dataclasses import dataclass, field

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9.])?")


def checked_target(target: str) -> str:
    """The same target, if gRPC can use it as `host:port`. Raises `ValueError`, whose text does not
    repeat it: a pasted URL may hold a password."""
    if "://" in target:
        raise ValueError("must be host:port, without a scheme; TLS is chirpstack.tls")
    if "/" in target or "@" in target or not target.isprintable() or " " in target:
        raise ValueError("must be host:port and nothing else, as in chirpstack.example:8080")
    host, colon, port = target.rpartition(":")
    if not colon or not host or not port:
        raise ValueError("must be host:port, as in chirpstack.example:8080")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65_535):
        raise ValueError("must be host:port with a port between 1 and 65535")
    if host.startswith("[") and host.endswith("]"):
        _check_ipv6(host[1:-1])
    elif ":" in host:
        raise ValueError("must be host:port; an IPv6 address has brackets, as in [::1]:8080")
    elif not _HOST.fullmatch(host):
        raise ValueError("must be host:port, with a host name or an IP address")
    return target


def checked_api_key(api_key: str) -> str:
    """The same key, if an HTTP header can carry it. Raises `ValueError`."""
    if not api_key or not api_key.isascii() or not api_key.isprintable():
        raise ValueError("api_key must be one line of printable ASCII")
    if " " in api_key:
        raise ValueError("api_key must not hold a blank")
    return api_key


def _check_ipv6(text: str) -> None:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("must be host:port; between the brackets is no IPv6 address") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds until a call is given up. Each also bounds the wait for one of the calls in flight to
    end."""

    enqueue_s: float = 5.0
    read_s: float = 5.0
    flush_s: float = 5.0
    page_s: float = 10.0
    """One page of a listing."""
    listing_s: float = 60.0
    """A whole listing, all pages together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayLimits:
    """When to stop reading the event stream of one device, which never ends by itself.

    The server sends up to ten events, sleeps one second, and looks again, so the quiet gap that
    means "that was all" must be longer than a second: a shorter one loses the NEWEST events of a
    device with more than ten. Source: chirpstack/src/stream/event.rs, get_event_logs.
    """

    first_s: float = 3.0
    """No event within this time: the server keeps none."""
    quiet_s: float = 1.5
    total_s: float = 15.0
    """About 13 looks of ten events; at the server's defaults Redis keeps at most about 110."""
    items_most: int = 256
    bytes_most: int = 2 * 1024 * 1024
    """256 events of at most about 8 kB: an uplink heard by twenty gateways is 7 kB of JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChirpStackSettings:
    """One server and one API key. Raises `ValueError` where a value cannot work."""

    target: str
    """`host:port` of the gRPC API, reached directly: proxy settings of the environment are not
    used."""
    api_key: str = field(repr=False)
    tls: bool = False
    ca_file: str | None = None
    """PEM file of the authorities to trust instead of the built-in ones; only with `tls`."""
    tenant_id: str | None = None
    """Needed with a tenant's key; with an admin key it narrows what is listed."""
    deadlines: Deadlines = Deadlines()
    replay: ReplayLimits = ReplayLimits()
    in_flight_most: int = 64
    """Unary calls at a time. With `replays_most` 96 streams on the one connection: HTTP/2 servers
    commonly allow 100."""
    replays_most: int = 32
    """Event streams at a time, one thread each. A replay takes about 2 s, so 32 make 16 a second:
    when the windows of 200 lights close at once, all are asked for within about 13 s."""
    keepalive_s: float = 30.0
    keepalive_timeout_s: float = 10.0
    connect_timeout_s: float = 5.0
    reconnect_min_s: float = 0.2
    reconnect_most_s: float = 5.0
    page_size: int = 1000

    def __post_init__(self) -> None:
        checked_target(self.target)
        checked_api_key(self.api_key)
        if self.ca_file is not None and not self.tls:
            raise ValueError("ca_file without tls would trust nobody and protect nothing")
        if not 1 <= self.page_size <= 1000:
            raise ValueError("page_size must be between 1 and 1000: 0 would list nothing")
