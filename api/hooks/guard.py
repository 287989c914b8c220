"""Which addresses events may be posted to: public ones, and networks that the settings allow.

Whoever may make a hook could otherwise have this service speak to what only it can reach: its own
ports, the machines beside it, the metadata service of a cloud. A name is looked up here, and the
connection goes to the very address that was judged: a name that changes in between is of no use.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore2
import trio

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
ADDRESSES_MOST = 8
"""Of one name: more than these are not tried."""


class NotAllowed(Exception):
    """Nothing may be posted there, and why."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules, from the settings."""

    networks: Sequence[Network] = ()
    """Allowed though they are not public."""
    http: bool = False
    """Whether a URL without TLS is allowed."""

    def check_url(self, url: str) -> None:
        """Look at a URL without looking its name up. Raises NotAllowed."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise NotAllowed("is no URL") from None
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise NotAllowed("must be https://HOST/PATH")
        if parts.scheme == "http" and not self.http:
            raise NotAllowed("must begin with https:// (hooks.allow_http is off)")
        if parts.username is not None or parts.password is not None:
            raise NotAllowed("must not hold a user or password: deliveries are signed")
        if parts.fragment or port == 0 or any(ord(char) <= 32 for char in url):
            raise NotAllowed("is no URL that can be posted to")
        try:
            address = ipaddress.ip_address(parts.hostname.partition("%")[0])
        except ValueError:
            return
        self.check_address(address)

    def check_address(self, address: Address) -> None:
        """Raises NotAllowed unless it is public, or in a network that is allowed."""
        faces = list(_faces(address))
        if any(face in network for face in faces for network in self.networks):
            return
        for face in faces:
            if not _public(face):
                raise NotAllowed(
                    f"{address} is not a public address (hooks.allow_networks lists others)"
                )

    async def connectable(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of this host that may be connected to; at least one.

        Raises NotAllowed where there is none, OSError where the name is not known.
        """
        found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
        allowed: list[Address] = []
        refused: NotAllowed | None = None
        for *_, where in found:
            address = ipaddress.ip_address(str(where[0]).partition("%")[0])
            try:
                self.check_address(address)
            except NotAllowed as error:
                refused = error
            else:
                if address not in allowed:
                    allowed.append(address)
        if not allowed:
            raise refused or NotAllowed(f"{host} has no address")
        return allowed[:ADDRESSES_MOST]


def _faces(address: Address) -> Iterable[Address]:
    """The address, and the IPv4 address that an IPv6 one stands for, in any of the known ways."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if not int(address) >> 32:  # ::a.b.c.d
            yield ipaddress.IPv4Address(int(address))


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None or address in _NAT64:
            return True  # what it stands for is judged beside it
        if address.is_site_local or address in _NAT64_LOCAL:
            return False
    # is_global is false for private, loopback, link-local, shared, documentation, unspecified
    return address.is_global and not address.is_multicast and not address.is_reserved


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were judged, and to nothing else."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._plain = httpcore2.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers. Raises NotAllowed, and what
        httpcore raises."""
        failed: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        try:
            addresses = await self._guard.connectable(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} cannot be looked up: {error.strerror}") from error
        each_s = None if timeout is None else timeout / len(addresses)
        for address in addresses:
            try:
                return await self._plain.connect_tcp(
                    str(address), port, each_s, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        assert failed is not None  # noqa: S101 - there was at least one
        raise failed

    async def sleep(self, seconds: float) -> None:
        """For retries, of which there are none."""
        await trio.sleep(seconds)
