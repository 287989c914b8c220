"""How to reach one ChirpStack server, and how long to wait for it.

The rule it keeps: the API key never shows. It is not in the repr, not in any message, and a key
that gRPC would refuse (and print) is refused here first.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds until a call is given up. Each also bounds the wait for a free place in flight."""

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
    items_max: int = 256
    bytes_max: int = 2 * 1024 * 1024
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
    in_flight_max: int = 64
    """Unary calls at a time. With `replays_max` 96 streams on the one connection: HTTP/2 servers
    commonly allow 100."""
    replays_max: int = 32
    """Event streams at a time, one thread each. A replay takes about 2 s, so 32 make 16 a second:
    a window that closes for 200 lights at a time is through in about 13 s."""
    keepalive_s: float = 30.0
    keepalive_timeout_s: float = 10.0
    connect_timeout_s: float = 5.0
    reconnect_min_s: float = 0.2
    reconnect_max_s: float = 5.0
    page_size: int = 1000

    def __post_init__(self) -> None:
        host, _, port = self.target.rpartition(":")
        if not host or not port.isdigit() or "://" in host:
            raise ValueError(f"target must be host:port, not {self.target!r}")
        if not self.api_key or not self.api_key.isascii() or not self.api_key.isprintable():
            raise ValueError("api_key must be one line of printable ASCII")
        if " " in self.api_key:
            raise ValueError("api_key must not hold a blank")
        if self.ca_file is not None and not self.tls:
            raise ValueError("ca_file without tls would trust nobody and protect nothing")
        if not 1 <= self.page_size <= 1000:
            raise ValueError("page_size must be between 1 and 1000: 0 would list nothing")
