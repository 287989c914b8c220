"""The board of a process shows what others stored, as soon as they did and as they did."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio

from actors.alerts.decision import StoredAlert
from actors.board import lights_by_shard
from actors.board.board import Board
from actors.board.changes import ActorView, AlertView, DeviceRemoved, GatewayView, Subject
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead
from actors.board.rollout import Rollout
from actors.clocks.clock import RunClock
from actors.cluster import feed_board, views
from actors.cluster.feed_board import FeedBoard
from actors.cluster.follower import PATIENCE_S, POLL_S, Follower
from actors.device.command import Command, CommandStatus
from actors.device.model import Device
from actors.device.records import command_record, device_put
from actors.replace import replace
from actors.rollouts.repository import rollout_put
from actors.storage.record_version import stamped
from actors.supervision import ChildState
from store.engine.feeds import FEED_KEPT
from store.engine.memory import Fate, MemoryEngine, MemoryServers, Request
from store.engine.memory.way import ANSWER_S
from store.engine.port import FEED_BELL, Commit, Lease
from store.engine.shards import ALL_SHARDS, FLEET, shard_of
from store.errors import StoreUnavailable
from store.port import Delete, Put, Table, Write, outcome
from store.shards.feed import encode_feed
from tests.actors.cluster.cluster_kit import RED, START, dev_euis

SHARD = "07"
ONE, TWO, THREE = dev_euis(SHARD, 3)


class Owner:
    """Whoever commits to the shard."""

    def __init__(self, engine: MemoryEngine, shard: str = SHARD) -> None:
        self.engine = engine
        self.shard = shard
        self.lease = Lease()
        self.seq = 0

    async def take(self, boot: str = "owner") -> None:
        seen = (await self.engine.look([self.shard]))[self.shard]
        lease = await self.engine.take(self.shard, seen, boot)
        assert lease is not None
        self.lease, self.seq = lease, 0

    async def commit(self, *writes: Write) -> None:
        self.seq += 1
        done = outcome(writes)
        commit = Commit(self.shard, self.lease.token, self.seq, done, encode_feed(done))
        await self.engine.commit([commit])


class Following:
    """A follower with its board."""

    def __init__(self, servers: MemoryServers) -> None:
        self.engine = MemoryEngine(servers)
        clock = RunClock(START)
        self.told: list[Subject] = []
        self.meta: list[Put] = []
        self.board = Board(clock, "boot", publishing=self.told.append)
        shows = FeedBoard(self.board, now=clock.now, meta=self.meta.append)
        self.follower = Follower(self.engine, shows, random.Random(1))
        self.owner = Owner(self.engine)

    async def look(self) -> None:
        self.follower.looking()
        self.follower.looked(await self.engine.look([SHARD]))


@asynccontextmanager
async def following(servers: MemoryServers | None = None) -> AsyncIterator[Following]:
    kit = Following(servers or MemoryServers())
    await kit.engine.open()
    await kit.owner.take()
    async with trio.open_nursery() as nursery:
        await nursery.start(kit.follower.run)
        await nursery.start(
            kit.engine.hear, lambda name: kit.follower.ring(name.removeprefix(FEED_BELL))
        )
        kit.follower.follow([SHARD])
        yield kit
        nursery.cancel_scope.cancel()


def put(dev_eui: str, **more: object) -> Put:
    return device_put(Device(dev_eui=dev_eui, **more), START)  # type: ignore[arg-type]


def a_rollout(rollout_id: str) -> Rollout:
    return Rollout(
        id=rollout_id,
        name="to red",
        light=RED,
        keep=False,
        ttl_s=None,
        created_at=START,
        changed_at=START,
        pace_per_min=60.0,
        failures_most=3,
        total=1,
        waiting=1,
    )


def stored(command: Command) -> Put:
    return Put(Table.COMMAND, command.id, command_record(command), START)


def a_command(status: CommandStatus = CommandStatus.ACCEPTED) -> Command:
    return Command("c1", ONE, RED, True, START, START + 600.0, status)


async def test_what_is_stored_is_shown_after_the_bell(autojump_clock: object) -> None:
    async with following() as kit:
        await kit.owner.commit(put(ONE, name="one"))
        await trio.sleep(0.1)
        await kit.owner.commit(put(TWO), Delete(Table.DEVICE, ONE))
        await trio.sleep(0.1)
        assert set(kit.board.devices) == {TWO}
        assert any(isinstance(one, DeviceRemoved) and one.name == "one" for one in kit.told)
        assert kit.follower.statistics().snapshots == 1
        assert kit.follower.position(SHARD) == (kit.owner.lease.epoch, 2)


async def test_a_lost_bell_is_made_up_for_within_a_second(autojump_clock: object) -> None:
    async with following() as kit:
        kit.engine.hears = lambda name: False
        await trio.sleep(0.5)
        await kit.owner.commit(put(ONE))
        await trio.sleep(1.1)
        assert ONE in kit.board.devices


async def test_a_new_owner_means_the_shard_is_read_as_a_whole(autojump_clock: object) -> None:
    async with following() as kit:
        await kit.owner.commit(put(ONE))
        await trio.sleep(0.1)
        await kit.owner.take("another")
        await kit.owner.commit(put(TWO))
        await trio.sleep(0.1)
        assert set(kit.board.devices) == {ONE, TWO}
        assert kit.follower.statistics().snapshots == 2


async def test_whoever_fell_behind_the_feed_reads_the_whole(autojump_clock: object) -> None:
    async with following() as kit:
        await kit.owner.commit(put(ONE), put(TWO))
        await trio.sleep(0.1)
        kit.engine.cut_off = True
        other = MemoryEngine(kit.engine.servers)
        await other.open()
        kit.owner.engine = other
        await kit.owner.commit(Delete(Table.DEVICE, TWO))
        for number in range(FEED_KEPT * 3):
            await kit.owner.commit(put(ONE, name=str(number)))
        await trio.sleep(3)
        assert kit.follower.behind_s() > 1.0
        kit.engine.cut_off = False
        await trio.sleep(3)
        assert kit.board.devices[ONE].name == str(FEED_KEPT * 3 - 1)
        assert TWO not in kit.board.devices
        assert kit.follower.behind_s() < 1.5


@pytest.mark.parametrize("failing_s", [0.0, 2.0])
async def test_a_snapshot_ends_commands_that_ended_unseen(
    autojump_clock: object, failing_s: float
) -> None:
    async with following() as kit:
        command = a_command()
        await kit.owner.commit(put(ONE, command=command))
        await trio.sleep(0.1)
        assert kit.board.command("c1") == command
        until = trio.current_time() + failing_s

        def fate(request: Request) -> Fate:
            return Fate(lost=request.name == "read" and trio.current_time() < until)

        kit.engine.fate = fate
        await kit.owner.take("another")
        ended = a_command(CommandStatus.VERIFIED)
        record = Put(Table.COMMAND, "c1", command_record(ended), START)
        await kit.owner.commit(put(ONE), record)
        await kit.board.wait_command("c1", lambda one: one.status.final, 1.0 + 4.0 * failing_s)
        assert kit.board.command("c1") == ended
        assert not kit.board.open_commands


async def test_what_this_process_owns_is_not_written_over_by_what_was_read_before(
    autojump_clock: object,
) -> None:
    async with following() as kit:
        await kit.owner.commit(*(put(one, name="old") for one in (ONE, TWO, THREE)))
        await trio.sleep(0.1)
        await kit.owner.take("another")
        await kit.owner.commit(put(ONE, name="old"))
        kit.engine.fate = lambda request: Fate(back_s=1.0 if request.name == "snapshot" else 0.0)
        await trio.sleep(0.5)
        kit.follower.drop(SHARD)
        kit.board.publish(Device(dev_eui=ONE, name="ours"))
        await trio.sleep(3)
        assert kit.board.devices[ONE].name == "ours"


async def test_a_lease_that_was_set_back_is_read_anew(autojump_clock: object) -> None:
    servers = MemoryServers(replicas=1)
    async with following(servers) as kit:
        await kit.owner.commit(put(ONE, name="kept"))
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        for replica in master.replicas:
            replica.held = True
        await kit.owner.commit(put(ONE, name="lost"))
        await trio.sleep(0.1)
        assert kit.board.devices[ONE].name == "lost"
        servers.fail_over()
        await trio.sleep(2)
        await kit.look()
        await trio.sleep(0.2)
        assert kit.board.devices[ONE].name == "kept"


async def test_a_look_that_is_older_than_what_was_read_since_sets_nothing_back(
    autojump_clock: object,
) -> None:
    async with following() as kit:
        await kit.owner.commit(put(ONE, name="one"))
        await trio.sleep(0.1)
        kit.follower.looking()
        leases = await kit.engine.look([SHARD])
        await kit.owner.commit(put(ONE, name="another"))
        await trio.sleep(0.1)
        assert kit.board.devices[ONE].name == "another"
        kit.follower.looked(leases)
        await trio.sleep(2)
        found = kit.follower.statistics()
        assert (found.snapshots, found.gaps) == (1, 0)


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_part_that_is_silent_holds_up_no_other(
    autojump_clock: object, refuses: bool
) -> None:
    servers = MemoryServers(masters=3)
    away = next(one for one in ALL_SHARDS if servers.part_of(one) != servers.part_of(SHARD))
    same = [one for one in ALL_SHARDS if servers.part_of(one) == servers.part_of(away)]
    async with following(servers) as kit:
        await kit.follower.wait_fresh(60.0)
        master = servers.masters[servers.part_of(away)]
        assert master is not None
        if refuses:
            servers.masters[servers.part_of(away)] = None
        else:
            master.answers = False
        kit.follower.follow(same)
        for name in ("one", "two", "three"):
            await kit.owner.commit(put(ONE, name=name))
            await trio.sleep(PATIENCE_S + POLL_S + 2 * ANSWER_S)
            assert kit.board.devices[ONE].name == name
        assert not kit.follower.complete()
        assert set(kit.follower.late(20.0)) == set(same)
        assert kit.follower.statistics().failures < 40
        began = trio.current_time()
        await kit.follower.wait_fresh(15.0)
        assert trio.current_time() == pytest.approx(began + 15.0)
        master.answers = True
        servers.masters[servers.part_of(away)] = master
        await kit.follower.wait_fresh(60.0)
        assert kit.follower.complete()
        assert not kit.follower.late(5.0)


async def test_what_did_not_change_is_not_told_again_when_a_shard_is_read_anew(
    autojump_clock: object,
) -> None:
    """Each new owner of the fleet's shard means that: 20,000 risks, and every browser was told."""
    gateway = GatewayView("0016c001f1500812", name="roof")
    parked = ActorView("hooks", ChildState.PARKED, 6, "it crashed")
    alert = AlertView("a1", "gateway_offline", "0016c001f1500812", "away", START, START)
    stays = [
        views.gateway_put(gateway, START),
        views.actor_put(parked, START),
        views.actor_put(replace(parked, id="mqtt", state=ChildState.RUNNING), START),
        views.risk_put(ONE, RiskTold(0.5), START),
        views.plan_put(PlanHead(id="p1", name="ground floor", order=1, revision=1), START),
        Put(Table.ALERT, "a1", stamped(msgspec.json.encode(StoredAlert(alert))), START),
        rollout_put(a_rollout("r1")),
    ]
    async with following() as kit:
        await kit.owner.commit(put(ONE))
        await trio.sleep(0.1)
        kit.follower.follow([FLEET])
        fleet = Owner(kit.engine, FLEET)
        await fleet.take()
        await fleet.commit(*stays)
        await trio.sleep(0.1)
        board = kit.board
        shown = (board.gateways, board.actors, board.risks, board.alerts(), board.plans)
        assert [len(one) for one in (*shown, board.rollouts)] == [1, 1, 1, 1, 1, 1]
        number = kit.board.number
        await fleet.take("another")
        await fleet.commit()
        await trio.sleep(0.1)
        assert kit.follower.position(FLEET) == (fleet.lease.epoch, 1)
        assert kit.board.number == number


