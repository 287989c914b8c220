"""Who sent a request: the address to count it under, the host names that it was sent to, and the
person whom the proxy signed in.

A header that tells of another peer counts only from a proxy that the operator named in
`web.trusted_proxies`; anybody else could write what they like. Of the addresses that proxies
reported, the rightmost one that is no trusted proxy counts: everything left of it was written by
that peer. Pure.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PEER = "lamplighter.peer"
"""Where an ASGI scope's `state` holds who is at the other end."""

# Proxies in a row; a header that goes on beyond was written to cost time.
HOPS_MOST = 20

_FORWARDED = frozenset({b"x-forwarded-for", b"forwarded", b"x-forwarded-host", b"x-forwarded-port"})
# No comma: a proxy that adds its header to one that came makes one of two.
_PERSON = re.compile(
    r"(?!local$|(?:public|viewer|operator|webhook) \d+$)"  # as those are called without a name
    r"\w[\w.@+/\\ -]{0,63}",
    re.IGNORECASE,
)
_PAIR = re.compile(r'\s*(\w+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))\s*')


class Peer(msgspec.Struct, frozen=True):
    """Who asks: `hosts` are the names by which we were called, the Host header's first."""

    address: str
    hosts: tuple[str, ...]
    persons: tuple[str, ...] = ()
    """Whom a trusted proxy says that it signed in: one, or something that is no name."""

    @property
    def person(self) -> str | None:
        """The one whom a trusted proxy signed in; None where it names nobody.

        Raises ValueError where it names several, or what is no name: then perhaps the caller wrote
        it, and the proxy let it pass.
        """
        if not self.persons:
            return None
        if len(self.persons) > 1 or not _PERSON.fullmatch(self.persons[0]):
            raise ValueError("the proxy names several people, or what is no name")
        return self.persons[0]


class Peers:
    """Tells peers apart, knowing the trusted proxies."""

    def __init__(self, trusted: Iterable[str] = (), user_header: str | None = None) -> None:
        self._user_header = None if user_header is None else user_header.lower().encode()
        self._trusted: tuple[Network, ...] = tuple(
            ipaddress.ip_network(each, strict=False) for each in trusted
        )

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        if not self._trusted:
            return False
        found = address_of(address)
        return found is not None and self._trusts(found)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def of(self, scope: MutableMapping[str, Any]) -> Peer:
        """Who is at the other end of an ASGI scope; found out once, and kept in its `state`."""
        state = scope.setdefault("state", {})
        found: Peer | None = state.get(PEER)
        if found is None:
            client = (scope.get("client") or ("<local>", 0))[0]
            found = state[PEER] = self.peer(client, scope["headers"])
        return found

    def peer(self, client: str, headers: Iterable[tuple[bytes, bytes]]) -> Peer:
        """Who asks, from the connection's other end and the raw headers of the request."""
        forwarded: dict[bytes, list[str]] = {}
        host, persons = "", []
        trusted = self.trusts(client)
        for name, value in headers:
            lower = name.lower()
            if lower == b"host":
                host = value.decode("latin-1")
            elif trusted and lower in _FORWARDED:
                forwarded.setdefault(lower, []).append(value.decode("latin-1"))
            elif trusted and lower == self._user_header and value.strip():
                persons.append(value.decode("utf-8", "replace").strip())
        if not forwarded:
            return Peer(client, (host,), tuple(persons))
        hosts = (host, *_hosts(forwarded))
        return Peer(self._address(client, forwarded), hosts, tuple(persons))

    def _address(self, client: str, forwarded: Mapping[bytes, list[str]]) -> str:
        hops = _parts(forwarded.get(b"x-forwarded-for", ()))
        if not hops:
            hops = [pairs.get("for", "") for pairs in _elements(forwarded)]
        found = client
        for hop in reversed(hops[-HOPS_MOST:]):
            address = address_of(hop)
            if address is None:
                break  # "unknown", or a name that hides an address: the last one known counts
            found = str(address)
            if not self._trusts(address):
                break
        return found


def address_of(text: str) -> Address | None:
    """An address as proxies write it: with or without port, brackets or zone; None for others."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def network_of(address: str) -> str:
    """The key of one peer: its IPv4 address, or the /64 of its IPv6 address, which a single host
    has all for itself. Text that is no address is its own key."""
    found = address_of(address)
    if found is None:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return str(found)


def _parts(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _elements(forwarded: Mapping[bytes, list[str]]) -> Iterator[dict[str, str]]:
    """The elements of `Forwarded` (RFC 7239), each as its pairs."""
    for part in _parts(forwarded.get(b"forwarded", ())):
        pairs: dict[str, str] = {}
        for pair in part.split(";"):
            found = _PAIR.fullmatch(pair)
            if found is not None:
                pairs[found[1].lower()] = found[2] if found[2] is not None else found[3]
        yield pairs


def _hosts(forwarded: Mapping[bytes, list[str]]) -> Iterator[str]:
    """The names that the proxies were called by, with the port where it comes apart."""
    ports = _parts(forwarded.get(b"x-forwarded-port", ()))
    hosts = _parts(forwarded.get(b"x-forwarded-host", ()))
    hosts += [pairs["host"] for pairs in _elements(forwarded) if pairs.get("host")]
    for host in hosts[:HOPS_MOST]:
        yield host
        if ports and ports[-1].isdigit() and re.search(r":\d+$", host) is None:
            yield f"{host}:{ports[-1]}"
