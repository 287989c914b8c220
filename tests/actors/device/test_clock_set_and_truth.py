"""The machine's clock is set, or the host sleeps: nothing is said to be silent or gone by that."""

import itertools
import random
from random import Random

import pytest
import trio

from actors.alerts import Alerter, AlertPolicy
from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.board.reachability import Reach
from actors.clocks.clock import RunClock
from actors.device.model import Device, Hearing, Report, Session
from actors.gateways import GatewayWatcher
from actors.gateways.observed import WatchLog
from actors.storage.store_writer import StoreWriter
from lorawan.kuando.light_state import LightState
from lorawan.network import GatewayInfo
from store.memory import MemoryStore
from store.port import Append, Write
from tests.support.scripted_network import ScriptedNetwork

START = 1_700_000_000.0
HOUR = 3_600.0
SILENT_S = 2_700.0
MockClock = trio.testing.MockClock


class Machine:
    """A machine whose clock is set, and which sleeps, as the test wants."""

    def __init__(self) -> None:
        self._began = trio.current_time()
        self._set_s = 0.0
        self._slept_s = 0.0
        self.clock = RunClock(START, wall=self._wall, elapsed=self._elapsed)

    def _elapsed(self) -> float:
        return trio.current_time() + self._slept_s

    def _wall(self) -> float:
        return START + self._elapsed() - self._began + self._set_s

    def set(self, by_s: float) -> None:
        self._set_s += by_s
        assert self.clock.look().stepped_s == pytest.approx(by_s)

    def sleep(self, for_s: float) -> None:
        self._slept_s += for_s
        self.clock.look()


def a_light(dev_eui: str, at: float) -> Device:
    """Heard at this date."""
    return Device(
        dev_eui=dev_eui,
        session=Session("01abcdef", at - HOUR, f_cnt=7, heard_at=at),
        report=Report(at, "01abcdef", 7, LightState(0, 255, 0), 4, 8, 56, 14, -97, 28),
        hearings=(Hearing("g1", at, -97, 7.0, 20.0, latest=True),),
        stepped_at=at,
    )


@pytest.mark.parametrize("by_s", [HOUR, -HOUR, 30 * 86_400.0])
async def test_a_light_falls_silent_by_what_passed_and_not_by_the_date(
    nursery: trio.Nursery, autojump_clock: MockClock, by_s: float
) -> None:
    machine = Machine()
    board = Board(machine.clock, "boot", silent_after_s=SILENT_S)
    await nursery.start(board.run)
    board.publish(GatewayView("g1", since=START - HOUR))
    board.publish(a_light("d1", START))
    await trio.sleep(600)
    machine.set(by_s)
    late = a_light("late", machine.clock.now())
    board.publish(late)
    await trio.sleep(SILENT_S - 620)
    assert board.reachability_counts()[Reach.REACHABLE] == 2
    await trio.sleep(60)
    assert board.reachability(late).reach is Reach.REACHABLE
    found = board.reachability(board.devices["d1"])
    assert found.reach is Reach.SILENT
    assert found.since == pytest.approx(START + by_s, abs=1), "told by the date as it is now"
    assert not found.reported_current
    await trio.sleep(600)
    assert board.reachability(late).reach is Reach.SILENT


@pytest.mark.parametrize("by_s", [HOUR, -HOUR])
async def test_no_alert_comes_early_or_late_because_the_clock_was_set(
    nursery: trio.Nursery, autojump_clock: MockClock, by_s: float
) -> None:
    machine = Machine()
    board = Board(machine.clock, "boot", silent_after_s=SILENT_S)
    store, numbers = MemoryStore(), itertools.count()
    await store.open()
    store_writer = StoreWriter(store, machine.clock, random.Random(1))
    alerter = Alerter(
        board,
        store_writer,
        machine.clock,
        new_id=lambda: f"a{next(numbers)}",
        policy=AlertPolicy(silent_after_s=SILENT_S),
    )
    for part in (store_writer.run, board.run, alerter.run):
        await nursery.start(part)
    board.publish(GatewayView("g1", since=START - HOUR))
    board.publish(GatewayView("g2", since=START - HOUR))
    for number in range(10):
        board.publish(a_light(f"d{number}", START))
    await trio.sleep(600)
    machine.set(by_s)
    board.publish(GatewayView("g2", online=False, since=machine.clock.now()))
    await trio.sleep(60)
    assert [one.kind for one in board.alerts()] == ["gateway_offline"], "in its own time"
    await trio.sleep(SILENT_S - 670)
    assert [one.kind for one in board.alerts()] == ["gateway_offline"], "nobody is silent yet"
    await trio.sleep(120)
    assert sum(one.kind == "light_silent" for one in board.alerts()) == 10


@pytest.mark.parametrize("by_s", [HOUR, -HOUR])
@pytest.mark.parametrize("sleeps", [False, True])
async def test_gateways_are_not_gone_because_the_clock_was_set_or_the_host_slept(
    nursery: trio.Nursery, autojump_clock: MockClock, by_s: float, sleeps: bool
) -> None:
    machine = Machine()
    changes: list[bool] = []
    views: list[GatewayView] = []
    began = trio.current_time()

    class Server(ScriptedNetwork):
        async def gateways(self) -> list[GatewayInfo]:
            await trio.lowlevel.checkpoint()
            passed_s = trio.current_time() - began
            return [GatewayInfo("g1", "Roof", last_seen_at=START + 30 * (passed_s // 30))]

    watcher = GatewayWatcher(
        Server(machine.clock, Random(1)),
        views.append,
        machine.clock,
        on_change=(lambda _, online: changes.append(online),),
    )
    await nursery.start(watcher.run)
    await trio.sleep(100)
    machine.sleep(abs(by_s)) if sleeps else machine.set(by_s)
    await trio.sleep(20)
    watcher.heard("g1", machine.clock.now())
    await trio.sleep(900)
    assert changes == [True]
    polls = watcher.statistics().polls
    assert polls <= 40 + 15, "nobody is looked for that was not away"
    assert views[-1].alive_at == pytest.approx(machine.clock.now(), abs=45)


async def test_a_host_that_slept_did_not_look(autojump_clock: MockClock) -> None:
    machine, written = Machine(), list[Write]()
    watched = WatchLog(written.extend, machine.clock)
    for _ in range(20):
        watched.listed()
        await trio.sleep(30)
    machine.sleep(8 * HOUR)
    for _ in range(21):
        watched.listed()
        await trio.sleep(30)
    machine.set(-HOUR)
    watched.listed()
    spans = [(one.at, float(one.value)) for one in written if isinstance(one, Append)]
    assert sum(until - since for until, since in spans) <= 41 * 30
    running = watched.running()
    assert running is not None
    assert 0 <= running.length_s <= 300
