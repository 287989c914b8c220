"""What must hold once nothing goes wrong any more.

The service gets no help beyond what an operator would give: everything has power and answers again,
the clocks are right, and parked actors are revived.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from actors.application import Application
from actors.device.command import CommandStatus
from actors.device.model import Phase
from actors.downlink.planner import WaitingAttempt
from actors.reasons import ReasonCode
from simulation.harness.facts import CommandFacts, DeviceFacts
from simulation.harness.oracle import Oracle
from simulation.world.world import World

SHOWN_WITHIN_S = 30 * 60.0 + 600.0
"""One heartbeat of a light that lost its settings (30 min), and ten minutes to drain; counted from
the moment at which its gateways' duty cycle has room for it again, and anew when its own watchdog
restarts it."""
DRAIN_S = 1_200.0
"""From the first status that is heard: a heartbeat may meet a gateway that sends just then, and
one light's evidence is spaced by up to 15 min."""
SETTLED_WITHIN_S = 3 * 3_600.0
RECOVERED_WITHIN_S = 9_000.0
"""Ten times the half-life of what slows a gateway, and half as much again."""
PUSH_EVERY_S = 600.0
LOOK_S = 20.0
RUN_S = 600.0
RUN_MOST = 40
"""Frames to one light within ten minutes: five rounds of settings and five attempts are 20."""


def wanted_of(facts: DeviceFacts) -> CommandFacts | None:
    """The command whose colour a light must show now; None when nothing is wanted of it."""
    for known in reversed(facts.commands):
        match known.status:
            case (
                CommandStatus.EXPIRED
                | CommandStatus.REJECTED
                | CommandStatus.SUPERSEDED
                | CommandStatus.WITHDRAWN
            ):
                continue  # what was wanted before it is wanted again
            case CommandStatus.VERIFIED:
                return known if known.newest.keep else None
            case _:
                return known
    return None


class Patient(Protocol):
    """The service, as an operator sees to it."""

    @property
    def application(self) -> Application | None:
        """Who is asked; None while it is down."""
        ...

    def heal(self) -> None:
        """End all faults of its own."""
        ...

    def revive(self) -> None:
        """Start the actors anew that were parked."""
        ...

    def waiting(self) -> Sequence[WaitingAttempt]:
        """What waits for the air."""
        ...


class Quiet:
    """The time after the faults. `shown_s` tells how long each light took to be as wanted."""

    def __init__(
        self,
        world: World,
        process: Patient,
        oracle: Oracle,
        *,
        slowed: Callable[[], list[str]] | None = None,
        push: Callable[[list[str]], Awaitable[None]] | None = None,
    ) -> None:
        self.shown_s: dict[str, float] = {}
        self._world = world
        self._process = process
        self._oracle = oracle
        self._slowed = slowed
        self._push = push
        self._pushed_s = 0.0
        self._excused_s: dict[str, float] = {}
        self._restarts: dict[str, int] = {}

    async def come(self) -> None:
        """End all faults and check the promises; returns as soon as all is settled."""
        self._world.heal()
        self._process.heal()
        began_s = trio.current_time()
        while self._oracle.violation is None:
            await trio.sleep(LOOK_S)
            self._process.revive()
            self._oracle.look_around()
            passed_s = trio.current_time() - began_s
            if passed_s > RUN_S:
                self._look_for_a_run()
            missing = self._missing(passed_s)
            self._excuse()
            overdue = [one for one in missing if self._overdue(one, began_s)]
            if overdue:
                self._tell_missing(overdue, passed_s)
            elif not missing and self._settled():
                if not await self._still_slow(passed_s):
                    return
            elif passed_s > SETTLED_WITHIN_S:
                self._tell_unsettled(passed_s)

    async def _still_slow(self, passed_s: float) -> bool:
        """Whether a gateway is slowed down by what is over; frames go out now and then, by which
        the service can see that it is."""
        slowed = self._slowed() if self._slowed is not None else []
        if slowed and passed_s > RECOVERED_WITHIN_S:
            self._oracle.breaks("service", f"gateway {slowed[0]} is slowed down still")
        if slowed and self._push is not None and passed_s > self._pushed_s + PUSH_EVERY_S:
            self._pushed_s = passed_s
            self._excused_s |= dict.fromkeys(self._oracle.lights, trio.current_time())
            await self._push(list(self._oracle.lights))
        return bool(slowed)

    def _excuse(self) -> None:
        """A gateway that never acknowledged may have sent all that its hour allows; RX2 may have
        been changed, which takes a light's next two uplinks, half an hour apart; and a light may
        lose its colour to its own watchdog."""
        now_s = trio.current_time()
        for one in self._process.waiting():
            if one.reason.code in {ReasonCode.AIRTIME_USED_UP, ReasonCode.RX2_CHANGED}:
                self._excused_s[one.dev_eui] = now_s
        for dev_eui, station in self._world.stations.items():
            restarts = station.light.restarts
            if self._restarts.setdefault(dev_eui, restarts) != restarts:
                self._restarts[dev_eui], self._excused_s[dev_eui] = restarts, now_s

    def _overdue(self, dev_eui: str, began_s: float) -> bool:
        """Whether it was heard since the faults ended, and there was time enough since then."""
        now_s = trio.current_time()
        told = [one.at_s for one in self._oracle.lights[dev_eui].statuses if one.at_s >= began_s]
        heard = bool(told) and now_s - told[0] > DRAIN_S
        return heard and now_s - self._excused_s.get(dev_eui, began_s) > SHOWN_WITHIN_S

    def _missing(self, passed_s: float) -> list[str]:
        missing = []
        for dev_eui, facts in self._oracle.lights.items():
            wanted = wanted_of(facts)
            if wanted is None or self._world.stations[dev_eui].light.shown == wanted.state:
                self.shown_s.setdefault(dev_eui, passed_s)
            else:
                self.shown_s.pop(dev_eui, None)
                missing.append(dev_eui)
        return missing

    def _settled(self) -> bool:
        return self._process.application is not None and all(
            facts.record is not None
            and facts.record.phase is Phase.IDLE
            and facts.record.command is None
            and all(known.status.final for known in facts.commands)
            for facts in self._oracle.lights.values()
        )

    def _look_for_a_run(self) -> None:
        """Whatever is not proven, air is not spent on it without end."""
        for dev_eui, facts in self._oracle.lights.items():
            frames = facts.frames_since(trio.current_time() - RUN_S)
            if frames > RUN_MOST:
                self._oracle.breaks(dev_eui, f"{frames} frames within {RUN_S / 60:.0f} min")

    def _tell_missing(self, missing: list[str], passed_s: float) -> None:
        facts = self._oracle.lights[missing[0]]
        wanted, shown = wanted_of(facts), self._world.stations[missing[0]].light.shown
        phase = facts.record.phase.value if facts.record is not None else "not stored"
        self._oracle.breaks(
            missing[0],
            f"{passed_s / 60:.0f} min after the last fault it shows {shown}, wanted is"
            f" {wanted.state if wanted else None}; it is {phase}",
        )

    def _tell_unsettled(self, passed_s: float) -> None:
        for dev_eui, facts in self._oracle.lights.items():
            open_ones = [known for known in facts.commands if not known.status.final]
            phase = facts.record.phase if facts.record is not None else None
            if open_ones or phase is not Phase.IDLE:
                self._oracle.breaks(
                    dev_eui,
                    f"{passed_s / 60:.0f} min after the last fault it is {phase}, with"
                    f" {len(open_ones)} commands without an outcome",
                )
