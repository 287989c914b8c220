"""What is retained of a light and of a gateway: state, availability, attributes. Pure.

The state is what the light shows by its own word, never the wish, which is an attribute. What is
not heard any more is unavailable; its state is left as it was, and the attributes say when that was
heard and that it is of the past.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from actors.board.changes import GatewayView
from actors.board.reachability import Reach
from actors.device.model import Phase
from api.models import DeviceSummary
from api.mqtt.colours import state_of
from api.mqtt.topics import GatewayLeaf, LightLeaf

ONLINE, OFFLINE = b"online", b"offline"
ON, OFF = b"ON", b"OFF"
_REACH_WORDS = {
    Reach.SILENT: "it has not been heard for three status intervals",
    Reach.NO_GATEWAY_ONLINE: "every gateway that heard it is offline",
    Reach.NEVER_HEARD: "it was not heard since it joined",
    Reach.DISABLED: "it is disabled in ChirpStack",
}


def light_payload(light: DeviceSummary, leaf: LightLeaf) -> bytes:
    """The payload of one of a light's retained topics."""
    match leaf:
        case LightLeaf.STATE:
            return msgspec.json.encode(state_of(light.reported))
        case LightLeaf.AVAILABILITY:
            return ONLINE if light.reachable else OFFLINE
        case LightLeaf.ATTRIBUTES:
            return msgspec.json.encode(light_attributes(light))


def gateway_payload(gateway: GatewayView, leaf: GatewayLeaf) -> bytes:
    """The payload of one of a gateway's retained topics."""
    match leaf:
        case GatewayLeaf.STATE:
            return ON if gateway.online else OFF
        case GatewayLeaf.ATTRIBUTES:
            return msgspec.json.encode(gateway_attributes(gateway))


def light_attributes(light: DeviceSummary) -> dict[str, Any]:
    """All else that is worth knowing of a light where it is used."""
    troubles = troubles_of(light)
    return {
        "dev_eui": light.dev_eui,
        "name": light.name,
        "application": light.application_name,
        "phase": light.phase,
        "reported": light.reported,
        "reported_at": date(light.reported_at),
        "reported_current": light.reported_current,
        "wanted": light.wanted,
        "ordered_by": light.ordered_by or None,
        "as_wanted": light.as_wanted,
        "command_id": light.command_id,
        "command_status": light.command_status,
        "command_reason": light.command_reason,
        "command_reason_code": light.command_reason_code,
        "overdue": light.overdue,
        "last_heard": date(light.heard_at),
        "rssi_dbm": light.rssi_dbm,
        "snr_db": light.snr_db,
        "gateway": light.gateways[0] if light.gateways else None,
        "gateways": light.gateways,
        "reachability": light.reachability,
        "reachability_since": date(light.reachability_since),
        "problem": bool(troubles),
        "problem_text": "; ".join(troubles) or None,
        "last_error": light.last_error,
    }


def troubles_of(light: DeviceSummary) -> list[str]:
    """What is wrong with a light, in words; none where all is well or merely on its way."""
    found = []
    if (words := _REACH_WORDS.get(light.reachability)) is not None:
        found.append(words)
    if light.phase is Phase.FAILED or light.overdue:
        wanted = "the wanted colour" if light.wanted is not None else "its settings"
        found.append(
            f"{wanted} is not proven: {light.command_reason or light.last_error or 'no answer'}"
        )
    return found


def gateway_attributes(gateway: GatewayView) -> dict[str, Any]:
    """What is worth knowing of a gateway."""
    return {
        "gateway_id": gateway.gateway_id,
        "name": gateway.name,
        "since": date(gateway.since),
        "last_seen": date(gateway.alive_at),
        "lights_heard": gateway.lights_heard,
        "airtime_used_s": round(gateway.airtime_used_s, 1),
        "airtime_budget_s": gateway.airtime_budget_s,
        "grade": gateway.grade,
    }


def date(at: float | None) -> str | None:
    """Unix seconds as RFC 3339 in UTC, to the second; None stays None."""
    if at is None:
        return None
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
