"""Prediction over weeks of virtual time: the production's own quality on a synthetic fleet.

Each light has a margin with a slow drift (2 dB, one day) over its own usual one. 86 % are well, 6 %
fade by 0.5 to 3 dB a day from some day on, 4 % flap (join four times a day) for one to five days
and die, 4 % die at once. A frame is lost by one Rayleigh draw for each direction. About four orders
a day go to each light that lives. The kinds and their rates are made up; that single losses are
independent and that poor links come and go for hours is what public logs show.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.board.changes import GatewayView
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Device, Hearing, Phase, Report, Session
from actors.device.policy import Policy
from actors.link.loss_counters import (
    NONE_COUNTED,
    frame_taken,
    session_began,
    status_heard,
    uplink_heard,
)
from actors.quality.chance_scores import ChanceScores
from actors.quality.model import Rule, Scores
from actors.quality.quality import Quality
from actors.replace import replace
from lorawan.kuando.light_state import LightState

DAY_S = 86_400.0
HEARTBEAT_S = 900.0
STEP_S = 900.0
"""Between two rounds of quality."""
BEGAN_AT = 1_700_000_000.0
AHEAD_S = 12 * 3_600.0
SILENT_S = 4 * 3_600.0
COLOUR = LightState(255, 0, 0, 255, 0)
SOFTWARE = 0x5B
KINDS = (("well", 0.86), ("fades", 0.06), ("flaps", 0.04), ("dies", 0.04))


@dataclass
class PredictionFigures:
    """What came of it. Counts are of lights that fell silent within the time."""

    commands: float
    verified: float
    brier: float
    skill: float
    skill_of_truth: float
    calibration_error: float
    silent: dict[str, int]
    warned: dict[str, int]
    """At any time in the week before."""
    warned_ahead: dict[str, int]
    """At least 12 h before."""
    lead_h: dict[Rule, float | None]
    false_per_light_month: dict[Rule, float]
    light_months: float
    switched_off: list[Rule]


class SetClock:
    """A clock that stands where it was put."""

    stepped_s = 0.0

    def __init__(self) -> None:
        self.at = BEGAN_AT

    def now(self) -> float:
        """The date."""
        return self.at

    def steady(self) -> float:
        """The same: nobody sets this clock."""
        return self.at


@dataclass
class Lights:
    """The board, as far as quality sees it."""

    devices: dict[str, Device] = field(default_factory=dict)
    gateways: dict[str, GatewayView] = field(default_factory=dict)


class SyntheticLight:
    """One light, its radio, and the record that the service would have of it."""

    def __init__(self, number: int, rng: random.Random, days: float) -> None:
        self.rng = rng
        self.dev_eui = f"{number:016x}"
        self.usual_db = min(28.0, max(4.0, rng.gauss(15.0, 5.0)))
        self.stronger_down_db = rng.uniform(2.0, 10.0)
        names, weights = zip(*KINDS, strict=True)
        self.kind: str = rng.choices(names, weights)[0]
        self.from_s = rng.uniform(10.0, days - 5.0) * DAY_S
        self.rate_db_per_day = rng.uniform(0.5, 3.0)
        self.dead_s = math.inf
        if self.kind == "dies":
            self.dead_s = self.from_s
        elif self.kind == "flaps":
            self.dead_s = self.from_s + rng.uniform(1.0, 5.0) * DAY_S
        self.drift_db = 0.0
        self.next_s = rng.uniform(0.0, HEARTBEAT_S)
        self.order_s = rng.expovariate(4.0 / DAY_S)
        self.alive = True
        self.heard_s: float | None = None
        self.silent_s: float | None = None
        """When it was heard last before it fell silent."""
        self.f_cnt = -1
        self.received = 0
        self.told_received = 0
        self.device = Device(
            dev_eui=self.dev_eui,
            phase=Phase.IDLE,
            session=Session(dev_addr=self.dev_eui[:8], since=BEGAN_AT, interval_min=15),
        )

    def margin_db(self, at_s: float) -> float:
        """Of its uplinks, now."""
        faded = max(0.0, at_s - self.from_s) / DAY_S * self.rate_db_per_day
        return self.usual_db + self.drift_db - (faded if self.kind == "fades" else 0.0)

    def losses(self, at_s: float) -> tuple[float, float]:
        """Share lost, up and down."""
        margin_db = self.margin_db(at_s)
        return rayleigh(margin_db), rayleigh(margin_db + self.stronger_down_db)

    def heartbeat(self, at_s: float) -> None:
        """A quarter of an hour went by."""
        keep = math.exp(-HEARTBEAT_S / DAY_S)
        self.drift_db = self.drift_db * keep + self.rng.gauss(0.0, 2.0) * math.sqrt(1 - keep * keep)
        self.next_s = at_s + HEARTBEAT_S * self.rng.uniform(0.995, 1.005)
        if at_s >= self.dead_s or self.margin_db(at_s) < -6.0:
            self.alive = False
            return
        flaps = self.kind == "flaps" and at_s > self.from_s
        if self.rng.random() < (4.0 if flaps else 0.005) * HEARTBEAT_S / DAY_S:
            self.join(at_s)
        self.uplink(at_s)

    def join(self, at_s: float) -> None:
        """A new session: all counters restart."""
        device, before = self.device, self.device.session
        assert before is not None
        self.f_cnt, self.received, self.told_received = -1, 0, 0
        self.device = replace(
            device,
            joins=device.joins + 1,
            session=replace(before, number=before.number + 1, since=BEGAN_AT + at_s, f_cnt=-1),
            losses=session_began(device.losses or NONE_COUNTED),
        )

    def uplink(self, at_s: float) -> bool:
        """It sends a status; whether that was heard."""
        lost, _ = self.losses(at_s)
        self.f_cnt += 1
        if self.rng.random() < lost:
            return False
        draw = max(1e-6, -math.log(max(1e-9, self.rng.random() * (1.0 - lost))))
        margin_db = min(max(self.margin_db(at_s) + 10.0 * math.log10(draw), 0.0), 25.0)
        device, at = self.device, BEGAN_AT + at_s
        session = device.session
        assert session is not None
        passed = self.f_cnt - session.f_cnt - 1 if session.f_cnt >= 0 else 0
        losses = uplink_heard(device.losses or NONE_COUNTED, passed)
        losses = status_heard(losses, self.received - self.told_received)
        self.told_received, self.heard_s = self.received, at_s
        self.device = replace(
            device,
            session=replace(session, f_cnt=self.f_cnt, heard_at=at),
            uplinks=device.uplinks + 1,
            losses=losses,
            hearings=(Hearing("aa", at, -110, margin_db - 12.5, margin_db, True, True, 9),),
            report=Report(
                at=at,
                dev_addr=session.dev_addr,
                f_cnt=self.f_cnt,
                light=COLOUR,
                downlinks_received=self.received,
                uplinks_sent=self.f_cnt,
                sw_rev=SOFTWARE,
                hw_rev=1,
                rssi_dbm=-110,
                snr_raw=0,
                session=session.number,
            ),
        )
        return True

    def attempt(self, at_s: float) -> bool:
        """A frame goes to it; whether its answer came."""
        self.device = replace(self.device, losses=frame_taken(self.device.losses or NONE_COUNTED))
        _, lost = self.losses(at_s)
        if self.rng.random() < lost:
            return False
        self.received += 1
        return self.uplink(at_s)


def rayleigh(margin_db: float) -> float:
    """Share lost at this margin, one draw for each frame."""
    return 1.0 - math.exp(-(10.0 ** (-margin_db / 10.0)))


class PredictionRun:
    """A fleet, the production's quality that watches it, and what is counted."""

    def __init__(self, seed: int, lights: int, days: float) -> None:
        self.days = days
        self.clock, self.board = SetClock(), Lights()
        self.truth = ChanceScores()
        rng = random.Random(seed)
        self.lights = [
            SyntheticLight(one, random.Random(rng.random()), days) for one in range(lights)
        ]
        self.board.gateways["aa"] = GatewayView("aa", online=True)
        self.quality = Quality(
            self.board,
            self.clock,
            note=lambda writes: None,
            policy=Policy,
            watching=lambda: True,
            tick_s=1.0,
            round_s=STEP_S,
        )
        self.orders = 0
        self.first_warned: dict[str, dict[Rule, float]] = {}

    def run(self, each_day: Callable[[int], None] = lambda day: None) -> PredictionFigures:
        """All days."""
        steps = round(self.days * DAY_S / STEP_S)
        for step in range(steps):
            until_s = (step + 1) * STEP_S
            for light in self.lights:
                while light.alive and light.next_s < until_s:
                    self._live(light)
                self.board.devices[light.dev_eui] = light.device
            self.clock.at = BEGAN_AT + until_s
            for _ in self.quality.pieces():
                pass
            if (step + 1) % round(3_600.0 / STEP_S) == 0:
                self._note_warnings(until_s)
            if (step + 1) % round(DAY_S / STEP_S) == 0:
                self.truth.days_over(1)
                each_day(round(until_s / DAY_S))
        return self.figures()

    def _live(self, light: SyntheticLight) -> None:
        at_s = light.next_s
        light.heartbeat(at_s)
        if light.alive and light.order_s < light.next_s:
            self._order(light, max(at_s, light.order_s))
            light.order_s = light.next_s + light.rng.expovariate(4.0 / DAY_S)

    def _order(self, light: SyntheticLight, at_s: float) -> None:
        self.orders += 1
        at = self.clock.at = BEGAN_AT + at_s
        self.board.devices[light.dev_eui] = light.device
        up, down = light.losses(at_s)
        truth = 1.0 - (1.0 - (1.0 - up) * (1.0 - down)) ** 3
        command = Command(f"c{self.orders}", light.dev_eui, COLOUR, True, at, at + DAY_S)
        self.quality.shown(command)
        queued = Step(at, StepKind.QUEUED)
        command = replace(command, status=CommandStatus.QUEUED, timeline=(queued,))
        self.quality.shown(command)
        answered = next((one for one in range(3) if light.attempt(at_s + 10.0 * one)), None)
        took_s = 60.0 if answered is None else 10.0 * answered + 1.0
        self.clock.at = at + took_s
        status = CommandStatus.EXPIRED if answered is None else CommandStatus.VERIFIED
        self.quality.shown(replace(command, status=status, ended_at=at + took_s))
        self.truth.judged(truth, verified=answered is not None)

    def _note_warnings(self, at_s: float) -> None:
        for light in self.lights:
            if light.silent_s is not None or light.heard_s is None:
                continue
            if at_s - light.heard_s > SILENT_S:
                light.silent_s = light.heard_s
            elif light.kind != "well":
                told = self.quality.light(light.dev_eui)
                assert told is not None
                known = self.first_warned.setdefault(light.dev_eui, {})
                for warning in told.warnings:
                    known.setdefault(warning.rule, warning.since - BEGAN_AT)
                standing = {warning.rule for warning in told.warnings}
                for rule in known.keys() - standing:
                    if at_s - known[rule] > 7 * DAY_S:
                        del known[rule]

    def figures(self) -> PredictionFigures:
        """What is known now."""
        scores = self.quality.scores()
        silent = {kind: 0 for kind, _ in KINDS}
        warned, ahead = dict(silent), dict(silent)
        for light in self.lights:
            if light.silent_s is None:
                continue
            silent[light.kind] += 1
            known = [
                at
                for at in self.first_warned.get(light.dev_eui, {}).values()
                if at <= light.silent_s
            ]
            warned[light.kind] += bool(known)
            ahead[light.kind] += any(at <= light.silent_s - AHEAD_S for at in known)
        return _figures(scores, self.truth, silent, warned, ahead)


def _figures(
    scores: Scores,
    truth: ChanceScores,
    silent: dict[str, int],
    warned: dict[str, int],
    ahead: dict[str, int],
) -> PredictionFigures:
    assert scores.brier is not None
    assert scores.skill is not None
    assert truth.skill is not None
    assert scores.calibration_error is not None
    return PredictionFigures(
        commands=scores.commands,
        verified=sum((one.observed or 0.0) * one.count for one in scores.bins),
        brier=scores.brier,
        skill=scores.skill,
        skill_of_truth=truth.skill,
        calibration_error=scores.calibration_error,
        silent=silent,
        warned=warned,
        warned_ahead=ahead,
        lead_h={one.rule: one.lead_h for one in scores.rules},
        false_per_light_month={one.rule: one.false_per_light_month or 0.0 for one in scores.rules},
        light_months=scores.light_months,
        switched_off=[one.rule for one in scores.rules if one.switched_off],
    )


def predict(seed: int = 11, lights: int = 200, days: float = 60.0) -> PredictionFigures:
    """A whole run; 200 lights over 60 days take about half a minute."""
    return PredictionRun(seed, lights, days).run()
