"""The follower of the live websocket: it comes back, and goes on where it was."""

import random

import trio

from api.cli.client.live import Follower, Lost, Message
from api.cli.client.place import Place
from api.settings.model import ApiSettings, ChirpStack
from tests.support.fake_application import FakeApplication, a_light
from tests.support.ports import free_port
from tests.support.web_server import PATIENCE_S, Server


async def the_next(news: trio.MemoryReceiveChannel[Message | Lost], kind: str) -> Message:
    """The next message of this kind; what else comes is passed over."""
    async for message in news:
        if isinstance(message, Message) and message.kind == kind:
            return message
    raise AssertionError("the channel ended")


async def test_after_a_break_only_what_was_missed_is_sent() -> None:
    application, port = FakeApplication(), free_port()
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    settings = ApiSettings(chirpstack=chirpstack, web={"port": port})
    send, news = trio.open_memory_channel[Message | Lost](100)
    follower = Follower(Place.of(f"127.0.0.1:{port}", None), jitter=random.Random(1))
    with trio.fail_after(2 * PATIENCE_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(application.board.run)
            first = Server(application, settings)
            await nursery.start(first.run)
            nursery.start_soon(follower.run, send)
            assert (await the_next(news, "hello")).body["resumed"] is False
            assert len((await the_next(news, "snapshot")).body["devices"]) == 1
            await first.stop()
            async for message in news:
                if isinstance(message, Lost):
                    assert message.retry_s <= 0.5
                    break
            application.board.publish(a_light(name="Meanwhile"))
            second = Server(application, settings)
            await nursery.start(second.run)
            assert (await the_next(news, "hello")).body["resumed"] is True
            changes = (await the_next(news, "changes")).body["changes"]
            assert [each["what"]["name"] for each in changes] == ["Meanwhile"]
            nursery.cancel_scope.cancel(reason="the test is over")
