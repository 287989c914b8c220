"""The columns of the tables that are told as CSV; a column keeps its name and its meaning."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from actors.storage.history import HistoryEntry
from api.http.exports import colour, field, moment
from api.models.devices import DeviceSummary
from api.models.operation import MetricsView

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
    **{name: field(name) for name in ("command_id", "command_status", "command_reason")},
    "overdue": field("overdue"),
    "last_error": field("last_error"),
}
AUDIT: Columns = {
    "at": moment("at"),
    **{name: field(name) for name in ("by", "scope", "what", "on", "detail", "peer", "id")},
}
METRICS: Columns = {one.name: field(one.name) for one in msgspec.structs.fields(MetricsView)}
