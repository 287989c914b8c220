"""What is read when Prometheus asks: the statistics that every part keeps anyway.

Nothing is counted twice: a part keeps its own numbers, and here they get their names. Reading must
be cheap: some milliseconds for 20,000 lights.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import trio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actors.board.board import Board
from actors.device.model import Phase
from actors.event_stream.statistics import StreamStatistics
from actors.fleet import Fleet
from actors.link.learner import LearnerStatistics
from actors.messaging.dead_letters import DeadLetters
from actors.metrics.event_stream import event_stream
from actors.metrics.expected import expected
from actors.metrics.families import PREFIX, gauges, statistics_of
from actors.quality.model import QualityView
from actors.storage.store_writer import StoreWriter


@dataclass(frozen=True, slots=True)
class Sources:
    """What to read. What is None is left out; of `more` parts each numeric field becomes the gauge
    `lamplighter_<part>_<field>`. What answers None runs in another process."""

    board: Board | None = None
    store_writer: StoreWriter | None = None
    fleet: Fleet | None = None
    dead_letters: DeadLetters | None = None
    more: dict[str, Callable[[], Any]] = field(default_factory=dict)
    events_missed: Callable[[], int] | None = None
    events: Callable[[], StreamStatistics] | None = None
    learned: Callable[[], LearnerStatistics | None] = lambda: None
    quality: Callable[[], QualityView | None] = lambda: None
    also: Callable[[], Iterable[Metric]] = tuple
    """Metrics of parts that have names of their own."""


class SourcesCollector(Collector):
    """Reads the sources at each scrape, in Trio's thread."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names depend on the parts, and a scrape tells them."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric with its values, now."""
        sources = self._sources
        if sources.board is not None:
            yield from _board(sources.board)
        if sources.store_writer is not None:
            yield from _store_writer(sources.store_writer)
        if sources.fleet is not None:
            yield from _fleet(sources.fleet)
        if sources.dead_letters is not None:
            total = sources.dead_letters.total
            yield _counter("dead_letters", "Messages nobody handled.", total)
        if sources.events_missed is not None:
            text = "Events that no webhook told of and an inquiry found."
            yield _counter("events_missed", text, sources.events_missed())
        learned, quality = sources.learned(), sources.quality()
        if learned is not None:
            yield from _learned(learned)
        if sources.board is not None and quality is not None:
            yield from expected(len(sources.board.devices), sources.board.risks, quality)
        yield from sources.also()
        if sources.events is not None:
            yield from event_stream(sources.events())
        for part, read in sources.more.items():
            yield from statistics_of(part, read())
        yield from _trio()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _board(board: Board) -> Iterator[Metric]:
    now = board.statistics()
    phases = Counter(device.phase for device in board.devices.values())
    devices = gauges("devices", "Lights by phase.", "phase")
    for phase in Phase:
        devices.add_metric([phase.value], phases[phase])
    yield devices
    by_reach = gauges(
        "devices_by_reachability",
        "Lights by whether they can be heard and reached now.",
        "reachability",
    )
    for reach, count in board.reachability_counts().items():
        by_reach.add_metric([reach.value], count)
    yield by_reach
    online = sum(gateway.online for gateway in board.gateways.values())
    gateways = gauges("gateways", "Gateways by health.", "state")
    gateways.add_metric(["online"], online)
    gateways.add_metric(["offline"], now.gateways - online)
    yield gateways
    yield from _gateways(board)
    unlike = sum(
        device.wanted is not None and device.reported not in (None, device.wanted.light)
        for device in board.devices.values()
    )
    yield _gauge("devices_not_as_wanted", "Lights that show another state.", unlike)
    # of the lights that are known now: they fall when a light is removed, so they are no counters
    missed = sum(device.missed for device in board.devices.values())
    yield _gauge("events_missed", "Events that no webhook told of, and an inquiry found.", missed)
    healed = sum(device.healed for device in board.devices.values())
    yield _gauge("records_healed", "Times a light was found with nothing to wake it.", healed)
    overdue = sum(command.overdue for command in board.open_commands.values())
    yield _gauge("commands_overdue", "Open commands past their timed attempts.", overdue)
    yield _gauge("commands_open", "Commands still pursued.", now.commands_open)
    held = Counter(command.status for command in board.open_commands.values())
    open_by = gauges("commands_open_by_status", "Open commands by status.", "status")
    for status, count in held.items():
        open_by.add_metric([status.value], count)
    yield open_by
    yield _gauge("alerts_open", "Alerts open now.", now.alerts_open)
    yield _gauge("subscribers", "Followers of the board.", now.subscribers)
    yield _counter("subscribers_dropped", "Followers closed for being too slow.", now.dropped)
    yield _counter("board_changes", "Changes published.", now.number)


