"""The columns of the tables that are told as CSV; a column keeps its name and its meaning."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from actors.board.changes import GatewayView
from actors.gateways.observed import Outage
from actors.storage.history import HistoryEntry
from actors.storage.signal_history import SignalPoint
from api.http.exports import colour, field, moment, rfc3339
from api.models.commands import CommandView
from api.models.devices import DeviceSummary
from api.models.hooks import HookView, TryView
from api.models.network import AlertShown
from api.models.operation import MetricsView
from api.models.quality import RiskView
from api.models.reliability import WorstLightView
from api.models.rollouts import RolloutLight, RolloutView
from api.models.scenes import ScheduleView

Columns = Mapping[str, Callable[[Any], Any]]

_OF_LINES = (
    *("f_cnt", "f_port", "raw", "dr", "sf", "mhz", "gateway", "rssi_dbm", "snr_db", "heard"),
    *("shows", "received", "sent", "light_rssi_dbm", "attempt", "carries", "item", "command_id"),
    *("became", "by", "reason", "replayed"),
)


def _detail(name: str) -> Callable[[HistoryEntry], Any]:
    return lambda line: line.detail.get(name)


def _rest(line: HistoryEntry) -> dict[str, Any] | None:
    return {name: it for name, it in line.detail.items() if name not in _OF_LINES} or None


EVENTS: Columns = {
    "at": moment("at"),
    "kind": field("kind"),
    **{name: _detail(name) for name in _OF_LINES},
    "more": _rest,
    "entry": field("entry"),
}


def _gateways(device: DeviceSummary) -> str:
    return " ".join(device.gateways)


DEVICES: Columns = {
    **{name: field(name) for name in ("dev_eui", "name", "application_name", "profile_name")},
    "tags": field("tags"),
    "phase": field("phase"),
    "since": moment("since"),
    "wanted": lambda device: colour(device.wanted),
    "ordered_by": field("ordered_by"),
    "reported": lambda device: colour(device.reported),
    "as_wanted": field("as_wanted"),
    "reported_at": moment("reported_at"),
    "reported_current": field("reported_current"),
    "heard_at": moment("heard_at"),
    "gateways": _gateways,
    **{name: field(name) for name in ("rssi_dbm", "snr_db", "software_rev", "reachability")},
    "reachability_since": moment("reachability_since"),
    **{
        name: field(name)
        for name in ("command_id", "command_status", "command_reason", "command_reason_code")
    },
    "overdue": field("overdue"),
    "last_error": field("last_error"),
}
AUDIT: Columns = {
    "at": moment("at"),
    **{name: field(name) for name in ("by", "scope", "what", "on", "detail", "peer", "id")},
}


def _lights(row: Any) -> str:
    return " ".join(row.lights)


def _of(shown: type[msgspec.Struct], *nested: str) -> Columns:
    """The fields of a view: times as such, colours in short; `nested` have no cell of their own."""
    found: dict[str, Callable[[Any], Any]] = {}
    for one in msgspec.structs.fields(shown):
        name = one.name
        if name in nested:
            continue
        if name in {"at", "since", "until"} or name.endswith("_at"):
            found[name] = moment(name)
        elif name == "light":
            found[name] = lambda row: colour(row.light)
        else:
            found[name] = field(name)
    return found


def _warned(risk: RiskView) -> str:
    return " ".join(one.rule.value for one in risk.warnings)


WORST: Columns = _of(WorstLightView)
RISKS: Columns = {**_of(RiskView), "warnings": _warned}
GATEWAYS: Columns = _of(GatewayView, "pace")
OUTAGES: Columns = _of(Outage)
ALERTS: Columns = {**_of(AlertShown), "lights": _lights}
COMMANDS: Columns = _of(CommandView, "timeline", "steps_omitted")
SIGNAL: Columns = _of(SignalPoint)
ROLLOUTS: Columns = _of(RolloutView, "colours")
ROLLOUT_LIGHTS: Columns = _of(RolloutLight)
HOOKS: Columns = {
    **_of(HookView, "stopped"),
    "kinds": lambda hook: " ".join(hook.kinds),
    "stopped_at": lambda hook: rfc3339(None if hook.stopped is None else hook.stopped.at),
    "stopped_why": lambda hook: None if hook.stopped is None else hook.stopped.why,
}
TRIES: Columns = _of(TryView)
SCHEDULES: Columns = {
    **_of(ScheduleView, "part", "next", "last"),
    "next_at": lambda one: rfc3339(one.next[0] if one.next else None),
    "last_at": lambda one: rfc3339(None if one.last is None else one.last.due_at),
    "last_came": lambda one: None if one.last is None else one.last.came,
}
METRICS: Columns = {one.name: field(one.name) for one in msgspec.structs.fields(MetricsView)}
