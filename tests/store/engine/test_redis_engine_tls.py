"""The engine over TLS: an authority of one's own, certificates of clients, and what is wrong with
them told in words, by `serve` as by `doctor`.

The server of the tests has no TLS: a front before it speaks that. `make engines` tries servers that
have, also as masters with replicas and as a Cluster (tests/engines/engines_over_tls.py).
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from api.cli.doctor.engine import engine as doctor
from api.cli.doctor.finding import Level
from store.engine.open import engine_from_url
from store.errors import StoreRefused, StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, committed, taken, value
from tests.support.certificates import Authority, Pair
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of
from tests.support.tls_front import front


class Files:
    """What an operator has, and what may be wrong with it."""

    def __init__(self, folder: Path) -> None:
        ours, strangers = Authority(folder), Authority(folder, "stranger")
        self.authority, self.stranger = ours.certificate, strangers.certificate
        self.server = ours.signed("server")
        self.expired = ours.signed("expired", days=0)
        self.elsewhere = ours.signed("elsewhere", "DNS:elsewhere.example.org")
        self.client = ours.signed("client", "DNS:client")
        self.strange_client = strangers.signed("client", "DNS:client")
        self.missing = folder / "missing.pem"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def url_of(port: int, authority: Path, client: Pair | None = None) -> str:
    options = {"ssl_ca_certs": authority}
    if client is not None:
        options |= {"ssl_certfile": client.certificate, "ssl_keyfile": client.key}
    return f"rediss://127.0.0.1:{port}/0?{urlencode(options)}"


async def test_both_ends_show_certificates_of_an_authority_of_one_s_own(
    files: Files, server: RedisServer
) -> None:
    with front(server, files.server, files.authority) as port:
        url = url_of(port, files.authority, files.client)
        async with opened_engine(engine_from_url(url)) as engine:
            await committed(engine, commit(await taken(engine), 1))
            assert await value(engine) == b"1"
            assert list(engine.durability_warnings) == []
        [found] = await doctor(url)
        assert found.level is Level.OK, found


@pytest.mark.parametrize(
    ("server_shows", "trusted", "client_shows", "words"),
    [
        ("server", "stranger", "client", "signed by an authority that is not known here"),
        ("expired", "authority", "client", "its certificate has expired"),
        ("elsewhere", "authority", "client", "its certificate is for another host name"),
        ("server", "authority", None, "see ssl_certfile, ssl_keyfile"),
        ("server", "authority", "strange_client", "see ssl_certfile"),
        ("server", "missing", "client", "missing.pem cannot be read: No such file or directory"),
    ],
)
async def test_what_is_wrong_with_certificates_is_told_at_the_start_and_by_the_doctor(
    files: Files,
    server: RedisServer,
    server_shows: str,
    trusted: str,
    client_shows: str | None,
    words: str,
) -> None:
    client: Pair | None = getattr(files, client_shows) if client_shows else None
    with front(server, getattr(files, server_shows), files.authority) as port:
        url = url_of(port, getattr(files, trusted), client)
        engine = engine_from_url(url)
        with pytest.raises(StoreRefused) as refused:
            await engine.open()
        await engine.close()
        assert words in str(refused.value)
        [found] = await doctor(url)
        assert found.level is Level.PROBLEM
        assert words in found.says


@pytest.mark.parametrize(
    ("option", "words"),
    [("ssl_ca_certs", "no TLS: no certificate or crl found"), ("ssl_certfile", "PEM lib")],
)
async def test_a_file_that_is_half_renewed_while_the_engine_is_away_is_told(
    files: Files, tmp_path: Path, option: str, words: str
) -> None:
    """A process that runs looks around like this, too, and ends by anything but a StoreError."""
    half = tmp_path / "half.pem"
    half.write_bytes(b"")
    options = {
        "ssl_ca_certs": files.authority,
        "ssl_certfile": files.client.certificate,
        "ssl_keyfile": files.client.key,
        option: half,
    }
    await assert_told(f"rediss://127.0.0.1:{free_port()}/0?{urlencode(options)}", words)


KINDS = ["", "+sentinel", "+cluster"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_speaks_no_tls_is_told(
    files: Files, server: RedisServer, kind: str
) -> None:
    path = "/fleet" if kind == "+sentinel" else ""
    url = f"rediss{kind}://127.0.0.1:{server.port}{path}?ssl_ca_certs={files.authority}"
    words = f"127.0.0.1:{server.port} does not speak TLS; without TLS the URL is redis{kind}://"
    await assert_told(url, words)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("server_shows", ["server", "expired"])
async def test_a_server_that_speaks_tls_where_the_url_does_not_is_told(
    files: Files, server: RedisServer, kind: str, server_shows: str
) -> None:
    """It closes the connection, and says nothing."""
    with front(server, getattr(files, server_shows), files.authority) as port:
        path = "/fleet" if kind == "+sentinel" else ""
        words = f"127.0.0.1:{port} speaks TLS; over TLS the URL is rediss{kind}://"
        await assert_told(f"redis{kind}://127.0.0.1:{port}{path}", words)


async def test_a_master_that_speaks_tls_behind_sentinels_that_do_not_is_told(
    files: Files, server: RedisServer
) -> None:
    with (
        front(server, files.server, files.authority) as port,
        RedisServer(sentinel=True) as sentinel,
    ):
        watch = ("SENTINEL", "MONITOR", "fleet", "127.0.0.1", port, 1)
        client_of(sentinel).execute_command(*watch)
        url = f"redis+sentinel://127.0.0.1:{sentinel.port}/fleet"
        await assert_told(url, f"127.0.0.1:{port} speaks TLS")


async def test_of_a_server_that_answers_nobody_nothing_is_said_of_tls() -> None:
    with RedisServer() as server:
        server.freeze()
        try:
            for url in (server.url, server.url.replace("redis://", "rediss://")):
                engine = engine_from_url(url)
                with pytest.raises(StoreUnavailable) as unavailable:
                    await engine.open()
                await engine.close()
                assert "speak" not in str(unavailable.value)
        finally:
            server.thaw()


async def assert_told(url: str, words: str) -> None:
    """At a start, which is refused, and by the doctor."""
    engine = engine_from_url(url)
    with pytest.raises(StoreRefused) as refused:
        await engine.open()
    await engine.close()
    assert words in str(refused.value)
    [found] = await doctor(url)
    assert found.level is Level.PROBLEM
    assert words in found.says
