"""Events made of what is shown: pure. What each `data` holds is told in docs/hooks.md.

Fields are added, never renamed: receivers rely on them.
"""

from typing import Any

import msgspec

from actors.board.changes import AlertView, DeviceRemoved, GatewayView
from actors.device.command import Command
from actors.device.model import Device
from actors.device.verdict import Verdict
from actors.outgoing.model import Event, Kind, LightRef
from actors.reasons import named
from lorawan.kuando.light_state import LightState

_encode = msgspec.json.encode


def verdict_id(command_id: str) -> str:
    """The id of the event that tells how this command ended: the same however often it is made."""
    return f"verdict-{command_id}"


def of_command(command: Command, device: Device | None) -> Event:
    """How a command ended."""
    ended_at = command.accepted_at if command.ended_at is None else command.ended_at
    cause = command.cause
    data = {
        "command_id": command.id,
        "dev_eui": command.dev_eui,
        "name": "" if device is None else device.name,
        "status": command.status.value,
        "reason": command.reason,
        "reason_code": None if cause is None else cause.code.value,
        "reason_values": None if cause is None else named(cause),
        "light": _light(command.light),
        "accepted_at": command.accepted_at,
        "ended_at": ended_at,
        "attempts": command.attempts,
        "superseded_by": command.superseded_by,
        "withdrawn_by": command.withdrawn_by,
        "by": command.by,
        "correlation_id": command.correlation_id,
    }
    light = _ref(command.dev_eui, device)
    return _event(Kind.VERDICTS, "command.ended", command.dev_eui, ended_at, data, light)


def of_verdict(command_id: str, verdict: Verdict, device: Device | None) -> Event:
    """The same where the command's own record is gone: what its verdict keeps."""
    data = {
        "command_id": command_id,
        "dev_eui": verdict.dev_eui,
        "name": "" if device is None else device.name,
        "status": verdict.status.value,
        "accepted_at": verdict.accepted_at,
        "ended_at": verdict.ended_at,
        "attempts": verdict.attempts,
    }
    light = _ref(verdict.dev_eui, device)
    return _event(Kind.VERDICTS, "command.ended", verdict.dev_eui, verdict.ended_at, data, light)


def state_of(device: Device) -> str:
    """What is told of a light's state, in one comparable text."""
    shown = None if device.report is None else device.report.light
    wanted = None if device.wanted is None else device.wanted.light
    return f"{device.phase.value}|{_short(shown)}|{_short(wanted)}"


def of_device(device: Device, now: float) -> Event:
    """What a light shows, and should show, now."""
    report, wanted = device.report, device.wanted
    data = {
        "dev_eui": device.dev_eui,
        "name": device.name,
        "state": device.phase.value,
        "shown": None if report is None else _light(report.light),
        "heard_at": None if report is None else report.at,
        "wanted": None if wanted is None else _light(wanted.light),
        "command_id": None if wanted is None else wanted.command_id,
        "application_id": device.application_id,
        "application_name": device.application_name,
    }
    light = _ref(device.dev_eui, device)
    return _event(Kind.STATES, "light.changed", device.dev_eui, now, data, light)


def of_removed(removed: DeviceRemoved, light: LightRef, now: float) -> Event:
    """A light is known no longer."""
    data = {"dev_eui": removed.dev_eui, "name": removed.name, "why": removed.why}
    return _event(Kind.STATES, "light.removed", removed.dev_eui, now, data, light)


def of_gateway(view: GatewayView, now: float) -> Event:
    """A gateway went offline, or came back."""
    data = {
        "gateway_id": view.gateway_id,
        "name": view.name,
        "online": view.online,
        "since": view.since,
        "last_seen_at": view.last_seen_at,
    }
    raw = msgspec.Raw(_encode(data))
    return Event(
        kind=Kind.GATEWAYS,
        type="gateway.changed",
        key=f"gateway {view.gateway_id}",
        at=now,
        gateway_id=view.gateway_id,
        data=raw,
    )


def alert_state(view: AlertView) -> str:
    """`opened`, `acknowledged` or `closed`."""
    if view.closed_at is not None:
        return "closed"
    return "opened" if view.acknowledged_at is None else "acknowledged"


def of_alert(view: AlertView, now: float) -> Event:
    """An alert opened, was acknowledged, or closed."""
    state = alert_state(view)
    at = {"closed": view.closed_at, "acknowledged": view.acknowledged_at}.get(state) or now
    return Event(
        kind=Kind.ALERTS,
        type=f"alert.{state}",
        key=f"alert {view.id}",
        at=at,
        data=msgspec.Raw(_encode(view)),
    )


def _event(
    kind: Kind, type_: str, key: str, at: float, data: dict[str, Any], light: LightRef
) -> Event:
    raw = msgspec.Raw(_encode(data))
    return Event(kind=kind, type=type_, key=key, at=at, light=light, data=raw)


def _ref(dev_eui: str, device: Device | None) -> LightRef:
    if device is None:
        return LightRef(dev_eui)
    return LightRef(dev_eui, device.application_id, device.application_name, device.tags)


def light_ref(device: Device) -> LightRef:
    """A light, as a filter knows it."""
    return _ref(device.dev_eui, device)


def _light(light: LightState) -> dict[str, int]:
    return {
        "red": light.red,
        "green": light.green,
        "blue": light.blue,
        "on": light.on,
        "off": light.off,
    }


def _short(light: LightState | None) -> str:
    if light is None:
        return "-"
    return bytes((light.red, light.green, light.blue, light.on, light.off)).hex()
