import gc
import random
import re
from dataclasses import dataclass

import msgspec
import trio

from actors.board.board import Board
from actors.board.changes import ActorView, AlertView, GatewayView
from actors.board.outlook import RiskTold, WarningTold
from actors.clocks.clock import RunClock
from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Phase
from actors.device.verdict import Verdict
from actors.fleet import Fleet
from actors.fleet.fleet import FleetPorts
from actors.link.judgement import AttemptJudged
from actors.link.learner import Learner
from actors.messaging.dead_letters import DeadLetters
from actors.metrics import GarbageWatch, Metrics, Sources, registry
from actors.quality.model import Grade, Line
from actors.storage.store_writer import StoreWriter
from actors.supervision import ChildReport, ChildState, Supervisor
from lorawan.events.model import DeviceInfo, Join
from lorawan.kuando.light_state import LightState
from store.memory import MemoryStore
from store.port import Put, Table
from tests.support.fake_quality import FakeQuality, a_grade, some_scores
from tests.support.samples import samples

START = 1_700_000_000.0


@dataclass(frozen=True)
class PacingStatistics:
    held: int
    airtime_s: float
    reason: str


async def test_what_happens_is_counted(nursery: trio.Nursery) -> None:
    metrics = Metrics()
    metrics.verdict(Verdict("d1", CommandStatus.VERIFIED, START, START + 4, 1, 1))
    slow = Verdict("d2", CommandStatus.VERIFIED, START, START + 1_800, 1, 1, heartbeat_only=True)
    metrics.verdict(slow)
    metrics.verdict(Verdict("d1", CommandStatus.EXPIRED, START, START + 90, 3, 3))
    metrics.frame()
    metrics.actor_changed(ChildReport("device d1", ChildState.BACKING_OFF, START))
    metrics.actor_changed(ChildReport("device d2", ChildState.BACKING_OFF, START))
    metrics.actor_changed(ChildReport("device d2", ChildState.PARKED, START))
    metrics.actor_changed(ChildReport("journal", ChildState.RUNNING, START))
    metrics.journal_committed(7, 0.003)
    metrics.gc_paused(0.02)
    got = samples(metrics.render())
    assert got["lamplighter_commands_total", ("verified",)] == 2
    assert got["lamplighter_commands_heartbeat_only_total", ()] == 1
    assert got["lamplighter_commands_total", ("expired",)] == 1
    assert got["lamplighter_commands_total", ("rejected",)] == 0
    assert got["lamplighter_time_to_verify_seconds_sum", ()] == 4
    assert got["lamplighter_time_to_verify_seconds_count", ()] == 1
    assert got["lamplighter_frames_total", ()] == 1
    assert got["lamplighter_actor_restarts_total", ("device",)] == 2
    assert got["lamplighter_actors_parked_total", ("device",)] == 1
    assert ("lamplighter_actor_restarts_total", ("journal",)) not in got
    assert got["lamplighter_journal_batch_requests_bucket", ("8.0",)] == 1
    assert got["lamplighter_journal_commit_seconds_bucket", ("0.002",)] == 0
    assert got["lamplighter_gc_pause_seconds_count", ()] == 1


async def test_what_is_there_is_read_at_each_scrape(nursery: trio.Nursery) -> None:
    clock = RunClock(START)
    board = Board(clock, "boot")
    store = MemoryStore()
    await store.open()
    metrics = Metrics()
    store_writer = StoreWriter(store, clock, random.Random(1), observe=metrics.journal_committed)
    await nursery.start(store_writer.run)
    letters = DeadLetters()
    supervisor = Supervisor("fleet", clock=clock, rng=random.Random(1), dead_letters=letters)
    ports = FleetPorts(lambda _: None, lambda event: event)
    fleet = Fleet(lambda _: NotImplemented, supervisor, ports, clock)
    pacing = PacingStatistics(3, 1.5, "budget")
    sources = Sources(
        board, store_writer, fleet, letters, {"dispatcher": lambda: pacing}, clock=clock
    )
    metrics.watch(sources)
    assert samples(metrics.render())["lamplighter_devices", ("failed",)] == 0

    board.publish(Device(dev_eui="d1", phase=Phase.FAILED, missed=2, healed=1))
    board.publish(Device(dev_eui="d2", missed=3))
    board.publish(GatewayView("g1", online=False, airtime_used_s=12.5))
    board.publish(Command("c1", "d1", LightState(1, 2, 3), True, START, START + 9))
    board.publish(AlertView("a1", "light_failed", "d1", "it failed", START, START))
    board.publish(AlertView("a2", "light_held", "d2", "held", START, START, closed_at=START))
    board.publish(ActorView("device d2", ChildState.PARKED, 6))
    board.subscribe()
    await store_writer.commit([Put(Table.META, "a", b"", START)])
    letters.add("device d1", "message", "boom", START)
    fleet.deliver(Join(DeviceInfo("x"), START, "00aabbcc"))
    got = samples(metrics.render())
    assert got["lamplighter_devices", ("failed",)] == 1
    assert got["lamplighter_devices", ("uninitialized",)] == 1
    assert got["lamplighter_events_missed", ()] == 5
    assert got["lamplighter_records_healed", ()] == 1
    assert got["lamplighter_devices_by_reachability", ("never_heard",)] == 2
    assert got["lamplighter_devices_by_reachability", ("silent",)] == 0
    assert got["lamplighter_gateways", ("offline",)] == 1
    assert got["lamplighter_gateway_airtime_seconds", ("g1",)] == 12.5
    assert got["lamplighter_commands_open", ()] == 1
    assert got["lamplighter_commands_open_by_status", ("accepted",)] == 1
    assert got["lamplighter_commands_open_by_status", ("held",)] == 0
    assert got["lamplighter_alerts_open", ()] == 1
    assert got["lamplighter_alerts_open_by_kind", ("light_failed",)] == 1
    assert got["lamplighter_alerts_open_by_kind", ("light_held",)] == 0
    assert got["lamplighter_actors_unwell", ("parked",)] == 1
    assert got["lamplighter_gateway_info", ("g1", "g1")] == 1
    assert got["lamplighter_rollouts", ("running",)] == 0
    assert ("lamplighter_uplink_newest_age_seconds", ()) not in got, "none was ever heard"
    assert got["lamplighter_subscribers", ()] == 1
    assert got["lamplighter_board_changes_total", ()] == 7
    assert got["lamplighter_journal_healthy", ()] == 1
    assert got["lamplighter_journal_commits_total", ()] == 1
    assert got["lamplighter_dead_letters_total", ()] == 1
    assert got["lamplighter_deliveries_total", ("unknown",)] == 1
    assert got["lamplighter_fleet_unknown_devices", ()] == 1
    assert got["lamplighter_dispatcher_held", ()] == 3
    assert got["lamplighter_dispatcher_airtime_s", ()] == 1.5
    assert got["lamplighter_trio_tasks", ()] > 0
    nursery.cancel_scope.cancel()


