"""Rollouts by their contract, as a blueprint for the real server: one rollout, which is over when
it is looked at a second time."""

from typing import Any

from quart import Blueprint, jsonify, request
from quart.typing import ResponseReturnValue


class FakeRollouts:
    """Keeps what it was asked, and one rollout."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.rollout: dict[str, Any] = {
            "id": "r1",
            "name": "evening",
            "state": "running",
            "reason": None,
            "light": {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0},
            "keep": True,
            "created_at": 1_760_000_000.0,
            "ended_at": None,
            "changed_at": 1_760_000_000.0,
            "pace_per_min": 30.0,
            "failures_most": 5,
            "total": 2,
            "waiting": 1,
            "open": 1,
            "verified": 0,
            "failed": 0,
            "superseded": 0,
        }
        self.looks = 0

    def blueprint(self) -> Blueprint:
        """Its routes."""
        routes = Blueprint("rollouts", __name__, url_prefix="/api/v1/rollouts")

        @routes.post("")
        async def start() -> ResponseReturnValue:
            self.asked.append(("POST", await request.get_json()))
            return jsonify(self.rollout), 201

        @routes.get("")
        async def every() -> ResponseReturnValue:
            return jsonify(rollouts=[self.rollout])

        @routes.get("/<rollout_id>")
        async def one(rollout_id: str) -> ResponseReturnValue:
            self.looks += 1
            if self.looks > 1:  # it is over when looked at again
                self.rollout |= {"state": "done", "verified": 2, "open": 0, "waiting": 0}
            light = {"dev_eui": "2020203907290902", "state": "open", "command_id": "c"}
            return jsonify(self.rollout | {"lights": [light | {"reason": None}], "id": rollout_id})

        @routes.patch("/<rollout_id>")
        async def change(rollout_id: str) -> ResponseReturnValue:
            body = await request.get_json()
            self.asked.append(("PATCH", body))
            self.rollout |= body
            return jsonify(self.rollout | {"id": rollout_id})

        return routes
