"""The live feed as an iterator, by both clients: what is, what changes, and what a break means."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from api.settings.model import ApiSettings, ChirpStack
from lamplighter.client import (
    AsyncClient,
    Change,
    Client,
    Lost,
    News,
    Refused,
    Resumed,
    Snapshot,
    Unanswered,
    models,
)
from tests.support.both_clients import KINDS, QUICK
from tests.support.fake_application import DEV_EUI, GATEWAY, FakeApplication, a_light
from tests.support.ports import free_port
from tests.support.proxy import nginx_below
from tests.support.web_server import PATIENCE_S, Server

both = pytest.mark.parametrize("kind", KINDS)


class Service:
    """One that can be stopped and started again on the same port."""

    def __init__(self, nursery: trio.Nursery, lights: int = 1, **web: Any) -> None:
        self.application = FakeApplication(lights)
        self.port = free_port()
        self._nursery = nursery
        chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
        self._settings = ApiSettings(chirpstack=chirpstack, web={"port": self.port, **web})
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = Server(self.application, self._settings)
        await self._nursery.start(self._server.run)

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop()


@asynccontextmanager
async def service(lights: int = 1, **web: Any) -> AsyncIterator[Service]:
    with trio.fail_after(2 * PATIENCE_S):
        async with trio.open_nursery() as nursery:
            here = Service(nursery, lights, **web)
            await nursery.start(here.application.board.run)
            await here.start()
            yield here
            nursery.cancel_scope.cancel(reason="the test is over")


@asynccontextmanager
async def following(
    kind: str, where: int | str, context: ssl.SSLContext | None = None, **wanted: Any
) -> AsyncIterator[AsyncIterator[News]]:
    """The feed of either client as an async iterator; a blocking one is asked in a thread. The
    service is at this port, or address."""
    at = where if isinstance(where, str) else f"http://127.0.0.1:{where}"
    if kind == "trio":
        async with AsyncClient(at, patience=QUICK, context=context) as asked:
            yield asked.live(**wanted)
        return
    with Client(at, patience=QUICK, context=context) as blocking:
        feed = blocking.live(**wanted)

        class InThread:
            def __aiter__(self) -> AsyncIterator[News]:
                return self

            async def __anext__(self) -> News:
                return await trio.to_thread.run_sync(next, iter(feed))

        yield InThread()


@both
async def test_first_all_that_is_then_each_change(kind: str) -> None:
    async with service(lights=401) as here, following(kind, here.port) as news:
        snapshot = await anext(news)
        assert isinstance(snapshot, Snapshot)
        assert (len(snapshot.devices), snapshot.after_gap) == (401, False), "its parts are one"
        assert isinstance(snapshot.devices[0], models.DeviceSummary)
        assert [each.gateway_id for each in snapshot.gateways] == [GATEWAY]
        here.application.board.publish(a_light(name="Changed"))
        change = await anext(news)
        assert isinstance(change, Change)
        assert isinstance(change.what, models.DeviceSummary)
        assert (change.what.name, change.what.phase) == ("Changed", "idle")
        assert change.number == snapshot.number + 1


@both
async def test_over_tls_and_below_a_path_an_authority_of_ones_own_is_trusted_and_no_other(
    kind: str, tmp_path: Path
) -> None:
    async with service() as here:
        with nginx_below("/lamp", here.port, tmp_path, strips=True, tls=True) as address:
            trusted = ssl.create_default_context(cafile=str(tmp_path / "site.pem"))
            async with following(kind, address, trusted) as news:
                assert isinstance(await anext(news), Snapshot)
                here.application.board.publish(a_light(name="Changed"))
                assert isinstance(await anext(news), Change)
            async with following(kind, address) as news:
                with pytest.raises(Unanswered, match="certificate"):
                    await anext(news)


@both
async def test_after_a_break_nothing_is_missed_or_a_gap_is_told(kind: str) -> None:
    async with service() as here, following(kind, here.port, dev_euis=[DEV_EUI]) as news:
        assert isinstance(await anext(news), Snapshot)
        await here.stop()
        lost = await anext(news)
        assert isinstance(lost, Lost)
        assert lost.retry_s <= 0.5
        here.application.board.publish(a_light(name="Meanwhile"))
        await here.start()
        found = [await anext(news)]
        while isinstance(found[-1], Lost):
            found.append(await anext(news))
        assert isinstance(found[-1], Resumed)
        change = await anext(news)
        assert isinstance(change, Change)
        assert isinstance(change.what, models.DeviceSummary)
        assert change.what.name == "Meanwhile"
        await here.stop()
        here.application.board.boot = "boot-2"  # another run of the service: its numbers are new
        await here.start()
        after = await anext(news)
        while isinstance(after, Lost):
            after = await anext(news)
        assert isinstance(after, Snapshot)
        assert after.after_gap


@both
async def test_a_first_connection_that_fails_is_told_at_once(kind: str) -> None:
    async with following(kind, free_port()) as news:
        with pytest.raises(Unanswered, match="no service answers"):
            await anext(news)
    async with service() as here:
        async with following(kind, here.port, kinds=["nonsense"]) as news:
            with pytest.raises(Refused, match="kind") as refused:
                await anext(news)
        assert refused.value.slug == "invalid"


async def test_to_wait_for_news_may_be_cancelled_and_goes_on() -> None:
    async with service() as here, following("trio", here.port) as news:
        assert isinstance(await anext(news), Snapshot)
        for _ in range(3):
            with trio.move_on_after(0.02) as waiting:
                await anext(news)
            assert waiting.cancelled_caught
        here.application.board.publish(a_light(name="After all"))
        change = await anext(news)
        assert isinstance(change, Change), "the connection was kept"


async def test_what_a_service_says_of_kinds_unknown_here_is_passed_over() -> None:
    from lamplighter.client.live.follow import Message
    from lamplighter.client.live.news import Reader

    changes = [{"number": 1, "at": 1.0, "kind": "hologram", "what": {"id": "x"}}]
    told: Iterator[News] = Reader().take(Message("changes", {"changes": changes}))
    assert list(told) == []
    assert list(Reader().take(Message("weather", {"number": 2}))) == []
