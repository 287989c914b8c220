"""Servers that speak TLS themselves, among themselves as well: one, a master with replicas and
Sentinels, a Cluster. Each shows a certificate and asks for one. Not collected by itself: the server
of the other tests is built without TLS. `make engines` runs it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis

from lorawan.stream.entries import BEGINNING
from lorawan.stream.redis_source import RedisSource
from store.engine.open import engine_from_url
from store.engine.port import Applied
from store.errors import StoreError, StoreRefused
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, committed, taken, value
from tests.store.engine.test_redis_engine_failovers import pressed
from tests.support.certificates import Authority
from tests.support.redis_server import RedisServer, Tls
from tests.support.redis_sites import ClusterServers, ReplicatedServers, client_of

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    return Tls(authority.certificate, *authority.signed("server"))


@pytest.fixture(params=["server", "sentinel", "cluster"])
def site(
    request: pytest.FixtureRequest, tls: Tls
) -> Iterator[RedisServer | ReplicatedServers | ClusterServers]:
    with ExitStack() as stack:
        match request.param:
            case "server":
                yield stack.enter_context(RedisServer(tls=tls))
            case "sentinel":
                yield stack.enter_context(ReplicatedServers(tls=tls, down_after_s=2.0))
            case _:
                yield stack.enter_context(ClusterServers(tls=tls, node_timeout_s=1.0))


async def test_what_is_committed_over_tls_is_there(
    site: RedisServer | ReplicatedServers | ClusterServers,
) -> None:
    async with opened_engine(engine_from_url(site.url)) as engine:
        lease = await taken(engine)
        await committed(engine, commit(lease, 1))
        assert await value(engine) == b"1"
        assert list(engine.durability_warnings) == []


async def test_a_fail_over_is_found_out_over_tls(tls: Tls) -> None:
    with ReplicatedServers(tls=tls, down_after_s=2.0) as site:
        async with opened_engine(engine_from_url(site.url)) as engine:
            lease = await taken(engine)
            await committed(engine, commit(lease, 1))
            site.master.kill()
            result = await pressed(engine, commit(lease, 2))
            assert result.applied in {Applied.DONE, Applied.REPEATED}
            assert await value(engine) == b"2"


async def test_without_a_certificate_of_the_client_the_start_says_so(tls: Tls) -> None:
    with RedisServer(tls=tls) as server:
        url = f"rediss://127.0.0.1:{server.port}?ssl_ca_certs={tls.authority}"
        engine = engine_from_url(url)
        with pytest.raises(StoreError, match="see ssl_certfile"):
            await engine.open()
        await engine.close()


async def test_a_url_without_tls_is_refused_in_words(
    site: RedisServer | ReplicatedServers | ClusterServers,
) -> None:
    scheme, _, rest = site.url.partition("://")
    engine = engine_from_url(f"{scheme.replace('rediss', 'redis')}://{rest.partition('?')[0]}")
    with pytest.raises(StoreRefused, match=f"speaks TLS; over TLS the URL is {re.escape(scheme)}"):
        await engine.open()
    await engine.close()


async def test_chirpstacks_stream_is_read_over_tls(tls: Tls) -> None:
    with RedisServer(tls=tls) as server:
        client: redis.Redis = client_of(server)
        client.xadd("device:stream:event", {"up": b"body"})
        source = RedisSource(server.url)
        page = await source.read(BEGINNING, None, most=9, wait_s=0.1)
        assert [entry.body for entry in page.entries] == [b"body"]
        await source.close()


async def test_chirpstacks_stream_is_read_from_a_cluster_over_tls(tls: Tls) -> None:
    with ClusterServers(tls=tls) as site:
        source = RedisSource(site.url)
        page = await source.read(BEGINNING, None, most=9, wait_s=0.1)
        assert page.entries == []
        await source.close()
