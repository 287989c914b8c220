"""Messages go straight where that is here, else into inboxes; answers come back."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio

from actors.cluster import answers
from actors.cluster import router as module
from actors.cluster.messages import (
    CarriedAnswer,
    ForLight,
    ForLights,
    LightAnswered,
    LightForgotten,
    Message,
    decode,
    encode,
)
from actors.cluster.replies import NotAnswered, Replies
from actors.cluster.router import Posted, Router, RouterPorts
from actors.device.events import GatewayReturned, StatusRequested, Swept
from actors.messaging.mailbox import Offer
from actors.messaging.not_taken import NotTaken
from actors.messaging.reply import ActorError, NoReply, Reply
from actors.refusal import Refusal
from store.engine.memory import Fate, MemoryEngine, MemoryServers
from store.engine.port import INBOX_MOST, InboxEntry, Post
from store.engine.shards import FLEET, LIGHT_SHARDS
from store.errors import StoreUnavailable
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


async def all_written(router: Router) -> None:
    with trio.fail_after(60):
        while router.statistics().waiting:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)


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


@pytest.mark.parametrize("refusal", ["parked", "of a newer version"])
async def test_a_light_elsewhere_that_takes_nothing_is_told_by_its_kind_where_that_is_known(
    autojump_clock: object, refusal: str
) -> None:
    async with process(NEAR) as asks:
        reply: Reply[str] = Reply()
        asks.router.to_light(LIGHT_FAR, StatusRequested("by hand", reply))
        await trio.sleep(0.1)
        asks.router.answer(asks.router.boot, LightAnswered(1, "", "the words", refusal))
        with pytest.raises(ActorError, match="the words") as raised:
            await reply.wait(2.0)
        if refusal == "parked":
            assert isinstance(raised.value, NotTaken)
            assert raised.value.refusal is Refusal.PARKED
        else:
            assert isinstance(raised.value, NotAnswered)


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
        await all_written(here.router)
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
        await all_written(here.router)
        found = await here.inbox(FAR)
        assert found[-10:] == [LightForgotten(str(number)) for number in range(15, 25)]
        assert here.router.statistics().dropped == 15


class Nodes:
    """Two nodes of a Cluster. A call waits for each node that it asks; one that is silent answers
    nothing within two seconds."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.inbox: list[tuple[str, str]] = []
        self.calls: list[int] = []
        self.answered: list[tuple[str, float]] = []

    async def post(self, posts: Sequence[Post]) -> Sequence[bool | None]:
        await trio.sleep(0.001)
        self.calls.append(len(posts))
        for one in posts:
            if one.shard not in self.silent:
                message = decode(one.message)
                assert isinstance(message, LightForgotten)
                self.inbox.append((one.shard, message.dev_eui))
        if self.silent & {one.shard for one in posts}:
            silent = set(self.silent)
            await trio.sleep(2.0)
            if silent >= {one.shard for one in posts}:
                raise StoreUnavailable("no node answers")
            return [None if one.shard in silent else True for one in posts]
        return [True] * len(posts)

    async def reply(self, boot: str, message: bytes) -> None:
        if boot in self.silent:
            await trio.sleep(2.0)
            raise StoreUnavailable("the node does not answer")
        await trio.sleep(0.001)
        self.answered.append((boot, trio.current_time()))

    async def replies(self, boot: str, after: str, most: int) -> Sequence[InboxEntry]:
        await trio.sleep(0.001)
        return ()


@asynccontextmanager
async def over_nodes() -> AsyncIterator[tuple[Nodes, Router]]:
    nodes, rng = Nodes(), random.Random(1)
    ports = RouterPorts(
        here=lambda shard: False,
        knows=lambda dev_eui: True,
        light=lambda message: None,
        fleet=lambda message: None,
    )
    router = Router(nodes, ports, Replies(nodes, rng, boot="a"), rng, boot="a")
    async with trio.open_nursery() as nursery:
        await nursery.start(router.run)
        yield nodes, router
        nursery.cancel_scope.cancel()


async def test_a_silent_node_delays_nothing_for_the_others(autojump_clock: object) -> None:
    """Posts for a shard of it come at a rate that fills a batch within the time they are kept."""
    async with over_nodes() as (nodes, router):
        nodes.silent = {FAR}
        router.send(FAR, LightForgotten("0"))
        await trio.sleep(5)
        waited_s = []
        for number in range(1, 801):
            router.send(FAR, LightForgotten(str(number)))
            if number % 20 == 0:
                began = trio.current_time()
                assert await router.post(NEAR, encode(LightForgotten("n"))) is Posted.WRITTEN
                waited_s.append(trio.current_time() - began)
            await trio.sleep(0.05)
        assert max(waited_s) < 0.01
        kept = router.statistics().waiting
        assert 590 < kept < 650, "those of the last 30 s"
        nodes.inbox.clear()
        nodes.silent = set()
        await trio.sleep(5)
        told = [int(dev_eui) for _, dev_eui in nodes.inbox]
        assert told == list(range(told[0], 801))
        assert router.statistics().waiting == 0


