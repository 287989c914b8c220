"""What the edge asks of the service, answered by the real one in a pretend world."""

import pytest
import structlog
import trio
from trio.testing import MockClock

from actors.board.changes import AlertView
from actors.board.reachability import Reach
from actors.commands import CommandOrder
from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Phase
from actors.fleet.delivery import Delivery
from actors.fleet.initialization import InitializationRun
from actors.refusal import Refusal
from actors.supervision import ChildState
from lorawan.events.model import DeviceInfo, Uplink
from lorawan.kuando import LightState
from simulation.world.world import World
from store.errors import StoreUnavailable
from store.memory import MemoryDisk
from store.port import Put, Table
from tests.support.running_application import RunningApplication, make_world, running_application

RED, GREEN = LightState(255, 0, 0), LightState(0, 255, 0)


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world(lights=3)
    await nursery.start(world.run)
    return world


async def refused(home: RunningApplication, dev_eui: str, **more: object) -> Refusal:
    order = CommandOrder(dev_eui=dev_eui, light=RED, **({"keep": True} | more))  # type: ignore[arg-type]
    outcome = await home.application.commands.give(order)
    assert isinstance(outcome, Refusal), outcome
    return home.application.cause_of(outcome)


async def test_the_tree_shows_every_actor_and_that_all_is_well(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        tree = home.application.supervisor.report()
        names = [child.id for child in tree.children]
        for vital in ("journal", "board", "dispatcher", "lights", "gateway watcher", "sweeper"):
            assert vital in names
        lights = next(child for child in tree.children if child.id == "lights")
        assert {child.id for child in lights.children} == {
            f"device {eui}" for eui in world.stations
        }
        assert all(child.state is ChildState.RUNNING for child in lights.children)
        assert home.application.readiness.check().ready
        assert home.application.dead_letters.recent(10) == []
        assert not home.application.supervisor.revive("device 00")
        assert b"lamplighter_devices" in home.application.metrics.render()


async def test_history_figures_and_inspection_tell_what_happened(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, RED)
        await home.final(command.id, 120)
        application = home.application
        found = await application.queries.history(
            dev_eui, since=0, until=application.clock.now() + 1, most=500
        )
        kinds = {line.kind for line in found.lines}
        assert {"session", "status", "txack", "phase", "setup"} <= kinds
        figures = await application.queries.downlinks(dev_eui, 1.0)
        assert (figures.verified, figures.success_rate, figures.open) == (1, 1.0, 0)
        fleet = await application.queries.downlinks(None, 1.0)
        assert fleet.verified == 1
        seen = application.queries.device(dev_eui)
        assert seen is not None
        assert seen.device.phase is Phase.IDLE
        assert seen.actor is not None
        assert application.queries.device("00" * 8) is None
        assert b'lamplighter_commands_total{verdict="verified"} 1.0' in application.metrics.render()


async def test_an_ended_command_is_found_after_a_restart(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    dev_eui = next(iter(world.stations))
    async with running_application(world, disk) as home:
        await home.settled()
        command = await home.command(dev_eui, RED, idempotency_key="k", fingerprint="f")
        await home.final(command.id, 120)
    async with running_application(world, disk, seed=9) as home:
        found = await home.application.commands.find(command.id)
        assert found is not None
        assert found.status is CommandStatus.VERIFIED
        again = await home.application.commands.wait_settled(command.id, 1.0)
        assert again == found
        repeated = await home.command(dev_eui, RED, idempotency_key="k", fingerprint="f")
        assert repeated.id == command.id
        assert await home.application.commands.find("nobody") is None
        assert await home.application.commands.wait_settled("nobody", 1.0) is None


async def test_what_is_refused_is_told_and_leaves_no_trace(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        assert await refused(home, "00" * 8) is Refusal.UNKNOWN_DEVICE
        await home.command(dev_eui, RED, idempotency_key="k", fingerprint="one")
        used = await refused(home, dev_eui, idempotency_key="k", fingerprint="two")
        assert used is Refusal.KEY_REUSED


async def test_a_light_of_ours_registers_itself_and_a_strangers_does_not(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        ours = DeviceInfo("2020209900000001", "Bay 99", device_profile_name="my KUANDO lights")
        other = DeviceInfo("2020209900000002", device_profile_name="thermometer")
        at = home.now()
        up = {"at": at, "dev_addr": "0000abcd", "f_cnt": 0, "f_port": 15, "data": b""}
        assert home.application.fleet.deliver(Uplink(ours, **up)) is Delivery.REGISTERED  # type: ignore[arg-type]
        assert home.application.fleet.deliver(Uplink(other, **up)) is Delivery.UNKNOWN  # type: ignore[arg-type]
        await trio.sleep(1)
        assert home.devices["2020209900000001"].name == "Bay 99"
        assert "2020209900000002" not in home.devices


async def test_initialisation_of_all_lights_skips_those_that_have_their_settings(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        run = home.application.initializer.start(None, force=False)
        assert isinstance(run, InitializationRun)
        await trio.sleep(5)
        done = home.application.initializer.progress(run.id)
        assert done is not None
        assert (done.total, done.skipped, done.failed) == (3, 3, 0)
        forced = home.application.initializer.start(list(world.stations)[:1], force=True)
        assert isinstance(forced, InitializationRun)
        await trio.sleep(120)
        done = home.application.initializer.progress()
        assert done is not None
        assert (done.id, done.done, done.failed) == (forced.id, 1, 0)


async def test_a_store_that_fails_for_a_while_loses_nothing(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        store = home.parts.environment.store
        failing = trio.Event()

        async def refuse(writes: object) -> None:
            await trio.lowlevel.checkpoint()
            if not failing.is_set():
                raise StoreUnavailable("disk full")

        store.before_commit = refuse  # type: ignore[attr-defined]
        dev_eui = next(iter(world.stations))
        assert await refused(home, dev_eui) is Refusal.STORE_FAILING
        assert (
            "the store cannot be written: disk full" in home.application.readiness.check().problems
        )
        assert home.application.initializer.start(None, force=False) is Refusal.STORE_FAILING
        failing.set()
        await trio.sleep(120)
        assert home.application.readiness.check().ready
        assert world.showing(dev_eui) == RED


async def test_a_gateway_that_goes_away_is_alerted_and_the_alert_closes(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        gateway_id = next(iter(world.gateways))
        world.stop_gateway(gateway_id)
        await trio.sleep(300)
        assert _open(home, "gateway_offline", gateway_id) is not None
        world.start_gateway(gateway_id)
        await trio.sleep(300)
        assert _open(home, "gateway_offline", gateway_id) is None


async def test_without_any_gateway_the_service_is_ready_and_says_what_is_wrong(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        assert home.application.readiness.check().warnings == ()
        for gateway_id in world.gateways:
            world.stop_gateway(gateway_id)
        await trio.sleep(420)
        readiness = home.application.readiness.check()
        count = len(world.gateways)
        assert readiness.ready, "to send callers elsewhere would cure nothing"
        (warning,) = readiness.warnings
        assert f"all {count} gateways are offline" in warning or count == 1
        lights = home.board.devices.values()
        assert {home.board.reachability(one).reach for one in lights} == {Reach.NO_GATEWAY_ONLINE}
        told = [one for one in home.board.alerts() if one.closed_at is None]
        assert {one.kind for one in told} == {"gateway_offline"}
        assert {dev_eui for one in told for dev_eui in one.lights} == set(home.board.devices)
        for gateway_id in world.gateways:
            world.start_gateway(gateway_id)
        await trio.sleep(1_200)
        assert home.application.readiness.check().warnings == ()
        assert {home.board.reachability(one).reach for one in lights} == {Reach.REACHABLE}


async def test_an_unreachable_network_is_alerted_and_held_commands_say_so(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        world.network.faults.down = True
        dev_eui = next(iter(world.stations))
        command = await home.command(dev_eui, GREEN)
        await trio.sleep(120)
        assert "ChirpStack does not answer" in home.application.readiness.check().problems
        assert [a.kind for a in home.board.alerts()] == ["network_unreachable"]
        found = await home.application.commands.find(command.id)
        assert found is not None
        assert found.status is CommandStatus.HELD
        assert "ChirpStack does not answer" in (found.reason or "")
        world.network.faults.down = False
        done = await home.final(command.id, 300)
        assert done.status is CommandStatus.VERIFIED


async def test_a_restart_does_not_renew_the_airtime(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        used = {
            g: home.parts.fleetwide.dispatcher.airtime(g, home.now())[0] for g in world.gateways
        }
        assert sum(used.values()) > 1.0
    async with running_application(world, disk, seed=9) as home:
        again = {
            g: home.parts.fleetwide.dispatcher.airtime(g, home.now())[0] for g in world.gateways
        }
        assert again == pytest.approx(used, abs=0.2)


async def test_a_record_that_cannot_be_read_keeps_nobody_from_starting(
    world: World, autojump_clock: MockClock
) -> None:
    disk = MemoryDisk()
    async with running_application(world, disk) as home:
        await home.settled()
        odd = Put(Table.DEVICE, "20202099ffffffff", b"{not json", home.now())
        await home.parts.store_writer.commit([odd])
    async with running_application(world, disk, seed=9) as home:
        assert set(home.devices) >= set(world.stations)


async def test_a_poisoned_message_crashes_one_light_once(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui, other = list(world.stations)[:2]
        home.parts.fleet.post(dev_eui, "nonsense")  # type: ignore[arg-type]
        await trio.sleep(5)
        assert [letter.actor_id for letter in home.application.dead_letters.recent(10)] == [
            f"device {dev_eui}"
        ]
        tree = home.application.queries.device(dev_eui)
        assert tree is not None
        assert tree.actor is not None
        assert (tree.actor.state, tree.actor.restarts) == (ChildState.RUNNING, 1)
        for eui in (dev_eui, other):
            command = await home.command(eui, RED)
            assert (await home.final(command.id, 120)).status is CommandStatus.VERIFIED


async def test_a_light_past_its_restarts_is_parked_alerted_and_revived_by_hand(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        for _ in range(6):
            home.parts.fleet.post(dev_eui, "nonsense")  # type: ignore[arg-type]
        await trio.sleep(60)
        assert await refused(home, dev_eui) is Refusal.PARKED
        assert _open(home, "actor_parked", f"device {dev_eui}") is not None
        assert home.application.supervisor.revive(f"device {dev_eui}")
        await trio.sleep(5)
        command = await home.command(dev_eui, RED)
        assert (await home.final(command.id, 120)).status is CommandStatus.VERIFIED
        await trio.sleep(60)
        assert _open(home, "actor_parked", f"device {dev_eui}") is None


async def test_followers_see_a_snapshot_and_then_every_change(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        dev_eui = next(iter(world.stations))
        seen: list[CommandStatus] = []
        with home.board.subscribe(1_000) as follower:
            assert follower.snapshot is not None
            assert len(follower.snapshot.devices) == 3
            command = await home.command(dev_eui, GREEN)
            with trio.fail_after(120):
                async for batch in follower:
                    seen += [c.what.status for c in batch if isinstance(c.what, Command)]
                    if CommandStatus.VERIFIED in seen:
                        break
        assert seen[0] in {CommandStatus.ACCEPTED, CommandStatus.QUEUED}
        assert command.dev_eui == dev_eui
        assert isinstance(home.board.devices[dev_eui], Device)


def _open(home: RunningApplication, kind: str, subject: str) -> AlertView | None:
    return next(
        (
            alert
            for alert in home.board.alerts()
            if (alert.kind, alert.subject) == (kind, subject) and alert.closed_at is None
        ),
        None,
    )


async def test_a_correlation_id_goes_from_the_request_to_the_line_of_the_verdict(
    world: World, autojump_clock: MockClock
) -> None:
    async with running_application(world) as home:
        await home.settled()
        with structlog.testing.capture_logs() as lines:
            command = await home.command(next(iter(world.stations)), RED, correlation_id="c-42")
            await home.final(command.id, 120)
            await trio.sleep(1)
        ended = [line for line in lines if line["event"] == "command ended"]
        assert [(line["correlation_id"], line["status"]) for line in ended] == [
            ("c-42", "verified")
        ]
