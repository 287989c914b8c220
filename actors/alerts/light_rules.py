"""What counts as wrong with a light: from its record, and from what surrounds it, to findings.

Every rule is a pure function and says whether its condition holds now; what was found before does
not enter into it.
"""

import msgspec

from actors.alerts.finding import AlertKind, Finding
from actors.alerts.policy import AlertPolicy
from actors.board.reachability import Reach
from actors.device.foreign_sender import foreign_words, repeated
from actors.device.model import Device, Phase, Stage


class Outlook(msgspec.Struct, frozen=True, gc=False):
    """What matters besides a light's record: how it is reached, and what other alerts say."""

    reach: Reach = Reach.REACHABLE
    listening_since: float = 0.0
    """Since when some gateway that hears it is there without a break: silence before that was the
    gateway's."""
    network_away: bool = False
    """ChirpStack does not answer, which holds every command."""


ALONE = Outlook()
"""Nothing but the record matters."""


def light_findings(
    device: Device, now: float, policy: AlertPolicy, outlook: Outlook = ALONE
) -> tuple[Finding, ...]:
    """What follows from a light's record. A light that was never heard is not called silent.

    While every gateway that hears it is offline, the gateway's alert names it, not one of its own.
    """
    return (
        _failed(device),
        _held(device),
        _silent(device, now, policy, outlook),
        _foreign(device, now),
        _waiting(device, now, policy, outlook),
    )


def silent_at(device: Device, policy: AlertPolicy, outlook: Outlook = ALONE) -> float | None:
    """When this light will count as silent unless it is heard; None for one never heard."""
    heard_at = _heard_at(device)
    if heard_at is None:
        return None
    return max(heard_at, outlook.listening_since) + policy.silent_after_s


def waiting_at(device: Device, policy: AlertPolicy) -> float | None:
    """When its open command will have waited for too long; None without one."""
    return None if device.command is None else device.command.accepted_at + policy.waiting_after_s


def _failed(device: Device) -> Finding:
    name = device.name or device.dev_eui
    command = device.command
    overdue = command is not None and command.overdue
    if device.phase is not Phase.FAILED and not overdue:
        why = f"{name} is {device.phase.value.replace('_', ' ')} again"
        return Finding(AlertKind.LIGHT_FAILED, device.dev_eui, holds=False, text=why)
    error = f": {device.last_error}" if device.last_error else ""
    goal = "does not take its settings" if device.setup is not None else "does not show its colour"
    return Finding(AlertKind.LIGHT_FAILED, device.dev_eui, holds=True, text=f"{name} {goal}{error}")


def _held(device: Device) -> Finding:
    name, sent = device.name or device.dev_eui, device.attempt
    waits = sent is not None and sent.stage in {Stage.SUBMITTED, Stage.HELD}
    if sent is None or not waits or sent.obstacle is None:
        text = f"nothing is in the way of {name} any more"
        return Finding(AlertKind.LIGHT_HELD, device.dev_eui, holds=False, text=text)
    text = f"{name} cannot be sent to: {sent.reason}"
    return Finding(AlertKind.LIGHT_HELD, device.dev_eui, holds=True, text=text)


def _silent(device: Device, now: float, policy: AlertPolicy, outlook: Outlook) -> Finding:
    name = device.name or device.dev_eui
    due_at = silent_at(device, policy, outlook)
    silent = due_at is not None and now >= due_at
    text = f"{name} is silent" if silent else f"{name} was heard"
    if outlook.reach is Reach.NO_GATEWAY_ONLINE:
        silent, text = False, f"every gateway that hears {name} is offline"
    elif outlook.reach is Reach.DISABLED:
        silent, text = False, f"{name} is disabled in ChirpStack"
    since = _heard_at(device) if silent else None
    return Finding(AlertKind.LIGHT_SILENT, device.dev_eui, silent, text, since)


def _foreign(device: Device, now: float) -> Finding:
    name, holds = device.name or device.dev_eui, repeated(device, now)
    text = f"{name}: {foreign_words(device)}" if holds else f"nobody else sends to {name} any more"
    return Finding(AlertKind.FOREIGN_SENDER, device.dev_eui, holds, text)


def _waiting(device: Device, now: float, policy: AlertPolicy, outlook: Outlook) -> Finding:
    """A command that has waited for minutes has an alert: this one, unless the failure of the
    light, the outage of its gateways or that of ChirpStack has one."""
    name, command = device.name or device.dev_eui, device.command
    if command is None:
        text = f"no command waits for {name}"
        return Finding(AlertKind.COMMAND_WAITING, device.dev_eui, holds=False, text=text)
    due_at = waiting_at(device, policy)
    long = due_at is not None and now >= due_at
    covered = (
        command.overdue
        or device.phase is Phase.FAILED
        or _held(device).holds
        or outlook.network_away
        or outlook.reach is Reach.NO_GATEWAY_ONLINE
    )
    text = f"the colour for {name} waits: {_why(device, outlook)}"
    if long and covered:
        text = f"another alert tells why the colour for {name} waits"
    return Finding(
        AlertKind.COMMAND_WAITING,
        device.dev_eui,
        long and not covered,
        text,
        command.accepted_at,
    )


def _why(device: Device, outlook: Outlook) -> str:
    command = device.command
    if outlook.reach is Reach.DISABLED:
        return "the device is disabled in ChirpStack"
    if command is not None and command.reason:
        return command.reason
    if device.phase is Phase.UNINITIALIZED:
        return "the light has not reported since it joined"
    if device.phase is Phase.INITIALIZING:
        return "the light is being given its settings first"
    if device.attempt is not None and device.attempt.reason:
        return device.attempt.reason
    sent = device.attempt is not None and device.attempt.queued_at is not None
    return "no gateway has taken its frame" if sent else "it is not known why"


def _heard_at(device: Device) -> float | None:
    """Never later than the record: a gateway's clock that is ahead must not hide a silence."""
    heard_at = device.heard_at
    if heard_at is None or not device.stepped_at:
        return heard_at
    return min(heard_at, device.stepped_at)
