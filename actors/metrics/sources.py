"""What is read when Prometheus asks: the statistics that every part keeps anyway.

Nothing is counted twice: a part keeps its own numbers, and here they get their names. Reading must
be cheap: some milliseconds for 20,000 lights.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import trio
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.event_stream.statistics import StreamStatistics
from actors.fleet import Fleet
from actors.link.learner import LearnerStatistics
from actors.messaging.dead_letters import DeadLetters
from actors.metrics.event_stream import event_stream
from actors.metrics.expected import expected
from actors.metrics.families import PREFIX, gauges, statistics_of
from actors.metrics.whole_fleet import whole_fleet
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
    version: str = ""
    """Of this installation."""
    clock: Clock | None = None
    """Of the ages of what the board shows; without one nothing is told of the whole fleet."""
    tells_fleet: Callable[[], bool] = lambda: True
    """Whether it is this process that tells what every process of a cluster shows alike."""
    ready: Callable[[], bool] | None = None
    network_answers: Callable[[], bool | None] = lambda: None
    """Whether ChirpStack does; None where another process asks it, or before the first answer."""
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
        if sources.version:
            info = gauges("build_info", "1, with the version that runs.", "version")
            info.add_metric([sources.version], 1.0)
            yield info
        if sources.board is not None:
            yield from _board(sources.board)
            if sources.clock is not None and sources.tells_fleet():
                yield from whole_fleet(sources.board, sources.clock.now())
        if sources.ready is not None:
            yield _gauge("ready", "1 while /readyz says so.", float(sources.ready()))
        reached = sources.network_answers()
        if reached is not None:
            yield _gauge("network_answers", "1 while ChirpStack answers.", float(reached))
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
    yield _gauge("subscribers", "Followers of the board.", now.subscribers)
    yield _counter("subscribers_dropped", "Followers closed for being too slow.", now.dropped)
    yield _counter("board_changes", "Changes published.", now.number)


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
