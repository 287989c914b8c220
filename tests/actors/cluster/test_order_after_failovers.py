"""Which of a light's commands is the newest is told by the engine, whatever happened to it since.

Commands go through production code, from their acceptance to the light's own step: two processes
whose clocks are an hour apart, an engine whose servers' clocks are as wrong, and a light that is
told of what lies in its inbox.
"""

from collections.abc import Sequence

import pytest
import trio

from actors.cluster.commands import marked_again
from actors.cluster.messages import CommandTaken, ForLight, decode, encode, placed
from actors.device.command import Command, CommandStatus, StepKind
from actors.device.effects import CommandChanged
from actors.device.events import CommandRequested, WithdrawRequested
from actors.device.machine import step
from actors.device.model import Device, Newest
from actors.device.policy import Policy
from actors.device.records import device_put
from lorawan.kuando import LightState
from store.engine.memory import Fate, MemoryEngine, MemoryServers
from store.engine.places import place_of
from store.engine.port import Accept, InboxEntry, Post
from store.engine.shards import shard_of
from store.errors import StoreUnavailable
from store.shards import ShardStore

EUI = "2020200000000001"
SHARD = shard_of(EUI)
NOW = 1_750_000_000.0
HOUR_S = 3_600.0
RED = LightState(red=255, blue=0, green=0)


class Fleet:
    """Two processes, `ahead` and `right`, and one light."""

    def __init__(self) -> None:
        self.clock_s = 0.0
        wall = lambda: NOW + trio.current_time() + self.clock_s  # noqa: E731
        self.servers = MemoryServers(replicas=1, wall=wall)
        self.stores: dict[str, ShardStore] = {}
        self.light = Device(dev_eui=EUI)
        self.commands: dict[str, Command] = {}

    async def begin(self) -> None:
        for name in ("ahead", "right"):
            store = ShardStore(MemoryEngine(self.servers), name)
            store.listen(accepted_again=marked_again)
            await store.open()
            self.stores[name] = store
        right = self.stores["right"]
        lease = await right.engine.take(SHARD, (await right.engine.look([SHARD]))[SHARD], "right")
        assert lease is not None
        right.own(SHARD, lease)
        await right.commit([device_put(self.light, NOW)])

    async def accept(self, by: str, command_id: str) -> None:
        """Answered, by a process whose clock may be an hour ahead."""
        at = NOW + trio.current_time() + (HOUR_S if by == "ahead" else 0.0)
        request = CommandRequested(command_id, RED, keep=True, ttl_s=600.0, accepted_at=at)
        asked = Accept(SHARD, EUI, command_id, b"{}", encode(CommandTaken(EUI, request)), at)
        await self._again(lambda: self.stores[by].accept(asked))
        await trio.sleep(0.01)

    async def fail_over(self, clock_s: float) -> None:
        """What no replica has is lost; the next server's clock is off by so much."""
        self.servers.fail_over()
        self.clock_s = clock_s
        for store in self.stores.values():
            store.engine.connected.clear()  # type: ignore[attr-defined]
        await trio.sleep(0.1)

    def hold(self, held: bool = True) -> None:
        for master in self.servers.masters:
            for replica in master.replicas if master else ():
                replica.held = held

    async def repeat(self, by: str) -> None:
        self.stores[by].doubt()
        await self._again(self.stores[by].check)
        await trio.sleep(0.01)

    async def inbox(self) -> Sequence[InboxEntry]:
        return (await self.stores["right"].engine.read_inboxes({SHARD: "0-0"}, 99))[SHARD]

    def tell(self, entries: Sequence[InboxEntry]) -> None:
        for entry in entries:
            message = placed(decode(entry.message), entry)
            assert isinstance(message, CommandTaken | ForLight)
            event = message.request if isinstance(message, CommandTaken) else message.event
            at = NOW + trio.current_time()
            self.light, effects = step(self.light, event, at, 0.5, Policy())
            for effect in effects:
                if isinstance(effect, CommandChanged):
                    self.commands[effect.command.id] = effect.command

    @property
    def wanted(self) -> str:
        return "" if self.light.wanted is None else self.light.wanted.command_id

    async def _again(self, ask: object) -> None:
        while True:
            try:
                await ask()  # type: ignore[operator]
            except StoreUnavailable:
                await trio.sleep(0.1)
            else:
                return


@pytest.mark.parametrize("repeating", [("ahead", "right"), ("right", "ahead")])
@pytest.mark.parametrize("clock_s", [-HOUR_S, 0.0, HOUR_S])
async def test_of_two_that_are_repeated_the_later_one_is_wanted(
    repeating: Sequence[str], clock_s: float, autojump_clock: object
) -> None:
    fleet = Fleet()
    await fleet.begin()
    fleet.hold()
    await fleet.accept("ahead", "older")
    await fleet.accept("right", "newer")
    await fleet.fail_over(clock_s)
    assert list(await fleet.inbox()) == []
    for by in repeating:
        await fleet.repeat(by)
    fleet.tell(await fleet.inbox())
    assert fleet.wanted == "newer"
    assert fleet.commands["older"].superseded_by == "newer"


