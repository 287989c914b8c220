"""Numbers in the sentences of the documents are those of the code, read here where they are set."""

import re
from typing import Any

import pytest
from pydantic import BaseModel

from actors import inquirer
from actors.alerts import AlertPolicy, rules
from actors.board import board
from actors.clocks.clock_warnings import RECENT_S, TOLD_S
from actors.device import retry_plan
from actors.downlink import DispatchPolicy
from actors.fleet import device_discovery, fleet, initialization
from actors.gateways import WatchPolicy, health, observed
from actors.metrics.downlinks import HOURS_MOST
from actors.metrics.reliability import TIME_BOUNDS_S, WORST_MOST
from actors.rollouts import actor as rollouts
from actors.rollouts.repository import ENDED_MOST
from actors.storage.signal_history import POINTS_MOST
from actors.storage.unreadable_records import LISTED_MOST
from actors.sweeper import SweepPolicy
from actors.webhook_watch import EVENTS_LEAST, QUIET_S
from api.cli.completion import COMPLETE_S
from api.cli.doctor import chirpstack as doctor
from api.cli.doctor import store as doctor_store
from api.cli.doctor.examine import WHOLE_S
from api.live import client, protocol, socket
from api.models import requests
from api.routes import devices
from api.server.signals import TAKEN_OVER
from api.server.web_actor import LINGER_S, MISSED_PONGS
from api.server.websocket import MESSAGE_BYTES
from api.service import CLUSTER_LEAVE_S, LEAVE_S
from api.settings.model import Alerts, Web
from docs.generate.parts import ROOT
from docs.generate.service import SETTINGS
from store import sqlite

WEB, POLICY, SWEEP, ALERTS = Web(), SETTINGS.policy, SweepPolicy(), AlertPolicy()
DISPATCH, WATCH = DispatchPolicy(), WatchPolicy()
SECOND_AT = POLICY.window_s + POLICY.backoff_first_s
THIRD_AT = SECOND_AT + POLICY.window_s + POLICY.backoff_first_s * POLICY.backoff_factor
OFTEN = {60.0: "a minute", 900.0: "quarter of an hour", 3_600.0: "hourly"}
DAYS = f"{SWEEP.retention_s / 86_400:g}"
WORDS = {2: "two", 3: "three", 3.5: "three and a half", 5: "five", 7: "seven", 10: "ten"}


def most(model: type[BaseModel], field: str) -> Any:
    """The upper bound of a field of a request."""
    metadata = model.model_fields[field].metadata
    return next(
        getattr(each, name)
        for each in metadata
        for name in ("le", "max_length")
        if hasattr(each, name)
    )


def default(model: type[BaseModel], field: str) -> Any:
    """What a field of a request is where it is left out."""
    return model.model_fields[field].default


def minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min"


