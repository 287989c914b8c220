"""Everything that Prometheus reads, in one registry of our own.

Children with labels are made once and kept, because looking one up costs four times what counting
does; labels have few values, known beforehand.

Counted here, by the part that sees it happen:

    lamplighter_commands_total{verdict}           commands ended, by verdict
    lamplighter_time_to_verify_seconds            acceptance to proof, where the light answers
    lamplighter_commands_heartbeat_only_total     commands verified by a light that cannot answer
                                                  (before software 5.6)
    lamplighter_frames_total                      frames of ours that a gateway took
    lamplighter_actor_restarts_total{actor}       restarts by kind of actor (device, journal...)
    lamplighter_actors_parked_total{actor}        actors given up, by kind
    lamplighter_journal_batch_requests            requests made durable by one transaction
    lamplighter_journal_commit_seconds            time of one transaction
    lamplighter_gc_pause_seconds                  pauses by the garbage collector

Read from the parts at each scrape (see `sources.py`). Of the whole fleet (`whole_fleet.py`), told
by the process that owns the fleet's own shard: lamplighter_devices{phase},
_devices_by_reachability{reachability}, _devices_not_as_wanted, _uplink_newest_age_seconds,
_events_missed (no webhook told of them, an inquiry found them) and _records_healed (found with
nothing to wake them) of all lights known now, _gateways{state}, _gateway_info{gateway_id,name},
_gateway_online{gateway_id}, _gateway_lights_heard{gateway_id},
_gateway_airtime_seconds{gateway_id}, _gateway_airtime_budget_seconds{gateway_id},
_gateway_pending{gateway_id}, _gateway_pace_frames{gateway_id}, _gateway_pace_cycle_seconds,
_gateway_pace_lead_seconds, _gateway_pace_slower, _gateway_pace_late_txacks,
_gateway_pace_answers_missing, _gateway_pace_refusals, _commands_open, _commands_overdue,
_commands_open_by_status{status}, _commands_oldest_age_seconds{pursuit}, _alerts_open,
_alerts_open_by_kind{kind}, _actors_unwell{state}, _rollouts{state}, _network_answers.

By each process: _build_info{version}, _ready,
_subscribers, _subscribers_dropped_total, _board_changes_total, _journal_healthy,
_journal_waiting, _journal_commits_total, _journal_requests_total, _journal_writes_total,
_journal_failures_total, _fleet_devices, _fleet_unknown_devices, _fleet_news_owed,
_fleet_parked_refused_total, _fleet_registrations_refused_total, _deliveries_total{outcome},
_dead_letters_total, _cluster_members{state}, _cluster_shards{state}, _cluster_shards_here,
_cluster_fleet_here, _cluster_behind_commits, _cluster_behind_seconds,
_cluster_engine_silent_seconds, _cluster_moves_total{why} and
_cluster_<part>_<field of its statistics> (of many processes), _trio_tasks,
_trio_tasks_runnable, and for every other part
_<part>_<field of its statistics>.
"""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from actors.device.command import CommandStatus
from actors.device.verdict import Verdict
from actors.metrics.families import PREFIX
from actors.metrics.sources import Sources, SourcesCollector
from actors.supervision import ChildReport, ChildState

VERIFY_BUCKETS_S = (2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 1_800.0, 86_400.0)
COMMIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
BATCH_BUCKETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
PAUSE_BUCKETS_S = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0)


class Metrics:
    """The registry and its counters; `render` is what `/metrics` answers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        commands = self._counter("commands", "Commands ended.", ("verdict",))
        self._commands: Mapping[CommandStatus, Counter] = {
            status: commands.labels(status.value) for status in CommandStatus if status.final
        }
        self._heartbeat_only = self._counter(
            "commands_heartbeat_only", "Commands verified by a light that cannot answer."
        )
        self._frames = self._counter("frames", "Frames of ours that a gateway took.")
        self._restarts = self._counter("actor_restarts", "Restarts of actors.", ("actor",))
        self._parked = self._counter("actors_parked", "Actors given up.", ("actor",))
        self._time_to_verify = self._histogram(
            "time_to_verify_seconds", "Acceptance to proof.", VERIFY_BUCKETS_S
        )
        self._batch = self._histogram(
            "journal_batch_requests", "Requests in one transaction.", BATCH_BUCKETS
        )
        self._commit_s = self._histogram(
            "journal_commit_seconds", "Time of one transaction.", COMMIT_BUCKETS_S
        )
        self._pause_s = self._histogram(
            "gc_pause_seconds", "Pauses by the garbage collector.", PAUSE_BUCKETS_S
        )

    def watch(self, sources: Sources) -> None:
        """Read these parts too at each scrape; once."""
        self.registry.register(SourcesCollector(sources))

    def render(self) -> bytes:
        """Everything in Prometheus' text format; to be called in Trio's thread."""
        return generate_latest(self.registry)

    def verdict(self, verdict: Verdict) -> None:
        """A command ended."""
        self._commands[verdict.status].inc()
        if verdict.status is CommandStatus.VERIFIED:
            if verdict.heartbeat_only:  # it took a status interval, whatever the way was like
                self._heartbeat_only.inc()
            else:
                self._time_to_verify.observe(verdict.took_s)

    def frame(self) -> None:
        """A gateway took a frame of ours."""
        self._frames.inc()

    def actor_changed(self, report: ChildReport) -> None:
        """The supervisor's `on_change`: restarts and parkings are counted by kind of actor."""
        kind = report.id.split(" ", 1)[0]
        if report.state is ChildState.BACKING_OFF:
            self._restarts.labels(kind).inc()
        elif report.state is ChildState.PARKED:
            self._parked.labels(kind).inc()

    def journal_committed(self, requests: int, took_s: float) -> None:
        """The store writer's observer."""
        self._batch.observe(requests)
        self._commit_s.observe(took_s)

    def gc_paused(self, took_s: float) -> None:
        """The garbage watch's observer."""
        self._pause_s.observe(took_s)

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, buckets=buckets, registry=self.registry)
