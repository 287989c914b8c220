from collections.abc import Sequence

import msgspec
import pytest
import trio

from actors.clocks.clock import RunClock
from actors.device.events import DeviceEvent, Swept
from actors.device.model import Attempt, Device, Phase, Pursuit, Stage
from actors.messaging.mailbox import Offer
from actors.storage.history import line
from actors.sweeper import QueueState, Sweeper, SweepPolicy, judge, suspect
from lorawan.kuando.frames import SetLight
from lorawan.kuando.light_state import LightState
from lorawan.network import NetworkForbidden, NetworkTimeout, QueueItem
from store.errors import StoreUnavailable
from store.memory import MemoryStore
from store.port import Append, Put, Record, Table, Write

START = 1_700_000_000.0
DAY = 86_400.0
RED = LightState(255, 0, 0)


class FakeNetwork:
    """Queues by DevEUI; failures by DevEUI; what was asked."""

    def __init__(self) -> None:
        self.queues: dict[str, list[QueueItem]] = {}
        self.failures: dict[str, Exception] = {}
        self.read: list[str] = []
        self.flushed: list[str] = []
        self.hang = False
        self.flush_s = 0.0

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        await trio.lowlevel.checkpoint()
        if self.hang:
            await trio.sleep_forever()
        self.read.append(dev_eui)
        if dev_eui in self.failures:
            raise self.failures[dev_eui]
        return list(self.queues.get(dev_eui, ()))

    async def flush(self, dev_eui: str) -> None:
        await trio.sleep(self.flush_s)
        self.flushed.append(dev_eui)
        self.queues.pop(dev_eui, None)


class Round:
    """A sweeper with its surroundings."""

    def __init__(self, **policy: float) -> None:
        self.clock = RunClock(START)
        self.devices: dict[str, Device] = {}
        self.posted: list[tuple[float, str]] = []
        self.notes: list[Write] = []
        self.network = FakeNetwork()
        self.store = MemoryStore()
        self.offer = Offer.ACCEPTED
        self.sweeper = Sweeper(
            lambda: self.devices,
            self._post,
            self.notes.extend,
            self.store,
            self.network,  # type: ignore[arg-type]
            self.clock,
            SweepPolicy(**policy),  # type: ignore[arg-type]
        )

    def _post(self, dev_eui: str, event: DeviceEvent) -> Offer:
        assert event == Swept()
        self.posted.append((self.clock.now() - START, dev_eui))
        return self.offer


def item(name: str = "i", *, expired_s: float | None = 100.0, **more: object) -> QueueItem:
    expires_at = None if expired_s is None else START - expired_s
    made = QueueItem(name, 15, b"\x01", expires_at=expires_at)
    return msgspec.structs.replace(made, **more)


def failed(dev_eui: str) -> Device:
    return Device(dev_eui=dev_eui, phase=Phase.FAILED)


def sent(stage: Stage, expires_at: float | None = None) -> Attempt:
    return Attempt(
        1,
        SetLight(RED, reply=True),
        0,
        START,
        START,
        retry=False,
        stage=stage,
        item_expires_at=expires_at,
    )


async def test_lights_are_nudged_evenly_over_the_period(
    autojump_clock: trio.testing.MockClock,
) -> None:
    around = Round()
    await around.store.open()
    around.devices = {f"d{number:04}": Device(dev_eui=f"d{number:04}") for number in range(3_000)}
    async with trio.open_nursery() as nursery:
        await nursery.start(around.sweeper.run)
        await trio.sleep(599.5)
        nursery.cancel_scope.cancel()
    assert len(around.posted) == 6_000
    for second in range(0, 600, 60):
        posted = [at for at, _ in around.posted if second <= at < second + 60]
        assert len(posted) == pytest.approx(600, abs=30)
    assert {dev_eui for _, dev_eui in around.posted[:3_000]} == set(around.devices)
    assert around.sweeper.statistics().nudged == 6_000


