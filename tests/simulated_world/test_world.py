"""Whole worlds: the same seed is the same story, a day takes seconds, control works."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio
import trio.testing
from msgspec import structs

from lorawan.events.model import Event, Join, TxAck, Uplink
from lorawan.kuando.light_state import LightState
from simulation.world.gateway import GatewayMode
from simulation.world.kernel import Kernel
from simulation.world.profile import CALM, CITY, PROFILES, STORM, OffTime, Profile
from simulation.world.region import EU868, US915
from simulation.world.station import StationState
from simulation.world.world import DEFAULT_EPOCH_AT, World

ROOT = Path(__file__).parents[2]
RED = bytes.fromhex("ff0000ff00")
RED_LIGHT = LightState(red=255, green=0, blue=0)
GREEN_LIGHT = LightState(red=0, green=0x35, blue=0)


def trace(seed: int, profile: Profile = STORM) -> str:
    """A digest of everything told and everything shown in six troubled hours."""
    events: list[Event] = []
    world = World.build(seed, lights=12, gateways=3, profile=profile, sink=events.append)
    for n in range(60):
        dev_eui = list(world.stations)[n % 12]
        world.network.inject(dev_eui, bytes((n, 7, 9, 255, 0, n % 2)))
        world.advance(360.0)
    digest = hashlib.sha256()
    for event in events:
        digest.update(repr(event).encode())
    for station in world.stations.values():
        digest.update(repr(list(station.light.truth)).encode())
    digest.update(repr(world.statistics()).encode())
    return digest.hexdigest()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_same_seed_is_the_same_story(profile: Profile) -> None:
    assert trace(11, profile) == trace(11, profile)
    assert trace(11, profile) != trace(12, profile)


def test_the_story_does_not_depend_on_the_hash_seed() -> None:
    script = "import sys; from test_world import trace; sys.stdout.write(trace(11))"
    path = os.pathsep.join((str(ROOT), str(Path(__file__).parent), *sys.path))
    digests = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            capture_output=True,
            check=True,
            text=True,
            timeout=50.0,
        ).stdout
        for hash_seed in ("1", "31337")
    ]
    assert digests == [trace(11), trace(11)]


async def test_trio_and_hand_drive_the_same_story(
    autojump_clock: trio.testing.MockClock,
) -> None:
    by_hand: list[Event] = []
    world = World.build(3, lights=10, gateways=2, profile=CITY, sink=by_hand.append)
    world.advance(3 * 3600.0)
    by_trio: list[Event] = []
    other = World.build(3, lights=10, gateways=2, profile=CITY, sink=by_trio.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(other.run)
        await trio.sleep(3 * 3600.0)
        nursery.cancel_scope.cancel()
    assert by_hand == by_trio


async def test_fifty_lights_live_a_day_in_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    events: list[Event] = []
    world = World.build(1, lights=50, gateways=4, sink=events.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        await trio.sleep(86_400.0)
        nursery.cancel_scope.cancel()
    uplinks = [event for event in events if isinstance(event, Uplink)]
    # A heartbeat each half hour, and a first uplink each.
    assert 50 * 47 <= len(uplinks) <= 50 * 49
    assert all(station.state is StationState.JOINED for station in world.stations.values())
    assert set(map(world.showing, world.stations)) == {GREEN_LIGHT}


def test_the_building_is_as_described() -> None:
    world = World.build(1, lights=200, gateways=4)
    assert len(world.stations) == 200
    assert all(dev_eui.startswith("202020") for dev_eui in world.stations)
    assert {len(station.links) for station in world.stations.values()} == {1, 2, 3}
    names = {device.info.device_name for device in world.rules.devices.values()}
    assert {"Bay 07", "Desk 12", "Line 3"} <= names
    assert len(names) == 200
    assert {station.light.sw_rev for station in world.stations.values()} == {56, 58, 61, 68}
    assert {station.light.hw_rev for station in world.stations.values()} == {12, 15}
    profiles = {device.info.device_profile_name for device in world.rules.devices.values()}
    assert profiles == {"Kuando Busylight EU868"}


@pytest.mark.parametrize("seed", range(5))
def test_in_a_calm_world_every_light_joins_and_obeys(seed: int) -> None:
    events: list[Event] = []
    world = World.build(seed, lights=30, gateways=3, region=EU868, sink=events.append)
    world.advance(2400.0)
    assert all(device.f_cnt_up >= 1 for device in world.rules.devices.values())
    for dev_eui in world.stations:
        world.network.inject(dev_eui, RED)
        world.advance(12.0)
    assert [world.showing(dev_eui) for dev_eui in world.stations] == [RED_LIGHT] * 30
    for dev_eui, station in world.stations.items():
        status = station.light.status()
        assert status[16:21] == RED
        assert world.rules.devices[dev_eui].f_cnt_down >= 1


def test_a_stopped_gateway_takes_its_lights_along() -> None:
    events: list[Event] = []
    world = World.build(2, lights=10, gateways=1, sink=events.append, heartbeat_s=60.0)
    (gateway_id,) = world.gateways
    world.advance(300.0)
    world.stop_gateway(gateway_id)
    world.advance(1.0)
    events.clear()
    world.advance(300.0)
    assert events == []
    world.start_gateway(gateway_id)
    world.advance(120.0)
    assert {event.device.dev_eui for event in events if isinstance(event, Uplink)} == set(
        world.stations
    )


def test_a_restarted_light_is_green_again_with_a_new_session() -> None:
    events: list[Event] = []
    world = World.build(2, lights=1, gateways=1, sink=events.append)
    (dev_eui,) = world.stations
    world.advance(120.0)
    world.network.inject(dev_eui, RED)
    world.advance(10.0)
    red_at = world.kernel.now_at
    assert world.showing(dev_eui) == RED_LIGHT
    world.advance(1.0)
    events.clear()
    world.restart_light(dev_eui)
    world.advance(120.0)
    assert world.showing(dev_eui) == GREEN_LIGHT
    assert world.showing_at(dev_eui, red_at) == RED_LIGHT
    (join, uplink) = (event for event in events if isinstance(event, Join | Uplink))
    assert isinstance(join, Join)
    assert isinstance(uplink, Uplink)
    assert uplink.dev_addr == join.dev_addr
    assert (uplink.f_cnt, uplink.confirmed) == (0, True)
    assert uplink.data[8:21] == bytes(8) + bytes.fromhex("000035ff00")


def test_an_unplugged_light_is_dark_and_deaf_until_plugged() -> None:
    world = World.build(2, lights=1, gateways=1)
    (dev_eui,) = world.stations
    world.advance(120.0)
    world.unplug(dev_eui)
    world.network.inject(dev_eui, RED)
    world.advance(600.0)
    assert world.showing(dev_eui) is None
    world.restart_light(dev_eui)
    assert world.stations[dev_eui].state is StationState.UNPLUGGED
    world.plug(dev_eui)
    world.advance(120.0)
    assert world.showing(dev_eui) == GREEN_LIGHT
    assert world.stations[dev_eui].light.joins == 2


def test_settings_change_the_heartbeat_until_the_next_join() -> None:
    events: list[Event] = []
    world = World.build(2, lights=1, gateways=1, sink=events.append)
    (dev_eui,) = world.stations
    world.advance(120.0)
    world.network.inject(dev_eui, bytes.fromhex("0405"))
    world.advance(10.0)
    events.clear()
    world.advance(3600.0)
    assert 11 <= sum(isinstance(event, Uplink) for event in events) <= 12
    world.restart_light(dev_eui)
    world.advance(120.0)
    events.clear()
    world.advance(3600.0)
    assert 1 <= sum(isinstance(event, Uplink) for event in events) <= 2


def test_the_next_heartbeat_may_come_early_and_those_after_it_come_in_time() -> None:
    heard: list[float] = []
    world = World.build(
        2,
        lights=1,
        gateways=1,
        profile=CALM,
        sink=lambda event: heard.append(world.kernel.now) if isinstance(event, Uplink) else None,
    )
    (station,) = world.stations.values()
    world.advance(600.0)
    at_s = world.kernel.now
    heard.clear()
    station.beat_in(10.0)
    world.advance(2_000.0)
    assert [time_s - at_s for time_s in heard] == pytest.approx([10.0, 1_810.0], abs=15.0)


def test_auto_uplink_answers_within_the_documented_guess() -> None:
    events: list[Event] = []
    world = World.build(2, lights=1, gateways=1, sink=events.append, firmware=((61, 1.0),))
    (dev_eui,) = world.stations
    world.advance(120.0)
    for data in (bytes.fromhex("0601"), RED):
        world.network.inject(dev_eui, data)
        world.advance(15.0)
    (answer,) = (event for event in events[2:] if isinstance(event, Uplink))
    assert answer.data[16:21] == RED
    assert int.from_bytes(answer.data[8:12], "little") == 2
    txack = [event for event in events if isinstance(event, TxAck)][-1]
    assert 0.0 < answer.at - txack.at < 1.0


def test_answers_that_come_due_together_are_one() -> None:
    events: list[Event] = []
    world = World(1, sink=events.append, heartbeat_s=1e6)
    world.add_gateway("0016c001f1000001")
    station = world.add_light("2020204100000001")
    station.plug()
    world.advance(60.0)
    events.clear()
    for _ in range(5):
        station.send_status()
    world.advance(20.0)
    assert len(events) == 1


def test_off_time_delays_or_drops_an_answer() -> None:
    for off_time, heard in ((OffTime.IGNORED, 2), (OffTime.DELAYS, 2), (OffTime.DROPS, 1)):
        events: list[Event] = []
        world = World(
            1, profile=structs.replace(CALM, off_time=off_time), sink=events.append, heartbeat_s=1e6
        )
        world.add_gateway("0016c001f1000001")
        station = world.add_light("2020204100000001", spreading_factor=9)
        station.plug()
        world.advance(600.0)
        events.clear()
        station.send_status()
        world.advance(5.0)
        station.send_status()
        world.advance(5.0)
        assert len(events) == (2 if off_time is OffTime.IGNORED else 1)
        world.advance(30.0)
        assert len(events) == heard
        assert station.statistics().answers_dropped == 2 - heard


def test_old_lights_restart_themselves_when_the_network_is_silent() -> None:
    world = World.build(
        4, lights=1, gateways=1, firmware=((58, 1.0),), heartbeat_s=60.0, profile=CALM
    )
    (station,) = world.stations.values()
    world.advance(230 * 60.0)
    assert station.light.restarts == 1
    world.advance(20 * 60.0)
    assert station.light.restarts == 2
    assert station.light.joins == 2


def test_america_works_too() -> None:
    world = World.build(3, lights=5, gateways=1, region=US915)
    world.advance(300.0)
    for dev_eui in world.stations:
        world.network.inject(dev_eui, RED)
    world.advance(30.0)
    assert {world.showing(dev_eui) for dev_eui in world.stations} == {RED_LIGHT}


def test_chance_mends_only_what_chance_broke() -> None:
    profile = structs.replace(CALM, outage_every_s=600.0, outage_s=(60.0, 60.0))
    world = World.build(1, lights=1, gateways=1, profile=profile)
    (gateway,) = world.gateways.values()
    while gateway.mode is GatewayMode.ONLINE:
        world.advance(1.0)
    world.advance(30.0)
    world.stop_gateway(gateway.gateway_id)
    world.advance(7200.0)
    assert gateway.mode is GatewayMode.OFFLINE
    world.start_gateway(gateway.gateway_id)
    modes = set()
    for _ in range(7200):
        world.advance(1.0)
        modes.add(gateway.mode)
    assert modes == {GatewayMode.ONLINE, GatewayMode.OFFLINE}


def test_a_storm_is_survived_and_leaves_traces() -> None:
    world = World.build(6, lights=20, gateways=3, profile=STORM)
    world.advance(86_400.0)
    statistics = world.statistics()
    assert sum(light.restarts for light in statistics.lights) > 30
    assert statistics.radio["uplink_lost"] > 100
    assert statistics.delivery["lost"] > 10
    assert statistics.network.rules["event_txack"] > 10
    world.set_profile(CALM)
    world.advance(86_400.0)
    assert all(station.state is StationState.JOINED for station in world.stations.values())


async def test_world_time_is_epoch_plus_trio_time_from_the_start(
    autojump_clock: trio.testing.MockClock,
) -> None:
    await trio.sleep(100.0)
    world = World(1)
    fired: list[float] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        world.kernel.after(10.0, lambda: fired.append(world.kernel.now_at))
        await trio.sleep(5.0)
        world.kernel.catch_up()
        assert world.kernel.now_at == pytest.approx(DEFAULT_EPOCH_AT + 5.0)
        # An earlier callback wakes the driver from its longer sleep.
        world.kernel.after(1.0, lambda: fired.append(world.kernel.now_at))
        await trio.sleep(10.0)
        assert fired == pytest.approx([DEFAULT_EPOCH_AT + 6.0, DEFAULT_EPOCH_AT + 10.0])
        with pytest.raises(RuntimeError):
            world.advance(1.0)
        with pytest.raises(RuntimeError):
            await world.run()
        nursery.cancel_scope.cancel()
    world.advance(1.0)


def test_the_kernel_runs_equal_times_in_order_and_drops_cancelled_timers() -> None:
    kernel = Kernel(epoch_at=0.0)
    ran: list[str] = []
    kernel.at(1.0, ran.append, "a")
    dropped = kernel.at(1.0, ran.append, "b")
    kernel.at(1.0, ran.append, "c")
    kernel.at(0.5, lambda: kernel.after(0.5, ran.append, "d"))
    dropped.cancel()
    dropped.cancel()
    assert not dropped.waiting
    kernel.advance(2.0)
    assert ran == ["a", "c", "d"]
    late = kernel.at(1.0, ran.append, "e")
    assert late.at == 2.0
    kernel.advance(2.0)
    assert ran[-1] == "e"
    assert kernel.statistics().callbacks_run == 5
    assert kernel.statistics().timers_waiting == 0


def test_a_crashing_callback_is_not_hidden() -> None:
    kernel = Kernel(epoch_at=0.0)
    kernel.after(1.0, int, "not a number")
    with pytest.raises(ValueError, match="not a number"):
        kernel.advance(2.0)
