"""The doctor on ChirpStack's stream: over a real server, and what the facts mean."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from api.cli.doctor.events import ADVICE, COMPARE, events, judged
from api.cli.doctor.finding import Diagnosis, Level
from api.settings.model import ApiSettings
from lorawan.stream.entries import BEGINNING
from lorawan.stream.inspection import Kept, StreamFacts
from lorawan.stream.redis_source import RedisSource
from simulation.world.server.redis_stream import RedisStream
from tests.bench import fleet
from tests.support.certificates import Authority
from tests.support.redis_server import RedisServer
from tests.support.tls_front import front

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


async def look(url: str | None, prefix: str = "") -> list[Diagnosis]:
    chirpstack = {
        "target": "localhost:8080",
        "api_key": "k",
        "events": {"url": url, "prefix": prefix},
    }
    return await events(ApiSettings.model_validate({"chirpstack": chirpstack}))


def write(server: RedisServer, count: int, prefix: str = "", **histories: int) -> None:
    client = redis.Redis.from_url(server.url)
    client.flushall()
    client.close()
    stream = RedisStream(server.url, prefix, exact=True, **histories)
    stream.write([fleet.status(0, nth) for nth in range(1, count + 1)])


async def test_without_a_stream_it_is_recommended_and_no_problem() -> None:
    (found,) = await look(None)
    assert found.level is Level.OK
    assert "chirpstack.events.url" in found.remedy


@pytest.mark.parametrize("kind", ["", "+cluster"])
async def test_where_tls_is_spoken_and_the_url_says_otherwise_that_is_told(
    server: RedisServer, tmp_path: Path, kind: str
) -> None:
    authority = Authority(tmp_path)
    (found,) = await look(f"rediss{kind}://127.0.0.1:{server.port}")
    assert found.level is Level.PROBLEM
    assert f"127.0.0.1:{server.port} does not speak TLS" in found.says
    with front(server, authority.signed("server"), authority.certificate) as port:
        (found,) = await look(f"redis{kind}://127.0.0.1:{port}")
    assert found.level is Level.PROBLEM
    assert found.says == f"127.0.0.1:{port} speaks TLS; over TLS the URL is rediss{kind}://"


@pytest.mark.parametrize("trust", ["ssl_ca_certs={ca}", "ssl_cert_reqs=none"])
async def test_a_server_that_wants_a_certificate_of_ours_is_told(
    server: RedisServer, tmp_path: Path, trust: str
) -> None:
    authority = Authority(tmp_path)
    query = trust.format(ca=authority.certificate)
    with front(server, authority.signed("server"), authority.certificate) as port:
        (found,) = await look(f"rediss://127.0.0.1:{port}?{query}")
    assert found.level is Level.PROBLEM
    assert "it wants a certificate: see ssl_certfile, ssl_keyfile" in found.says


async def test_the_history_that_chirpstack_has_by_itself_is_too_short(server: RedisServer) -> None:
    write(server, 30)
    found = await look(server.url)
    assert [one.level for one in found] == [Level.WARNING, Level.WARNING]
    assert "the newest 10 events, of 0 s" in found[0].says
    assert "10 events of one device" in found[1].says
    assert {one.remedy for one in found} == {ADVICE}


async def test_a_long_history_is_well(server: RedisServer) -> None:
    write(server, 30, history=1_000, device_history=100)
    (found,) = await look(server.url)
    assert found.level is Level.OK
    assert found.says == "ChirpStack's stream holds 30 events of 0 s, and lost none"


async def test_entries_of_kinds_that_are_not_known_are_looked_behind(server: RedisServer) -> None:
    write(server, 30, history=1_000, device_history=10)
    with closing(redis.Redis.from_url(server.url)) as client:
        for kind in (b"integration", b"\xff"):
            client.xadd("device:stream:event", {kind: b""})
    found = await look(server.url)
    assert [one.level for one in found] == [Level.OK, Level.WARNING]
    assert "10 events of one device" in found[1].says


async def test_histories_that_are_off_are_told(server: RedisServer) -> None:
    write(server, 30, history=1_000, device_history=0)
    (_, found) = await look(server.url)
    assert (found.level, found.remedy) == (Level.WARNING, ADVICE)
    write(server, 30, history=0, device_history=10)
    (found,) = await look(server.url)
    assert "there is no stream device:stream:event" in found.says


@pytest.mark.parametrize(
    ("save", "word"), [("", "does not write to disk"), ("3600 1", "only now and then")]
)
async def test_how_the_server_writes_to_disk_is_told(
    server: RedisServer, save: str, word: str
) -> None:
    write(server, 30, history=1_000, device_history=100)
    with closing(redis.Redis.from_url(server.url)) as client:
        before = client.config_get("save") | client.config_get("appendonly")
        client.config_set("appendonly", "no")
        client.config_set("save", save)
        (_, found) = await look(server.url)
        for name, value in before.items():
            client.config_set(name, value)
    assert (found.level, found.remedy) == (Level.WARNING, "set `appendonly yes` there")
    assert word in found.says


async def test_a_stream_that_is_written_no_more_is_told(server: RedisServer) -> None:
    with closing(redis.Redis.from_url(server.url)) as client:
        client.flushall()
        client.xadd("device:stream:event", {"up": b""}, id="1719847234567-0")
    found = await look(server.url)
    assert (found[0].level, found[0].remedy) == (Level.WARNING, COMPARE)
    assert "ChirpStack writes elsewhere now" in found[0].says


async def test_a_prefix_that_is_not_chirpstacks_is_told(server: RedisServer) -> None:
    write(server, 3, history=1_000)
    found = await look(server.url, "other:")
    assert "there is no stream other:device:stream:event" in found[0].says


@pytest.mark.parametrize("prefix", ["", "site:"])
async def test_the_rights_that_the_guide_names_are_enough(server: RedisServer, prefix: str) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    user = re.search(r"`ACL SETUSER lamplighter on >PASSWORD ([^`]+)`", guide)
    assert user is not None
    rights = user[1]
    if prefix:
        with_one = re.search(r"with a `prefix` `~PREFIX([^`]+)`", guide)
        assert with_one is not None
        rights = rights.replace("~device:*", f"~{prefix}{with_one[1]}")
    write(server, 30, prefix, history=1_000, device_history=100)
    named = ("ACL", "SETUSER", "lamplighter", "reset", "on", ">PASSWORD", *rights.split())
    url = server.url.replace("//", "//lamplighter:PASSWORD@")
    with closing(redis.Redis.from_url(server.url)) as client:
        client.execute_command(*named)
        (found,) = await look(url, prefix)
        assert found.level is Level.OK, found
        source = RedisSource(url, prefix)
        assert (await source.look()).newest is not None
        assert (await source.read(BEGINNING, None, most=50, wait_s=0.1)).entries
        client.execute_command("ACL", "DELUSER", "lamplighter")
        await source.close()


async def test_credentials_that_are_wrong_are_told_without_the_password(
    server: RedisServer,
) -> None:
    (found,) = await look(server.url.replace("redis://", "redis://nobody:pass-word@"))
    assert found.level is Level.PROBLEM
    assert "pass-word" not in found.says + found.remedy


async def test_a_key_that_is_no_stream_is_told(server: RedisServer) -> None:
    with closing(redis.Redis.from_url(server.url)) as client:
        client.flushall()
        client.set("cs:device:stream:event", "x")
    (found,) = await look(server.url, "cs:")
    assert found.level is Level.PROBLEM
    assert "cs:device:stream:event is no stream there" in found.remedy
    assert "password" not in found.remedy


async def test_a_server_that_is_not_there_is_told() -> None:
    (found,) = await look("redis://127.0.0.1:1/0")
    assert found.level is Level.PROBLEM
    assert "does not answer" in found.says


def facts(**changed: object) -> StreamFacts:
    values: dict[str, object] = {
        "key": "device:stream:event",
        "now_at": 1e9,
        "all_events": Kept(100_000, 1e9 - 86_400, 1e9, True),
        "of_one_device": Kept(100, 1e9 - 86_400, 1e9, True),
        "appendonly": True,
        "saves": True,
        "evicts": False,
    }
    return StreamFacts(**(values | changed))  # type: ignore[arg-type]


def test_a_day_is_long_enough() -> None:
    (found,) = judged(facts())
    assert found.says == "ChirpStack's stream holds the newest 100000 events, of 24 h"
    assert found.level is Level.OK


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"appendonly": False, "saves": False}, "does not write to disk"),
        ({"appendonly": False}, "only now and then: a crash of it loses the newest"),
        ({"now_at": 1e9 + 8.9 * 86_400}, "written last 9 days ago"),
        ({"now_at": 1e9 + 3_700}, "written last 62 min ago"),
        ({"evicts": True}, "drops keys"),
        ({"all_events": Kept(10, 1e9 - 1_800, 1e9, None)}, "of 30 min"),
    ],
)
def test_what_may_lose_events_is_a_warning(changed: dict[str, object], word: str) -> None:
    found = [one for one in judged(facts(**changed)) if one.level is not Level.OK]
    assert [one.level for one in found] == [Level.WARNING]
    assert word in found[0].says


def test_what_cannot_be_seen_is_not_called_right() -> None:
    found = list(judged(facts(appendonly=None, saves=None, evicts=None)))
    assert [one.level for one in found] == [Level.OK, Level.UNKNOWN]
