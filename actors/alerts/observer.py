"""Judges what the board shows: which findings follow from a light, a gateway or an actor.

A light can come to be wrong though nothing happens to it (it falls silent, its command waits for
too long), and a gateway's alert names the lights that it takes along. So the observer plans when to
look again: `due` judges what is due, `next_at` says when that will be.
"""

import math
from collections.abc import Iterator

from actors.alerts.expected_rules import at_risk
from actors.alerts.finding import Finding
from actors.alerts.light_rules import Outlook, light_findings, silent_at, waiting_at
from actors.alerts.policy import AlertPolicy
from actors.alerts.rules import actor_finding, gateway_finding, taking_finding
from actors.alerts.surroundings import Surroundings
from actors.board.board import Board
from actors.board.changes import ActorView, GatewayView, Subject
from actors.clocks.due_times import DueTimes
from actors.device.foreign_sender import over_at
from actors.device.model import Device
from actors.quality.model import Grade
from actors.replace import replace

# Lights judged in one call of `due`, about 8 us each: 2 ms.
LIGHTS_AT_ONCE = 250
# A gateway's alert names its lights; while they come and go it is made anew so often at most.
LIGHTS_EVERY_S = 5.0


class BoardObserver:
    """Bounds: one planned time for each light of the board, and those of its `Surroundings`."""

    def __init__(self, board: Board, policy: AlertPolicy) -> None:
        self._board = board
        self._policy = policy
        self._lights_due: DueTimes[str] = DueTimes()
        self._surroundings = Surroundings()
        self._gateways_judged_at = -math.inf
        self._network_away = False

    def judge(self, subject: Subject, now: float) -> tuple[Finding, ...]:
        """What follows from something that was published."""
        match subject:
            case Device():
                return self._judge_light(subject, now)
            case GatewayView():
                self._surroundings.gateway(subject, now)
                return self._judge_gateway(subject), taking_finding(subject)
            case ActorView():
                return (actor_finding(subject),)
            case _:
                return ()  # commands are judged in their light; alerts are our own

    def network_away(self, away: bool, now: float) -> None:
        """Whether ChirpStack is away, which excuses every waiting command until it is back."""
        if self._network_away and not away:
            for dev_eui in dict.fromkeys(one.dev_eui for one in self._board.open_commands.values()):
                self._lights_due.plan_sooner(dev_eui, now)
        self._network_away = away

    def due(self, now: float) -> Iterator[Finding]:
        """What follows from the lights and gateways that are to be looked at again by now."""
        for _ in range(LIGHTS_AT_ONCE):
            dev_eui = self._lights_due.take(now)
            if dev_eui is None:
                break
            device = self._board.devices.get(dev_eui)
            if device is not None:
                yield from self._judge_light(device, now)
        if not self._surroundings.stale or now < self._gateways_judged_at + LIGHTS_EVERY_S:
            return
        self._gateways_judged_at = now
        while self._surroundings.stale:
            gateway_id = next(iter(self._surroundings.stale))
            del self._surroundings.stale[gateway_id]
            view = self._board.gateways.get(gateway_id)
            if view is not None:
                yield self._judge_gateway(view)

    def next_at(self) -> float | None:
        """When `due` has something to do (Unix seconds), None while nothing is planned."""
        light_at = self._lights_due.next_at()
        if not self._surroundings.stale:
            return light_at
        gateway_at = self._gateways_judged_at + LIGHTS_EVERY_S
        return gateway_at if light_at is None else min(light_at, gateway_at)

    def moved(self, by_s: float) -> None:
        """The machine's clock was set: every time that is kept moves by as much."""
        self._lights_due.moved(by_s)
        self._surroundings.moved(by_s)
        self._gateways_judged_at += by_s

    def _judge_light(self, device: Device, now: float) -> tuple[Finding, ...]:
        # The dates of a record are of the clock as it was when the record was made.
        shift_s = self._board.shift_s(device.dev_eui)
        reach = self._board.reachability(device).reach
        listening_since = self._surroundings.listening_since(device) - shift_s
        outlook = Outlook(reach, listening_since, self._network_away)
        self._surroundings.light(device, reach)
        times = (
            silent_at(device, self._policy, outlook),
            waiting_at(device, self._policy),
            over_at(device),
        )
        due_at = min((at for at in times if at is not None and at > now - shift_s), default=None)
        if due_at is not None:
            self._lights_due.plan_sooner(device.dev_eui, due_at + shift_s)
        findings = light_findings(device, now - shift_s, self._policy, outlook)
        moved = tuple(_moved(finding, shift_s) for finding in findings)
        risk = self._board.risks.get(device.dev_eui)
        if risk is None:  # it is told within a minute of a start
            return moved
        # its date is quality's, not the record's
        return (*moved, at_risk(device, risk, reach, self._poor_gateway(device)))

    def _poor_gateway(self, device: Device) -> str | None:
        """The name of a gateway that hears it and is graded D."""
        for hearing in device.hearings:
            view = self._board.gateways.get(hearing.gateway_id)
            if view is not None and view.grade == Grade.D:
                return view.name or view.gateway_id
        return None

    def _judge_gateway(self, view: GatewayView) -> Finding:
        cut_off = self._surroundings.behind(view.gateway_id, self._board.devices)
        return gateway_finding(view, cut_off)


def _moved(finding: Finding, by_s: float) -> Finding:
    if finding.since is None or not by_s:
        return finding
    return replace(finding, since=finding.since + by_s)
