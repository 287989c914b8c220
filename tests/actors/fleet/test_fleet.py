import random
from collections.abc import Sequence
from functools import partial

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.device.events import DeviceEvent, ItemDropped, Swept, Tick, Transmitted, UplinkHeard
from actors.device.model import Device
from actors.fleet import DeviceActorPort, Fleet, actor_id
from actors.fleet.delivery import Delivery
from actors.fleet.ears import NetworkEars
from actors.fleet.fleet import FleetPorts
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Mailbox, Offer
from actors.supervision import ChildState, Supervisor
from lorawan.events.model import Ack, DeviceInfo, Join, Log, Reception, TxAck, Uplink
from store.port import Append, Write

START = 1_700_000_000.0


class FakeLight:
    """Keeps what it gets; crashes when told to; optionally never reads."""

    def __init__(self, device: Device, *, deaf: bool = False, capacity: int = 4) -> None:
        self.device = device
        self.mailbox: Mailbox[DeviceEvent] = Mailbox(device.dev_eui, capacity)
        self.got: list[DeviceEvent] = []
        self.poison: type | None = None
        self.deaf = deaf

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while self.deaf:
            await trio.sleep_forever()
        while True:
            message = await self.mailbox.take()
            if self.poison is not None and isinstance(message, self.poison):
                raise RuntimeError("poisoned")
            self.got.append(message)
            self.mailbox.handled()


class Street:
    """A fleet with fake lights and everything it tells others."""

    def __init__(self, *, devices_most: int = 100) -> None:
        clock = RunClock(START)
        self.lights: dict[str, FakeLight] = {}
        self.deaf: set[str] = set()
        self.frames: list[tuple[str, Transmitted | ItemDropped]] = []
        self.heard: list[tuple[str, float]] = []
        self.notes: list[Write] = []
        self.letters = DeadLetters()
        self.supervisor = Supervisor(
            "fleet", clock=clock, rng=random.Random(1), dead_letters=self.letters
        )
        ports = FleetPorts(
            self._note,
            lambda event: event,
            ears=NetworkEars(
                transmitted=lambda dev_eui, event: self.frames.append((dev_eui, event)),
                heard=lambda gateway_id, at: self.heard.append((gateway_id, at)),
                dropped=lambda dev_eui, event: self.frames.append((dev_eui, event)),
            ),
        )
        self.fleet = Fleet(self._make, self.supervisor, ports, clock, devices_most=devices_most)

    def _make(self, device: Device) -> DeviceActorPort:
        light = FakeLight(device, deaf=device.dev_eui in self.deaf)
        self.lights[device.dev_eui] = light
        return light

    def _note(self, writes: Sequence[Write]) -> None:
        self.notes.extend(writes)

    async def open(self, nursery: trio.Nursery) -> None:
        await nursery.start(self.supervisor.run)
        await nursery.start(self.fleet.run)


def info(dev_eui: str, profile: str = "Plenom KUANDO Busylight") -> DeviceInfo:
    return DeviceInfo(dev_eui, f"light {dev_eui}", "app", "Office", device_profile_name=profile)


def uplink(dev_eui: str, *gateways: str, f_cnt: int = 1, at: float = START) -> Uplink:
    heard = tuple(Reception(gateway, -90, 5.0) for gateway in gateways)
    return Uplink(info(dev_eui), at, "00aabbcc", f_cnt, 15, bytes(24), receptions=heard)


async def settled() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def test_a_new_light_of_our_profile_is_registered_with_what_is_known(
    nursery: trio.Nursery,
) -> None:
    street = Street()
    await street.open(nursery)
    assert street.fleet.deliver(uplink("d1", "g1")) is Delivery.REGISTERED
    assert street.fleet.deliver(uplink("d1", "g1", f_cnt=2)) is Delivery.DELIVERED
    await settled()
    light = street.lights["d1"]
    assert [event.f_cnt for event in light.got if isinstance(event, UplinkHeard)] == [1, 2]
    assert (light.device.name, light.device.application_name) == ("light d1", "Office")
    report = street.fleet.report("d1")
    assert report is not None
    assert report.state is ChildState.RUNNING


