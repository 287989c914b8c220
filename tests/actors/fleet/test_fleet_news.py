import random

import trio

from actors.clocks.clock import RunClock
from actors.device.events import (
    DeviceEvent,
    DispatcherStarted,
    GatewayHealthChanged,
    GatewayReturned,
)
from actors.device.model import Device, Hearing
from actors.fleet import DeviceActorPort, Fleet
from actors.fleet.fleet import FleetPorts
from actors.fleet.gateway_index import GATEWAYS_PER_LIGHT, GatewayIndex
from actors.fleet.unknown_devices import UnknownDevices
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Mailbox
from actors.supervision import Supervisor
from lorawan.events.model import DeviceInfo, Reception, Uplink

START = 1_700_000_000.0


class Listener:
    """A light that reads only once it is told to."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.mailbox: Mailbox[DeviceEvent] = Mailbox(device.dev_eui, 2)
        self.got: list[DeviceEvent] = []
        self.awake = trio.Event()
        self.awake.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while True:
            await self.awake.wait()
            self.got.append(await self.mailbox.take())
            self.mailbox.handled()


class Street:
    def __init__(self) -> None:
        clock = RunClock(START)
        self.lights: dict[str, Listener] = {}
        self.supervisor = Supervisor(
            "fleet", clock=clock, rng=random.Random(1), dead_letters=DeadLetters()
        )
        ports = FleetPorts(lambda _: None, lambda event: event)
        self.fleet = Fleet(self._make, self.supervisor, ports, clock)

    def _make(self, device: Device) -> DeviceActorPort:
        self.lights[device.dev_eui] = light = Listener(device)
        return light

    async def open(self, nursery: trio.Nursery) -> None:
        await nursery.start(self.supervisor.run)
        await nursery.start(self.fleet.run)


def light_with(dev_eui: str, *gateways: str) -> Device:
    hearings = tuple(Hearing(one, START, -90, 5.0, 10.0, latest=True) for one in gateways)
    return Device(dev_eui=dev_eui, hearings=hearings)


async def test_news_of_a_gateway_reach_only_the_lights_it_hears(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    await street.fleet.restore([light_with("d1", "g1"), light_with("d2", "g2")])
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        heard = Uplink(
            DeviceInfo("d3", device_profile_name="kuando"),
            START,
            "00aabbcc",
            1,
            15,
            b"",
            receptions=(Reception("g1"), Reception("g3")),
        )
        street.fleet.deliver(heard)
        street.fleet.gateway_changed("g1", online=False)
        street.fleet.gateway_changed("g9", online=False)
        await trio.sleep(1)
        news = GatewayHealthChanged("g1", online=False)
        assert street.lights["d1"].got == [news]
        assert street.lights["d2"].got == []
        assert street.lights["d3"].got[1:] == [news]
        nursery.cancel_scope.cancel()


async def test_a_light_with_a_full_mailbox_gets_the_newest_news_later(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    await street.fleet.restore([light_with("d1", "g1")])
    light = street.lights["d1"]
    light.awake = trio.Event()
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        for online in (False, True, False):
            street.fleet.gateway_changed("g1", online=online)
            await trio.sleep(0.1)
        assert street.fleet.statistics().news_owed == 1
        light.awake.set()
        await trio.sleep(5)
        assert street.fleet.statistics().news_owed == 0
        assert light.got[-1] == GatewayHealthChanged("g1", online=False)
        nursery.cancel_scope.cancel()


async def test_the_end_of_a_silence_goes_beside_the_health_to_the_same_lights(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    await street.fleet.restore([light_with("d1", "g1"), light_with("d2", "g2")])
    street.fleet.gateway_changed("g1", online=True)
    street.fleet.gateway_returned("g1")
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        await trio.sleep(1)
        assert street.lights["d1"].got == [
            GatewayHealthChanged("g1", online=True),
            GatewayReturned("g1"),
        ]
        assert street.lights["d2"].got == []
        nursery.cancel_scope.cancel()


async def test_changes_before_their_turn_are_told_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    await street.fleet.restore([light_with("d1", "g1")])
    street.fleet.gateway_changed("g1", online=False)
    street.fleet.gateway_changed("g1", online=True)
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        await trio.sleep(1)
        assert street.lights["d1"].got == [GatewayHealthChanged("g1", online=True)]
        nursery.cancel_scope.cancel()


async def test_a_broadcast_reaches_everybody_without_holding_the_loop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    devices = [Device(dev_eui=f"d{number}") for number in range(3_000)]
    await street.fleet.restore(devices)
    turns = 0
    done = False

    async def bystander() -> None:
        nonlocal turns
        while not done:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(bystander)
        street.fleet.broadcast(DispatcherStarted())
        while street.fleet.statistics().news_posted < len(devices):
            await trio.lowlevel.checkpoint()
        assert turns >= 10  # a turn for others at least each 250 posts
        done = True
        await trio.testing.wait_all_tasks_blocked()
        assert all(light.got == [DispatcherStarted()] for light in street.lights.values())
        nursery.cancel_scope.cancel()


def test_the_index_remembers_the_latest_gateways_of_a_light() -> None:
    index = GatewayIndex()
    for number in range(GATEWAYS_PER_LIGHT + 4):
        index.note("d1", [f"g{number}"])
    index.note("d2", ["g19", "g5"])
    assert index.lights("g0") == ()
    assert index.lights("g19") == ("d1", "d2")
    assert len(index) == GATEWAYS_PER_LIGHT
    index.note("d1", ["g4"])
    index.note("d1", ["new"])  # g5 is the oldest now
    assert index.lights("g4") == ("d1",)
    assert index.lights("g5") == ("d2",)
    assert index.lights("nobody") == ()


def test_strangers_are_remembered_within_bounds() -> None:
    strangers = UnknownDevices(capacity=2)
    for dev_eui in ("a", "b", "a", "c"):
        strangers.add(dev_eui)
        assert len(strangers) <= 2
    strangers.forget("b")  # the one silent for longest was forgotten already
    assert len(strangers) == 2
    strangers.forget("a")
    assert len(strangers) == 1
