"""Rollouts by the real application in a pretend world; crashes at every stored step among them."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.board.rollout import Rollout, State
from actors.device.records import read_command
from actors.refusal import Refusal
from actors.rollouts.decisions import command_id_of
from actors.rollouts.model import Conflict, Order, PartState, Wish
from lorawan.kuando import LightState
from simulation.world.world import World
from store.errors import StoreRefused
from store.memory import MemoryDisk
from store.port import Put, Record, Table, Write
from tests.support.running_application import RunningApplication, make_world, running_application

RED, GREEN, BLUE = LightState(255, 0, 0), LightState(0, 255, 0), LightState(0, 0, 255)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3)
    await nursery.start(world.run)
    return world


def order(world: World, light: LightState = RED, **more: object) -> Order:
    fields: dict[str, object] = {
        "dev_euis": tuple(world.stations),
        "light": light,
        "keep": True,
        "ttl_s": None,
        "name": "",
        "pace_per_min": 30.0,
        "failures_most": 5,
    }
    return Order(**(fields | more))  # type: ignore[arg-type]


async def begin(home: RunningApplication, asked: Order) -> Rollout:
    made = await home.application.rollouts.create(asked)
    assert isinstance(made, Rollout), made
    return made


async def steer(home: RunningApplication, rollout: Rollout, wish: Wish) -> Rollout:
    changed = await home.application.rollouts.change(rollout.id, wish)
    assert isinstance(changed, Rollout), changed
    return changed


def now(home: RunningApplication, rollout_id: str) -> Rollout:
    seen = home.application.rollouts.repository.inspect(rollout_id)
    assert seen is not None
    for state in PartState:
        assert getattr(seen.rollout, state.value) == sum(p.state is state for p in seen.parts)
    return seen.rollout


async def until(
    home: RunningApplication, rollout_id: str, state: State, timeout_s: float = 900
) -> Rollout:
    deadline = trio.current_time() + timeout_s
    while (found := now(home, rollout_id)).state is not state:
        assert trio.current_time() < deadline, found
        await trio.sleep(1)
    return found


async def test_every_light_is_commanded_at_the_pace_and_followed_to_its_proof(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        with home.board.subscribe(1_000) as follower:
            made = await begin(home, order(world, pace_per_min=6.0, name="all red"))
            assert (made.state, made.total, made.waiting) == (State.RUNNING, 3, 3)
            done = await until(home, made.id, State.DONE)
            assert (done.verified, done.failed, done.reason) == (3, 0, None)
            shown: list[Rollout] = []
            with trio.move_on_after(1):
                async for batch in follower:
                    shown += [c.what for c in batch if isinstance(c.what, Rollout)]
        assert shown[0] == made
        assert shown[-1] == done
        assert {device.reported for device in home.devices.values()} == {RED}
        seen = home.application.rollouts.repository.inspect(made.id)
        assert seen is not None
        accepted = []
        for part in seen.parts:
            assert part.command_id is not None
            command = await home.application.commands.find(part.command_id)
            assert command is not None
            accepted.append(command.accepted_at)
        gaps = [later - sooner for sooner, later in pairwise(accepted)]
        assert gaps == pytest.approx([10.0, 10.0], abs=0.5)
        assert home.application.rollouts.repository.listed(100) == [done]
        assert isinstance(
            await home.application.rollouts.change(made.id, Wish(State.PAUSED)), Conflict
        )
        assert await home.application.rollouts.change("nobody", Wish(State.PAUSED)) is None


async def test_it_pauses_resumes_and_is_cancelled(world: World, autojump_clock: MockClock) -> None:
    async with running_application(world) as home:
        await home.settled()
        made = await begin(home, order(world, pace_per_min=1.0))
        await trio.sleep(30)
        assert now(home, made.id).waiting == 2
        await steer(home, made, Wish(State.PAUSED))
        await trio.sleep(600)
        assert now(home, made.id).waiting == 2
        await steer(home, made, Wish(State.RUNNING))
        await trio.sleep(30)
        assert now(home, made.id).waiting == 1
        cancelled = await steer(home, made, Wish(State.CANCELLED))
        await trio.sleep(600)
        end = now(home, made.id)
        assert (end.state, end.waiting, end.verified) == (State.CANCELLED, 1, 2)
        assert end.ended_at == cancelled.ended_at


async def test_failures_stop_it_and_somebody_resumes_it(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        first = next(iter(world.stations))
        for _ in range(6):
            home.parts.fleet.post(first, "nonsense")  # type: ignore[arg-type]
        await trio.sleep(60)  # its actor is parked
        made = await begin(home, order(world, failures_most=0))
        stopped = await until(home, made.id, State.STOPPED)
        assert (stopped.failed, stopped.waiting) == (1, 2)
        assert stopped.reason == "1 light failed, at most 0 may"
        seen = home.application.rollouts.repository.inspect(made.id)
        assert seen is not None
        assert seen.parts[0].reason == "no command could be given: parked"
        await steer(home, made, Wish(State.RUNNING))
        done = await until(home, made.id, State.DONE)
        assert (done.failed, done.verified) == (1, 2)


async def test_the_newest_wish_wins(world: World, autojump_clock: MockClock) -> None:
    async with running_application(world) as home:
        await home.settled()
        one, two, three = world.stations
        made = await begin(home, order(world, RED, pace_per_min=2.0))
        await trio.sleep(1)
        by_hand = [await home.command(eui, GREEN) for eui in (one, three)]
        younger = await begin(home, order(world, BLUE, dev_euis=(two,)))
        done = await until(home, made.id, State.DONE)
        assert (done.superseded, done.verified) == (3, 0)
        assert (await until(home, younger.id, State.DONE)).verified == 1
        seen = home.application.rollouts.repository.inspect(made.id)
        assert seen is not None
        assert [part.command_id is None for part in seen.parts] == [False, True, True]
        for command in by_hand:
            await home.final(command.id)
        assert [home.devices[eui].reported for eui in (one, two, three)] == [GREEN, BLUE, GREEN]


async def test_an_equal_order_gives_the_same_rollout_even_after_a_restart(
    world: World, autojump_clock: MockClock
) -> None:
    disk, keyed = MemoryDisk(), order(world, idempotency_key="k", fingerprint="f")
    async with running_application(world, disk) as home:
        await home.settled()
        made = await begin(home, keyed)
        assert (await begin(home, keyed)).id == made.id
        other = order(world, idempotency_key="k", fingerprint="g")
        assert await home.application.rollouts.create(other) is Refusal.KEY_REUSED
    async with running_application(world, disk, seed=9) as home:
        assert (await begin(home, keyed)).id == made.id
        assert len(home.application.rollouts.repository.listed(100)) == 1


async def test_active_ones_are_bounded_and_old_ones_forgotten(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        many = [await begin(home, order(world, pace_per_min=0.001)) for _ in range(20)]
        assert await home.application.rollouts.create(order(world)) is Refusal.TOO_MANY
        for rollout in many:
            await steer(home, rollout, Wish(State.CANCELLED))
        await trio.sleep(300)  # nothing is open any more
        assert len(home.application.rollouts.repository.listed(100)) == 20
        old = home.now() - 8 * 86_400
        assert home.parts.policies.sweep.retention_s < 8 * 86_400
        for kept in list(home.parts.fleetwide.rollouts.repository.kept.values())[:19]:
            kept.take_over((_older(kept.rollout, old), 0.0), kept.parts)
        await trio.sleep(3_700)
        assert [rollout.id for rollout in home.application.rollouts.repository.listed(100)] == [
            many[-1].id
        ]
        assert {record.key.partition("/")[0] for record in disk.records(Table.ROLLOUT)} == {
            many[-1].id
        }
        assert [r.id for r in home.parts.board.snapshot().rollouts] == [many[-1].id]


def _older(rollout: Rollout, at: float) -> Rollout:
    return msgspec.structs.replace(rollout, changed_at=at)


class MortalDisk(MemoryDisk):
    """A disk whose process dies at a chosen commit of a command or rollout."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None
        self.died = trio.Event()
        self.accepted: dict[str, set[float]] = {}

    def apply(self, writes: Sequence[Write]) -> None:
        """Carry it out, or die before it."""
        puts = [w for w in writes if isinstance(w, Put)]
        if self.left is not None and any(
            put.table in {Table.COMMAND, Table.ROLLOUT} for put in puts
        ):
            if self.left == 0:
                self.died.set()
                raise StoreRefused("the process is dead")
            self.left -= 1
        for put in puts:
            if put.table is Table.COMMAND:
                command = read_command(Record(put.key, put.value, put.at))
                self.accepted.setdefault(command.id, set()).add(command.accepted_at)
        super().apply(writes)