async def test_what_is_once_for_the_fleet_and_is_not_stored_any_more_is_not_shown(
    autojump_clock: object,
) -> None:
    alert = AlertView("a1", "gateway_offline", "0016c001f1500812", "away", START, START)
    async with following() as kit:
        kit.board.publish(alert)
        kit.board.publish(a_rollout("r1"))
        kit.board.publish(PlanHead(id="p1", name="ground floor", order=1, revision=1))
        kit.board.publish(GatewayView("0016c001f1500812", "roof"))
        kit.follower.follow([FLEET])
        fleet = Owner(kit.engine, FLEET)
        await fleet.take()
        await fleet.commit()
        await trio.sleep(0.1)
        assert not kit.board.rollouts
        assert not kit.board.plans
        [closed] = kit.board.alerts()
        assert closed.closed_at is not None
        [gateway] = kit.board.gateways.values()
        assert (gateway.known, gateway.online) == (False, False)


async def test_a_gateway_that_is_stored_no_longer_is_known_no_longer(
    autojump_clock: object,
) -> None:
    async with following() as kit:
        kit.follower.follow([FLEET])
        fleet = Owner(kit.engine, FLEET)
        await fleet.take()
        gateway = GatewayView("0016c001f1500812", "roof")
        await fleet.commit(views.gateway_put(gateway, START))
        await trio.sleep(0.1)
        assert kit.board.gateways == {gateway.gateway_id: gateway}
        await fleet.commit(views.gateway_delete(gateway.gateway_id))
        await trio.sleep(0.1)
        assert kit.board.gateways == {gateway.gateway_id: gateway.forgotten()}