async def test_a_light_that_takes_no_nudge_is_counted_only(
    autojump_clock: trio.testing.MockClock,
) -> None:
    around = Round()
    await around.store.open()
    around.devices = {"d1": Device(dev_eui="d1")}
    around.offer = Offer.FULL
    async with trio.open_nursery() as nursery:
        await nursery.start(around.sweeper.run)
        await trio.sleep(750)
        nursery.cancel_scope.cancel()
    statistics = around.sweeper.statistics()
    assert (statistics.nudged, statistics.not_taken) == (0, 3)
    assert statistics.rounds == 2


async def test_old_records_go_in_bounded_steps_and_young_ones_stay(
    nursery: trio.Nursery,
) -> None:
    around = Round(prune_step=10, prune_steps_most=3)
    await around.store.open()
    old, young = START - 8 * DAY, START - 6 * DAY
    await around.store.commit(
        [line("d1", f"old{number}", old, "join", {}) for number in range(25)]
        + [line("d1", "young", young, "join", {})]
        + [Put(Table.COMMAND, f"c{number}", b"", old) for number in range(20)]
        + [Put(Table.COMMAND, "young", b"", young), Put(Table.DEVICE, "d1", b"", old)]
    )
    assert await around.sweeper.prune() == 30
    assert await around.sweeper.prune() == 15
    assert await around.sweeper.prune() == 0
    assert await around.store.get(Table.DEVICE, "d1") == Record("d1", b"", old)
    assert await around.store.get(Table.COMMAND, "young") is not None
    left = await around.store.entries("d1", since=0, until=START, most=99)
    assert [entry.entry for entry in left] == ["young"]


async def test_a_store_that_is_away_puts_pruning_off(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = Round()

    async def away(**_how: object) -> int:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(around.store, "prune", away)
    assert await around.sweeper.prune() == 0
    assert around.sweeper.statistics().failures == 1


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ([], QueueState.CLEAN),
        ([item(expired_s=61)], QueueState.FLUSH),
        ([item("a"), item("b", f_cnt_down=7)], QueueState.FLUSH),
        ([item(expired_s=59)], QueueState.BUSY),
        ([item("a"), item("b", expired_s=-20)], QueueState.BUSY),
        ([item(is_pending=True)], QueueState.BUSY),
        ([item("a"), item("b", f_port=2)], QueueState.FOREIGN),
        ([item("a", expired_s=None)], QueueState.FOREIGN),
    ],
)
def test_a_queue_is_flushed_only_when_all_of_it_is_ours_and_long_over(
    items: list[QueueItem], verdict: QueueState
) -> None:
    assert judge(items, START, 60.0) is verdict


def test_suspects_are_lights_whose_item_should_be_gone_or_never_went() -> None:
    lit = Device(dev_eui="d1")
    with_attempt = msgspec.structs.replace
    assert not suspect(lit, START, 60)
    assert suspect(failed("d1"), START, 60)
    assert suspect(with_attempt(lit, pursuit=Pursuit(RED, "c1", unsent=1)), START, 60)
    assert not suspect(with_attempt(lit, attempt=sent(Stage.QUEUED, START - 59)), START, 60)
    assert suspect(with_attempt(lit, attempt=sent(Stage.QUEUED, START - 61)), START, 60)
    assert not suspect(with_attempt(failed("d1"), attempt=sent(Stage.SUBMITTED)), START, 60)


async def test_stuck_items_of_ours_are_flushed_and_told(nursery: trio.Nursery) -> None:
    around = Round()
    around.devices = {"d1": failed("d1"), "d2": Device(dev_eui="d2")}
    around.network.queues = {"d1": [item()], "d2": [item()]}
    await around.sweeper.look_for_stuck_items()
    assert around.network.read == ["d1"]
    assert around.network.flushed == ["d1"]
    assert len(around.notes) == 1


async def test_nothing_is_flushed_while_a_new_attempt_is_on_its_way(
    nursery: trio.Nursery,
) -> None:
    around = Round()
    around.devices = {"d1": failed("d1")}
    around.network.queues = {"d1": [item()]}
    ask = around.network.queue

    async def meanwhile(dev_eui: str) -> Sequence[QueueItem]:
        items = await ask(dev_eui)
        around.devices["d1"] = msgspec.structs.replace(failed("d1"), attempt=sent(Stage.SUBMITTED))
        return items

    around.network.queue = meanwhile  # type: ignore[method-assign]
    await around.sweeper.look_for_stuck_items()
    assert around.network.flushed == []


