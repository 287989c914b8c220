"""What HTTP and the websocket say is what they said.

`answers.json` holds the answers about one application in which everything stands, `openapi.json`
the models of the description. Whoever changes one of the two changes what callers rely on. They are
compared as JSON: the order of the fields is nobody's promise.
"""

import json
from pathlib import Path
from typing import Any

from quart.typing import TestClientProtocol as Client

from actors.board.changes import DeviceRemoved
from api.http.app import create_app
from tests.api.conftest import settings_with
from tests.support.fake_application import DEV_EUI, GATEWAY
from tests.support.full_application import BUSY, ENDED, NEW, OPEN, STRAY, full_application

DATA = Path(__file__).parents[2] / "data"
PATHS = (
    "/readyz",
    *(
        f"/api/v1/{path}"
        for path in (
            "caller",
            "clock",
            "cluster",
            "devices",
            f"devices/{DEV_EUI}",
            f"devices/{BUSY}",
            f"devices/{NEW}",
            f"devices/{DEV_EUI}/events?limit=2",
            f"devices/{BUSY}/commands",
            f"devices/{DEV_EUI}/signal",
            "devices/initialize",
            f"commands/{OPEN.id}",
            f"commands/{ENDED.id}",
            "gateways",
            "gateways/health",
            f"gateways/{GATEWAY}/status",
            f"gateways/{STRAY}/status",
            f"gateways/{GATEWAY}/outages?days=1",
            "alerts",
            "metrics/downlinks",
            f"metrics/downlinks/{DEV_EUI}",
            "metrics/reliability",
            "rollouts",
            "rollouts/roll-1",
            "restored-store",
            "unreadable",
            "calibrations",
            "risks",
            f"gateways/{GATEWAY}/quality",
            f"gateways/{STRAY}/quality",
            "quality/scores",
            "supervisor",
        )
    ),
)


async def asked() -> dict[str, Any]:
    """Every answer by its path, and what the websocket says to a client that follows all."""
    application = full_application()
    client = create_app(application, settings_with()).test_client()
    found = {path: await _got(client, path) for path in PATHS}
    async with client.websocket("/api/v1/live") as socket:
        live = [json.loads(await socket.receive()) for _ in range(2)]
        application.board.publish(OPEN)
        application.board.publish(ENDED)
        application.board.publish(DeviceRemoved(NEW, "New", "by hand"))
        changes: list[Any] = []
        while len(changes) < 3:
            changes += json.loads(await socket.receive())["changes"]
    found["/api/v1/live"] = [*live, *changes]
    application.restored_store.open = None
    found["/api/v1/restored-store (none)"] = await _got(client, "/api/v1/restored-store")
    return found


async def _got(client: Client, path: str) -> Any:
    response = await client.get(path)
    assert response.status_code in {200, 503}, (path, await response.get_data())
    return json.loads(await response.get_data())


async def described() -> dict[str, Any]:
    """The skeleton of the description: which model each status of each operation has, and which
    fields each model."""
    client = create_app(full_application(), settings_with()).test_client()
    found = await _got(client, "/openapi.json")
    answers = {
        f"{method.upper()} {path}": {
            status: next(iter(answer["content"].values()))["schema"].get("$ref", "text")
            for status, answer in operation["responses"].items()
            if "content" in answer
        }
        for path, operations in found["paths"].items()
        for method, operation in operations.items()
    }
    models = {
        name: sorted(model.get("properties", model.get("enum", ())))
        for name, model in found["components"]["schemas"].items()
    }
    return {"answers": answers, "models": models}


def stored(name: str) -> dict[str, Any]:
    """What was said."""
    return json.loads((DATA / name).read_text())  # type: ignore[no-any-return]


async def test_every_answer_is_as_it_was() -> None:
    found, before = await asked(), stored("answers.json")
    assert found.keys() == before.keys()
    for path, answer in found.items():
        assert answer == before[path], path


async def test_the_description_names_the_same_models_with_the_same_fields() -> None:
    assert await described() == stored("openapi.json")
