"""The engine over TLS: an authority of one's own, certificates of clients, and what is wrong with
them told in words, by `serve` as by `doctor`.

The server of the tests has no TLS: a front before it speaks that. `make engines` tries servers that
have, also as masters with replicas and as a Cluster (tests/engines/engines_over_tls.py).
"""

import select
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from api.cli.doctor.engine import engine as doctor
from api.cli.doctor.finding import Level
from store.engine.open import engine_from_url
from store.errors import StoreError, StoreRefused, StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, committed, taken, value
from tests.support.certificates import Authority, Pair
from tests.support.redis_server import RedisServer

PIECE_BYTES = 65_536
SHAKEN_S = 10.0
END_S = 30.0


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


@contextmanager
def front(server: RedisServer, own: Pair, asks_for: Path) -> Iterator[int]:
    """The port of a front that shows a certificate, and asks clients for one. In threads, whose
    sockets tell a client what is wrong with its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    context.load_verify_locations(asks_for)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(20) as threads:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threads.submit(serve, client)

        def serve(plain: socket.socket) -> None:
            plain.settimeout(SHAKEN_S)
            with (
                suppress(OSError),
                context.wrap_socket(plain, server_side=True) as client,
                socket.create_connection(("127.0.0.1", server.port)) as behind,
            ):
                pass_on(client, behind)

        threads.submit(accept)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def pass_on(client: ssl.SSLSocket, behind: socket.socket) -> None:
    """By one thread: TLS is not read and written by two at once."""
    while True:
        ready = [client] if client.pending() else select.select([client, behind], [], [], END_S)[0]
        for each in ready:
            data = each.recv(PIECE_BYTES)
            if not data:
                return
            (behind if each is client else client).sendall(data)
        if not ready:
            return


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
        with pytest.raises(StoreError) as refused:
            await engine.open()
        await engine.close()
        assert words in str(refused.value)
        if client_shows == "client":  # else the server refuses, and may be gone before it says so
            assert isinstance(refused.value, StoreRefused)
        [found] = await doctor(url)
        assert found.level is Level.PROBLEM
        assert words in found.says


@pytest.mark.parametrize("kind", ["rediss", "rediss+sentinel", "rediss+cluster"])
async def test_a_server_that_speaks_no_tls_is_told(
    files: Files, server: RedisServer, kind: str
) -> None:
    path = "/fleet" if "sentinel" in kind else ""
    url = f"{kind}://127.0.0.1:{server.port}{path}?ssl_ca_certs={files.authority}"
    engine = engine_from_url(url)
    with pytest.raises(StoreUnavailable, match="nobody answers in TLS there"):
        await engine.open()
    await engine.close()
