import itertools
import random
from collections.abc import Sequence

import msgspec
import pytest
import trio

from actors.alerts import Alerter, AlertPolicy, LogNotifier, Notice
from actors.board.board import Board
from actors.board.changes import ActorView, GatewayView
from actors.clock import RunClock
from actors.device.model import Device, Phase, Session
from actors.journal import Journal
from store.errors import StoreUnavailable
from store.memory import MemoryDisk, MemoryStore
from store.port import Table, Write

START = 1_700_000_000.0
HOUR = 3_600.0


class Pager:
    """A notifier that keeps what it is given."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.full = False

    def offer(self, notice: Notice) -> bool:
        if not self.full:
            self.notices.append(notice)
        return not self.full

    @property
    def titles(self) -> list[str]:
        return [notice.title for notice in self.notices]


class House:
    """A board, a journal and an alerter on one disk."""

    def __init__(self, disk: MemoryDisk | None = None, *, gather_s: float = 0.0) -> None:
        self.policy = AlertPolicy(gather_s=gather_s)
        self.clock = RunClock(START)
        self.board = Board(self.clock, "boot")
        self.store = MemoryStore(disk, before_commit=self._before)
        self.down = False
        self.pager = Pager()
        self.numbers = itertools.count()
        self.alerter: Alerter

    async def _before(self, _writes: Sequence[Write]) -> None:
        if self.down:
            raise StoreUnavailable("full")

    def _health(self, since: float | None) -> None:
        self.alerter.store_failing(since)

    async def open(self, nursery: trio.Nursery) -> None:
        await self.store.open()
        journal = Journal(
            self.store,
            self.clock,
            random.Random(1),
            on_health=self._health,
            drain_s=1.0,
        )
        self.alerter = Alerter(
            self.board,
            journal,
            self.store,
            self.clock,
            new_id=lambda: f"a{next(self.numbers)}",
            policy=self.policy,
            notifiers=[self.pager, LogNotifier()],
        )
        await nursery.start(journal.run)
        await nursery.start(self.board.run)
        await nursery.start(self.alerter.run)


def light(dev_eui: str, phase: Phase = Phase.IDLE, heard_at: float = START) -> Device:
    return Device(
        dev_eui=dev_eui,
        phase=phase,
        session=Session("00aabbcc", START - HOUR, f_cnt=1, heard_at=heard_at),
    )


async def test_a_failed_light_is_told_stored_shown_and_closed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        house.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        assert house.pager.titles == ["light failed: d1"]
        (shown,) = house.board.alerts()
        assert (shown.kind, shown.subject, shown.closed_at) == ("light_failed", "d1", None)
        assert house.store.disk.record(Table.ALERT, shown.id) is not None
        house.board.publish(light("d1"))
        await trio.sleep(1)
        assert house.pager.titles[1:] == ["over: light failed: d1"]
        assert house.board.alerts()[0].close_reason is not None
        nursery.cancel_scope.cancel()


async def test_silence_is_noticed_without_any_event(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    silent_s = AlertPolicy().silent_after_s
    async with trio.open_nursery() as nursery:
        house.board.publish(light("d0"))  # there before the alerter came
        await house.open(nursery)
        house.board.publish(light("d1"))
        await trio.sleep(silent_s - 100)
        house.board.publish(light("d1", heard_at=house.clock.now()))
        await trio.sleep(200)
        assert house.pager.titles == ["light silent: d0"]
        await trio.sleep(silent_s)
        assert house.pager.titles == ["light silent: d0", "light silent: d1"]
        house.board.publish(light("d1", heard_at=house.clock.now()))
        await trio.sleep(1)
        assert house.pager.titles[2:] == ["over: light silent: d1"]
        await trio.sleep(silent_s + 400)
        assert "still light silent: d0" in house.pager.titles
        assert house.pager.titles.count("light silent: d1") == 2
        nursery.cancel_scope.cancel()


async def test_gateways_actors_and_the_network_are_watched(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        house.board.publish(GatewayView("g1", "roof", online=False))
        house.board.publish(ActorView("device d1", "crashed", 5, "KeyError"))
        house.alerter.network_problem("no reply within 5 s")
        await trio.sleep(60)
        assert sorted(house.pager.titles) == [
            "actor parked: device d1",
            "gateway offline: g1",
            "network unreachable: chirpstack",
        ]
        house.board.publish(GatewayView("g1", "roof", online=True))
        house.board.publish(ActorView("device d1", "running", 5))
        house.alerter.network_problem(None)
        await trio.sleep(60)
        assert len(house.pager.titles) == 6
        assert all(title.startswith("over: ") for title in house.pager.titles[3:])
        nursery.cancel_scope.cancel()


async def test_a_failing_store_is_told_though_nothing_can_be_stored(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        house.down = True
        house.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(60)
        assert house.pager.titles == ["light failed: d1", "store failing: store"]
        house.down = False
        await trio.sleep(60)
        assert house.pager.titles[2:] == ["over: store failing: store"]
        assert len(house.store.disk.records(Table.ALERT)) == 2
        nursery.cancel_scope.cancel()


async def test_a_restart_neither_forgets_nor_repeats(
    autojump_clock: trio.testing.MockClock,
) -> None:
    before = House()
    async with trio.open_nursery() as nursery:
        await before.open(nursery)
        before.board.publish(light("d1", Phase.FAILED))
        before.board.publish(light("d2", Phase.FAILED))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    after = House(before.store.disk)
    after.clock = before.clock
    after.board = Board(before.clock, "boot-2")
    async with trio.open_nursery() as nursery:
        await after.open(nursery)
        assert [alert.subject for alert in after.board.alerts()] == ["d2", "d1"]
        after.board.publish(light("d1", Phase.FAILED))
        after.board.publish(light("d2"))
        await trio.sleep(60)
        assert after.pager.titles == ["over: light failed: d2"]
        await trio.sleep(HOUR)
        assert "still light failed: d1" in after.pager.titles
        nursery.cancel_scope.cancel()


async def test_many_at_once_are_one_notice(autojump_clock: trio.testing.MockClock) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        for number in range(1_000):
            house.board.publish(light(f"d{number}", Phase.FAILED))
        await trio.sleep(1)
        assert len(house.pager.notices) <= 3
        assert sum(len(notice.alert_ids) for notice in house.pager.notices) == 1_000
        assert house.alerter.statistics().open == 1_000
        nursery.cancel_scope.cancel()


async def test_trouble_that_spreads_is_told_once_a_minute(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(gather_s=60.0)
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        for number in range(600):  # ten minutes of one light each second
            house.board.publish(light(f"d{number}", Phase.FAILED))
            await trio.sleep(1)
        await trio.sleep(60)
        assert house.pager.titles[0] == "light failed: d0"
        assert house.pager.titles[1] == "60 x light failed"
        assert 11 <= len(house.pager.notices) <= 12
        assert sum(len(notice.alert_ids) for notice in house.pager.notices) == 600
        nursery.cancel_scope.cancel()


async def test_a_whole_fleet_in_trouble_holds_nobody_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(gather_s=60.0)
    fleet = 5_000
    for number in range(fleet):
        house.board.publish(light(f"d{number}"))
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        await trio.sleep(AlertPolicy().silent_after_s + 150)
        assert house.alerter.statistics().open == fleet
        assert len(house.pager.notices) <= 10
        nursery.cancel_scope.cancel()


async def test_a_follower_left_behind_starts_over(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    house.board = Board(house.clock, "boot", changes_kept=10)
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        await trio.sleep(1)
        house.board.publish(light("d1", Phase.FAILED))
        for number in range(50):  # more than are kept, before the alerter gets its turn
            house.board.publish(light(f"x{number}"))
        await trio.sleep(1)
        assert house.pager.titles == ["light failed: d1"]
        nursery.cancel_scope.cancel()


async def test_a_notifier_without_room_is_counted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    house.pager.full = True
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        house.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        statistics = house.alerter.statistics()
        assert (statistics.notices, statistics.not_taken) == (1, 1)
        nursery.cancel_scope.cancel()


async def test_an_unreadable_stored_alert_hides_no_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        house.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    disk = house.store.disk
    record = disk.records(Table.ALERT)[0]
    disk._records[Table.ALERT]["odd"] = msgspec.structs.replace(record, key="odd", value=b"{")
    after = House(disk)
    async with trio.open_nursery() as nursery:
        await after.open(nursery)
        assert [alert.subject for alert in after.board.alerts()] == ["d1"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("online", [True, False])
async def test_good_news_about_nothing_are_no_alert(
    autojump_clock: trio.testing.MockClock, online: bool
) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await house.open(nursery)
        house.board.publish(GatewayView("g1", online=online))
        house.board.publish(GatewayView("g1", online=True))
        await trio.sleep(120)
        assert house.pager.notices == []
        nursery.cancel_scope.cancel()