async def test_every_metric_is_documented(nursery: trio.Nursery) -> None:
    clock = RunClock(START)
    metrics = Metrics()
    store_writer = StoreWriter(MemoryStore(), clock, random.Random(1))
    supervisor = Supervisor("fleet", clock=clock, rng=random.Random(1), dead_letters=DeadLetters())
    ports = FleetPorts(lambda _: None, lambda event: event)
    fleet = Fleet(lambda _: NotImplemented, supervisor, ports, clock)
    metrics.watch(Sources(Board(clock, "boot"), store_writer, fleet, DeadLetters()))
    text = registry.__doc__ or ""
    told = set(re.findall(r"_[a-z_]+", text.replace("lamplighter_", "_")))
    for line in metrics.render().decode().splitlines():
        if line.startswith("# TYPE"):
            name = line.split()[2].removeprefix("lamplighter")
            if not name.endswith("_created"):
                assert name in told, name


def test_collections_are_timed_only_while_watched() -> None:
    pauses: list[float] = []
    watch = GarbageWatch(pauses.append)
    watch.install()
    watch.install()
    try:
        gc.collect()
    finally:
        watch.remove()
    seen = len(pauses)
    gc.collect()
    assert seen >= 1
    assert len(pauses) == seen
    assert all(pause >= 0 for pause in pauses)


def test_what_the_air_taught_has_a_series_for_each_software_revision() -> None:
    learner, metrics = Learner(), Metrics()
    for answers in range(30):
        told = AttemptJudged(1, "a1", True, True, 0.9, 0.4, sw_rev=61, spreading_factor=9)
        learner.judged(told)
        if answers < 3:
            learner.judged(msgspec.structs.replace(told, sw_rev=58))
    metrics.watch(Sources(learned=learner.statistics))
    got = samples(metrics.render())
    assert got["lamplighter_answer_samples", ("6.1",)] == 30
    assert got["lamplighter_answer_samples", ("5.8",)] == 3
    assert 0.4 < got["lamplighter_answer_wait_seconds", ("6.1",)] < 0.6
    assert ("lamplighter_answer_wait_seconds", ("5.8",)) not in got, "not known yet"
    assert got["lamplighter_answers_over_share", ("6.1",)] == 1.0
    assert got["lamplighter_spacing_proven", ("6.1",)] == 0.0
    assert got["lamplighter_learner_uplink_loss", ()] == 0.07


async def test_what_is_to_be_expected_is_counted_under_few_labels() -> None:
    board, quality, metrics = Board(RunClock(START), "boot"), FakeQuality(), Metrics()
    metrics.watch(Sources(board=board, quality=lambda: quality))
    empty = samples(metrics.render())
    assert empty["lamplighter_devices_by_chance", ("unknown",)] == 0
    assert ("lamplighter_prediction_skill", ()) not in empty
    chances = (0.2, 0.5, 0.94, 0.95, 0.999, 1.0, None)
    for number, chance in enumerate(chances):
        board.publish(Device(dev_eui=f"{number:016x}"))
        warned = (WarningTold("moved", 1.0),) if number < 2 else ()
        board.tell_risk(f"{number:016x}", RiskTold(chance, warned))
    board.publish(Device(dev_eui="f" * 16))  # nothing was told of it yet
    quality.graded = {
        "gw1": a_grade("gw1", Grade.D, Line.AWAY, "away"),
        "gw2": a_grade("gw2", Grade.A, Line.AWAY, "there"),
    }
    quality.scored = some_scores()
    found = samples(metrics.render())
    counts = {label[0]: n for (name, label), n in found.items() if name.endswith("by_chance")}
    assert counts == {"0": 1, "0.5": 1, "0.8": 0, "0.9": 1, "0.95": 1, "0.99": 2, "unknown": 2}
    assert found["lamplighter_devices_warned", ("moved",)] == 2
    assert found["lamplighter_devices_warned", ("trend",)] == 0
    assert found["lamplighter_gateway_grade", ("gw1",)] == 4
    assert found["lamplighter_gateway_grade", ("gw2",)] == 1
    assert found["lamplighter_prediction_skill", ()] == 0.16
    assert found["lamplighter_prediction_commands", ()] == 3_000.5
    assert found["lamplighter_warning_switched_off", ("moved",)] == 1
    assert found["lamplighter_warning_lead_hours", ("counters",)] == 19
    assert found["lamplighter_warning_false_per_light_month", ("flapping",)] == 0
