import dataclasses
import itertools
import random
from collections.abc import Sequence

import msgspec
import pytest
import trio

from actors.alerts import Alerter, AlertPolicy, LogNotifier, Notice
from actors.alerts.finding import AlertKind, Finding
from actors.alerts.rules import network_finding, store_finding
from actors.board.board import Board
from actors.board.changes import ActorView, DeviceRemoved, GatewayView
from actors.clocks.clock import RunClock
from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Hearing, Phase, Session
from actors.storage.store_writer import StoreWriter
from actors.supervision import ChildState
from lorawan.kuando.light_state import LightState
from store.errors import StoreUnavailable
from store.memory import MemoryDisk, MemoryStore
from store.port import Record, Table, Write

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


class AlertService:
    """A board, a store writer and an alerter on one disk."""

    def __init__(self, disk: MemoryDisk | None = None, *, gather_s: float = 0.0) -> None:
        self.conditions: list[Finding] = []
        self.listed = True
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
        store_writer = StoreWriter(
            self.store,
            self.clock,
            random.Random(1),
            on_health=self._health,
            drain_s=1.0,
        )
        self.alerter = Alerter(
            self.board,
            store_writer,
            self.clock,
            new_id=lambda: f"a{next(self.numbers)}",
            policy=self.policy,
            notifiers=[self.pager, LogNotifier()],
            conditions=lambda: self.conditions,
            gateways_listed=lambda: self.listed,
        )
        await nursery.start(store_writer.run)
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
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        assert service.pager.titles == ["light failed: d1"]
        (shown,) = service.board.alerts()
        assert (shown.kind, shown.subject, shown.closed_at) == ("light_failed", "d1", None)
        assert service.store.disk.record(Table.ALERT, shown.id) is not None
        service.board.publish(light("d1"))
        await trio.sleep(1)
        assert service.pager.titles[1:] == ["over: light failed: d1"]
        assert service.board.alerts()[0].close_reason is not None
        nursery.cancel_scope.cancel()