async def test_what_a_failover_took_of_commands_is_not_shown_on(autojump_clock: object) -> None:
    servers = MemoryServers(replicas=1)
    async with following(servers) as kit:
        proven = a_command()
        await kit.owner.commit(put(ONE, command=proven), put(TWO), stored(proven))
        await trio.sleep(0.1)
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True
        taken = replace(a_command(), id="c2", dev_eui=TWO)
        verified = a_command(CommandStatus.VERIFIED)
        await kit.owner.commit(put(TWO, command=taken), stored(taken), put(ONE), stored(verified))
        await trio.sleep(0.1)
        assert kit.board.command("c1") == verified
        assert kit.board.command("c2") == taken
        servers.fail_over()
        await trio.sleep(2)
        await kit.look()
        await trio.sleep(0.2)
        assert kit.board.command("c1") == proven
        assert kit.board.command("c2") is None


async def test_a_command_looked_up_after_a_failover_is_not_taken_for_the_newest(
    autojump_clock: object,
) -> None:
    """Between the shard and its command a fail-over loses the end; the owner sends it again, and no
    feed tells what is before the position that was read."""
    servers = MemoryServers(replicas=1)
    async with following(servers) as kit:
        open_one = a_command()
        await kit.owner.commit(put(ONE, command=open_one), stored(open_one))
        await trio.sleep(0.1)
        assert kit.board.command("c1") == open_one
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True
        kit.follower.drop(SHARD)  # so that the feed does not tell of it
        ended = a_command(CommandStatus.VERIFIED)
        done = outcome([put(ONE), stored(ended)])
        end = Commit(SHARD, kit.owner.lease.token, 2, done, encode_feed(done))
        await kit.engine.commit([end])
        kit.engine.fate = lambda one: Fate(back_s=0.2 if one.name == "snapshot" else 0.0)
        kit.follower.follow([SHARD])  # read as a whole
        await trio.sleep(0.1)
        servers.fail_over()
        with pytest.raises(StoreUnavailable):
            await kit.engine.look([SHARD])  # so that the next call goes to the other master
        kit.engine.fate = lambda one: Fate()
        await trio.sleep(0.5)
        assert (await kit.engine.look([SHARD]))[SHARD].seq == 1
        await kit.engine.commit([end])  # sent again by its owner
        await trio.sleep(2.0)
        assert kit.board.command("c1") == ended


