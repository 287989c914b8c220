"""ChirpStack's Redis or Valkey, standalone or a Cluster, read by blocking calls in threads.

    redis://[user:password@]host[:port][/db]
    rediss://...                 the same over TLS; ssl_ca_certs, ssl_certfile, ssl_keyfile as query
    unix://[user:password@]/path/to.sock[?db=0]
    redis+cluster://[user:password@]host[:port][,host[:port]...]
    rediss+cluster://...         the same over TLS, with the same query

ChirpStack itself speaks to one server or to a Cluster (`[redis] servers`, `cluster`), so there is
no more to choose from. Nothing is written.
"""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import redis
import redis.exceptions
import trio
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

from lorawan.stream.entries import EntryId, StreamEntry
from lorawan.stream.errors import StreamError, StreamRefused, StreamUnavailable
from lorawan.stream.position import Look, Page

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

ALL_EVENTS = "device:stream:event"
"""The key of the stream of all devices, behind the prefix of ChirpStack's `redis.key_prefix`."""

SCHEMES = frozenset({"redis", "rediss", "unix", "redis+cluster", "rediss+cluster"})
PORT = 6379
SOCKET_S = 4.0
"""Above the longest wait of a blocking read, 1 s."""
CONNECT_S = 2.0
THREADS_MOST = 4
"""One reads on; the others look up single devices."""
TOGETHER_MOST = 50
"""Devices that are looked up in one go: 50 x 20 entries of 0.7 kB are 0.7 MB."""

_OURS = frozenset({"protocol", "decode_responses"})
"""Options of redis-py that change what its answers look like."""
_TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/]+)(?::(\d{1,5}))?", re.ASCII)

_REFUSED_WORDS = ("NOAUTH", "WRONGPASS", "NOPERM", "WRONGTYPE", "ERR unknown command", "ERR AUTH")


def checked_url(url: str) -> str:
    """The same URL, if it is one of the forms above. Raises ValueError, whose text repeats none of
    it: it may hold a password."""
    try:
        parts = urlsplit(url)
        host = parts.netloc if parts.scheme.endswith("+cluster") else parts.hostname
        _ = None if parts.scheme.endswith("+cluster") else parts.port
    except ValueError:
        raise ValueError("cannot be read; write / ? # @ in a password as %xx") from None
    if parts.scheme not in SCHEMES:
        raise ValueError("must begin with redis://, rediss://, unix:// or redis+cluster://")
    if parts.scheme != "unix" and not host:
        raise ValueError("names no host")
    if parts.fragment:
        raise ValueError("has a #: write it as %23 in a password")
    database = parts.path.strip("/")
    if parts.scheme in ("redis", "rediss") and database and not database.isdecimal():
        raise ValueError("names a database that is no number")
    if wrong := _OURS & {name for name, _ in parse_qsl(parts.query)}:
        raise ValueError(f"has options that cannot be set here: {', '.join(sorted(wrong))}")
    if parts.scheme.endswith("+cluster"):
        _check_cluster(parts)
    try:
        for name, _ in addresses_of(url):
            name.encode("idna")  # as is done when it is looked up
        if not parts.scheme.endswith("+cluster"):  # a client of a Cluster connects when it is made
            with contextlib.closing(client_of(url)) as client:
                client.connection_pool.make_connection()  # knows its options, and does not connect
    except (ValueError, TypeError, redis.RedisError):
        raise ValueError("cannot be read: see its host, its options and its numbers") from None
    return url


def _check_cluster(parts: SplitResult) -> None:
    """What redis-py is not told of a URL, for it knows none of a Cluster."""
    if parts.path.strip("/") not in {"", "0"}:
        raise ValueError("names a database: a Cluster has none but 0")
    try:
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("cannot be read: its options are name=value&name=value") from None
    names = {name for name, _ in query}
    if names and parts.scheme != "rediss+cluster":
        raise ValueError("has options: those of a Cluster are of TLS, which is rediss+cluster://")
    if names - _TLS_FILES or len(names) < len(query):
        raise ValueError(f"has other options than one each of {', '.join(sorted(_TLS_FILES))}")
    if ("ssl_certfile" in names) != ("ssl_keyfile" in names):
        raise ValueError("has one of ssl_certfile and ssl_keyfile, which belong together")


def key_of(prefix: str, dev_eui: str) -> str:
    """The key of the stream of one device, the braces included."""
    return f"{prefix}device:{{{dev_eui}}}:stream:event"


