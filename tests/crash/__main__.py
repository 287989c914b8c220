"""`make crash`: many kills of real processes, and the figures. A failed promise is a traceback.

    python -m tests.crash [sqlite|redis|server] [KILLS] [SEED]
"""

import logging
import sys
import tempfile
from pathlib import Path

import trio

from tests.crash.killed_service import kill_service
from tests.support.redis_server import RedisServer

KILLS = {"sqlite": 200, "redis": 200, "server": 20}


async def crash(what: str, kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        folder = Path(name)
        if what == "sqlite":
            print(f"service, SQLite: {await kill_service(folder, '', seed=seed, kills=kills)}")
            return
        with RedisServer() as server:
            if what == "redis":
                tally = await kill_service(folder, server.url, seed=seed, kills=kills)
                print(f"service, Redis: {tally}")


def main(words: list[str]) -> None:
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    kinds = words[:1] or list(KILLS)
    for what in kinds:
        kills = int(words[1]) if len(words) > 1 else KILLS[what]
        seed = int(words[2]) if len(words) > 2 else 1
        trio.run(crash, what, kills, seed)


if __name__ == "__main__":
    main(sys.argv[1:])
