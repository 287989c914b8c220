"""A store over a shared Redis that owns every shard, for whoever fills or reads one by himself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from store.engine.open import engine_from_url, is_shared
from store.open import open_store
from store.port import Store
from store.shards import ShardStore
from store.shards.taking import give_all, take_all


@asynccontextmanager
async def any_store(url: str) -> AsyncGenerator[Store, None]:
    """What `url` names, opened for one who uses it alone."""
    if not is_shared(url):
        async with open_store(url) as store:
            yield store
        return
    shared = ShardStore(engine_from_url(url), "alone")
    try:
        await shared.open()
        await take_all(shared)
        yield shared
        await give_all(shared)
    finally:
        await shared.close()