async def test_silence_is_noticed_without_any_event(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    silent_s = AlertPolicy().silent_after_s
    async with trio.open_nursery() as nursery:
        service.board.publish(light("d0"))  # there before the alerter came
        await service.open(nursery)
        service.board.publish(light("d1"))
        await trio.sleep(silent_s - 100)
        service.board.publish(light("d1", heard_at=service.clock.now()))
        await trio.sleep(200)
        assert service.pager.titles == ["light silent: d0"]
        await trio.sleep(silent_s)
        assert service.pager.titles == ["light silent: d0", "light silent: d1"]
        service.board.publish(light("d1", heard_at=service.clock.now()))
        await trio.sleep(1)
        assert service.pager.titles[2:] == ["over: light silent: d1"]
        await trio.sleep(silent_s + 400)
        assert "still light silent: d0" in service.pager.titles
        assert service.pager.titles.count("light silent: d1") == 2
        nursery.cancel_scope.cancel()


async def test_gateways_actors_and_the_network_are_watched(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(GatewayView("g1", "roof", online=False))
        service.board.publish(ActorView("device d1", ChildState.PARKED, 5, "KeyError"))
        service.alerter.network_problem("no reply within 5 s")
        await trio.sleep(60)
        assert sorted(service.pager.titles) == [
            "actor parked: device d1",
            "gateway offline: g1",
            "network unreachable: chirpstack",
        ]
        service.board.publish(GatewayView("g1", "roof", online=True))
        service.board.publish(ActorView("device d1", ChildState.RUNNING, 5))
        service.alerter.network_problem(None)
        await trio.sleep(60)
        assert len(service.pager.titles) == 6
        assert all(title.startswith("over: ") for title in service.pager.titles[3:])
        nursery.cancel_scope.cancel()


async def test_stored_alerts_are_read_as_soon_as_the_store_answers(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that falls silent just when its shard was taken: five crashes would be too many."""
    before = AlertService()
    async with trio.open_nursery() as nursery:
        await before.open(nursery)
        before.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    service = AlertService(before.store.disk)
    scan, back_at = service.store.scan, trio.current_time() + 30.0

    async def away(table: Table) -> Sequence[Record]:
        if trio.current_time() < back_at:
            raise StoreUnavailable("no server answers")
        return await scan(table)

    monkeypatch.setattr(service.store, "scan", away)
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        assert trio.current_time() < back_at, "what comes after it does not wait"
        assert not service.board.alerts()
        await trio.sleep(40.0)
        assert [one.subject for one in service.board.alerts()] == ["d1"]
        nursery.cancel_scope.cancel()


async def test_a_failing_store_is_told_though_nothing_can_be_stored(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.down = True
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(60)
        assert service.pager.titles == ["light failed: d1", "store failing: store"]
        service.down = False
        await trio.sleep(60)
        assert service.pager.titles[2:] == ["over: store failing: store"]
        assert len(service.store.disk.records(Table.ALERT)) == 2
        nursery.cancel_scope.cancel()


async def test_a_restart_neither_forgets_nor_repeats(
    autojump_clock: trio.testing.MockClock,
) -> None:
    before = AlertService()
    async with trio.open_nursery() as nursery:
        await before.open(nursery)
        before.board.publish(light("d1", Phase.FAILED))
        before.board.publish(light("d2", Phase.FAILED))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    after = AlertService(before.store.disk)
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
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        for number in range(1_000):
            service.board.publish(light(f"d{number}", Phase.FAILED))
        await trio.sleep(1)
        assert len(service.pager.notices) <= 3
        assert sum(len(notice.alert_ids) for notice in service.pager.notices) == 1_000
        assert service.alerter.statistics().open == 1_000
        nursery.cancel_scope.cancel()


async def test_trouble_that_spreads_is_told_once_a_minute(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService(gather_s=60.0)
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        for number in range(600):  # ten minutes of one light each second
            service.board.publish(light(f"d{number}", Phase.FAILED))
            await trio.sleep(1)
        await trio.sleep(60)
        assert service.pager.titles[0] == "light failed: d0"
        assert service.pager.titles[1] == "60 x light failed"
        assert 11 <= len(service.pager.notices) <= 12
        assert sum(len(notice.alert_ids) for notice in service.pager.notices) == 600
        nursery.cancel_scope.cancel()


async def test_a_whole_fleet_in_trouble_holds_nobody_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService(gather_s=60.0)
    fleet = 5_000
    for number in range(fleet):
        service.board.publish(light(f"d{number}"))
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        await trio.sleep(AlertPolicy().silent_after_s + 150)
        assert service.alerter.statistics().open == fleet
        assert len(service.pager.notices) <= 10
        nursery.cancel_scope.cancel()


async def test_a_follower_left_behind_starts_over(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    service.board = Board(service.clock, "boot", changes_kept=10)
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        await trio.sleep(1)
        service.board.publish(light("d1", Phase.FAILED))
        for number in range(50):  # more than are kept, before the alerter gets its turn
            service.board.publish(light(f"x{number}"))
        await trio.sleep(1)
        assert service.pager.titles == ["light failed: d1"]
        nursery.cancel_scope.cancel()


async def test_a_notifier_without_room_is_counted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    service.pager.full = True
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        statistics = service.alerter.statistics()
        assert (statistics.notices, statistics.not_taken) == (1, 1)
        nursery.cancel_scope.cancel()


async def test_an_unreadable_stored_alert_hides_no_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    disk = service.store.disk
    record = disk.records(Table.ALERT)[0]
    disk._records[Table.ALERT]["odd"] = msgspec.structs.replace(record, key="odd", value=b"{")
    after = AlertService(disk)
    async with trio.open_nursery() as nursery:
        await after.open(nursery)
        assert [alert.subject for alert in after.board.alerts()] == ["d1"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("online", [True, False])
async def test_good_news_about_nothing_are_no_alert(
    autojump_clock: trio.testing.MockClock, online: bool
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(GatewayView("g1", online=online))
        service.board.publish(GatewayView("g1", online=True))
        await trio.sleep(120)
        assert service.pager.notices == []
        nursery.cancel_scope.cancel()


def heard_by(dev_eui: str, *gateways: str, heard_at: float = START, **changes: object) -> Device:
    """A light of these gateways."""
    hearings = tuple(Hearing(one, heard_at, -90, 5.0, 10.0, latest=True) for one in gateways)
    device = msgspec.structs.replace(light(dev_eui, heard_at=heard_at), hearings=hearings)
    return msgspec.structs.replace(device, **changes)


def ordered(dev_eui: str, at: float, **changes: object) -> Command:
    command = Command("c1", dev_eui, LightState(1, 2, 3), True, at, at + 24 * HOUR)
    return msgspec.structs.replace(command, **changes)


async def test_one_outage_of_a_gateway_is_one_alert_with_its_lights(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """From the field: an outage was an alert for every light behind it."""
    service = AlertService()
    silent_s = AlertPolicy().silent_after_s
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        for gateway in ("g1", "g2"):
            service.board.publish(GatewayView(gateway, f"roof {gateway}", since=START - HOUR))
        for number in range(20):
            waiting = ordered(f"d{number:02}", START, status=CommandStatus.HELD)
            service.board.publish(heard_by(f"d{number:02}", "g1", command=waiting))
        service.board.publish(heard_by("both", "g1", "g2"))
        service.board.publish(GatewayView("g1", "roof g1", online=False, since=START))
        for _ in range(4):
            await trio.sleep(silent_s - 60)
            service.board.publish(heard_by("both", "g1", "g2", heard_at=service.clock.now()))
        told = [one for one in service.board.alerts() if one.closed_at is None]
        assert [(one.kind, one.subject, one.lights_total) for one in told] == [
            ("gateway_offline", "g1", 20)
        ]
        assert told[0].summary == (
            "gateway roof g1 is offline; 20 lights cannot be reached:"
            " d00, d01, d02, d03, d04 and 15 more"
        )
        assert told[0].since == START
        assert told[0].lights[:2] == ("d00", "d01")
        service.board.publish(GatewayView("g1", "roof g1", since=service.clock.now()))
        back_at = service.clock.now()
        for number in range(1, 20):  # d00 does not come back
            service.board.publish(heard_by(f"d{number:02}", "g1", heard_at=back_at))
        dead = heard_by("d00", "g1", heard_at=START)
        service.board.publish(dead)
        await trio.sleep(silent_s - 60)
        service.board.publish(heard_by("both", "g1", "g2", heard_at=service.clock.now()))
        opened = [one for one in service.board.alerts() if one.closed_at is None]
        assert opened == [], "it is given the time to speak that every light has"
        for number in range(1, 20):
            service.board.publish(heard_by(f"d{number:02}", "g1", heard_at=service.clock.now()))
        await trio.sleep(300)
        opened = [one for one in service.board.alerts() if one.closed_at is None]
        assert [(one.kind, one.subject) for one in opened] == [("light_silent", "d00")]
        nursery.cancel_scope.cancel()


async def test_lights_that_fell_silent_before_their_outage_was_noticed_are_explained_by_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    silent_s = AlertPolicy().silent_after_s
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(GatewayView("g1", "roof", since=START - HOUR, alive_at=START))
        for number in range(3):
            service.board.publish(heard_by(f"d{number}", "g1"))
        await trio.sleep(silent_s + 120)
        assert service.pager.titles == [f"light silent: d{number}" for number in range(3)]
        gone = GatewayView("g1", "roof", online=False, since=service.clock.now(), alive_at=START)
        service.board.publish(gone)
        await trio.sleep(60)
        opened = [one for one in service.board.alerts() if one.closed_at is None]
        assert [(one.kind, one.lights_total) for one in opened] == [("gateway_offline", 3)]
        nursery.cancel_scope.cancel()


async def test_the_lights_of_an_outage_are_told_as_they_are_now(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(GatewayView("g1", "roof", since=START - HOUR))
        service.board.publish(GatewayView("g2", "yard", since=START - HOUR))
        for number in range(3):
            service.board.publish(heard_by(f"d{number}", "g1"))
        service.board.publish(GatewayView("g1", "roof", online=False, since=START))
        await trio.sleep(120)
        assert service.board.alerts()[0].lights_total == 3
        service.board.publish(heard_by("d1", "g2", heard_at=service.clock.now()))
        await trio.sleep(30)
        (alert,) = service.board.alerts()
        assert (alert.lights, alert.lights_total) == (("d0", "d2"), 2)
        assert len(service.pager.notices) == 1, "that is shown, not told"
        nursery.cancel_scope.cancel()


async def test_a_command_that_waits_for_minutes_is_told_of(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        await trio.sleep(1_000)
        now = service.clock.now()
        waits = ordered("d1", now, status=CommandStatus.HELD, reason="the airtime is spent")
        service.board.publish(waits)
        service.board.publish(heard_by("d1", heard_at=now, command=waits))
        await trio.sleep(290)
        assert service.pager.titles == []
        await trio.sleep(20)
        (alert,) = service.board.alerts()
        assert (alert.kind, alert.since) == ("command_waiting", now)
        assert alert.summary == "the colour for d1 waits: the airtime is spent"
        waits = msgspec.structs.replace(waits, reason="an earlier item is in the way")
        service.board.publish(heard_by("d1", heard_at=now, command=waits))
        await trio.sleep(1)
        assert service.board.alerts()[0].summary.endswith("an earlier item is in the way")
        service.board.publish(heard_by("d1", heard_at=now))
        await trio.sleep(1)
        assert service.board.alerts()[0].closed_at is not None
        nursery.cancel_scope.cancel()


async def test_what_chirpstack_holds_up_is_one_alert_and_the_rest_is_judged_afterwards(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.conditions = [network_finding("ChirpStack does not answer")]
        await trio.sleep(60)
        now = service.clock.now()
        waits = ordered("d1", now)
        service.board.publish(waits)
        service.board.publish(heard_by("d1", heard_at=now, command=waits))
        await trio.sleep(900)
        opened = [one.kind for one in service.board.alerts() if one.closed_at is None]
        assert opened == ["network_unreachable"]
        service.conditions = [network_finding(None)]
        await trio.sleep(30)
        opened = [one.kind for one in service.board.alerts() if one.closed_at is None]
        assert opened == ["command_waiting"]
        nursery.cancel_scope.cancel()


EVERY_KIND = {
    AlertKind.LIGHT_FAILED: "d1",
    AlertKind.LIGHT_HELD: "d1",
    AlertKind.LIGHT_SILENT: "d1",
    AlertKind.FOREIGN_SENDER: "d1",
    AlertKind.LIGHT_AT_RISK: "d1",
    AlertKind.COMMAND_WAITING: "d1",
    AlertKind.GATEWAY_OFFLINE: "g1",
    AlertKind.GATEWAY_TAKES_NOTHING: "g1",
    AlertKind.GATEWAY_POOR: "g1",
    AlertKind.ACTOR_PARKED: "device d1",
    AlertKind.NETWORK_UNREACHABLE: "chirpstack",
    AlertKind.WEBHOOKS_MISSING: "application-1",
    AlertKind.EVENT_STREAM: "stream",
    AlertKind.STORE_FAILING: "store",
    AlertKind.STORE_SET_BACK: "store",
    AlertKind.SHARD_UNOWNED: "cluster",
    AlertKind.PROCESS_MISSING: "cluster",
    AlertKind.ENGINE_NOT_DURABLE: "engine",
    AlertKind.COMMITS_LOST: "engine",
    AlertKind.SCHEDULE_MISSED: "schedule-1",
    AlertKind.HOOK_FAILING: "hook-1",
    AlertKind.BROKER_AWAY: "mqtt",
    AlertKind.RECORD_UNREADABLE: "store",
    AlertKind.CLOCK_SET: "clock",
    AlertKind.CLOCKS_DIFFER: "chirpstack",
}


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("kind", list(AlertKind))
async def test_an_alert_whose_cause_is_gone_closes_within_a_minute_of_a_restart(
    autojump_clock: trio.testing.MockClock, kind: AlertKind, gone: bool
) -> None:
    """From the field: those that are told by a change only stayed open for 900 s. `gone`: not only
    the cause but its subject is."""
    subject = EVERY_KIND[kind]
    before = AlertService()
    before.policy = dataclasses.replace(before.policy, settle_s={})  # some settle for an hour
    async with trio.open_nursery() as nursery:
        await before.open(nursery)
        before.board.publish(light("d1"))
        await trio.sleep(1)
        before.alerter.mailbox.offer(Finding(kind, subject, True, "it is bad"))
        await trio.sleep(130)
        assert before.alerter.statistics().open == 1
        nursery.cancel_scope.cancel()
    after = AlertService(before.store.disk)
    after.clock = before.clock
    after.board = Board(before.clock, "boot-2")
    after.conditions = [store_finding(None), network_finding(None)]  # as of a service that is well
    async with trio.open_nursery() as nursery:
        await after.open(nursery)
        assert len(after.board.alerts()) == 1
        if not gone:
            after.board.publish(light("d1", heard_at=after.clock.now()))
            after.board.publish(GatewayView("g1", online=True))
            after.board.publish(ActorView("device d1", ChildState.RUNNING, 0))
        await trio.sleep(62)
        assert after.alerter.statistics().open == 0
        nursery.cancel_scope.cancel()


async def test_a_gateways_alert_waits_for_a_list_to_be_judged(
    autojump_clock: trio.testing.MockClock,
) -> None:
    before = AlertService()
    async with trio.open_nursery() as nursery:
        await before.open(nursery)
        before.board.publish(GatewayView("g1", "roof", online=False, since=START))
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    after = AlertService(before.store.disk)
    after.clock, after.listed = before.clock, False
    after.board = Board(before.clock, "boot-2")
    async with trio.open_nursery() as nursery:
        await after.open(nursery)
        await trio.sleep(600)
        assert after.alerter.statistics().open == 1, "nobody knows: ChirpStack does not list them"
        after.listed = True
        after.board.publish(GatewayView("g1", "roof", online=False, since=START))
        await trio.sleep(600)
        assert after.alerter.statistics().open == 1
        assert after.pager.notices == []
        nursery.cancel_scope.cancel()


async def test_a_light_that_is_removed_takes_its_alerts_along(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(120)
        assert service.alerter.statistics().open == 1
        service.board.publish(DeviceRemoved("d1", "d1", "ChirpStack lists it no more"))
        await trio.sleep(30)
        assert service.alerter.statistics().open == 0
        nursery.cancel_scope.cancel()
