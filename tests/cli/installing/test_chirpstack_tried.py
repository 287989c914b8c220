"""An address and a key of ChirpStack are tried together, and each failure says which is wrong."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from api.cli.installing.answers import place_at
from api.cli.installing.reach import own_address, try_place
from api.cli.installing.trial import Found, Refusal, try_chirpstack
from lorawan.chirpstack.settings import ChirpStackSettings
from simulation.world.server.grpc_server import TENANT_ID
from tests.support.grpc_caller import serve
from tests.support.ports import free_port
from tests.support.proxy import a_certificate
from tests.support.small_network import SmallNetwork


async def tried(
    port: int,
    key: str = "admin",
    *,
    tenant_id: str | None = None,
    ca_file: str | None = None,
    contains: str = "kuando",
    tls: bool | None = None,
) -> Found | Refusal:
    settings = ChirpStackSettings(
        target=f"127.0.0.1:{port}",
        api_key=key,
        tenant_id=tenant_id,
        tls=ca_file is not None,
        ca_file=ca_file,
    )
    return await try_chirpstack(settings, contains, tls=tls)


async def test_what_works_is_told_with_what_it_shows() -> None:
    async with serve(SmallNetwork()) as server:
        found = await tried(server.port)
        assert isinstance(found, Found)
        assert (found.tls, found.lights > 0, found.region) == (False, True, "EU868")
        assert found.applications
        nothing = await tried(server.port, contains="lamp post")
        assert isinstance(nothing, Found)
        assert (nothing.lights, nothing.region, nothing.applications) == (0, None, ())
        assert isinstance(await tried(server.port, "tenant", tenant_id=TENANT_ID), Found)


@pytest.mark.parametrize(
    ("key", "tenant_id", "about", "says"),
    [
        ("wrong", None, "key", "refuses our API key"),
        ("look", None, "key", "read-only"),
        ("tenant", None, "tenant", "tenant's key"),
        ("tenant", "11111111-2222-3333-4444-555555555555", "tenant", "another tenant's"),
    ],
)
async def test_a_key_that_will_not_do(
    key: str, tenant_id: str | None, about: str, says: str
) -> None:
    async with serve(SmallNetwork()) as server:
        found = await tried(server.port, key, tenant_id=tenant_id)
    assert isinstance(found, Refusal)
    assert found.about == about
    assert says in found.says
    assert found.remedy


async def test_an_address_where_nobody_is() -> None:
    found = await tried(free_port())
    assert isinstance(found, Refusal)
    assert (found.about, "is not reached" in found.says) == ("target", True)


async def test_an_address_of_something_else() -> None:
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(partial(trio.serve_listeners, web_page, listeners))
        found = await tried(listeners[0].socket.getsockname()[1])
        nursery.cancel_scope.cancel()
    assert isinstance(found, Refusal)
    assert (found.about, "not ChirpStack" in found.says) == ("target", True), found


async def web_page(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


async def test_tls_is_found_out_and_a_stranger_s_certificate_is_not_trusted(tmp_path: Path) -> None:
    pair = a_certificate(tmp_path)
    ca = str(pair[0])
    async with serve(SmallNetwork()) as server, behind_tls(server.port, pair) as port:
        untrusted = await tried(port)
        assert isinstance(untrusted, Refusal)
        assert (untrusted.about, "--ca-file" in untrusted.remedy) == ("ca", True), untrusted
        found = await tried(port, ca_file=ca)
        assert isinstance(found, Found)
        assert found.tls
        # Whoever names an authority is never given an answer in clear.
        refused = await tried(server.port, ca_file=ca)
        assert isinstance(refused, Refusal)
    missing = await tried(server.port, ca_file=str(tmp_path / "none.pem"))
    assert isinstance(missing, Refusal)
    assert missing.about == "ca"


@asynccontextmanager
async def behind_tls(upstream: int, pair: tuple[Path, Path]) -> AsyncIterator[int]:
    """A port that ends TLS in front of another one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.set_alpn_protocols(["h2"])

    async def hand_on(client: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await client.do_handshake()
            server = await trio.open_tcp_stream("127.0.0.1", upstream)
            async with server, trio.open_nursery() as both:
                both.start_soon(pump, client, server, both)
                both.start_soon(pump, server, client, both)
        except (trio.BrokenResourceError, ssl.SSLError):
            return  # who does not speak TLS, or trusts another one

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")
        await nursery.start(partial(trio.serve_listeners, hand_on, listeners))
        yield listeners[0].transport_listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def pump(source: trio.abc.Stream, sink: trio.abc.Stream, both: trio.Nursery) -> None:
    try:
        while some := await source.receive_some():
            await sink.send_all(some)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    both.cancel_scope.cancel()


async def test_our_own_address_is_asked_for_a_moment() -> None:
    place = place_at(f"http://127.0.0.1:{free_port()}")
    assert (await try_place(place)).says == f"{place.url} arrives at this machine"
    assert (await try_place(place)).well, "the port is free again at once"


async def test_an_address_that_does_not_arrive_here_is_told() -> None:
    nobody = place_at(f"http://127.0.0.1:{free_port()}", port=free_port())
    found = await try_place(nobody)
    assert (found.well, "not reached from here" in found.says) == (False, True)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(partial(trio.serve_listeners, web_page, listeners))
        taken = listeners[0].socket.getsockname()[1]
        other = await try_place(place_at(f"http://127.0.0.1:{taken}", port=free_port()))
        assert (other.well, "something else (400)" in other.says) == (False, True), other
        ours = await try_place(place_at(f"http://127.0.0.1:{taken}"))
        assert (ours.well, "cannot listen" in ours.says) == (False, True), ours
        nursery.cancel_scope.cancel()


def test_the_own_address_is_that_of_the_way_to_chirpstack() -> None:
    assert own_address("127.0.0.1:8080", 8090) == "http://127.0.0.1:8090"
    assert own_address("no.such.name.invalid:8080", 8090) == "http://127.0.0.1:8090"