async def test_odd_records_are_left_out_and_the_rest_is_shown(autojump_clock: object) -> None:
    async with following() as kit:
        odd = Put(Table.DEVICE, TWO, b'{"v":99}', START)
        learned = Put(Table.META, "learned:fleet", b"{}", START)
        await kit.owner.commit(odd, put(ONE), learned)
        await trio.sleep(0.1)
        assert set(kit.board.devices) == {ONE}
        assert kit.meta == [learned]
        await kit.owner.take("another")
        await kit.owner.commit()
        await trio.sleep(0.1)
        assert set(kit.board.devices) == {ONE}


async def test_waiting_for_the_whole_ends_once_everything_was_read(autojump_clock: object) -> None:
    async with following() as kit:
        await kit.owner.commit(put(ONE))
        kit.engine.fate = lambda request: Fate(delay_s=0.7)
        began = trio.current_time()
        await kit.follower.wait_fresh(60.0)
        assert ONE in kit.board.devices
        assert trio.current_time() - began > 0.7
        kit.follower.drop(SHARD)
        await kit.follower.wait_fresh(60.0)


@pytest.mark.parametrize("seed", range(15))
async def test_the_board_is_as_the_engine_three_seconds_after_the_last_fault(
    autojump_clock: object, seed: int
) -> None:
    chance = random.Random(seed)
    async with following() as kit:
        other = MemoryEngine(kit.engine.servers)
        await other.open()
        kit.owner.engine = other
        kit.engine.fate = lambda request: Fate(
            delay_s=chance.random() * 0.2,
            back_s=chance.random() * 0.2,
            lost=chance.random() < 0.1,
            unanswered=chance.random() < 0.1,
        )
        kit.engine.hears = lambda name: chance.random() < 0.7
        for number in range(120):
            writes: list[Write] = []
            for dev_eui in (ONE, TWO, THREE):
                if chance.random() < 0.2:
                    writes.append(Delete(Table.DEVICE, dev_eui))
                elif chance.random() < 0.6:
                    writes.append(put(dev_eui, name=f"{number}"))
            if chance.random() < 0.05:
                await kit.owner.take(f"owner {number}")
            await kit.owner.commit(*writes)
            await trio.sleep(chance.random() * 0.3)
        kit.engine.fate = lambda request: Fate()
        kit.engine.hears = lambda name: True
        await trio.sleep(3)
        there = (await kit.engine.snapshot(SHARD, [Table.DEVICE])).tables[Table.DEVICE]
        names = {record.key: msgspec.json.decode(record.value)["name"] for record in there}
        assert {one.dev_eui: one.name for one in kit.board.devices.values()} == names


async def test_to_show_one_shard_does_not_go_through_all_lights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every process does so for every shard that has a new owner, between two checkpoints."""
    board = Board(RunClock(START), "boot")
    for number in range(1_000):
        board.publish(Device(dev_eui=f"{number:016x}"))
    asked: list[str] = []

    def counted(dev_eui: str) -> str:
        asked.append(dev_eui)
        return shard_of(dev_eui)

    for module in (feed_board, lights_by_shard):
        monkeypatch.setattr(module, "shard_of", counted)
    here = board.lights_in(SHARD)
    assert len(here) > 3
    FeedBoard(board, now=lambda: START).keep_only(SHARD, dict.fromkeys(here[1:]))
    assert board.lights_in(SHARD) == here[1:]
    assert len(board.devices) == 999
    assert asked == [here[0]], "that of the one that is gone"
