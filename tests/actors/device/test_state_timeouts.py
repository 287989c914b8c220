"""A light's state time-out: in time whatever else happens, and never in the way of others."""

import random
from collections.abc import Sequence

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.clocks.clock import RunClock
from actors.device.actor import MAILBOX_CAPACITY, DeviceActor, DevicePorts
from actors.device.events import Listed
from actors.device.model import Device
from actors.device.policy import Policy
from actors.device.state_timeouts import ACT_AT_ONCE, LIGHTS_PER_SLOT, SLOT_S, StateTimeouts
from actors.messaging.mailbox import Offer
from store.port import Record, Table, Write
from tests.support.supervision_kit import WALL_AT_START, settle

POLICY = Policy(inquiry_again_s=45.0)
"""A light that nobody heard yet asks ChirpStack at its start; unanswered, that times out."""


class Desk:
    """Everybody around some lights, and what the lights did at which second."""

    def __init__(self) -> None:
        self.set_s = 0.0
        began = trio.current_time()
        self.clock = RunClock(
            WALL_AT_START, wall=lambda: WALL_AT_START + trio.current_time() - began + self.set_s
        )
        self.timeouts = StateTimeouts()
        self.commit_s = 0.0
        self.broken = False
        self.stored: list[tuple[str, float]] = []
        self.began = began

    def actor(self, dev_eui: str = "d1") -> DeviceActor:
        ports = DevicePorts(
            clock=self.clock,
            rng=random.Random(1),
            policy=POLICY,
            store_writer=self,
            board=self,
            dispatcher=self,  # type: ignore[arg-type] # nothing is submitted here
            inquirer=self,
            timeouts=self.timeouts,
            boot="boot",
            ended=lambda command: None,
            gateway_online=lambda gateway_id: None,
        )
        return DeviceActor(Device(dev_eui=dev_eui), ports)

    async def commit(self, writes: Sequence[Write]) -> None:
        await trio.sleep(self.commit_s)
        if self.broken:
            raise OSError("the disk is gone")
        passed_s = round(trio.current_time() - self.began, 3)
        self.stored += [(one.key, passed_s) for one in writes if _is_record(one)]

    async def read(self, table: Table, key: str) -> Record | None:
        await trio.lowlevel.checkpoint()
        return None

    def publish(self, subject: object) -> None:
        pass

    def ask(self, dev_eui: str, number: int, known: object = None) -> None:
        """Nobody answers."""


def _is_record(write: Write) -> bool:
    return getattr(write, "table", None) is Table.DEVICE


def named(name: str) -> Listed:
    return Listed(name, "", "", "", {})


