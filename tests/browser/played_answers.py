"""Answers of the API that need a past: orders, signal, outages, figures, rollouts.

Chance is seeded, so a picture taken twice is the same; a test may change every answer before it is
asked for.
"""

import random
import re
from collections.abc import Callable
from typing import Any

import msgspec
from quart import Blueprint, Response, request

from actors.device.command import Command
from api.models import CommandView
from tests.support.fake_application import NOW, FakeApplication

HOUR = 3_600.0
Answer = tuple[int, Any]


class Played:
    """What the service remembers beyond its board."""

    def __init__(self, application: FakeApplication) -> None:
        self.application = application
        self.past: dict[str, list[Command]] = {}
        self.points: dict[str, list[dict[str, Any]]] = {}
        self.outages: dict[str, list[dict[str, Any]]] = {}
        self.observed: dict[str, list[dict[str, Any]]] = {}
        """All seven days, where nothing else is said."""
        self.figures: dict[str, Any] = dict(FIGURES)
        self.spread: dict[str, Any] = dict(SPREAD)
        self.rollouts: dict[str, dict[str, Any]] = {}
        self.acknowledged: list[str] = []
        self.asked_for_status: list[str] = []
        self.missing = False
        """The service is an older one, which knows none of these paths."""

    def commands(self, dev_eui: str) -> Answer:
        """Every order of the light, newest first."""
        mine = [c for c in self.application.commands.given.values() if c.dev_eui == dev_eui]
        every = sorted([*mine, *self.past.get(dev_eui, [])], key=lambda c: -c.accepted_at)
        return 200, {"commands": [CommandView.of(command) for command in every]}

    def signal(self, dev_eui: str) -> Answer:
        """How it was heard."""
        return 200, {"points": self.points.get(dev_eui, [])}

    def gateway_outages(self, gateway_id: str) -> Answer:
        """When the gateway was away."""
        now = self.application.clock.now()
        week = [{"since": now - 168 * HOUR, "until": now}]
        away, observed = self.outages.get(gateway_id, []), self.observed.get(gateway_id, week)
        away_s = sum((one["until"] or now) - one["since"] for one in away)
        observed_s = sum(one["until"] - one["since"] for one in observed)
        return 200, {
            "outages": away,
            "observed": observed,
            "observed_s": observed_s,
            "away_s": away_s,
            "availability": 1 - away_s / observed_s if observed_s else None,
        }

    def downlinks(self) -> Answer:
        """The figures in short."""
        return 200, self.figures

    def scores(self) -> Answer:
        """As the application's quality says."""
        return 200, self.application.quality.scores()

    def cluster(self) -> Answer:
        """As the application's cluster says."""
        return 200, self.application.cluster.shown("sqlite")

    def reliability(self) -> Answer:
        """Their spread, and the worst lights."""
        return 200, self.spread

    def acknowledge(self, alert_id: str) -> Answer:
        """The alert was seen."""
        self.acknowledged.append(alert_id)
        alert = next(a for a in self.application.board.alerts() if a.id == alert_id)
        shown = msgspec.to_builtins(alert)
        return 200, {**shown, "open": True, "acknowledged_at": self.application.clock.now()}

    def ask_status(self, dev_eui: str) -> Answer:
        """The light is asked what it shows."""
        self.asked_for_status.append(dev_eui)
        return 202, {"dev_eui": dev_eui, "outcome": "asked"}

    def make_rollout(self, body: dict[str, Any]) -> Answer:
        """A new rollout, of which nothing was sent yet."""
        light = {name: body[name] for name in ("red", "green", "blue", "on", "off")}
        count = len(body["dev_euis"])
        made = {
            "id": f"rollout-{len(self.rollouts) + 1}",
            "name": body.get("name", ""),
            "state": "running",
            "reason": None,
            "light": light,
            "keep": body["keep"],
            "created_at": self.application.clock.now(),
            "ended_at": None,
            "changed_at": self.application.clock.now(),
            "pace_per_min": body.get("pace_per_min", 30),
            "failures_most": body.get("failures_most", 5),
            "total": count,
            **dict.fromkeys(
                ("open", "verified", "failed", "superseded", "removed", "cancelled"), 0
            ),
            "waiting": count,
        }
        lights = [
            {"dev_eui": dev_eui, "state": "waiting", "command_id": None, "reason": None}
            for dev_eui in body["dev_euis"]
        ]
        self.rollouts[str(made["id"])] = {**made, "lights": lights}
        return 201, made

    def every_rollout(self) -> Answer:
        """All of them, without their lights."""
        return 200, {"rollouts": [_short(rollout) for rollout in self.rollouts.values()]}

    def one_rollout(self, rollout_id: str) -> Answer:
        """One of them, whole."""
        return 200, self.rollouts[rollout_id]

    def rein(self, rollout_id: str, change: dict[str, Any]) -> Answer:
        """Pause it, go on, cancel it."""
        self.move(rollout_id, **change)
        if change["state"] == "cancelled":
            rollout = self.rollouts[rollout_id]
            left = [light for light in rollout["lights"] if light["state"] == "waiting"]
            for light in left:
                light["state"] = "cancelled"
            self.move(
                rollout_id, ended_at=self.application.clock.now(), waiting=0, cancelled=len(left)
            )
        return 200, _short(self.rollouts[rollout_id])

    def move(self, rollout_id: str, **changes: Any) -> None:
        """The rollout is otherwise from now on."""
        rollout = self.rollouts[rollout_id]
        rollout.update(changes, changed_at=rollout["changed_at"] + 1)

    def cancel(self, rollout_id: str) -> None:
        """It is over; what waited was never commanded."""
        rollout = self.rollouts[rollout_id]
        for light in rollout["lights"]:
            if light["state"] == "waiting":
                light["state"] = "cancelled"
        left = {"waiting": 0, "cancelled": rollout["waiting"]}
        self.move(rollout_id, state="cancelled", ended_at=self.application.clock.now(), **left)

    def progress(self, rollout_id: str, **counts: int) -> None:
        """So many of its lights are in these states; the rest waits."""
        rollout = self.rollouts[rollout_id]
        states = [state for state, count in counts.items() for _ in range(count)]
        for light, state in zip(rollout["lights"], states, strict=False):
            light["state"] = state
            light["reason"] = "no proof after 3 attempts" if state == "failed" else None
        self.move(rollout_id, **counts, waiting=rollout["total"] - len(states))


