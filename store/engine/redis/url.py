"""Reads the URL of an engine. What is not understood is refused with the reason, in words.

    redis://[user:password@]host[:port][/db][?...]       one server, with or without replicas
    rediss://...                                         the same over TLS
    unix://[user:password@]/path/to.sock[?db=0&...]      one server, by its socket
    redis+sentinel://[user:password@]h1:p,h2:p/master[/db][?...]
    redis+cluster://[user:password@]h1:p,h2:p[?...]
    rediss+sentinel://, rediss+cluster://                the same over TLS, sentinels included

Options: prefix, need (replicas that confirm a commit; 0 for a server alone, else 1), unsafe=yes
(start also where an acknowledged commit may be lost), ssl_ca_certs, ssl_certfile, ssl_keyfile,
sentinel_username, sentinel_password. Credentials never appear in a message.
"""

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from store.engine.redis.target import Address, Kind, Target
from store.errors import StoreRefused

SCHEMES = {
    "redis": Kind.SERVER,
    "rediss": Kind.SERVER,
    "unix": Kind.SERVER,
    "redis+sentinel": Kind.SENTINEL,
    "rediss+sentinel": Kind.SENTINEL,
    "redis+cluster": Kind.CLUSTER,
    "rediss+cluster": Kind.CLUSTER,
}
NEED_MOST = 5
"""A master with more replicas than these is not known to the author."""
_PORTS = {Kind.SERVER: 6379, Kind.SENTINEL: 26379, Kind.CLUSTER: 6379}
_TLS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_SENTINEL = {"sentinel_username", "sentinel_password"}


def target_of(url: str, *, need: int | None = None, unsafe: bool | None = None) -> Target:
    """What `url` names; `need` and `unsafe` stand where the URL does not say.

    Raises StoreRefused for anything unclear.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its words may quote a password
        raise StoreRefused("store URL cannot be read; write / ? # @ in a password as %xx") from None
    scheme = parts.scheme
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise StoreRefused(f"store URL with scheme {scheme!r}: expected one of {known}")
    if re.search(r"\s", url):
        raise StoreRefused(f"{scheme} URL holds a blank; write it as %20")
    if parts.fragment or url.endswith("#"):
        raise StoreRefused(f"{scheme} URL: write # as %23")
    if "@" in parts.path + parts.query:  # before any of it is quoted in a message
        raise StoreRefused(f"{scheme} URL: write / ? # @ in a password as %xx")
    kind = SCHEMES[scheme]
    options = _options(parts, kind)
    username, password, hosts = _authority(parts)
    path = [unquote(part) for part in parts.path.split("/") if part]
    master = path.pop(0) if kind is Kind.SENTINEL and path else ""
    target = Target(
        kind=kind,
        addresses=() if scheme == "unix" else _addresses(scheme, hosts),
        socket_path=unquote(parts.path) if scheme == "unix" else "",
        master=master,
        username=username,
        password=password,
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
        database=_database(scheme, path, options),
        tls=scheme.startswith("rediss"),
        tls_files={name: value for name, value in options.items() if name in _TLS},
        prefix=options.get("prefix", "lamplighter"),
        need=_need(scheme, options, need, 0 if kind is Kind.SERVER else 1),
        unsafe=_yes(scheme, options, unsafe),
    )
    _check(scheme, target)
    return target


def _authority(parts: SplitResult) -> tuple[str | None, str | None, str]:
    credentials, at, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    return unquote(username) or None, unquote(password) or None if at else None, hosts


def _addresses(scheme: str, hosts: str) -> tuple[Address, ...]:
    kind = SCHEMES[scheme]
    if not hosts:
        raise StoreRefused(f"{scheme} URL names no host: expected {scheme}://host:{_PORTS[kind]}/…")
    addresses = tuple(_address(scheme, each, _PORTS[kind]) for each in hosts.split(","))
    if kind is Kind.SERVER and len(addresses) > 1:
        raise StoreRefused(
            f"{scheme} URL names several hosts; those of Sentinel are {scheme}+sentinel://, those "
            f"of a cluster {scheme}+cluster://"
        )
    return addresses


def _address(scheme: str, text: str, port: int) -> Address:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/]+)(?::(\d{1,5}))?", text)
    number = int(found[2] or port) if found else 0
    if found is None or not 0 < number < 65_536:
        raise StoreRefused(f"{scheme} URL: a server is written as host or host:port")
    host = found[1].strip("[]")
    try:
        host.encode("idna")  # as getaddrinfo does it, which raises this to whoever connects
    except UnicodeError as error:
        raise StoreRefused(
            f"{scheme} URL: a part of a host's name, between its dots, has 1 to 63 characters"
        ) from error
    return host, number


def _options(parts: SplitResult, kind: Kind) -> dict[str, str]:
    scheme = parts.scheme
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise StoreRefused(f"{scheme} URL: options are name=value&name=value") from None
    options = dict(pairs)
    if len(options) < len(pairs):
        raise StoreRefused(f"{scheme} URL: an option stands twice")
    known = {"prefix", "need", "unsafe"}
    known |= _TLS if scheme.startswith("rediss") else set()
    known |= _SENTINEL if kind is Kind.SENTINEL else set()
    known |= {"db"} if scheme == "unix" else set()
    unknown = sorted(options.keys() - known)
    if unknown:
        tls = f"; TLS is {scheme.replace('redis', 'rediss')}://"
        hint = tls if scheme.startswith("redis") and unknown[0].startswith("ssl") else ""
        names = ", ".join(sorted(known))
        raise StoreRefused(f"{scheme} URL has unknown option {unknown[0]!r}; known: {names}{hint}")
    if ("ssl_certfile" in options) != ("ssl_keyfile" in options):
        raise StoreRefused(f"{scheme} URL: ssl_certfile and ssl_keyfile belong together")
    return options


def _database(scheme: str, path: list[str], options: dict[str, str]) -> int:
    text = options.get("db", "0") if scheme == "unix" else "/".join(path) or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise StoreRefused(f"{scheme} URL: the database is not a number")
    if SCHEMES[scheme] is Kind.CLUSTER and int(text) != 0:
        raise StoreRefused(f"{scheme} URL: a cluster has database 0 only")
    return int(text)


def _need(scheme: str, options: dict[str, str], given: int | None, default: int) -> int:
    text = options.get("need")
    if text is None:
        return default if given is None else given
    if not (text.isascii() and text.isdigit() and int(text) <= NEED_MOST):
        raise StoreRefused(f"{scheme} URL: need is a number from 0 to {NEED_MOST}")
    return int(text)


def _yes(scheme: str, options: dict[str, str], given: bool | None) -> bool:
    text = options.get("unsafe")
    if text is None:
        return bool(given)
    if text not in {"yes", "no"}:
        raise StoreRefused(f"{scheme} URL: unsafe is yes or no")
    return text == "yes"


def _check(scheme: str, target: Target) -> None:
    if scheme == "unix" and not target.socket_path.strip("/"):
        raise StoreRefused("unix URL names no socket: expected unix:///path/to.sock")
    if target.kind is Kind.SENTINEL and not target.master:
        raise StoreRefused(f"{scheme} URL names no master: expected {scheme}://host:26379/mymaster")
    if target.kind is not Kind.SERVER and target.need == 0 and not target.unsafe:
        raise StoreRefused(
            f"{scheme} URL: with need=0 an acknowledged command may be lost in a fail-over; leave "
            "it out, or add unsafe=yes"
        )
