"""A request is carried to the owner once, in time, and every end of it is an answer."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.cluster import carried as module
from actors.cluster.begun_requests import KEPT_MOST, KEY, SLACK_S, BegunRequests
from actors.cluster.carried import Carrier, NotCarried
from actors.cluster.messages import (
    CarriedAnswer,
    CarriedRequest,
    LightAnswered,
    Message,
    decode,
    encode,
)
from actors.cluster.replies import Replies
from actors.cluster.router import Router, RouterPorts
from actors.messaging.reply import Reply
from actors.replace import replace
from store.engine.memory import Fate, MemoryEngine, MemoryServers
from store.engine.port import INBOX_MOST, Post
from store.engine.shards import FLEET
from store.errors import StoreError, StoreTaken
from store.port import Put, Record, Write
from tests.actors.cluster.cluster_kit import START

REQUEST = CarriedRequest(0, "", 0.0, "GET", "/api/v1/rollouts")


class Process:
    """One end."""

    def __init__(self, servers: MemoryServers, boot: str, ahead_s: float = 0.0) -> None:
        self.engine = MemoryEngine(servers)
        self.owner = "owner"
        self.stored: list[Write] = []
        self.fails: StoreError | None = None
        rng = random.Random(boot)
        self.replies = Replies(self.engine, rng, boot=boot)
        ports = RouterPorts(
            here=lambda shard: False,
            knows=lambda dev_eui: True,
            light=lambda message: None,
            fleet=lambda message: None,
        )
        self.router = Router(self.engine, ports, self.replies, rng, boot=boot)
        self.carrier = Carrier(
            self.router,
            self.replies,
            RunClock(START + ahead_s),
            owner=lambda shard: self.owner,
            engine_time=self.engine.time,
            commit=self._commit,
        )

    async def _commit(self, writes: Sequence[Write]) -> None:
        await trio.lowlevel.checkpoint()
        if self.fails is not None:
            raise self.fails
        self.stored += writes

    @property
    def meta(self) -> list[Record]:
        """Of the fleet's shard, as whoever takes it reads it."""
        puts = {one.key: one for one in self.stored if isinstance(one, Put)}
        return [Record(one.key, one.value, one.at) for one in puts.values()]

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        await self.engine.open()
        async with trio.open_nursery() as nursery:
            await nursery.start(self.router.run)
            await nursery.start(self.replies.run)
            await nursery.start(self.carrier.run)
            await nursery.start(self.engine.hear, lambda name: self.replies.ring())
            task_status.started()

    async def read(self, after: str = "0-0") -> list[tuple[str, Message]]:
        """Take what lies in the fleet's inbox."""
        found = []
        for entry in (await self.engine.read_inboxes({FLEET: after}, 100))[FLEET]:
            message = decode(entry.message)
            found.append((entry.id, message))
            assert isinstance(message, CarriedRequest)
            self.carrier.take(message, fleetwide=True)
        return found


@asynccontextmanager
async def two(
    servers: MemoryServers | None = None, *, apart_s: float = 0.0
) -> AsyncIterator[tuple[Process, Process]]:
    servers = servers or MemoryServers()
    asks, owns = Process(servers, "a"), Process(servers, "b", apart_s)
    async with trio.open_nursery() as nursery:
        await nursery.start(asks.run)
        await nursery.start(owns.run)
        yield asks, owns
        nursery.cancel_scope.cancel()


async def echo(request: CarriedRequest) -> CarriedAnswer:
    await trio.lowlevel.checkpoint()
    return CarriedAnswer(request.id, 200, (("X", "y"),), request.path.encode())


async def reads(owns: Process) -> None:
    after = "0-0"
    while True:
        for entry_id, _ in await owns.read(after):
            after = entry_id
        await trio.sleep(0.05)