@pytest.mark.parametrize("clock_s", [-HOUR_S, HOUR_S])
async def test_what_came_after_the_failover_is_newer_and_what_came_before_is_older(
    clock_s: float, autojump_clock: object
) -> None:
    fleet = Fleet()
    await fleet.begin()
    await fleet.accept("ahead", "kept")
    fleet.tell(await fleet.inbox())
    fleet.hold()
    await fleet.accept("right", "lost")
    await fleet.fail_over(clock_s)
    await fleet.repeat("right")
    fleet.tell((await fleet.inbox())[1:])
    assert fleet.wanted == "lost", "the clock of whoever accepted the other is ahead"

    fleet.hold()
    await fleet.accept("ahead", "lost too")
    await fleet.fail_over(-clock_s)
    await fleet.accept("right", "fresh")
    await fleet.repeat("ahead")
    fleet.tell((await fleet.inbox())[2:])
    assert fleet.wanted == "fresh"
    assert fleet.commands["lost too"].superseded_by == "fresh"


async def test_two_failovers_in_a_row_turn_nothing_round(autojump_clock: object) -> None:
    """The second has nothing of what the first promoted server took."""
    fleet = Fleet()
    await fleet.begin()
    fleet.hold()
    await fleet.accept("ahead", "first")
    await fleet.fail_over(HOUR_S)
    fleet.hold()
    await fleet.accept("ahead", "second")
    await fleet.fail_over(-HOUR_S)
    await fleet.accept("right", "third")
    fleet.tell(await fleet.inbox())
    await fleet.repeat("ahead")
    fleet.tell((await fleet.inbox())[1:])
    assert fleet.wanted == "third"
    assert {fleet.commands[one].superseded_by for one in ("first", "second")} == {"third"}


async def test_a_reader_that_comes_to_the_newer_first_leaves_it_the_newest(
    autojump_clock: object,
) -> None:
    """Its connection went over to another master, in whose inbox it stood somewhere between."""
    fleet = Fleet()
    await fleet.begin()
    for number in range(3):
        await fleet.accept("right", f"c{number}")
    entries = await fleet.inbox()
    fleet.tell([entries[2], entries[0], entries[1]])
    assert fleet.wanted == "c2"
    assert fleet.commands["c0"].superseded_by == fleet.commands["c1"].superseded_by == "c2"
    assert [one.kind for one in fleet.commands["c0"].timeline] == [
        StepKind.ACCEPTED,
        StepKind.SUPERSEDED,
    ]


async def test_a_command_stays_taken_back_that_is_read_after_that(autojump_clock: object) -> None:
    fleet = Fleet()
    await fleet.begin()
    await fleet.accept("right", "c0")
    nothing = encode(ForLight(EUI, WithdrawRequested(None, want_nothing=True)))
    await fleet.stores["right"].engine.post([Post(SHARD, nothing)])
    await fleet.accept("right", "c1")
    entries = await fleet.inbox()
    fleet.tell([entries[1], entries[0]])
    assert fleet.wanted == ""
    assert fleet.commands["c0"].status is CommandStatus.WITHDRAWN
    fleet.tell([entries[2], entries[1]])
    assert fleet.wanted == "c1", "nothing of it was taken back"


async def test_a_command_whose_first_answer_was_lost_is_repeated_as_well(
    autojump_clock: object,
) -> None:
    fleet = Fleet()
    await fleet.begin()
    fleet.hold()
    engine = fleet.stores["right"].engine
    assert isinstance(engine, MemoryEngine)
    fates = iter([Fate(unanswered=True)])
    engine.fate = lambda request: next(fates, Fate()) if request.name == "accept" else Fate()
    await fleet.accept("right", "c0")
    await fleet.fail_over(0.0)
    await fleet.repeat("right")
    fleet.tell(await fleet.inbox())
    assert fleet.wanted == "c0"


async def test_a_light_that_came_from_another_engine_takes_commands(
    autojump_clock: object,
) -> None:
    """A copy of a fleet with many failovers behind it was put back into a new engine."""
    fleet = Fleet()
    elsewhere = "12:99999999.aaaaaaaa.bbbbbbbb.cccccccc"
    fleet.light = Device(dev_eui=EUI, newest=Newest("old", place_of(elsewhere, "9000000000000-0")))
    await fleet.begin()
    await fleet.accept("right", "c0")
    fleet.tell(await fleet.inbox())
    assert fleet.wanted == "c0"