async def test_strangers_are_counted_and_change_nothing(nursery: trio.Nursery) -> None:
    street = Street()
    await street.open(nursery)
    stranger = Join(info("d9", "Thermometer"), START, "00aabbcc")
    for _ in range(3):
        assert street.fleet.deliver(stranger) is Delivery.UNKNOWN
    assert street.lights == {}
    assert street.fleet.statistics().unknown_devices == 1
    assert street.fleet.statistics().deliveries[Delivery.UNKNOWN] == 3


async def test_what_became_of_frames_goes_to_the_dispatcher_who_tells_the_light(
    nursery: trio.Nursery,
) -> None:
    street = Street()
    await street.open(nursery)
    txack = TxAck(info("d1"), START, "item-1", "g1", 4)
    assert street.fleet.deliver(txack) is Delivery.REGISTERED
    expired = Log(info("d1"), START, "ERROR", "EXPIRED", "gone", queue_item_id="item-2")
    assert street.fleet.deliver(expired) is Delivery.DELIVERED
    told = [(dev_eui, event.queue_item_id) for dev_eui, event in street.frames]
    assert told == [("d1", "item-1"), ("d1", "item-2")]
    await settled()
    assert street.lights["d1"].got == []


async def test_gateways_heard_are_told_with_a_time_not_in_the_future(
    nursery: trio.Nursery,
) -> None:
    street = Street()
    await street.open(nursery)
    street.fleet.deliver(uplink("d1", "g1", at=START - 50))
    street.fleet.deliver(uplink("d1", "g1", at=START + 5_000))
    (late, ahead) = street.heard
    assert late == ("g1", START - 50)
    assert ahead[1] < START + 60


async def test_what_means_nothing_to_the_light_is_history(nursery: trio.Nursery) -> None:
    street = Street()
    await street.open(nursery)
    ack = Ack(info("d1"), START, "item-1", acknowledged=True, f_cnt_down=3)
    assert street.fleet.deliver(ack) is Delivery.REGISTERED
    await settled()
    assert street.lights["d1"].got == []
    (note,) = street.notes
    assert isinstance(note, Append)
    assert (note.stream, note.at) == ("d1", START)


async def test_a_full_mailbox_is_an_answer_and_delays_no_other(nursery: trio.Nursery) -> None:
    street = Street()
    street.deaf.add("d1")
    await street.open(nursery)
    outcomes = [street.fleet.deliver(uplink("d1", "g1", f_cnt=n)) for n in range(6)]
    assert outcomes[-2:] == [Delivery.FULL, Delivery.FULL]
    assert street.fleet.deliver(uplink("d2", "g1")) is Delivery.REGISTERED
    await settled()
    assert len(street.lights["d2"].got) == 1


