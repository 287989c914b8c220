"""Choose an engine by its URL (see `store.engine.redis.url`)."""

from store.engine.redis.engine import RedisEngine
from store.engine.redis.url import SCHEMES, target_of


def is_shared(url: str) -> bool:
    """Whether many processes can serve a fleet on what `url` names."""
    return url.partition(":")[0].lower() in SCHEMES


def engine_from_url(
    url: str, *, need: int | None = None, unsafe: bool | None = None
) -> RedisEngine:
    """The engine that `url` names, not yet opened.

    `need` (replicas that confirm a commit) and `unsafe` (start also where an acknowledged commit
    may be lost) stand where the URL does not say. Raises StoreRefused for anything unclear.
    """
    return RedisEngine(target_of(url, need=need, unsafe=unsafe))
