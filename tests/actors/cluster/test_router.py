"""Messages go straight where that is here, else into inboxes; answers come back."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.cluster import router as module
from actors.cluster.messages import (
    ForLight,
    ForLights,
    LightAnswered,
    LightForgotten,
    Message,
    decode,
)
from actors.cluster.replies import NotAnswered, Replies
from actors.cluster.router import Posted, Router, RouterPorts
from actors.device.events import GatewayReturned, StatusRequested, Swept
from actors.messaging.mailbox import Offer
from actors.messaging.reply import NoReply, Reply
from store.engine.memory import Fate, MemoryEngine, MemoryServers
from store.engine.port import INBOX_MOST, Post
from store.engine.shards import FLEET, LIGHT_SHARDS
from tests.actors.cluster.cluster_kit import dev_euis

NEAR, FAR = "07", "08"
[LIGHT_NEAR] = dev_euis(NEAR, 1)
[LIGHT_FAR] = dev_euis(FAR, 1)


class Process:
    """One process that owns some shards."""

    def __init__(self, servers: MemoryServers, boot: str, *shards: str) -> None:
        self.engine = MemoryEngine(servers)
        self.shards = set(shards)
        self.got: list[Message] = []
        rng = random.Random(boot)
        self.replies = Replies(self.engine, rng, boot=boot)
        ports = RouterPorts(
            here=lambda shard: shard in self.shards,
            knows=lambda dev_eui: dev_eui in {LIGHT_NEAR, LIGHT_FAR},
            light=self._light,
            fleet=self.got.append,
        )
        self.router = Router(self.engine, ports, self.replies, rng, boot=boot)

    def _light(self, message: Message) -> Offer:
        self.got.append(message)
        return Offer.ACCEPTED

    async def inbox(self, shard: str) -> list[Message]:
        entries = (await self.engine.read_inboxes({shard: "0-0"}, 10_000)).get(shard, [])
        return [decode(entry.message) for entry in entries]


@asynccontextmanager
async def process(
    *shards: str, servers: MemoryServers | None = None, boot: str = "a"
) -> AsyncIterator[Process]:
    one = Process(servers or MemoryServers(), boot, *shards)
    await one.engine.open()
    async with trio.open_nursery() as nursery:
        await nursery.start(one.router.run)
        await nursery.start(one.replies.run)
        yield one
        nursery.cancel_scope.cancel()


async def test_a_light_here_is_told_at_once_and_one_elsewhere_by_its_inbox(
    autojump_clock: object,
) -> None:
    async with process(NEAR) as here:
        assert here.router.to_light(LIGHT_NEAR, Swept()) is Offer.ACCEPTED
        assert here.got == [ForLight(LIGHT_NEAR, Swept())]
        assert here.router.to_light(LIGHT_FAR, Swept()) is Offer.ACCEPTED
        await trio.sleep(0.1)
        assert await here.inbox(FAR) == [ForLight(LIGHT_FAR, Swept())]
        assert here.router.to_light("ff" * 8, Swept()) is None


async def test_news_for_all_lights_goes_to_every_shard_once(autojump_clock: object) -> None:
    async with process(NEAR) as here:
        news = GatewayReturned("gw")
        here.router.to_lights(news, "gw")
        await trio.sleep(0.1)
        assert here.got == [ForLights(news, "gw")]
        for shard in LIGHT_SHARDS:
            expected = [] if shard == NEAR else [ForLights(news, "gw")]
            assert await here.inbox(shard) == expected


async def test_the_fleet_is_told_where_it_is(autojump_clock: object) -> None:
    async with process() as away:
        away.router.to_fleet(LightForgotten(LIGHT_NEAR))
        await trio.sleep(0.1)
        assert await away.inbox(FLEET) == [LightForgotten(LIGHT_NEAR)]
        away.shards.add(FLEET)
        away.router.to_fleet(LightForgotten(LIGHT_FAR))
        assert away.got == [LightForgotten(LIGHT_FAR)]


async def test_what_a_light_elsewhere_answers_resolves_the_reply(autojump_clock: object) -> None:
    servers = MemoryServers()
    async with (
        process(NEAR, servers=servers, boot="a") as asks,
        process(FAR, servers=servers, boot="b") as has,
    ):
        reply: Reply[str] = Reply()
        asks.router.to_light(LIGHT_FAR, StatusRequested("by hand", reply))
        await trio.sleep(0.1)
        [message] = await has.inbox(FAR)
        assert isinstance(message, ForLight)
        assert (message.asker, message.event) == ("a", StatusRequested("by hand"))
        has.router.answer(message.asker, LightAnswered(message.ask, "asked"))
        assert await reply.wait(2.0) == "asked"

        failing: Reply[str] = Reply()
        asks.router.to_light(LIGHT_FAR, StatusRequested("by hand", failing))
        await trio.sleep(0.1)
        message = (await has.inbox(FAR))[-1]
        assert isinstance(message, ForLight)
        has.router.answer("a", LightAnswered(message.ask, failure="parked"))
        with pytest.raises(NotAnswered, match="parked"):
            await failing.wait(2.0)
        assert len(asks.replies) == 0


async def test_a_question_that_nobody_answers_ends(autojump_clock: object) -> None:
    async with process() as asks:
        reply: Reply[str] = Reply()
        asks.router.to_light(LIGHT_FAR, StatusRequested("by hand", reply))
        with pytest.raises(NoReply):
            await reply.wait(60.0)
        assert len(asks.replies) == 0


async def test_whoever_has_to_know_is_told(autojump_clock: object) -> None:
    async with process() as here:
        assert await here.router.post(FAR, b"one") is Posted.WRITTEN
        await here.engine.post([Post(FAR, b"x") for _ in range(INBOX_MOST)])
        assert await here.router.post(FAR, b"two") is Posted.FULL
        here.engine.cut_off = True
        assert await here.router.post(NEAR, b"three") is Posted.UNKNOWN


async def test_messages_wait_for_the_engine_in_order_and_old_news_is_dropped(
    autojump_clock: object,
) -> None:
    async with process() as here:
        here.engine.cut_off = True
        here.router.send(FAR, LightForgotten("old"))
        await trio.sleep(module.KEPT_S / 2)
        for number in range(1_200):
            here.router.send(FAR, LightForgotten(str(number)))
        await trio.sleep(module.KEPT_S / 2 + 5)
        here.engine.cut_off = False
        with trio.fail_after(10):
            await here.router.flush()
        assert await here.inbox(FAR) == [LightForgotten(str(number)) for number in range(1_200)]
        assert here.router.statistics().dropped == 1


async def test_what_waits_is_bounded_and_the_oldest_gives_way(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_MOST", 10)
    async with process() as here:
        here.engine.cut_off = True
        for number in range(25):
            here.router.send(FAR, LightForgotten(str(number)))
            await trio.sleep(0.1)
        here.engine.cut_off = False
        await here.router.flush()
        found = await here.inbox(FAR)
        assert found[-10:] == [LightForgotten(str(number)) for number in range(15, 25)]
        assert here.router.statistics().dropped == 15


async def test_a_node_that_is_silent_holds_up_its_own_shards_only(autojump_clock: object) -> None:
    servers = MemoryServers(masters=2)
    part = {shard: servers.part_of(shard) for shard in (NEAR, FAR)}
    assert part[NEAR] != part[FAR]
    async with process(servers=servers) as here:
        servers.stop(part[FAR])
        here.router.send(FAR, LightForgotten("held up"))
        await trio.sleep(0.1)
        here.router.send(NEAR, LightForgotten("goes"))
        await trio.sleep(5)
        assert await here.inbox(NEAR) == [LightForgotten("goes")]
        servers.go_on(part[FAR])
        await here.router.flush()
        assert await here.inbox(FAR) == [LightForgotten("held up")]


@pytest.mark.parametrize("seed", range(10))
async def test_nothing_is_lost_and_order_is_kept_whatever_happens_to_calls(
    autojump_clock: object, seed: int
) -> None:
    chance = random.Random(seed)
    async with process() as here:
        here.engine.fate = lambda request: Fate(
            lost=chance.random() < 0.1, unanswered=chance.random() < 0.1
        )
        for number in range(100):
            here.router.send(FAR, LightForgotten(str(number)))
            await trio.sleep(chance.random() * 0.05)
        here.engine.fate = lambda request: Fate()
        await here.router.flush()
        found = [one.dev_eui for one in await here.inbox(FAR)]  # type: ignore[union-attr]
        seen: list[str] = []
        for one in found:
            if one not in seen:
                seen.append(one)
        assert seen == [str(number) for number in range(100)]