async def test_a_crashing_light_is_parked_alone_and_revived(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        street.fleet.deliver(uplink("d2"))
        street.fleet.deliver(uplink("d1"))
        await settled()
        street.lights["d1"].poison = UplinkHeard
        for f_cnt in range(6):
            assert street.fleet.deliver(uplink("d1", f_cnt=f_cnt)) is Delivery.DELIVERED
            await trio.sleep(6)
        report = street.fleet.report("d1")
        assert report is not None
        assert report.state is ChildState.PARKED
        assert street.letters.total == 6
        assert street.fleet.deliver(uplink("d1", f_cnt=9)) is Delivery.FULL
        assert street.fleet.post("d1", Swept()) is Offer.CLOSED
        assert street.fleet.statistics().parked_refused == 1
        assert street.fleet.deliver(uplink("d2", f_cnt=2)) is Delivery.DELIVERED
        street.lights["d1"].poison = None
        assert street.supervisor.revive("device d1")
        assert not street.supervisor.revive("device d2")
        assert not street.supervisor.revive("device d3")
        await trio.sleep(1)
        assert street.fleet.deliver(uplink("d1", f_cnt=10)) is Delivery.DELIVERED
        nursery.cancel_scope.cancel()


async def test_the_fleet_is_bounded(nursery: trio.Nursery) -> None:
    street = Street(devices_most=2)
    await street.open(nursery)
    outcomes = [street.fleet.deliver(uplink(f"d{number}")) for number in range(3)]
    assert outcomes == [Delivery.REGISTERED, Delivery.REGISTERED, Delivery.FULL]
    assert street.fleet.statistics().registrations_refused == 1


async def test_restored_lights_run_and_are_not_started_twice(nursery: trio.Nursery) -> None:
    street = Street(devices_most=1_000)
    devices = [Device(dev_eui=f"d{number}") for number in range(600)]
    assert await street.fleet.restore(devices) == 600  # before anybody runs
    await street.open(nursery)
    assert await street.fleet.restore(devices[:3]) == 600
    await settled()
    assert len(street.supervisor.report().children) == 600
    assert street.fleet.deliver(uplink("d5")) is Delivery.DELIVERED
    assert street.fleet.post("nobody", Swept()) is None
    assert actor_id("d5") in {child.id for child in street.supervisor.report().children}


async def test_nothing_is_taken_while_stopping() -> None:
    street = Street()
    street.fleet.stop()
    assert street.fleet.deliver(uplink("d1")) is Delivery.STOPPING
    assert street.lights == {}


async def test_a_stopped_supervisor_is_an_answer(autojump_clock: trio.testing.MockClock) -> None:
    street = Street()
    answers: list[Delivery] = []

    class Last(FakeLight):
        async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                answers.append(street.fleet.deliver(uplink("d2")))

    street.fleet._make_actor = Last
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        street.fleet.deliver(uplink("d1"))
        await settled()
        nursery.cancel_scope.cancel()
    assert answers == [Delivery.STOPPING]


async def test_lights_that_are_let_go_deal_with_what_waits_and_get_nothing_new(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    street = Street()
    street.deaf.add("d2")
    await street.open(nursery)
    for name in ("d1", "d2", "d3"):
        street.fleet.deliver(uplink(name, "g1"))
    street.fleet.deliver(uplink("d1", "g1", f_cnt=2))
    began = trio.current_time()
    async with trio.open_nursery() as leaving:
        leaving.start_soon(partial(street.fleet.let_go, ["d1", "d2", "d9"], drain_s=1.0))
        await settled()
        assert street.fleet.post("d2", Tick()) is None
        assert street.fleet.deliver(uplink("d2", "g1", f_cnt=3)) is Delivery.UNKNOWN
    assert trio.current_time() - began == pytest.approx(1.0)  # one of them reads nothing
    assert [event.f_cnt for event in street.lights["d1"].got if isinstance(event, UplinkHeard)] == [
        1,
        2,
    ]
    assert list(street.fleet.actors) == ["d3"]
    assert street.fleet.report("d1") is None
    assert street.supervisor.statistics().crashes == 0
    assert street.letters.total == 0  # whoever goes on with them has these messages
    assert street.fleet.deliver(uplink("d1", "g1", f_cnt=4)) is Delivery.REGISTERED


@pytest.mark.parametrize("after_s", [0.0, 0.5])
async def test_no_light_goes_on_unknown_where_its_drain_is_cut_off(
    after_s: float, autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """As where the time to give a shard is over, or it is found to be another's meanwhile."""
    street = Street()
    street.deaf.update(("d1", "d2"))
    await street.open(nursery)
    for name in ("d1", "d2", "d3"):
        street.fleet.deliver(uplink(name, "g1"))
    await settled()
    with trio.move_on_after(after_s) as cut:
        await street.fleet.let_go(["d1", "d2"], drain_s=1.0)
    assert cut.cancelled_caught
    assert list(street.fleet.actors) == ["d3"]
    assert street.fleet.report("d1") is street.fleet.report("d2") is None
    assert await street.fleet.restore([Device(dev_eui="d1"), Device(dev_eui="d2")]) == 3
    await settled()
    assert street.supervisor.statistics().by_state[ChildState.RUNNING] == 3
