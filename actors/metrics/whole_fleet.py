"""The fleet as a whole for Prometheus, from the board: told by one process.

Every process of a cluster shows the same board, so only the one that owns the fleet's own shard
tells it: whoever sums over processes counts each light once. Each scrape goes once over the lights,
15 ms for 20,000 of them.
"""

import math
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from actors.alerts.finding import AlertKind
from actors.board.board import Board
from actors.board.rollout import State
from actors.device.command import Command, CommandStatus
from actors.device.model import Phase
from actors.metrics.families import PREFIX, gauges
from actors.supervision import ChildState

UNWELL = (ChildState.BACKING_OFF, ChildState.PARKED)
PURSUITS = ("working", "held", "overdue")


def whole_fleet(board: Board, now: float) -> Iterator[Metric]:
    """Every family at `now` (Unix seconds). What is not known has no sample, rather than a zero."""
    yield from _lights(board, now)
    yield from _commands(board, now)
    yield from _troubles(board)
    online = sum(gateway.online for gateway in board.gateways.values())
    gateways = gauges("gateways", "Gateways by health.", "state")
    gateways.add_metric(["online"], online)
    gateways.add_metric(["offline"], len(board.gateways) - online)
    yield gateways
    yield from _gateways(board)
    states = Counter(rollout.state for rollout in board.rollouts.values())
    rollouts = gauges("rollouts", "Rollouts that are kept, by state.", "state")
    for state in State:
        rollouts.add_metric([state.value], states[state])
    yield rollouts


def _lights(board: Board, now: float) -> Iterator[Metric]:
    phases: Counter[Phase] = Counter()
    unlike = missed = healed = 0
    newest, newest_at = None, -math.inf
    for device in board.devices.values():
        phases[device.phase] += 1
        wanted = device.wanted
        unlike += wanted is not None and device.reported not in (None, wanted.light)
        # of the lights that are known now: they fall when one is removed, so they are no counters
        missed += device.missed
        healed += device.healed
        heard_at = device.heard_at
        if heard_at is not None and heard_at > newest_at:
            newest, newest_at = device, heard_at
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
    if newest is not None:
        text = "Age of the newest uplink of any light."
        age_s = now - board.shift_s(newest.dev_eui) - newest_at
        yield _gauge("uplink_newest_age_seconds", text, max(0.0, age_s))
    yield _gauge("devices_not_as_wanted", "Lights that show another state.", unlike)
    yield _gauge("events_missed", "Events that no webhook told of, and an inquiry found.", missed)
    yield _gauge("records_healed", "Times a light was found with nothing to wake it.", healed)


def _commands(board: Board, now: float) -> Iterator[Metric]:
    statuses: Counter[CommandStatus] = Counter()
    oldest_s = dict.fromkeys(PURSUITS, 0.0)
    overdue = 0
    for command in board.open_commands.values():
        statuses[command.status] += 1
        overdue += command.overdue
        # its dates are those of the clock as it was when the light's record came
        age_s = now - board.shift_s(command.dev_eui) - command.accepted_at
        pursuit = _pursuit(command)
        oldest_s[pursuit] = max(oldest_s[pursuit], age_s)
    yield _gauge("commands_overdue", "Open commands past their timed attempts.", overdue)
    yield _gauge("commands_open", "Commands still pursued.", statuses.total())
    open_by = gauges("commands_open_by_status", "Open commands by status.", "status")
    for status in CommandStatus:
        if not status.final:
            open_by.add_metric([status.value], statuses[status])
    yield open_by
    oldest = gauges(
        "commands_oldest_age_seconds",
        "Age of the oldest open command that is worked on, held, or overdue; 0 without one.",
        "pursuit",
    )
    for pursuit, age_s in oldest_s.items():
        oldest.add_metric([pursuit], age_s)
    yield oldest


def _pursuit(command: Command) -> str:
    if command.overdue:
        return "overdue"
    return "held" if command.status is CommandStatus.HELD else "working"


def _troubles(board: Board) -> Iterator[Metric]:
    kinds = Counter(alert.kind for alert in board.alerts() if alert.closed_at is None)
    yield _gauge("alerts_open", "Alerts open now.", kinds.total())
    by_kind = gauges("alerts_open_by_kind", "Alerts open now, by kind.", "kind")
    for kind in AlertKind:
        by_kind.add_metric([kind.value], kinds[kind])
    yield by_kind
    states = Counter(actor.state for actor in board.actors.values())
    unwell = gauges("actors_unwell", "Actors that crashed and do not run now.", "state")
    for state in UNWELL:
        unwell.add_metric([state.value], states[state])
    yield unwell


def _gateways(board: Board) -> Iterator[Metric]:
    """One series for each gateway: online, airtime, and who waits for it."""

    def family(name: str, text: str) -> GaugeMetricFamily:
        return gauges(f"gateway_{name}", text, "gateway_id")

    info = GaugeMetricFamily(
        f"{PREFIX}_gateway_info", "1, with the gateway's name.", labels=["gateway_id", "name"]
    )
    online = family("online", "1 while the gateway is online.")
    lights = family("lights_heard", "Lights that it is among the last to have heard.")
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
        info.add_metric([gateway.gateway_id, gateway.name or gateway.gateway_id], 1.0)
        online.add_metric(name, float(gateway.online))
        lights.add_metric(name, gateway.lights_heard)
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
    yield from (info, online, lights, used, budget, pending)
    yield from (batch, cycle, lead, slower, late, missing, refused)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)