class _Connection:
    """A client, made when it is asked for."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: Any = None

    def client(self) -> Any:
        """It blocks, for that of a Cluster connects at once."""
        if self._made is None:
            self._made = client_of(self._url)
        return self._made

    def close(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            made.close()


class RedisSource:
    """An `EventSource`. Making it connects to nothing."""

    def __init__(self, url: str, prefix: str = "") -> None:
        self._prefix = prefix
        self._key = prefix + ALL_EVENTS
        self._cluster = urlsplit(url).scheme.endswith("+cluster")
        self._all = _Connection(url)
        # Apart, so that a device that cannot be read breaks no reading of the stream of all.
        self._single = _Connection(url)
        self._limiter = trio.CapacityLimiter(THREADS_MOST)

    async def look(self) -> Look:
        """As the port says."""
        return await self._in_thread(self._all, self._look)

    async def read(
        self, after: EntryId, known: EntryId | None, *, most: int, wait_s: float
    ) -> Page:
        """As the port says."""
        wait_ms = max(1, int(wait_s * 1000))
        return await self._in_thread(self._all, self._read, after, known, most, wait_ms)

    async def of_devices(
        self, dev_euis: Sequence[str], since: EntryId, until: EntryId | None, *, most: int
    ) -> Mapping[str, Sequence[StreamEntry]]:
        """As the port says."""
        found: dict[str, Sequence[StreamEntry]] = {}
        for start in range(0, len(dev_euis), TOGETHER_MOST):
            some = dev_euis[start : start + TOGETHER_MOST]
            read = await self._in_thread(self._single, self._of_devices, some, since, until, most)
            if len(read) < len(some):
                self._learn_anew(self._single)
            found |= read
        return found

    async def close(self) -> None:
        """Release all connections. A read under way in a thread ends with its next answer."""
        self._all.close()
        self._single.close()

    async def _in_thread(self, connection: _Connection, call: Callable[[*Ts], T], *args: *Ts) -> T:
        try:
            return await trio.to_thread.run_sync(
                translated,
                call,
                *args,
                thread_name="event stream",
                limiter=self._limiter,
                abandon_on_cancel=True,
            )
        except StreamUnavailable:
            self._learn_anew(connection)
            raise

    def _learn_anew(self, connection: _Connection) -> None:
        if self._cluster:  # which node has which slot
            connection.close()

    # ------------------------------------------------------------------------ in the threads

    def _look(self) -> Look:
        client = node_of(self._all.client(), self._key)
        newest = client.execute_command("XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return Look(_ms(client.time()), EntryId.parse(newest[0][0]) if newest else None)

    def _read(self, after: EntryId, known: EntryId | None, most: int, wait_ms: int) -> Page:
        client = node_of(self._all.client(), self._key)
        asked = str(after if known is None else known)
        read = ("XREAD", "COUNT", most, "BLOCK", wait_ms, "STREAMS", self._key, str(after))
        # In one go, and the stream first: what it still holds afterwards it held before.
        with client.pipeline(transaction=False) as commands:
            commands.execute_command(*read)
            commands.execute_command("XRANGE", self._key, asked, asked, "COUNT", 1)
            commands.time()
            streams, kept, time = commands.execute()
        entries = _entries(streams[0][1]) if streams else []
        return Page(entries, _ms(time), known is None or bool(kept))

    def _of_devices(
        self, dev_euis: Sequence[str], since: EntryId, until: EntryId | None, most: int
    ) -> dict[str, Sequence[StreamEntry]]:
        last = "+" if until is None else str(until)
        client = self._single.client()
        by_node: dict[Any, list[str]] = {}
        for dev_eui in dev_euis:
            node = node_of(client, key_of(self._prefix, dev_eui))
            by_node.setdefault(node, []).append(dev_eui)
        found: dict[str, Sequence[StreamEntry]] = {}
        away: Exception | None = None
        for node, some in by_node.items():
            try:
                with node.pipeline(transaction=False) as commands:
                    for dev_eui in some:
                        key = key_of(self._prefix, dev_eui)
                        commands.execute_command("XREVRANGE", key, last, str(since), "COUNT", most)
                    answers = commands.execute()
            except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
                away = error
                continue
            found |= {
                dev_eui: _entries(reversed(answer))
                for dev_eui, answer in zip(some, answers, strict=True)
            }
        if away is not None and not found:
            raise away
        return found


def client_of(url: str) -> Any:
    """A client; one of a Cluster connects at once. Untyped, because redis-py types each command for
    its asyncio client as well."""
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "protocol": 2,  # no handshake that an older server would refuse
        "socket_timeout": SOCKET_S,
        "socket_connect_timeout": CONNECT_S,
        "retry": Retry(NoBackoff(), 0),  # the caller tries again, and steps back first
    }
    if parts.scheme != "unix":
        options["socket_keepalive"] = True
    if parts.scheme.endswith("+cluster"):
        client: Any = _cluster(parts, options)
    else:
        client = _as_sent(redis.Redis.from_url(url, **options))
    return client


def node_of(client: Any, key: str) -> Any:
    """The client of the server that has this key: in a Cluster one of its masters."""
    if not isinstance(client, RedisCluster):
        return client
    owner: Any = client  # untyped, see above
    return _as_sent(owner.get_redis_connection(owner.get_node_from_key(key)))


def _as_sent(client: Any) -> Any:
    for command in ("XREAD", "XRANGE", "XREVRANGE"):
        client.set_response_callback(command, _raw)  # dictionaries for each entry cost more
    return client


def _cluster(parts: SplitResult, options: dict[str, Any]) -> Any:
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    options |= {name: value for name, value in parse_qsl(parts.query) if name in _TLS_FILES}
    try:
        return RedisCluster(
            startup_nodes=_nodes(parts),
            username=unquote(user) or None,
            password=unquote(password) or None,
            ssl=parts.scheme == "rediss+cluster",
            **options,
        )
    except redis.exceptions.RedisClusterException as error:
        raise StreamUnavailable(
            f"the Cluster does not tell its slots (a user needs +cluster|slots +command): {error}"
        ) from error


def addresses_of(url: str) -> list[tuple[str, int]]:
    """Hosts and ports that a URL names; none where it names a socket."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return []
    if not parts.scheme.endswith("+cluster"):
        return [(parts.hostname or "localhost", parts.port or PORT)]
    return _addresses(parts)