def _short(rollout: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rollout.items() if key != "lights"}


def answers(played: Played) -> Blueprint:
    """These paths, answered before any route of the same path."""
    blueprint = Blueprint("played", __name__)
    routes: list[tuple[str, str, Callable[..., Answer]]] = [
        ("GET", r"devices/(\w+)/commands", played.commands),
        ("GET", r"devices/(\w+)/signal", played.signal),
        ("POST", r"devices/(\w+)/status", played.ask_status),
        ("GET", r"gateways/(\w+)/outages", played.gateway_outages),
        ("GET", r"metrics/downlinks", played.downlinks),
        ("GET", r"metrics/reliability", played.reliability),
        ("GET", r"quality/scores", played.scores),
        ("GET", r"cluster", played.cluster),
        ("POST", r"alerts/([\w-]+)/acknowledge", played.acknowledge),
        ("GET", r"rollouts", played.every_rollout),
        ("POST", r"rollouts", played.make_rollout),
        ("GET", r"rollouts/([\w-]+)", played.one_rollout),
        ("PATCH", r"rollouts/([\w-]+)", played.rein),
    ]

    @blueprint.before_app_request
    async def answer() -> Response | None:
        for method, pattern, view in routes:
            match = re.fullmatch(f"/api/v1/{pattern}", request.path)
            if match is None or method != request.method:
                continue
            if played.missing and pattern != r"metrics/downlinks":
                status, shown = 404, {"type": "urn:lamplighter:problem:not-found", "status": 404}
            else:
                has_body = view in (played.make_rollout, played.rein)
                body = [await request.get_json()] if has_body else []
                status, shown = view(*match.groups(), *body)
            data = msgspec.json.encode(shown)
            return Response(data, status, content_type="application/json")
        return None

    return blueprint


def signal_of(seed: int, gateways: dict[str, float], hours: float = 24) -> list[dict[str, Any]]:
    """Uplinks about every ten minutes, heard by gateways about this strong (dBm)."""
    chance = random.Random(seed)
    points = []
    for count in range(int(hours * 6)):
        at = NOW - hours * HOUR + count * 600 + chance.uniform(-40, 40)
        for gateway_id, strength in gateways.items():
            if chance.random() < min(0.95, (strength + 128) / 24):
                rssi = strength + chance.gauss(0, 2.5)
                snr = max(-14.0, min(10.5, (rssi + 112) / 2 + chance.gauss(0, 1)))
                point = {"at": at, "gateway_id": gateway_id, "rssi_dbm": round(rssi)}
                points.append({**point, "snr_db": round(snr, 1), "f_cnt": 100 + count})
    return points


FIGURES: dict[str, Any] = {
    "hours": 24,
    "commands": 1_284,
    "open": 3,
    "verified": 1_263,
    "superseded": 9,
    "expired": 7,
    "rejected": 2,
    "success_rate": 1_263 / 1_272,
    "first_attempt_rate": 0.934,
    "frames": 1_371,
    "frames_per_verified": 1.085,
    "time_to_verify_p50_s": 3.4,
    "time_to_verify_p95_s": 21.0,
    "time_to_verify_p99_s": 148.0,
}


def _buckets(bounds: tuple[float, ...], *counts: int) -> list[dict[str, Any]]:
    return [{"most": most, "count": n} for most, n in zip((*bounds, None), counts, strict=True)]


SPREAD: dict[str, Any] = {
    "hours": 24,
    "commands": 1_272,
    "verified": 1_263,
    "time_to_verify_s": _buckets(
        (1, 2, 5, 10, 20, 30, 60, 120, 300, 900), 12, 214, 702, 168, 96, 28, 21, 10, 7, 4, 1
    ),
    "attempts_per_success": _buckets((1, 2, 3, 5), 1_180, 62, 15, 6, 0),
    "worst": [
        {
            "dev_eui": "2020203907290016",
            "name": "Gate",
            "commands": 14,
            "verified": 9,
            "failed": 5,
            "attempts_per_success": 2.7,
            "time_to_verify_p95_s": 842.0,
            "why": "2.7 attempts for each success",
        },
        {
            "dev_eui": "2020203907290014",
            "name": "Loading dock with a rather long name",
            "commands": 22,
            "verified": 20,
            "failed": 2,
            "attempts_per_success": 1.6,
            "time_to_verify_p95_s": 310.0,
            "why": "3 of 14 commands expired",
        },
    ],
}