@pytest.mark.timeout(300)
async def test_a_crash_at_any_stored_step_commands_no_light_twice(
    world: World, autojump_clock: MockClock
) -> None:
    disk, two = MortalDisk(), tuple(world.stations)[:2]
    async with running_application(world, disk) as home:
        await home.settled()
    crashes, seed = Counter[bool](), 100
    for step in range(40):
        light = (RED, BLUE)[step % 2]
        disk.died, made_id = trio.Event(), None
        async with (
            running_application(world, disk, seed=seed) as home,
            trio.open_nursery() as nursery,
        ):
            disk.left = step
            nursery.start_soon(home.application.rollouts.create, order(world, light, dev_euis=two))
            with trio.move_on_after(400):
                await disk.died.wait()
            nursery.cancel_scope.cancel()
        crashed = disk.died.is_set()
        crashes[crashed] += 1
        disk.left, seed = None, seed + 1
        async with running_application(world, disk, seed=seed) as home:
            newest = [
                r for r in home.application.rollouts.repository.listed(100) if r.light == light
            ][:1]
            if step > 0:
                made_id = newest[0].id
                done = await until(home, made_id, State.DONE)
                assert (done.verified, done.failed, done.superseded) == (2, 0, 0), step
                for eui in two:
                    assert len(disk.accepted[command_id_of(made_id, eui)]) == 1, step
            else:
                assert newest == []
        seed += 1
        if not crashed:
            break
    assert crashes[True] >= 10
    assert crashes[False] == 1
    assert all(len(times) == 1 for times in disk.accepted.values())