async def test_a_light_acts_when_its_state_times_out_and_then_waits_for_nothing(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    actor = desk.actor()
    await nursery.start(actor.run)
    await settle()
    assert actor.due_at == WALL_AT_START + 45.0
    assert desk.timeouts.statistics().pending == 1
    await trio.sleep(1_000.0)
    assert desk.stored == [("d1", 0.0), ("d1", 45.0)]
    assert actor.due_at is None
    seen = desk.timeouts.statistics()
    assert (seen.pending, seen.fired, seen.failed) == (0, 1, 0)
    assert 0 <= seen.late_s_max < 1e-3


async def test_a_message_does_not_put_the_time_out_off(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    actor = desk.actor()
    await nursery.start(actor.run)
    for number in range(4):
        await trio.sleep(10.0)
        assert actor.mailbox.offer(named(f"light {number}")) is Offer.ACCEPTED
    await trio.sleep(100.0)
    assert [at for _, at in desk.stored] == [0.0, 10.0, 20.0, 30.0, 40.0, 45.0]


async def test_a_full_mailbox_keeps_no_light_from_what_is_due(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    actor = desk.actor()
    await nursery.start(actor.run)
    await settle()
    desk.commit_s = 2.0
    left = iter(range(1_000))

    async def flood() -> None:
        while True:
            while actor.mailbox.offer(named(f"light {next(left)}")) is Offer.ACCEPTED:
                pass
            await trio.sleep(1.0)

    nursery.start_soon(flood)
    await trio.sleep(60.0)
    assert actor.mailbox.statistics().depth >= MAILBOX_CAPACITY - 1
    assert actor.device.inquiry is None, "the time-out came between two of the messages"
    assert desk.timeouts.statistics().late_s_max <= 2.0


@pytest.mark.parametrize("set_s", [-3_600.0, 3_600.0])
async def test_a_time_out_is_a_duration_however_the_clock_is_set(
    set_s: float, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    actor = desk.actor()
    await nursery.start(actor.run)
    await trio.sleep(10.0)
    desk.set_s = set_s
    desk.clock.look()
    assert actor.due_at == pytest.approx(WALL_AT_START + 45.0 + set_s)
    await trio.sleep(100.0)
    assert desk.stored == [("d1", 0.0), ("d1", 45.0)]


@pytest.mark.parametrize("set_s", [-3_600.0, 3_600.0])
async def test_a_clock_that_is_set_while_a_step_is_stored_moves_no_time_out(
    set_s: float, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    desk.commit_s = 4.0
    actor = desk.actor()
    await nursery.start(actor.run)
    await trio.sleep(2.0)
    desk.set_s = set_s
    desk.clock.look()
    await trio.sleep(200.0)
    assert desk.stored == [("d1", 4.0), ("d1", 49.0)]


async def test_a_light_that_crashes_over_its_time_out_leaves_no_place_taken(
    autojump_clock: MockClock,
) -> None:
    desk = Desk()
    actor = desk.actor()

    async def run() -> None:
        with pytest.raises(OSError, match="disk"):
            await actor.run()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.sleep(10.0)
        desk.broken = True
    seen = desk.timeouts.statistics()
    assert (seen.pending, seen.fired, seen.failed) == (0, 1, 1)


async def test_lights_that_are_due_at_the_same_moment_are_woken_a_few_at_a_time(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    count = 1_000
    for number in range(count):
        nursery.start_soon(desk.actor(f"d{number}").run)
    await trio.sleep(45.0 - SLOT_S)
    woken: list[int] = []
    while sum(woken) < count:
        await trio.sleep(SLOT_S)
        woken.append(desk.timeouts.statistics().fired - sum(woken))
    assert max(woken) <= 2 * LIGHTS_PER_SLOT  # a pause of one slot touches two
    assert len(woken) <= count / LIGHTS_PER_SLOT + 3
    assert desk.timeouts.statistics().pending == 0
    assert desk.timeouts._slots == desk.timeouts._next == {}


async def test_of_those_who_are_woken_a_bounded_number_acts_at_once(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    timeouts, acting, most = StateTimeouts(), 0, 0

    async def slow() -> None:
        nonlocal acting, most
        acting += 1
        most = max(most, acting)
        await trio.sleep(1.0)
        acting -= 1

    for _ in range(3 * ACT_AT_ONCE):
        nursery.start_soon(timeouts.act, 0.0, slow)
    await trio.sleep(2.5)
    assert acting == most == ACT_AT_ONCE
    await trio.sleep(10.0)
    assert (acting, timeouts.statistics().fired) == (0, 3 * ACT_AT_ONCE)


@given(st.lists(st.sampled_from([-5.0, 0.0, 0.001, 1.0, 1.004, 1.02, 60.0]), max_size=400))
def test_a_moment_is_never_before_what_is_due_and_never_crowded(waits: list[float]) -> None:
    async def scene() -> None:
        timeouts = StateTimeouts()
        given_out = []
        for wait_s in waits:
            at = timeouts.reserve(wait_s)
            assert at >= max(wait_s, 0.0)
            given_out.append(at)
        slots = [int(at / SLOT_S) for at in given_out]
        assert all(slots.count(slot) <= LIGHTS_PER_SLOT for slot in set(slots))
        assert timeouts.statistics().pending == len(waits)
        for at in given_out:
            timeouts.release(at)
        assert timeouts._slots == timeouts._next == {}

    trio.run(scene, clock=MockClock())


async def test_a_moment_that_is_not_crowded_is_the_one_that_was_due(
    autojump_clock: MockClock,
) -> None:
    timeouts = StateTimeouts()
    now = trio.current_time()
    assert timeouts.reserve(1.25) == now + 1.25
    assert timeouts.reserve(-3.0) == now
    assert now < timeouts.reserve(1e-12) < now + 1e-5  # a wait that passes, however short
