"""Choose a store by its URL.

A URL of which any part is not understood is refused with the reason, before anything is created.
Credentials never appear in a message.

    sqlite:///path/file.db      relative to the working directory
    sqlite:////abs/file.db      absolute
    redis://[user:password@]host[:port][/db][?prefix=lamplighter]
    rediss://...                the same over TLS; ssl_ca_certs, ssl_certfile, ssl_keyfile as query
    unix://[user:password@]/path/to.sock[?db=0&prefix=lamplighter]
    memory:                     for trying out; nothing survives the process
"""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from store.copies import BackupResult, RestoreResult, backup_sqlite, restore_sqlite
from store.engine.open import is_shared
from store.engine.redis.url import target_of
from store.errors import StoreRefused
from store.memory import MemoryStore
from store.port import Store
from store.redis import RedisStore
from store.redis_copies import backup_redis, restore_redis
from store.sqlite import SqliteStore

_OPTIONS = {
    "redis": {"prefix"},
    "rediss": {"prefix", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"},
    "unix": {"prefix", "db"},
}


def store_from_url(url: str) -> Store:
    """The store that `url` names, not yet opened. Raises StoreRefused on anything unclear."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - read once here, since it raises on nonsense
    except ValueError:  # its words may quote a password
        raise StoreRefused("store URL cannot be read; write / ? # @ in a password as %xx") from None
    match parts.scheme:
        case "memory" if url == "memory:":
            return MemoryStore()
        case "sqlite":
            return SqliteStore(_sqlite_path(url, parts))
        case "redis" | "rediss" | "unix":
            return _redis(parts)
        case "redis+sentinel" | "rediss+sentinel" | "sentinel" | "redis+cluster":
            raise StoreRefused(
                "store URL: Sentinel and Cluster are not spoken; name the one server that is"
                " written to, or a proxy that follows it"
            )
        case _:
            raise StoreRefused(
                f"store URL with scheme {parts.scheme!r}: expected sqlite:///path, redis://host, "
                "rediss://host, unix:///path or memory:"
            )


def check_url(url: str) -> None:
    """Raise StoreRefused unless `url` names a store or an engine that many processes share."""
    if is_shared(url):
        target_of(url)
    else:
        store_from_url(url)


def files_of(url: str) -> dict[str, str]:
    """The files that a URL's options name, by option: certificates and a key, for TLS."""
    options = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return {name: value for name, value in options if name.startswith("ssl_")}


def backup(url: str, target: Path, now: float) -> BackupResult:
    """Copy the store that `url` names, in use or not, into a new file. Raises StoreError. Blocks.

    `now` is Unix seconds.
    """
    store = store_from_url(url)
    match store:
        case SqliteStore():
            return backup_sqlite(store.path, target, now)
        case RedisStore():
            with closing(store.client) as client:
                return backup_redis(client, store.prefix, target, now)
        case _:
            raise StoreRefused("memory: nothing can be copied from another process")


def restore(url: str, source: Path, now: float) -> RestoreResult:
    """Replace the store that `url` names by a copy. Raises StoreError. Blocks.

    What it replaces is kept. Raises StoreTaken while a service uses the store.
    """
    if not source.is_file():
        raise StoreRefused(f"{source}: there is no such file")
    store = store_from_url(url)
    match store:
        case SqliteStore():
            if store.path.exists() and store.path.samefile(source):
                raise StoreRefused(f"{source}: this is the store itself")
            return restore_sqlite(source, store.path, now)
        case RedisStore():
            with closing(store.client) as client:
                return restore_redis(client, store.prefix, source, now, patience_s=store.patience_s)
        case _:
            raise StoreRefused("memory: there is nothing to restore into")


@asynccontextmanager
async def open_store(url: str) -> AsyncGenerator[Store, None]:
    """Open the store that `url` names, and close it at the end. Raises as `Store.open` does."""
    store = store_from_url(url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await store.open()
        yield store


def _sqlite_path(url: str, parts: SplitResult) -> str:
    if not url.lower().startswith("sqlite:///"):
        raise StoreRefused(
            "sqlite URL has three slashes before a relative path and four before an absolute one"
        )
    if parts.query or parts.fragment:
        raise StoreRefused("sqlite URL has no options; write ? and # in a path as %3F and %23")
    path = unquote(parts.path).removeprefix("/")
    if not path or path.endswith("/") or "\0" in path:
        raise StoreRefused("sqlite URL names no file: expected sqlite:///path/file.db")
    if path == ":memory:":
        raise StoreRefused("sqlite in memory is not offered: the store in memory is memory:")
    return path


def _redis(parts: SplitResult) -> Store:
    scheme = parts.scheme
    if re.search(r"\s", parts.netloc + parts.query):
        raise StoreRefused(f"{scheme} URL holds a blank; write it as %20")
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        if parts.query:
            raise StoreRefused(f"{scheme} URL: options are name=value&name=value") from None
        pairs = []
    options = dict(pairs)
    if len(options) < len(pairs):
        raise StoreRefused(f"{scheme} URL: an option stands twice")
    unknown = sorted(options.keys() - _OPTIONS[scheme])
    if unknown:
        known = ", ".join(sorted(_OPTIONS[scheme]))
        tls = "; TLS is rediss://" if scheme == "redis" and unknown[0].startswith("ssl") else ""
        raise StoreRefused(f"{scheme} URL has unknown option {unknown[0]!r}; known: {known}{tls}")
    if ("ssl_certfile" in options) != ("ssl_keyfile" in options):
        raise StoreRefused(f"{scheme} URL: ssl_certfile and ssl_keyfile belong together")
    if scheme == "unix":
        if not parts.path.strip("/"):
            raise StoreRefused("unix URL names no socket: expected unix:///path/to.sock")
        database = options.get("db", "0")
    else:
        if not parts.hostname:
            raise StoreRefused(f"{scheme} URL names no host: expected {scheme}://host:6379/0")
        database = parts.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit() and len(database) <= 9):
        raise StoreRefused(f"{scheme} URL: the database is not a number")
    if parts.fragment:
        raise StoreRefused(f"{scheme} URL: write # as %23")
    prefix = options.pop("prefix", "lamplighter")
    # Not geturl(): it drops the slashes of unix:///path.
    url = f"{scheme}://{parts.netloc}{parts.path}?{urlencode(options)}"
    return RedisStore(url.rstrip("?"), prefix=prefix)