FACTS = {
    "http.md": (
        (
            f"Bodies have at most {WEB.body_bytes_most // 1000} kB (setting `web.body_bytes_most`)"
            f" and arrive within {WEB.body_timeout_s:g} s"
        ),
        (
            f"{WEB.token_rate_per_s:g} requests a second in the long run,"
            f" {WEB.token_rate_burst:,} at once"
        ),
        f"{WEB.rate_per_s:g} a second, {WEB.rate_burst} at once",
        f"All but commands are answered within {WEB.handler_s:g} s",
        (
            f"above 0, at most {most(requests.ColourRequest, 'ttl_s') / 86_400:g} days |"
            f" how long it"
            f" is pursued; by default {POLICY.command_ttl_s / 3600:g} h"
        ),
        (
            f"above 0, at most {WEB.wait_most_s:g} | how long to wait for the verdict; by default"
            f" {WEB.wait_default_s:g}"
        ),
        (
            f"`limit` (1 to {most(requests.DeviceQuery, 'limit')}, by default"
            f" {default(requests.DeviceQuery, 'limit')})"
        ),
        f"(`policy.silent_after_s`, {minutes(POLICY.silent_after_s)})",
        f"of a light that fell silent within {minutes(SWEEP.period_s)}",
        f"comes back with the next listing, within {minutes(device_discovery.PERIOD_S)}",
        (
            f"after two listings in a row without it (1 to"
            f" {(device_discovery.PERIOD_S + device_discovery.AGAIN_S) / 60:g} min)"
        ),
        (f"`limit` 1 to {devices.JSON_LINES_MOST} ({devices.PAGE_LINES}). Ask on"),
        (f"[CSV or JSON lines](#tables) up to {most(requests.HistoryQuery, 'limit')}"),
        (
            f"`limit` 1 to {most(requests.CommandsQuery, 'limit')}, by default"
            f" {default(requests.CommandsQuery, 'limit')}. Ended ones are kept for"
            f" {WORDS[int(DAYS)]} days"
        ),
        (
            f"`hours` (up to {most(requests.SignalQuery, 'hours')}, by default"
            f" {default(requests.SignalQuery, 'hours'):g}), oldest first. At most {POINTS_MOST:,}"
        ),
        f"while {initialization.RUNS_WAITING_MOST} runs wait already",
        f"no answer to {WORDS[rollouts.TRIES_MOST]} tries",
        f"1 to {most(requests.RolloutRequest, 'dev_euis'):,} DevEUIs",
        f"at most {most(requests.RolloutRequest, 'name')} characters",
        (
            f"above 0, at most {most(requests.RolloutRequest, 'pace_per_min')} | lights"
            f" commanded in"
            f" a minute at most; by default {default(requests.RolloutRequest, 'pace_per_min'):g}"
        ),
        (
            f"0 to {most(requests.RolloutRequest, 'failures_most'):,} | more failed lights"
            f" than this"
            f" stop it, 0 stops at the first; by default"
            f" {default(requests.RolloutRequest, 'failures_most')}"
        ),
        f"409 `too-many-rollouts` while {rollouts.ACTIVE_MOST} run or pause",
        f"kept for {WORDS[int(DAYS)]} days, at most {ENDED_MOST} of them",
        f"of the last `days` (up to {most(requests.OutageQuery, 'days')}, the default)",
        f"up to {WORDS[int(observed.NOTE_EVERY_S / 60)]} minutes of what was observed",
        (
            f"the last `hours` (by default {default(requests.MetricsQuery, 'hours'):g};"
            f" verdicts are"
            f" kept for {HOURS_MOST:g})"
        ),
        f"bounds {', '.join(f'{bound:g}' for bound in TIME_BOUNDS_S)} s",
        f"at most {WORST_MOST} lights with trouble",
        (
            f"`limit` (1 to {most(requests.AlertQuery, 'limit')}, by default"
            f" {default(requests.AlertQuery, 'limit')})"
        ),
        f"`lights` (at most {rules.LIGHTS_MOST} DevEUIs)",
        f"(1 to {most(requests.Acknowledgement, 'by')} characters)",
        (
            f"at most `children` (0 to {most(requests.SupervisorQuery, 'children')}, by default"
            f" {default(requests.SupervisorQuery, 'children')})"
        ),
        f"`why`, at most {LISTED_MOST:,}",
        f"{WORDS[health.OFFLINE_INTERVALS]} of the gateway's own `stats_interval_s`",
        f"| {WEB.unread_s:g} s (`web.unread_s`)",
        f"| a request that was refused as `bad-http`, until the peer closes | {LINGER_S:g} s |",
        f"| a websocket without its token | {socket.AUTH_S:g} s |",
        f"{WORDS[MISSED_PONGS]} times `web.ping_s`, {MISSED_PONGS * WEB.ping_s:g} s",
        (
            f"At most {WEB.connections_most:,} connections are open"
            f" (`web.connections_most`), of them"
            f" {WEB.connections_unproven_most:,} from one address"
        ),
        f"answered within {WEB.graceful_s:g} s (`web.graceful_s`)",
    ),
    "live.md": (
        f"the first message, within {socket.AUTH_S:g} s",
        f"has {WEB.live_clients_most} live clients",
        f"at most {socket.FILTER_VALUES_MOST} |",
        f"{protocol.DEVICES_PER_PART} lights each",
        f"1 to {protocol.CHANGES_PER_MESSAGE} changes",
        (
            f"at most {client.MESSAGES_PER_S:g} messages a second, {client.MESSAGES_BURST} at once,"
            f" {protocol.CLIENT_MESSAGE_BYTES // 1000} kB each"
        ),
        f"the newest {board.CHANGES_KEPT:,}",
        f"a message of more than {MESSAGE_BYTES // 1024} kB",
        f"more than {WEB.live_queue:,} changes behind",
        f"takes no data for {WEB.unread_s:g} s",
        f"for {WORDS[MISSED_PONGS]} times `web.ping_s` ({MISSED_PONGS * WEB.ping_s:g} s)",
    ),
    "upgrading.md": (
        (
            f"a stop takes less than {LEAVE_S + 1:g} s, that of one of several processes less than"
            f" {CLUSTER_LEAVE_S + 1:g} s"
        ),
    ),
    "settings.md": (
        (
            f"a stop takes less than {LEAVE_S + 1:g} s, as one of several processes less than"
            f" {CLUSTER_LEAVE_S + 1:g} s"
        ),
    ),
    "cli.md": (
        f"{WEB.wait_default_s:g} by default",
        f"for at most {doctor_store.CHECK_S:g} s",
        f"could be looked at within {WHOLE_S:g} s",
        f"of at most {doctor.LOOKED_AT_MOST} lights",
        f"within {COMPLETE_S:g} s or not at all",
    ),
    "operations.md": (
        f"crashed more than {WORDS[fleet.BUDGET.restarts]} times within a minute",
        f"repeated {OFTEN[Alerts().repeat_s]}",
        f"waits for {WORDS[int(ALERTS.waiting_after_s / 60)]} minutes",
        (
            f"holds a light's frame for"
            f" {WORDS[int(ALERTS.settles_s(rules.AlertKind.LIGHT_HELD) / 60)]} minutes"
        ),
        f"MQTT broker for {WORDS[int(ALERTS.settles_s(rules.AlertKind.BROKER_AWAY) / 60)]} minutes",
        f"inquiries found {WORDS[EVENTS_LEAST]} events or more",
        f"the first {OFTEN[QUIET_S]} ago",
        f"set by {TOLD_S:g} s or more",
        f"in the last {OFTEN[RECENT_S]}",
        f"listed every {minutes(device_discovery.PERIOD_S)}",
        f"more than {WORDS[device_discovery.FEW]} and more than a tenth of the fleet",
        f"one of the first {WORDS[device_discovery.PROBES]}",
        f"At most {fleet.PROVISIONAL_MOST} are provisional",
        f"file in its place | {sqlite.CHECK_EVERY_S:g} s |",
        f"are kept for {DAYS} days",
        f"frames to one light are kept {POLICY.spacing_s:g} s apart",
        f"it expires within about {POLICY.item_ttl_s:g} s",
        f"looked at again every {DISPATCH.recheck_s:g} s",
        f"asked again every {DISPATCH.retry_most_s:g} s",
        f"tried again every {DISPATCH.refused_again_s:g} s",
        f"timed attempts unproven, or {WORDS[POLICY.setup_rounds_most]} rounds of settings",
        f"after {DISPATCH.probe_first_s:g} s up to {DISPATCH.probe_most_s / 60:g} min",
        f"takes less than {LEAVE_S + 1:g} s, as one of several",
        f"processes less than {CLUSTER_LEAVE_S + 1:g} s",
    ),
    "architecture.md": (
        f"{inquirer.WORKERS} at a time, one a light, {POLICY.inquiry_timeout_s:g} s each",
        f"every {WORDS[int(POLICY.evidence_asked_s / 60)]} minutes",
        f"at 0, {SECOND_AT:g} and {THIRD_AT:g} seconds, verdict at {THIRD_AT + POLICY.window_s:g}",
        f"{WORDS[POLICY.attempts_most]} attempts are timed: at 0",
        (
            f"within {retry_plan.WINDOW_LEAST_S:g} and {retry_plan.WINDOW_MOST_S:g} s, and"
            f" {retry_plan.UNKNOWN_WINDOW_S:g} s until that is known"
        ),
        f"{POLICY.spacing_s:g} s after the last",
        f"{retry_plan.SHORT_SPACING_S:g} s after it where that is proven safe",
        f"({', '.join(f'{gap:g}' for gap in retry_plan.GAPS_S[2:-1])} s)",
        f"at most {retry_plan.ATTEMPTS_MOST} times",
        f"the queue is read after {DISPATCH.txack_due_s:g} s",
        f"or {POLICY.item_grace_s + POLICY.inquiry_again_s:g} s after the item's expiry",
        (
            f"after {WATCH.offline_after_s:g} s or {WORDS[health.OFFLINE_INTERVALS]} intervals,"
            f" silent after {WATCH.silent_after_s:g} s or {WORDS[health.SILENT_INTERVALS]}"
        ),
        (
            f"looked for every {WATCH.silent_poll_s:g} s in the first quarter of"
            f" an hour, then every"
            f" 1/{WATCH.patience:g} of the time"
        ),
    ),
}


@pytest.mark.parametrize(
    ("page", "sentence"), [(page, each) for page, facts in FACTS.items() for each in facts]
)
def test_a_number_that_a_page_tells_is_that_of_the_code(page: str, sentence: str) -> None:
    text = " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())
    assert sentence in text


def test_what_needs_no_restart_is_what_a_signal_takes_over() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    told = re.search(
        r"A change needs a restart, except of ([^()]*)\(([^()]*)\),\s+which SIGHUP", text
    )
    assert told is not None
    named = {tuple(name.split(".")) for name in re.findall(r"`([a-z_.]+)`", told[2])}
    assert named == TAKEN_OVER