def _addresses(parts: SplitResult) -> list[tuple[str, int]]:
    return [_address(each) for each in parts.netloc.rpartition("@")[2].split(",")]


def _address(text: str) -> tuple[str, int]:
    """Of `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. Raises ValueError."""
    found = _HOST_PORT.fullmatch(text)
    port = int(found[2] or PORT) if found else 0
    if found is None or not 0 < port < 65_536:
        raise ValueError("a server is written as host or host:port")
    return found[1].strip("[]"), port


def _nodes(parts: SplitResult) -> list[Any]:
    node: Any = ClusterNode  # it has no types
    return [node(name, port) for name, port in _addresses(parts)]


def _raw(answer: Any, **_options: Any) -> Any:
    return answer


def _entries(answer: Any) -> list[StreamEntry]:
    found = []
    for entry_id, fields in answer:
        if fields:  # an entry that was deleted while it was read has none
            found.append(entry_of(entry_id, fields))
    return found


def entry_of(entry_id: bytes, fields: Sequence[bytes]) -> StreamEntry:
    """An entry as Redis sends it. Anybody may have written it: whatever its field is called, the
    entry can be read, and is one of a kind that nobody knows."""
    return StreamEntry(EntryId.parse(entry_id), fields[0].decode(errors="replace"), fields[1])


def _ms(time: tuple[int, int]) -> int:
    return time[0] * 1000 + time[1] // 1000


def translated(call: Callable[[*Ts], T], *args: *Ts) -> T:
    """What the call returns. Raises StreamErrors, whatever the client raises."""
    try:
        return call(*args)
    except StreamError:
        raise
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise StreamRefused(f"Redis refused us: {error}") from error
    except redis.ResponseError as error:
        if str(error).startswith(_REFUSED_WORDS):
            raise StreamRefused(f"Redis refused us: {error}") from error
        raise StreamUnavailable(f"Redis cannot answer now: {error}") from error
    except (redis.RedisError, redis.exceptions.RedisClusterException, OSError) as error:
        raise StreamUnavailable(f"Redis does not answer: {error}") from error
    except Exception as error:  # of an option, say: no reason to end a service that can do without
        raise StreamUnavailable(f"it cannot be read: {type(error).__name__}") from error