async def test_the_answer_comes_back_to_whoever_asked(autojump_clock: object) -> None:
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        owns.carrier.serve = echo
        nursery.start_soon(reads, owns)
        answers = []

        async def ask(path: str) -> None:
            request = CarriedRequest(0, "", 0.0, "GET", path)
            answer = await asks.carrier.carry(FLEET, request)
            assert isinstance(answer, CarriedAnswer)
            answers.append((path, answer.body.decode(), answer.headers))

        async with trio.open_nursery() as asking:
            for number in range(20):
                asking.start_soon(ask, f"/{number}")
        assert all(path == body for path, body, _ in answers)
        assert len(answers) == 20
        assert len(asks.replies) == 0
        nursery.cancel_scope.cancel()


async def test_nobody_full_and_unanswered_are_told_apart(autojump_clock: object) -> None:
    async with two() as (asks, _):
        assert await asks.carrier.carry(FLEET, REQUEST, 3.0) is NotCarried.UNANSWERED
        asks.owner = ""
        assert await asks.carrier.carry(FLEET, REQUEST, 3.0) is NotCarried.NOBODY
        asks.owner = "owner"
        await asks.engine.post([Post(FLEET, b"x") for _ in range(INBOX_MOST)])
        assert await asks.carrier.carry(FLEET, REQUEST, 3.0) is NotCarried.FULL
        assert asks.carrier.statistics().unanswered == 1
        assert len(asks.replies) == 0


async def test_what_is_read_after_its_deadline_is_not_carried_out(autojump_clock: object) -> None:
    async with two() as (asks, owns):
        served: list[str] = []

        async def serve(request: CarriedRequest) -> CarriedAnswer:
            served.append(request.path)
            return await echo(request)

        owns.carrier.serve = serve
        assert await asks.carrier.carry(FLEET, REQUEST, 1.0) is NotCarried.UNANSWERED
        await trio.sleep(0.1)
        await owns.read()
        await trio.sleep(1.0)
        assert served == []
        assert owns.carrier.statistics().refused == 1


@pytest.mark.parametrize("apart_s", [-3_600.0, -15.0, 0.0, 15.0, 3_600.0])
async def test_processes_whose_clocks_differ_carry_for_each_other_and_no_longer(
    autojump_clock: object, apart_s: float
) -> None:
    """The engine's clock was set between their starts, or another server was promoted."""
    async with two(apart_s=apart_s) as (asks, owns), trio.open_nursery() as nursery:
        served: list[str] = []

        async def serve(request: CarriedRequest) -> CarriedAnswer:
            served.append(request.path)
            return await echo(request)

        owns.carrier.serve = serve
        assert await asks.carrier.carry(FLEET, REQUEST, 3.0) is NotCarried.UNANSWERED
        await trio.sleep(0.1)
        await owns.read()
        await trio.sleep(1.0)
        assert (served, owns.carrier.statistics().refused) == ([], 1)

        nursery.start_soon(reads, owns)
        answer = await asks.carrier.carry(FLEET, REQUEST)
        assert isinstance(answer, CarriedAnswer)
        assert answer.status == 200
        nursery.cancel_scope.cancel()


async def test_an_engine_whose_clock_is_set_is_read_anew(autojump_clock: object) -> None:
    set_s = [0.0]
    servers = MemoryServers(wall=lambda: START + trio.current_time() + set_s[0])
    async with two(servers) as (asks, owns), trio.open_nursery() as nursery:
        owns.carrier.serve = echo
        nursery.start_soon(reads, owns)
        assert isinstance(await asks.carrier.carry(FLEET, REQUEST), CarriedAnswer)
        set_s[0] = 3_600.0
        await trio.sleep(module.CLOCK_S / 2)  # one of them reads it before the other
        owns.carrier = Carrier(
            owns.router,
            owns.replies,
            RunClock(START),
            owner=lambda shard: "owner",
            engine_time=owns.engine.time,
            commit=owns._commit,
        )
        owns.carrier.serve = echo
        await nursery.start(owns.carrier.run)
        await trio.sleep(module.CLOCK_S / 2 + 1.0)
        answer = await asks.carrier.carry(FLEET, REQUEST)
        assert isinstance(answer, CarriedAnswer)
        assert answer.status == 200
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("behind_s", "status"), [(5.0, 200), (3_600.0, module.BUSY)])
async def test_an_older_process_whose_clock_is_behind_is_told_that_it_was_too_late(
    autojump_clock: object, behind_s: float, status: int
) -> None:
    """It writes its deadline by its own clock."""
    async with two() as (asks, owns):
        owns.carrier.serve = echo
        reply: Reply[CarriedAnswer] = Reply()
        ask = asks.replies.expect(reply)
        deadline_at = START + trio.current_time() + module.CARRY_S - behind_s
        older = CarriedRequest(ask, "a", deadline_at, "GET", "/api/v1/rollouts")
        owns.carrier.take(older)
        assert (await reply.wait(3.0)).status == status