def _gateways(board: Board) -> Iterator[Metric]:
    """One series for each gateway: online, airtime, and who waits for it."""

    def family(name: str, text: str) -> GaugeMetricFamily:
        return gauges(f"gateway_{name}", text, "gateway_id")

    online = family("online", "1 while the gateway is online.")
    used = family("airtime_seconds", "Airtime used by our frames in the sliding hour.")
    budget = family("airtime_budget_seconds", "Airtime allowed in an hour.")
    pending = family("pending", "Attempts that wait for the gateway.")
    batch = family("pace_frames", "Frames in one go.")
    cycle = family("pace_cycle_seconds", "Least time from the start of one go to the next.")
    lead = family("pace_lead_seconds", "The next go is ordered so long before its time.")
    slower = family("pace_slower", "By what evidence stretched the cycle; 1 without any.")
    late = family("pace_late_txacks", "Txacks that came late, since the start.")
    missing = family("pace_answers_missing", "Times that first answers were missing.")
    refused = family("pace_refusals", "Frames that the gateway refused, being too busy.")
    for gateway in board.gateways.values():
        name = [gateway.gateway_id]
        online.add_metric(name, float(gateway.online))
        used.add_metric(name, gateway.airtime_used_s)
        pending.add_metric(name, gateway.pending)
        if gateway.airtime_budget_s is not None:
            budget.add_metric(name, gateway.airtime_budget_s)
        pace = gateway.pace
        if pace is not None:
            batch.add_metric(name, pace.frames)
            cycle.add_metric(name, pace.cycle_s)
            lead.add_metric(name, pace.lead_s)
            slower.add_metric(name, pace.slower)
            late.add_metric(name, pace.late_txacks)
            missing.add_metric(name, pace.answers_missing)
            refused.add_metric(name, pace.refusals)
    yield from (online, used, budget, pending, batch, cycle, lead, slower, late, missing, refused)


def _store_writer(store_writer: StoreWriter) -> Iterator[Metric]:
    now = store_writer.statistics()
    yield _gauge(
        "journal_healthy", "1 while the store can be written.", float(store_writer.healthy)
    )
    yield _gauge("journal_waiting", "Requests waiting for the store.", now.mailbox.depth)
    yield _counter("journal_commits", "Transactions carried out.", now.commits)
    yield _counter("journal_requests", "Requests made durable.", now.requests)
    yield _counter("journal_writes", "Single writes made durable.", now.writes)
    yield _counter("journal_failures", "Transactions that had to be repeated.", now.failures)


def _fleet(fleet: Fleet) -> Iterator[Metric]:
    now = fleet.statistics()
    yield _gauge("fleet_devices", "Lights with an actor.", now.devices)
    yield _gauge("fleet_unknown_devices", "Strangers heard lately.", now.unknown_devices)
    yield _gauge("fleet_news_owed", "Posts due to lights with full mailboxes.", now.news_owed)
    refused = "Events for lights whose actor is parked."
    yield _counter("fleet_parked_refused", refused, now.parked_refused)
    full = "New lights turned away because the fleet is full."
    yield _counter("fleet_registrations_refused", full, now.registrations_refused)
    deliveries = CounterMetricFamily(
        f"{PREFIX}_deliveries", "Network events by outcome.", labels=["outcome"]
    )
    for outcome, count in now.deliveries.items():
        deliveries.add_metric([outcome.value], count)
    yield deliveries


def _learned(known: LearnerStatistics) -> Iterator[Metric]:
    """What the air taught: of the fleet, and one series for each software revision."""
    yield from statistics_of("learner", known)

    def family(name: str, text: str) -> GaugeMetricFamily:
        return gauges(name, text, "software")

    samples = family("answer_samples", "Answers that the times below rest on, all in all.")
    wait = family("answer_wait_seconds", "How long an answer is waited for, less the airtimes.")
    median = family("answer_median_seconds", "What half of the answers keep, less the airtimes.")
    late = family("answers_late_share", "Answers so late that nobody waits for them.")
    over = family("answers_over_share", "Answers that are over 5 s after their frame.")
    proven = family("spacing_proven", "1 where frames to one light may be 5 s apart.")
    taken_back = family("spacing_taken_back", "Times that frames 5 s apart were lost more often.")
    for revision, one in known.revisions.items():
        name = [f"{revision / 10:g}"]
        samples.add_metric(name, one.samples)
        late.add_metric(name, one.late_share)
        proven.add_metric(name, float(one.spacing_proven))
        taken_back.add_metric(name, one.spacing_taken_back)
        for gauge, value in ((wait, one.wait_s), (median, one.median_s), (over, one.over_5s_share)):
            if value is not None:
                gauge.add_metric(name, value)
    yield from (samples, wait, median, late, over, proven, taken_back)


def _trio() -> Iterator[Metric]:
    try:
        now = trio.lowlevel.current_statistics()
    except RuntimeError:  # outside of Trio: a test, or the page of the documentation
        return
    yield _gauge("trio_tasks", "Tasks alive in the event loop.", now.tasks_living)
    yield _gauge("trio_tasks_runnable", "Tasks waiting for their turn.", now.tasks_runnable)
