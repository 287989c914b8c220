"""`make crash`: many kills of real processes, and the figures. A failed promise is a traceback.

python -m tests.crash [WHAT [KILLS [SEED]]]

WHAT is matrix, sqlite, redis, server, reader, cluster, network, campaign, mqtt or hooks.
"""

import logging
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import structlog
import trio

from tests.cluster.campaign import KEPT, campaign
from tests.cluster.hurt import any_plan, hurt
from tests.cluster.networks import cut
from tests.crash.crash_scenario import kill_at_every_commit
from tests.crash.killed_broker import restart_broker
from tests.crash.killed_reader import kill_reader
from tests.crash.killed_receiver import tell_under_kills
from tests.crash.killed_server import serve_under_kills
from tests.crash.killed_service import kill_service
from tests.support.ended_by_signal import to_its_end
from tests.support.killed_store import commit_under_kills
from tests.support.redis_server import RedisServer

MATRIX = "matrix"
"""A simulated day, killed at each of its commits: no number of kills, no seed."""
KILLS = {
    "sqlite": 200,
    "redis": 200,
    "server": 20,
    "reader": 50,
    "cluster": 60,
    "network": 20,
    "campaign": 500,
    "mqtt": 100,
    "hooks": 100,
}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def crash(what: str, kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        folder = Path(name)
        if what == "sqlite":
            say(f"service, SQLite: {await kill_service(folder, '', seed=seed, kills=kills)}")
            return
        if what == "reader":
            tally = await kill_reader(folder, seed=seed, kills=kills)
            say(f"service that reads ChirpStack's stream: {tally}")
            return
        if what == "mqtt":
            say(f"bridge to MQTT: {await restart_broker(kills, seed)}")
            return
        if what == "hooks":
            say(f"hooks: {await tell_under_kills(folder, seed=seed, kills=kills)}")
            return
        if what == "cluster":
            say(f"three processes, three servers:\n{await hurt(any_plan(kills, seed), seed)}")
            return
        if what == "campaign":
            tally = await campaign(kills, seed, say)
            assert not tally.broken, f"see {KEPT}"
            return
        if what == "network":
            say(f"three processes, three servers, a cut network:\n{await cut(kills, seed, say)}")
            return
        with RedisServer() as server:
            if what == "redis":
                tally = await kill_service(folder, server.url, seed=seed, kills=kills)
                say(f"service, Redis: {tally}")
                return
            kept = await commit_under_kills(server, kills=kills)
            say(f"{kills} kills of the Redis server, {kept} commits acknowledged, 0 lost")
        with RedisServer() as server:
            tally = await serve_under_kills(folder, server, seed=seed, kills=kills)
            say(f"service over a Redis server that is killed: {tally}")


def main(words: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    kinds = words[:1] or [MATRIX, *KILLS]
    if not words and os.geteuid() != 0:
        kinds.remove("network")
        say("network: left out, because network namespaces need root")
    for what in kinds:
        if what == MATRIX:
            with structlog.testing.capture_logs():  # each death would print a traceback
                told = kill_at_every_commit()
            say(told)
            continue
        kills = int(words[1]) if len(words) > 1 else KILLS[what]
        seed = int(words[2]) if len(words) > 2 else 1
        trio.run(to_its_end, partial(crash, what, kills, seed))


if __name__ == "__main__":
    main(sys.argv[1:])
