"""The description: complete, valid, and what is really sent."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from quart.typing import TestClientProtocol as Client
from quart_trio import QuartTrio

from actors.refusal import Refusal
from api.http import problems, response_headers
from api.http.app import create_app
from api.http.middleware import SECURITY_HEADERS
from api.http.problems import KINDS, TYPE_PREFIX
from tests.api.conftest import TOKENS, settings_with
from tests.support.fake_application import DEV_EUI, GATEWAY, FakeApplication, a_light

DOCS = Path(__file__).parents[3] / "docs"
COLOUR = {"red": 255, "green": 0, "blue": 0}
RED = {"red": 255, "green": 0, "blue": 0, "wait_for_verification": False}


_described: list[bytes] = []
"""Once it was asked for: all these apps are alike, and each takes 0.15 s to describe itself."""


@pytest.fixture
async def description(client: Client) -> dict[str, Any]:
    if not _described:
        _described.append(await (await client.get("/openapi.json")).get_data())
    return json.loads(_described[0])  # type: ignore[no-any-return]


def routes(app: QuartTrio) -> set[tuple[str, str]]:
    """Method and path, as OpenAPI spells them, of all that is not a page."""
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.websocket or rule.endpoint.startswith(("pages.", "guide.")):
            continue
        path = rule.rule.replace("<path:", "{").replace("<", "{").replace(">", "}")
        found |= {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}}
    return found


async def test_every_route_is_described(app: QuartTrio, description: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
    }
    assert described == routes(app)


async def test_every_operation_says_what_it_does(description: dict[str, Any]) -> None:
    seen = set()
    for operations in description["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["tags"]
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert all(answer["description"] for answer in operation["responses"].values())
            # A wrong token, a wrong name of ours, too many: on public routes, too.
            assert {"401", "403", "429"} <= set(operation["responses"])
            forbidden = "problem:forbidden" in operation["responses"]["403"]["description"]
            assert forbidden is bool(operation["security"])
            words = [answer["description"] for answer in operation["responses"].values()]
            assert all(len(set(w.split("). "))) == len(w.split("). ")) for w in words), "twice"


async def test_what_a_dev_eui_looks_like_is_described(description: dict[str, Any]) -> None:
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "dev_eui":
                    assert parameter["schema"]["pattern"] == "^[0-9a-fA-F]{16}$", path


async def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                at: Any = description
                for part in value["$ref"].removeprefix("#/").split("/"):
                    at = at[part]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(description)
    for schema in description["components"]["schemas"].values():
        jsonschema_rs.meta.validate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        )


@pytest.mark.parametrize(
    ("method", "template", "path", "body"),
    [
        ("post", "/api/v1/downlink/{dev_eui}", f"/api/v1/downlink/{DEV_EUI}", RED),
        ("post", "/api/v1/downlink/{dev_eui}", f"/api/v1/downlink/{DEV_EUI}", {"red": 1}),
        ("get", "/api/v1/commands/{command_id}", "/api/v1/commands/cmd-0", None),
        ("get", "/api/v1/devices", "/api/v1/devices", None),
        ("get", "/api/v1/devices", "/api/v1/devices?limit=x", None),
        ("get", "/api/v1/devices/{dev_eui}", f"/api/v1/devices/{DEV_EUI}", None),
        ("get", "/api/v1/devices/{dev_eui}/events", f"/api/v1/devices/{DEV_EUI}/events", None),
        ("post", "/api/v1/devices/initialize", "/api/v1/devices/initialize", None),
        ("get", "/api/v1/gateways", "/api/v1/gateways", None),
        ("get", "/api/v1/gateways/health", "/api/v1/gateways/health", None),
        ("get", "/api/v1/gateways/{gateway_id}/status", f"/api/v1/gateways/{GATEWAY}/status", None),
        ("get", "/api/v1/alerts", "/api/v1/alerts", None),
        ("get", "/api/v1/supervisor", "/api/v1/supervisor", None),
        ("get", "/api/v1/clock", "/api/v1/clock", None),
        ("get", "/api/v1/cluster", "/api/v1/cluster", None),
        ("get", "/api/v1/metrics/downlinks", "/api/v1/metrics/downlinks", None),
        ("get", "/api/v1/metrics/reliability", "/api/v1/metrics/reliability", None),
        ("post", "/api/v1/rollouts", "/api/v1/rollouts", {**COLOUR, "dev_euis": [DEV_EUI]}),
        ("post", "/api/v1/rollouts", "/api/v1/rollouts", COLOUR),
        ("get", "/api/v1/rollouts", "/api/v1/rollouts", None),
        ("get", "/api/v1/devices/{dev_eui}/commands", f"/api/v1/devices/{DEV_EUI}/commands", None),
        ("get", "/api/v1/devices/{dev_eui}/signal", f"/api/v1/devices/{DEV_EUI}/signal", None),
        ("post", "/api/v1/devices/{dev_eui}/status", f"/api/v1/devices/{DEV_EUI}/status", None),
        (
            "get",
            "/api/v1/gateways/{gateway_id}/outages",
            f"/api/v1/gateways/{GATEWAY}/outages",
            None,
        ),
        ("get", "/api/v1/risks", "/api/v1/risks?limit=5", None),
        ("get", "/api/v1/risks", "/api/v1/risks?warned=perhaps", None),
        (
            "get",
            "/api/v1/gateways/{gateway_id}/quality",
            f"/api/v1/gateways/{GATEWAY}/quality",
            None,
        ),
        (
            "get",
            "/api/v1/gateways/{gateway_id}/quality",
            "/api/v1/gateways/0000000000000000/quality",
            None,
        ),
        ("get", "/api/v1/quality/scores", "/api/v1/quality/scores", None),
        ("get", "/api/v1/plans", "/api/v1/plans", None),
        ("post", "/api/v1/plans", "/api/v1/plans", {"name": "Hall"}),
        ("get", "/api/v1/plans/{plan_id}", "/api/v1/plans/x", None),
        ("get", "/readyz", "/readyz", None),
    ],
)
async def test_what_is_sent_is_what_is_described(
    client: Client,
    description: dict[str, Any],
    method: str,
    template: str,
    path: str,
    body: object,
) -> None:
    response = await client.open(path, method=method.upper(), json=body)
    answer = description["paths"][template][method]["responses"][str(response.status_code)]
    assert headers_amiss(description, answer, response) == []
    media_type = response.headers["Content-Type"].partition(";")[0]
    schema = {**answer["content"][media_type]["schema"], "components": description["components"]}
    jsonschema_rs.validate(schema, await response.get_json())


OF_THE_TRANSPORT = {"content-type", "content-length", "cache-control"} | {
    name.lower() for name in SECURITY_HEADERS
}
"""As on every answer; that one may be kept is described where it is so."""


def headers_amiss(description: dict[str, Any], answer: dict[str, Any], response: Any) -> list[str]:
    """What is sent and not described, and what is described as always there and not sent."""
    known = description["components"]["headers"]
    told = {
        name.lower(): known[one["$ref"].rpartition("/")[2]]
        for name, one in answer["headers"].items()
    }
    sent = {name.lower() for name, _ in response.headers} - OF_THE_TRANSPORT
    needed = {name for name, one in told.items() if one["required"]} - OF_THE_TRANSPORT
    return sorted((sent - set(told)) | (needed - sent))


async def test_headers_that_are_sent_are_described_and_those_that_are_described_are_sent(
    client: Client, application: FakeApplication, description: dict[str, Any]
) -> None:
    """A day of a caller; each answer has what the description says that it always has."""
    said: set[str] = set()

    async def ask(method: str, template: str, status: int, **more: Any) -> Any:
        path = template.format(dev_eui=DEV_EUI, name="Evening", plan_id=plan, rollout_id="roll-1")
        query, headers = more.pop("query", ""), more.pop("headers", {})
        if method in {"put", "patch"}:
            headers = {"If-Match": '"1"', **headers}
        response = await client.open(path + query, method=method.upper(), headers=headers, **more)
        assert response.status_code == status, await response.get_data()
        answer = description["paths"][template][method]["responses"][str(status)]
        assert headers_amiss(description, answer, response) == [], (method, template, status)
        said.update(name.lower() for name, _ in response.headers)
        return response

    plan = "none"
    colour = {"light": {"red": 255, "green": 0, "blue": 0}}
    scene = {"name": "Evening", "parts": [{**colour, "dev_euis": [DEV_EUI]}]}
    hook = {"name": "Evening", "url": "https://desk.example/"}
    schedule = {"name": "Evening", "cron": "0 7 * * *", "scene": "Evening"}
    for kind, body in (("scenes", scene), ("schedules", schedule), ("hooks", hook)):
        await ask("post", f"/api/v1/{kind}", 201, json=body)
        await ask("get", f"/api/v1/{kind}/{{name}}", 200)
        change, how = ({"enabled": False}, "patch") if kind == "hooks" else (body, "put")
        await ask(how, f"/api/v1/{kind}/{{name}}", 200, json=change)
    await ask("post", "/api/v1/scenes/{name}/apply", 201)
    await ask("post", "/api/v1/hooks/{name}/secret", 200)
    made = await ask("post", "/api/v1/plans", 201, json={"name": "Hall"})
    plan = (await made.get_json())["id"]
    await ask("get", "/api/v1/plans/{plan_id}", 200)
    await ask("patch", "/api/v1/plans/{plan_id}", 200, json={"name": "Hall 2"})
    await ask("patch", "/api/v1/plans/{plan_id}", 412, json={"name": "Hall 3"})
    await ask("get", "/api/v1/plans/export", 200)
    await ask("post", "/api/v1/rollouts", 201, json={**COLOUR, "dev_euis": [DEV_EUI]})
    await ask("post", "/api/v1/devices/{dev_eui}/initialize", 202)
    await ask("post", "/api/v1/calibrations", 202, json={})
    keyed = {"Idempotency-Key": "one", "Prefer": "respond-async"}
    for _ in range(2):
        await ask("post", "/api/v1/downlink/{dev_eui}", 202, json=COLOUR, headers=keyed)
    application.board.publish(a_light("2020203907290999"))
    await ask("get", "/api/v1/devices", 200, query="?format=csv&limit=1")
    application.refusal = Refusal.MAILBOX_FULL
    await ask("post", "/api/v1/downlink/{dev_eui}", 503, json=COLOUR)
    application.refusal = Refusal.STORE_FAILING
    await ask("post", "/api/v1/rollouts", 503, json={**COLOUR, "dev_euis": [DEV_EUI]})
    client = create_app(application, settings_with(tokens=TOKENS)).test_client()
    wrong = {"Authorization": "Bearer nonsense"}
    await ask("get", "/api/v1/devices", 401, headers=wrong)
    described = {one.name.lower() for one in response_headers.ALL}
    assert described <= said, "each is seen here at least once"


def test_what_a_problem_says_of_trying_again_follows_from_its_kind() -> None:
    """So the description can name it: nobody sends `Retry-After` with a kind that has none."""
    kinds = {name: it for name, it in vars(problems).items() if isinstance(it, problems.Kind)}
    again = {name for name, kind in kinds.items() if kind.again_s}
    found = set()
    for path in (Path(problems.__file__).parents[1]).rglob("*.py"):
        for call in re.findall(r"Problem\((\w+)[^()]*\"Retry-After\"", path.read_text("utf-8")):
            found.add(call)
    assert found <= again
    assert found >= {"RATE_LIMITED"}


async def test_the_pages_about_it_name_everything(app: QuartTrio) -> None:
    text = (DOCS / "http.md").read_text()
    for method, path in routes(app):
        assert f"`{method} {path}`" in text, f"{method} {path} is not in docs/http.md"
    for kind in KINDS:
        assert f"`{kind.slug}`" in text, f"problem {kind.slug} is not in docs/http.md"
        assert str(kind.status) in text
    assert TYPE_PREFIX in text


def test_the_live_messages_are_told_of() -> None:
    text = (DOCS / "live.md").read_text()
    for word in ("hello", "snapshot", "changes", "beat", "pong", "ping", "auth"):
        assert f"`{word}`" in text
    for code in (1003, 1008, 1009, 1011, 1012, 1013, 4401, 4403):
        assert str(code) in text
    for block in text.split("```json")[1:]:
        json.loads(block.split("```")[0])


def test_the_kinds_are_told_apart() -> None:
    assert len({kind.slug for kind in KINDS}) == len(KINDS)
    assert all(400 <= kind.status < 600 for kind in KINDS)


async def test_no_two_schemas_share_a_title(description: dict[str, Any]) -> None:
    """Generators make a class of each, and name it by its title."""
    schemas = description["components"]["schemas"]
    assert {name: schema["title"] for name, schema in schemas.items()} == {
        name: name for name in schemas
    }