async def test_a_request_that_lies_there_twice_is_carried_out_once(autojump_clock: object) -> None:
    """The engine has it, and its answer to the router is lost: that sends it again."""
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        served: list[int] = []

        async def serve(request: CarriedRequest) -> CarriedAnswer:
            served.append(request.id)
            return await echo(request)

        owns.carrier.serve = serve
        nursery.start_soon(reads, owns)
        asks.engine.fate = lambda request: Fate(
            unanswered=request.name == "post" and trio.current_time() < 1.0
        )
        answer = await asks.carrier.carry(FLEET, REQUEST)
        assert isinstance(answer, CarriedAnswer)
        assert answer.status == 200
        await trio.sleep(5.0)
        assert len((await owns.engine.read_inboxes({FLEET: "0-0"}, 100))[FLEET]) == 2
        assert served == [1]
        assert owns.carrier.statistics().repeated == 1
        assert isinstance(await asks.carrier.carry(FLEET, REQUEST), CarriedAnswer)
        assert served == [1, 2]
        nursery.cancel_scope.cancel()


ORDER = CarriedRequest(0, "", 0.0, "POST", "/api/v1/rollouts")


async def test_what_changes_something_is_noted_before_it_is_begun_and_never_begun_by_a_later_owner(
    autojump_clock: object,
) -> None:
    servers = MemoryServers()
    async with two(servers) as (asks, first), trio.open_nursery() as nursery:
        served: list[tuple[str, int]] = []

        def serving(name: str, owner: Process) -> None:
            async def serve(request: CarriedRequest) -> CarriedAnswer:
                if request.method == "POST":
                    assert owner.stored, "it is noted by then"
                served.append((name, request.id))
                return await echo(request)

            owner.carrier.serve = serve

        serving("first", first)
        nursery.start_soon(asks.carrier.carry, FLEET, REQUEST)
        await trio.sleep(0.1)
        nursery.start_soon(asks.carrier.carry, FLEET, ORDER)
        await trio.sleep(0.1)
        await first.read()
        await trio.sleep(0.1)
        assert sorted(served) == [("first", 1), ("first", 2)]
        before = first
        for name in ("second", "third"):
            owner = Process(servers, name)
            await nursery.start(owner.run)
            serving(name, owner)
            owner.carrier.restore(before.meta)
            nursery.start_soon(asks.carrier.carry, FLEET, ORDER)
            await trio.sleep(0.1)
            await owner.read()
            await trio.sleep(0.1)
            before = owner
        assert sorted(served[2:]) == [("second", 1), ("second", 3), ("third", 1), ("third", 4)]
        nursery.cancel_scope.cancel()


async def test_who_cannot_note_a_request_leaves_it_to_whoever_can(autojump_clock: object) -> None:
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        owns.carrier.serve = echo
        owns.fails = StoreTaken("another process's")
        nursery.start_soon(reads, owns)
        assert await asks.carrier.carry(FLEET, ORDER, 3.0) is NotCarried.UNANSWERED
        assert owns.carrier.statistics().serving == 0
        assert isinstance(await asks.carrier.carry(FLEET, REQUEST, 3.0), CarriedAnswer)
        nursery.cancel_scope.cancel()


