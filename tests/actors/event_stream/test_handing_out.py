"""A light that takes nothing costs the others a second, and gets its events later."""

import trio
from trio.testing import MockClock

from actors.device.events import Message, Tick
from actors.event_stream.handing_out import ROOM_S, Audience, HandingOut
from actors.fleet.delivery import Delivery
from actors.messaging.mailbox import Mailbox
from lorawan.events.model import Event
from lorawan.stream.entries import EntryId, StreamEntry, Whose, decoded
from simulation.world.bodies import protobuf_body
from tests.bench import fleet
from tests.support.memory_streams import MemorySource, MemoryStreams

STUCK, WELL = fleet.dev_eui(0), fleet.dev_eui(1)


class Lights:
    def __init__(self) -> None:
        self.streams = MemoryStreams(lambda: 1_719_847_234.0 + trio.current_time())
        self.boxes = {eui: Mailbox[Message](eui, 2) for eui in (STUCK, WELL)}
        self.told: list[tuple[str, int]] = []
        self.hands = HandingOut(MemorySource(self.streams), self.boxes.get)
        self.audience = Audience(self._deliver, lambda whose: True, lambda: list(self.boxes))

    def _deliver(self, event: Event, past: bool) -> Delivery:
        self.boxes[event.device.dev_eui].offer(Tick())
        assert isinstance(event, fleet.Uplink)
        self.told.append((event.device.dev_eui, event.f_cnt - fleet.F_CNT))
        return Delivery.DELIVERED

    async def give(self, number: int, nth: int) -> bool:
        kind, body = protobuf_body(fleet.status(number, nth))
        entry_id = self.streams.add(fleet.dev_eui(number), kind, body)
        event = decoded(StreamEntry(entry_id, kind, body))
        return await self.hands.give(event, entry_id, self.audience, past=False)

    async def owing(self) -> dict[str, EntryId]:
        """What is owed after six events, of which the light took two, and has room again."""
        for nth in range(1, 7):
            await self.give(0, nth)
        owed = dict(self.hands.owed)
        await self.empty(STUCK)
        return owed

    async def empty(self, dev_eui: str) -> None:
        box = self.boxes[dev_eui]
        while box.waiting:
            await box.take()
            box.handled()


async def test_a_stuck_light_is_waited_for_once_and_is_owed_what_it_did_not_take(
    autojump_clock: MockClock,
) -> None:
    lights = Lights()
    assert await lights.give(0, 1)
    assert await lights.give(0, 2)
    began = trio.current_time()
    assert not await lights.give(0, 3)
    assert trio.current_time() - began >= ROOM_S
    began = trio.current_time()
    assert not await lights.give(0, 4)
    assert await lights.give(1, 1)
    assert trio.current_time() == began
    assert set(lights.hands.owed) == {STUCK}
    assert set(lights.hands.to_be_kept()) == {STUCK}


async def test_it_gets_them_in_their_order_once_it_takes_messages_again(
    autojump_clock: MockClock,
) -> None:
    lights = Lights()
    for nth in range(1, 5):
        await lights.give(0, nth)
    await lights.hands.pay(lights.audience)
    assert lights.told == [(STUCK, 1), (STUCK, 2)]
    await lights.empty(STUCK)
    await lights.hands.pay(lights.audience)
    assert lights.told == [(STUCK, nth) for nth in (1, 2, 3, 4)]
    assert not lights.hands.owed
    assert set(lights.hands.to_be_kept()) == {STUCK}  # until it has dealt with them
    await lights.empty(STUCK)
    assert lights.hands.to_be_kept() == {}


async def test_what_was_told_in_part_is_to_be_kept_from_its_first_on(
    autojump_clock: MockClock,
) -> None:
    lights = Lights()
    owed = await lights.owing()
    await lights.hands.pay(lights.audience)
    assert lights.told == [(STUCK, nth) for nth in (1, 2, 3, 4)]
    assert lights.hands.to_be_kept() == owed, "its mailbox still has the first two"
    await lights.empty(STUCK)
    assert lights.hands.to_be_kept() == lights.hands.owed
    assert lights.hands.owed[STUCK] > owed[STUCK]


async def test_a_debt_that_was_told_in_part_when_it_all_ended_is_owed_still(
    autojump_clock: MockClock,
) -> None:
    lights = Lights()
    owed = await lights.owing()
    with trio.move_on_after(ROOM_S / 2):  # while it waits for room for the third
        await lights.hands.pay(lights.audience)
    assert lights.told == [(STUCK, nth) for nth in (1, 2, 3, 4)]
    assert lights.hands.to_be_kept() == owed


async def test_a_parked_light_is_not_waited_for(autojump_clock: MockClock) -> None:
    lights = Lights()
    lights.boxes[STUCK].close()
    began = trio.current_time()
    assert not await lights.give(0, 1)
    assert trio.current_time() == began
    lights.boxes[STUCK].reopen()
    await lights.hands.pay(lights.audience)
    assert lights.told == [(STUCK, 1)]


async def test_an_event_that_makes_a_part_fail_is_passed_over(autojump_clock: MockClock) -> None:
    lights = Lights()

    def fails(event: Event, past: bool) -> Delivery:
        raise RuntimeError("poison")

    event = fleet.status(0, 1)
    audience = Audience(fails, lambda whose: True, tuple)
    assert not await lights.hands.give(event, EntryId(1), audience, past=False)
    assert (lights.hands.unreadable, lights.hands.owed) == (1, {})


def test_an_entry_that_makes_a_part_fail_is_passed_over() -> None:
    def fails(device: Whose) -> bool:
        raise RuntimeError("poison")

    lights = Lights()
    entry = StreamEntry(EntryId(1), *protobuf_body(fleet.status(0, 1)))
    assert lights.hands.event(entry, fails) is None
    assert lights.hands.unreadable == 1


async def test_a_light_without_an_actor_is_refused_and_owed_nothing(
    autojump_clock: MockClock,
) -> None:
    lights = Lights()
    refused = []

    def full(event: Event, past: bool) -> Delivery:
        refused.append(event)
        return Delivery.FULL

    del lights.boxes[STUCK]
    lights.audience = Audience(full, lambda whose: True, tuple)
    assert not await lights.give(0, 1)
    assert lights.hands.owed == {}
    await lights.hands.pay(lights.audience)
    assert len(refused) == 1


async def test_a_light_that_is_gone_is_owed_nothing_any_more(autojump_clock: MockClock) -> None:
    lights = Lights()
    lights.boxes[STUCK].close()
    await lights.give(0, 1)
    del lights.boxes[STUCK]
    await lights.hands.pay(lights.audience)
    assert lights.hands.to_be_kept() == {}
    assert lights.hands.unreadable == 0  # nobody was told
