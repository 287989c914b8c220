"""What a URL names: which servers, how to speak to them, and how sure a commit must be."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from store.engine.redis.node import CONNECT_S, SOCKET_S, Connection
from store.errors import StoreRefused

Address = tuple[str, int]


class Kind(StrEnum):
    """How the node is found that has a shard."""

    SERVER = "server"
    """There is one, and it is named."""
    SENTINEL = "sentinel"
    """Sentinels are named; they know the master."""
    CLUSTER = "cluster"
    """Some nodes are named; each knows who has which slot."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords never appear in its text: `repr` leaves them out, as messages do."""

    kind: Kind
    addresses: tuple[Address, ...] = ()
    """Of the server, the sentinels, or some nodes of the cluster."""
    socket_path: str = ""
    master: str = ""
    """By which name the sentinels know it."""
    username: str | None = None
    password: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    database: int = 0
    tls: bool = False
    tls_files: dict[str, str] = {}
    """redis-py's `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`."""
    prefix: str = "lamplighter"
    need: int = 0
    """Replicas that must have a commit before it counts."""
    unsafe: bool = False
    """Start also where an acknowledged commit may be lost."""

    def __repr__(self) -> str:
        return f"Target({self.kind}, {self.name}, prefix {self.prefix!r}, need {self.need})"

    @property
    def name(self) -> str:
        """For people: the addresses, or the socket."""
        return self.socket_path or ",".join(f"{host}:{port}" for host, port in self.addresses)

    @property
    def scheme(self) -> str:
        """Before the :// of the URL; of a socket that of a server."""
        kind = "" if self.kind is Kind.SERVER else f"+{self.kind}"
        return f"{'rediss' if self.tls else 'redis'}{kind}"

    def check_files(self) -> None:
        """Raises StoreRefused for certificates and keys that cannot be read; blocks."""
        for option, path in self.tls_files.items():
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise StoreRefused(
                    f"redis: {option}={path} cannot be read: {error.strerror}"
                ) from error

    def connected(
        self, address: Address | None, *, to_sentinel: bool = False, answer_s: float = SOCKET_S
    ) -> Connection:
        """A connection to this address, or to the socket where there is none.

        Raises what redis-py raises.
        """
        common: dict[str, Any] = {
            "username": self.sentinel_username if to_sentinel else self.username,
            "password": self.sentinel_password if to_sentinel else self.password,
            "db": 0 if to_sentinel else self.database,
            "protocol": 2,  # no handshake that a server or a proxy would refuse
            "socket_timeout": answer_s,
            "socket_connect_timeout": CONNECT_S,
            "retry": Retry(NoBackoff(), 0),
        }
        maker: Any = redis.Connection  # untyped there
        if address is None:
            maker = redis.UnixDomainSocketConnection
            common["path"] = self.socket_path
        else:
            common |= {"host": address[0], "port": address[1], "socket_keepalive": True}
            if self.tls:
                maker = redis.SSLConnection
                common |= self.tls_files
        connection = maker(**common)
        try:
            connection.connect()
        except UnicodeError as error:  # of getaddrinfo: a server of a cluster may announce anything
            raise redis.ConnectionError(f"{self.name} names {address}: no host: {error}") from error
        return connection

    def asked(
        self, address: Address | None, *commands: tuple[str, ...], to_sentinel: bool = False
    ) -> list[Any]:
        """The answers of a node that may be dead or hang: each within half a second.

        Raises what redis-py raises.
        """
        connection = self.connected(address, to_sentinel=to_sentinel, answer_s=CONNECT_S)
        try:
            connection.send_packed_command(connection.pack_commands(commands), False)
            return [connection.read_response() for _ in commands]
        finally:
            connection.disconnect()