def test_what_is_noted_is_bounded_and_not_kept_for_longer_than_it_may_be_begun() -> None:
    begun = BegunRequests()
    for number in range(KEPT_MOST + 3):
        put = begun.begin(replace(ORDER, id=number, asker="a", deadline_at=START), START)
    assert len(put.value) < 40 * KEPT_MOST
    kept = BegunRequests()
    assert list(kept.restore([Record(put.key, put.value, put.at)])) == [
        ("a", number) for number in range(3, KEPT_MOST + 3)
    ]
    later = START + SLACK_S + 1.0
    put = kept.begin(replace(ORDER, id=9, asker="b", deadline_at=later), later)
    record = Record(put.key, put.value, put.at)
    assert list(BegunRequests().restore([record])) == [("b", 9)]
    assert list(kept.restore([Record(KEY, b"odd", START)])) == []


async def test_a_handler_that_fails_takes_too_long_or_says_too_much_ends(
    autojump_clock: object,
) -> None:
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        nursery.start_soon(reads, owns)

        async def refused(status: int) -> str:
            answer = await asks.carrier.carry(FLEET, REQUEST)
            assert isinstance(answer, CarriedAnswer)
            assert (answer.status, answer.headers) == (status, ())
            return answer.body.decode()

        assert "nothing was done" in await refused(module.BUSY)

        async def fails(request: CarriedRequest) -> CarriedAnswer:
            await trio.lowlevel.checkpoint()
            raise RuntimeError("a fault")

        owns.carrier.serve = fails
        assert "failed" in await refused(module.FAILED)

        async def says_too_much(request: CarriedRequest) -> CarriedAnswer:
            await trio.lowlevel.checkpoint()
            much = random.Random(1).randbytes(module.ANSWER_BYTES_MOST + 1)
            return CarriedAnswer(request.id, 200, (), much)

        owns.carrier.serve = says_too_much
        assert "too large" in await refused(module.FAILED)

        async def hangs(request: CarriedRequest) -> CarriedAnswer:
            await trio.sleep_forever()
            raise AssertionError

        owns.carrier.serve = hangs
        assert await asks.carrier.carry(FLEET, REQUEST, 2.0) is NotCarried.UNANSWERED
        await trio.sleep(1.0)
        assert owns.carrier.statistics().serving == 0
        nursery.cancel_scope.cancel()


async def test_only_so_many_run_at_once(autojump_clock: object) -> None:
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        nursery.start_soon(reads, owns)
        release = trio.Event()

        async def waits(request: CarriedRequest) -> CarriedAnswer:
            await release.wait()
            return await echo(request)

        owns.carrier.serve = waits
        statuses: list[int] = []

        async def ask() -> None:
            answer = await asks.carrier.carry(FLEET, REQUEST)
            assert isinstance(answer, CarriedAnswer)
            statuses.append(answer.status)

        async with trio.open_nursery() as asking:
            for _ in range(module.SERVED_MOST + 3):
                asking.start_soon(ask)
            await trio.sleep(3.0)
            assert statuses == [503] * 3
            release.set()
        assert statuses[3:] == [200] * module.SERVED_MOST
        nursery.cancel_scope.cancel()


async def test_an_answer_that_a_clock_set_back_put_below_the_others_is_found(
    autojump_clock: object,
) -> None:
    """Redis drops a stream of replies after a minute; the next one's ids begin with its clock."""
    wall = [START]
    servers = MemoryServers(wall=lambda: wall[0])
    async with trio.open_nursery() as nursery:
        process = Process(servers, "asker")
        await nursery.start(process.run)
        for back_s in (0.0, 3_600.0):
            wall[0] -= back_s
            [master] = servers.masters
            assert master is not None
            master.data.replies.clear()
            reply: Reply[str] = Reply()
            ask = process.replies.expect(reply)
            answer = LightAnswered(ask, "asked")
            await process.engine.reply("asker", encode(answer))
            assert await reply.wait(2.5) == "asked"
        nursery.cancel_scope.cancel()