async def test_a_node_that_answers_again_does_not_wait_for_another_that_does_not(
    autojump_clock: object,
) -> None:
    async with over_nodes() as (nodes, router):
        nodes.silent = {FAR, NEAR}
        for number in range(600):
            router.send(FAR, LightForgotten(str(number)))
        router.send(NEAR, LightForgotten("held up"))
        await trio.sleep(8)
        nodes.silent = {FAR}
        nodes.inbox.clear()
        await trio.sleep(6)
        assert nodes.inbox == [(NEAR, "held up")]
        began = trio.current_time()
        assert await router.post(NEAR, encode(LightForgotten("n"))) is Posted.WRITTEN
        assert trio.current_time() - began < 0.01


async def test_order_is_kept_for_each_shard_whichever_nodes_are_silent_and_when(
    autojump_clock: object,
) -> None:
    chance = random.Random(7)
    shards = LIGHT_SHARDS[:6]
    async with over_nodes() as (nodes, router):
        for number in range(400):
            if number % 10 == 0:
                nodes.silent = {one for one in shards if chance.random() < 0.3}
            router.send(chance.choice(shards), LightForgotten(f"{number:03}"))
            await trio.sleep(chance.random() * 0.1)
        nodes.silent = set()
        await all_written(router)
        assert len(nodes.inbox) == 400
        for shard in shards:
            told = [dev_eui for to, dev_eui in nodes.inbox if to == shard]
            assert told == sorted(told)


async def test_each_process_has_its_answers_whoever_else_cannot_be_answered(
    autojump_clock: object,
) -> None:
    async with over_nodes() as (nodes, router):
        nodes.silent = {"b", FAR}
        router.answer("b", LightAnswered(1, "asked"))
        router.send(FAR, LightForgotten("held up"))
        for number in range(40):
            began = trio.current_time()
            router.answer("c", LightAnswered(number, "asked"))
            await trio.sleep(0.25)
            assert nodes.answered[-1][1] - began < 0.01
        nodes.silent = set()
        await trio.sleep(3)
        assert len(nodes.answered) == 41


async def test_answers_that_wait_are_bounded_and_old_ones_are_dropped(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ANSWERS_MOST", 10)
    async with over_nodes() as (nodes, router):
        nodes.silent = {"b"}
        router.answer("c", LightAnswered(1, "asked"))
        for number in range(25):
            router.answer("b", LightAnswered(number, "asked"))
        await trio.sleep(1)
        assert [boot for boot, _ in nodes.answered] == ["c"]
        await trio.sleep(module.KEPT_S + 5)
        nodes.silent = set()
        await trio.sleep(5)
        assert [boot for boot, _ in nodes.answered] == ["c"]
        assert router.statistics().dropped == 25


async def test_what_gave_way_after_it_was_sent_may_be_written(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_MOST", 3)
    async with over_nodes() as (nodes, router):
        nodes.silent = {FAR}
        became: dict[str, Posted] = {}

        async def post(name: str) -> None:
            became[name] = await router.post(FAR, encode(LightForgotten(name)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(post, "sent")
            await trio.sleep(0.5)
            for name in ("a", "b", "c", "d"):
                nursery.start_soon(post, name)
                await trio.sleep(0.01)
        assert became["sent"] is Posted.UNKNOWN
        assert became["a"] is Posted.FULL, "certainly not written"


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
        await all_written(here.router)
        found = [one.dev_eui for one in await here.inbox(FAR)]  # type: ignore[union-attr]
        seen: list[str] = []
        for one in found:
            if one not in seen:
                seen.append(one)
        assert seen == [str(number) for number in range(100)]


async def test_long_answers_that_wait_are_bounded_by_their_bytes(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ANSWERS_BYTES_MOST", 10_000)
    async with over_nodes() as (nodes, router):
        nodes.silent = {"b", "c"}
        router.answer("c", LightAnswered(1, "asked"))
        for number in range(25):
            router.answer("b", CarriedAnswer(number, 200, (), b"x" * 900))
        await trio.sleep(1)
        nodes.silent = set()
        await trio.sleep(5)
        told = [boot for boot, _ in nodes.answered]
        assert (told.count("c"), told.count("b")) == (1, 10)
        assert router.statistics().dropped == 15