async def test_a_foreign_item_seen_twice_is_told_once_and_never_flushed(
    nursery: trio.Nursery,
) -> None:
    around = Round()
    around.devices = {"d1": failed("d1")}
    around.network.queues = {"d1": [item("theirs", f_port=2), item("ours")]}
    for _ in range(4):
        await around.sweeper.look_for_stuck_items()
    assert around.network.flushed == []
    assert len(around.notes) == 1
    assert around.sweeper.statistics().foreign == 1


async def test_few_queues_are_read_in_one_round_and_all_in_turn(nursery: trio.Nursery) -> None:
    around = Round(queues_most=4)
    around.devices = {f"d{number}": failed(f"d{number}") for number in range(10)}
    for _ in range(3):
        await around.sweeper.look_for_stuck_items()
    assert len(around.network.read) == 12
    assert set(around.network.read) == set(around.devices)


async def test_an_unreachable_server_ends_the_round_and_a_refusal_does_not(
    nursery: trio.Nursery,
) -> None:
    around = Round()
    around.devices = {f"d{number}": failed(f"d{number}") for number in range(5)}
    around.network.failures = {"d1": NetworkForbidden("no"), "d3": NetworkTimeout("late")}
    await around.sweeper.look_for_stuck_items()
    assert around.network.read == ["d0", "d1", "d2", "d3"]
    assert around.sweeper.statistics().failures == 2


async def test_a_flush_at_the_end_of_the_rounds_time_is_told_all_the_same(
    autojump_clock: trio.testing.MockClock,
) -> None:
    around = Round(chores_timeout_s=2.0)
    await around.store.open()
    around.devices = {"d1": failed("d1")}
    around.network.queues = {"d1": [item()]}
    around.network.flush_s = 3.0
    async with trio.open_nursery() as nursery:
        await nursery.start(around.sweeper.run)
        await trio.sleep(310)
        nursery.cancel_scope.cancel()
    assert around.network.flushed == ["d1"]
    assert around.sweeper.statistics().flushed == 1
    assert len(around.notes) == 1


async def test_a_flush_that_hangs_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    around = Round(chores_timeout_s=2.0)
    await around.store.open()
    around.devices = {"d1": failed("d1")}
    around.network.queues = {"d1": [item()]}
    around.network.flush_s = 1_000.0
    async with trio.open_nursery() as nursery:
        await nursery.start(around.sweeper.run)
        await trio.sleep(615)
        nursery.cancel_scope.cancel()
    statistics = around.sweeper.statistics()
    assert (statistics.rounds, statistics.flushed) == (2, 0)
    assert statistics.failures >= 2


async def test_a_hanging_server_does_not_stop_the_rounds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    around = Round()
    await around.store.open()
    around.devices = {"d1": failed("d1")}
    around.network.hang = True
    async with trio.open_nursery() as nursery:
        await nursery.start(around.sweeper.run)
        await trio.sleep(1_000)
        nursery.cancel_scope.cancel()
    assert around.sweeper.statistics().rounds == 2
    assert len(around.posted) >= 3


async def test_who_did_what_is_kept_longer_than_all_else() -> None:
    around = Round()
    await around.store.open()
    days = SweepPolicy().audit_s / 86_400
    for age in (1.0, 8.0, days - 1, days + 1):
        at = around.clock.now() - age * 86_400
        await around.store.commit([Append(name, f"{age:g}", at, b"x") for name in ("audit", "d1")])
    await around.sweeper.prune()
    left = {
        name: [one.entry for one in await around.store.entries(name, since=0, until=1e12, most=9)]
        for name in ("audit", "d1")
    }
    assert left == {"audit": ["1", "8", f"{days - 1:g}"], "d1": ["1"]}
