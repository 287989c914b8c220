"""The stores that are compared: SQLite in a folder, and a real Redis where one can be started.

Both are durable to the last commit (synchronous=FULL, appendfsync always).
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.redis_server import RedisServer, redis_binary

SQLITE, REDIS = "SQLite", "Redis"


def names() -> list[str]:
    """The stores that there are on this machine."""
    try:
        redis_binary()
    except RuntimeError:
        return [SQLITE]
    return [SQLITE, REDIS]


@contextmanager
def store(name: str, folder: Path) -> Generator[str, None, None]:
    """The URL of an empty store of this name."""
    if name == SQLITE:
        yield f"sqlite:///{folder / 'bench.db'}"
    else:
        with RedisServer() as server:
            yield server.unix_url
