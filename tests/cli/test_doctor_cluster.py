"""What the doctor says of an engine that is shared, and of the processes that share it."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.cluster.shown import ClusterShown
from api.cli.doctor.cluster import cluster, judged
from api.cli.doctor.engine import engine
from api.cli.doctor.engine import judged as engine_judged
from api.cli.doctor.finding import Diagnosis, Level
from api.settings.model import ApiSettings
from store.engine.redis.weights import Finding, Weight
from tests.support.fake_application import FakeApplication
from tests.support.fake_cluster import one_lost, three_processes
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of
from tests.support.web_server import running

ROOT = Path(__file__).parents[2]
WORDS = Finding(Weight.UNSAFE, "appendonly is off", "set `appendonly yes`")


def told(shown: ClusterShown, **changes: Any) -> dict[str, Any]:
    return {**msgspec.json.decode(msgspec.json.encode(shown)), **changes}


def levels(found: list[Diagnosis]) -> list[Level]:
    return [one.level for one in found]


# ------------------------------------------------------------------------------ the engine


async def test_a_durable_server_is_right_and_left_as_it_was() -> None:
    with RedisServer() as server:
        client = client_of(server)
        [found] = await engine(server.url)
        assert found.level is Level.OK, found
        assert "keeps every commit; no replica has to confirm one" in found.says
        assert client.dbsize() == 0
        client.close()


async def test_a_server_that_forgets_is_a_problem_and_a_warning_where_that_is_meant() -> None:
    with RedisServer() as server:
        client_of(server).config_set("appendfsync", "everysec")
        [found] = await engine(server.url)
        assert (found.level, found.remedy) == (Level.PROBLEM, "set `appendfsync always`")
        [meant] = await engine(f"{server.url}?unsafe=yes")
        assert meant.level is Level.WARNING
        assert "`unsafe` is set" in meant.says


async def test_a_store_of_one_process_is_sent_to_be_moved() -> None:
    with RedisServer() as server:
        client_of(server).set("{lamplighter}:schema", "2")
        [found] = await engine(server.url)
        assert found.level is Level.PROBLEM
        assert "lamplighter move" in found.remedy


async def test_a_newer_layout_is_left_to_a_newer_version() -> None:
    with RedisServer() as server:
        shape = {"layout": "900", "shards": "64", "hash": "crc32"}
        client_of(server).hset("{lamplighter:meta}:shape", mapping=shape)
        [found] = await engine(server.url)
        assert found.level is Level.PROBLEM
        assert found.remedy == "run the newer version of Lamplighter"


async def test_the_rights_that_the_guide_names_are_enough_and_needed() -> None:
    guide = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    found = re.search(r"^    user lamplighter on >PASSWORD (.+)$", guide, re.MULTILINE)
    assert found is not None
    rights = found[1].split()
    with RedisServer() as server:
        url = server.url.replace("redis://", "redis://lamplighter:pw@")
        client = client_of(server)

        async def with_rights(some: list[str]) -> Diagnosis:
            client.execute_command("ACL", "SETUSER", "lamplighter", "reset", "on", ">pw", *some)
            return (await engine(url))[0]

        assert (await with_rights(rights)).level is Level.OK
        for needed in ("~", "&", "+config"):
            left = [one for one in rights if not one.startswith(needed)]
            assert (await with_rights(left)).level is not Level.OK, needed
        client.close()


async def test_a_server_that_is_away_is_a_problem_in_words() -> None:
    with RedisServer() as server:
        url = server.url
    [found] = await engine(url)
    assert found.level is Level.PROBLEM
    assert found.remedy == "check store.url, the servers and the way to them"


async def test_an_address_that_means_nothing_is_never_repeated_with_its_password() -> None:
    [found] = await engine("redis+sentinel://user:secret@host:1/")
    assert found.level is Level.PROBLEM
    assert "secret" not in found.says


@pytest.mark.parametrize(
    ("weight", "level"),
    [
        (Weight.REFUSED, Level.PROBLEM),
        (Weight.UNSAFE, Level.PROBLEM),
        (Weight.UNKNOWN, Level.UNKNOWN),
        (Weight.AT_RISK, Level.WARNING),
        (Weight.ADVICE, Level.WARNING),
    ],
)
def test_each_weight_has_its_level(weight: Weight, level: Level) -> None:
    finding = msgspec.structs.replace(WORDS, weight=weight)
    assert levels(list(engine_judged([finding], 1, is_unsafe_meant=False))) == [level]


def test_it_says_how_many_replicas_confirm() -> None:
    [one] = engine_judged([], 1, is_unsafe_meant=False)
    [two] = engine_judged([], 2, is_unsafe_meant=False)
    assert one.says.endswith("1 replica has to confirm each")
    assert two.says.endswith("2 replicas have to confirm each")


# --------------------------------------------------------------------------- the processes


def test_processes_that_are_well_are_named() -> None:
    [found] = judged(told(three_processes()))
    assert (found.level, found.says) == (
        Level.OK,
        "3 processes serve the fleet: north, south, west",
    )


def test_a_lost_process_and_its_parts_are_problems() -> None:
    found = list(judged(told(one_lost())))
    assert levels(found) == [Level.PROBLEM, Level.PROBLEM]
    assert found[0].says == "no sign of life of west"
    assert found[1].says == "11 of 65 parts of the fleet have no owner that is alive"


def test_leases_that_the_engine_lost_are_told_instead_of_counted() -> None:
    shown = told(three_processes())
    shown["shards"][3]["state"] = "lost"
    [found] = judged({**shown, "shards_unowned": 1})
    assert "lost leases" in found.says


def test_clocks_versions_and_ways_to_chirpstack_are_compared() -> None:
    shown = told(three_processes())
    shown["members"][1] |= {"clock_ahead_s": -3.2, "version": "0.3.0", "sees_network": False}
    found = list(judged(shown))
    assert levels(found) == [Level.WARNING] * 3
    assert "south -3.2 s" in found[0].says
    assert "0.2.0, 0.3.0" in found[1].says
    assert found[2].says == "ChirpStack does not answer south"


def test_a_process_that_shows_old_changes_says_so() -> None:
    [found] = judged(told(three_processes(), behind_s=42.0))
    assert "42 s late" in found.says


def settings(port: int) -> ApiSettings:
    return ApiSettings(chirpstack={"target": "localhost:8080", "api_key": "k"}, web={"port": port})


async def test_our_own_service_is_asked_and_one_alone_is_left_out() -> None:
    application = FakeApplication()
    async with running(application, settings(0)) as server:
        assert await cluster(settings(server.port)) == []
        application.cluster.now = three_processes()
        assert levels(await cluster(settings(server.port))) == [Level.OK]
        port = server.port
    assert await cluster(settings(port)) == [], "it does not run: that is told elsewhere"
