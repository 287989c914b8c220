"""Choose a store by its URL.

A URL of which any part is not understood is refused with the reason, before anything is created.
Credentials never appear in a message.

    sqlite:///path/file.db      relative to the working directory
    sqlite:////abs/file.db      absolute
    redis://, rediss://, unix://, redis+sentinel://, redis+cluster://
                                an engine that many processes share: `store.engine.redis.url`
    memory:                     for trying out; nothing survives the process
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from store.copies import BackupResult, RestoreResult, backup_sqlite, restore_sqlite
from store.engine.open import is_shared
from store.engine.redis.target import Target
from store.engine.redis.url import target_of
from store.errors import StoreRefused
from store.memory import MemoryStore
from store.moves import MoveResult, Place
from store.moves import move as move_between
from store.port import Store
from store.shared_copies import backup_shared, restore_shared
from store.sqlite import SqliteStore


def store_from_url(url: str) -> Store:
    """The store that `url` names, not yet opened. Raises StoreRefused on anything unclear."""
    if is_shared(url):
        raise StoreRefused("store URL: an engine that many processes share is no store of one")
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
        case _:
            raise StoreRefused(
                f"store URL with scheme {parts.scheme!r}: expected sqlite:///path, redis://host, "
                "rediss://host, unix:///path, redis+sentinel://hosts/master, redis+cluster://hosts "
                "or memory:"
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
    with _refused():
        match _place_of(url):
            case Path() as path:
                return backup_sqlite(path, target, now)
            case Target() as shared:
                return backup_shared(shared, target, now)


def restore(
    url: str, source: Path, now: float, *, need: int | None = None, unsafe: bool | None = None
) -> RestoreResult:
    """Replace the store that `url` names by a copy. Raises StoreError. Blocks.

    What it replaces is kept. Raises StoreTaken while a service uses the store. `need` and `unsafe`
    as for `engine_from_url`.
    """
    with _refused():
        if not source.is_file():
            raise StoreRefused(f"{source}: there is no such file")
        match _place_of(url, need, unsafe):
            case Path() as path:
                if path.exists() and path.samefile(source):
                    raise StoreRefused(f"{source}: this is the store itself")
                return restore_sqlite(source, path, now)
            case Target() as shared:
                return restore_shared(shared, source, now)


def move(
    source: str, target: str, now: float, *, need: int | None = None, unsafe: bool | None = None
) -> MoveResult:
    """Move everything from one store to another, empty one. Raises StoreError. Blocks.

    `source` and `target` may be the same Redis: what an older version left there is then moved into
    today's layout. `need` and `unsafe` as for `engine_from_url`, of the target.
    """
    with _refused():
        return move_between(_place_of(source), _place_of(target, need, unsafe), now)


@contextmanager
def _refused() -> Iterator[None]:
    """What the system does not let us do with a file is the operator's to mend."""
    try:
        yield
    except OSError as error:
        raise StoreRefused(f"{error.filename or 'a file'}: {error.strerror or error}") from error


def _place_of(url: str, need: int | None = None, unsafe: bool | None = None) -> Place:
    if is_shared(url):
        return target_of(url, need=need, unsafe=unsafe)
    store = store_from_url(url)
    if isinstance(store, SqliteStore):
        return store.path
    raise StoreRefused("memory: nothing outlives the process that holds it")


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
