"""Callers written against the first description of the API: they work, or are told why not."""

import json

import pytest
from quart.typing import TestClientProtocol as Client
from quart_trio import QuartTrio
from trio.testing import MockClock

from api.models.requests import RolloutRequest
from tests.api.webhooks.test_endpoint import UP
from tests.support.asgi import ask
from tests.support.fake_application import DEV_EUI, GATEWAY, FakeApplication

FIRST = {
    "red": 255,
    "blue": 0,
    "green": 0,
    "on_time": 255,
    "off_time": 0,
    "wait_for_verification": True,
}
ASYNC = {"Prefer": "respond-async"}
JSON = [("Host", "localhost:8090"), ("Content-Type", "application/json")]


async def test_the_first_body_is_a_command(
    client: Client, application: FakeApplication, autojump_clock: MockClock
) -> None:
    response = await client.post(f"/api/v1/downlink/{DEV_EUI}", json=FIRST)
    assert response.status_code == 202  # the fake light never answers
    told = await response.get_json()
    assert told["light"] == {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0}


@pytest.mark.parametrize(
    ("names", "on", "off"),
    [
        ({}, 255, 0),
        ({"on_time": 50, "off_time": 25}, 50, 25),
        ({"on": 50, "off_time": 25}, 50, 25),
        ({"on_time": 0}, 0, 0),
        ({"off": 7}, 255, 7),
    ],
)
async def test_blink_times_come_by_either_name(
    client: Client, application: FakeApplication, names: dict[str, int], on: int, off: int
) -> None:
    body = {"red": 1, "green": 2, "blue": 3, **names}
    response = await client.post(f"/api/v1/downlink/{DEV_EUI}", json=body, headers=ASYNC)
    light = (await response.get_json())["light"]
    assert (light["on"], light["off"]) == (on, off)
    response = await client.post("/api/v1/rollouts", json={**body, "dev_euis": [DEV_EUI]})
    light = (await response.get_json())["light"]
    assert (light["on"], light["off"]) == (on, off)


async def test_the_same_wish_by_another_name_is_a_repetition(
    client: Client, application: FakeApplication
) -> None:
    headers = {**ASYNC, "Idempotency-Key": "order-17"}
    colour = {"red": 1, "green": 2, "blue": 3}
    ids, wishes = set(), set()
    for names in ({}, {"on": 255, "off": 0}, {"on_time": 255, "off_time": 0}):
        body = {**colour, **names}
        response = await client.post(f"/api/v1/downlink/{DEV_EUI}", json=body, headers=headers)
        ids.add((await response.get_json())["id"])
        wishes.add(RolloutRequest(**body, dev_euis=[DEV_EUI]).canonical_json())
    assert (len(ids), len(wishes)) == (1, 1)


async def test_both_names_are_described(client: Client) -> None:
    described = await (await client.get("/openapi.json")).get_json()
    for name in ("DownlinkRequest", "RolloutRequest"):
        [fields] = [
            schema["properties"]
            for schema in _objects(described)
            if schema.get("title") == name and "properties" in schema
        ][:1]
        for short, default in (("on", 255), ("off", 0)):
            for field in (short, f"{short}_time"):
                assert fields[field]["type"] == "integer"
                assert (fields[field]["minimum"], fields[field]["maximum"]) == (0, 255)
            assert fields[short]["default"] == default
            # Programs made from the description send defaults, and both at once is a mistake.
            assert "default" not in fields[f"{short}_time"]
            assert fields[f"{short}_time"]["deprecated"] is True


def _objects(value: object) -> list[dict[str, object]]:
    inner: list[object] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    found = [one for part in inner for one in _objects(part)]
    return [value, *found] if isinstance(value, dict) else found


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"/api/v1/downlink/{DEV_EUI}", 202),
        ("POST", "/api/v1/rollouts", 201),
        ("GET", "/api/v1/commands/cmd-1", 200),
        ("GET", "/api/v1/devices", 200),
        ("GET", f"/api/v1/devices/{DEV_EUI}", 200),
        ("GET", f"/api/v1/devices/{DEV_EUI}/events", 200),
        ("POST", f"/api/v1/devices/{DEV_EUI}/initialize", 202),
        ("POST", "/api/v1/devices/initialize", 202),
        ("GET", "/api/v1/gateways", 200),
        ("GET", "/api/v1/gateways/health", 200),
        ("GET", f"/api/v1/gateways/{GATEWAY}/status", 200),
        ("GET", "/api/v1/metrics/downlinks", 200),
        ("GET", f"/api/v1/metrics/downlinks/{DEV_EUI}", 200),
        ("GET", "/api/v1/alerts", 200),
        ("GET", "/api/v1/supervisor", 200),
        ("GET", "/metrics", 200),
        ("GET", "/healthz", 204),
        ("GET", "/readyz", 200),
        ("GET", "/api/v1/live", 426),
    ],
)
async def test_a_slash_at_the_end_and_large_letters_change_nothing(
    client: Client, application: FakeApplication, method: str, path: str, status: int
) -> None:
    first = {"red": 1, "green": 2, "blue": 3}
    await client.post(f"/api/v1/downlink/{DEV_EUI}", json=first, headers=ASYNC)
    large = path.replace(DEV_EUI, DEV_EUI.upper()).replace(GATEWAY, GATEWAY.upper())
    for where in (path, path + "/", large, large + "/"):
        body: dict[str, object] | None = None
        if method == "POST":
            body = {} if "initialize" in path else first
            if "rollouts" in path:
                body = {**first, "dev_euis": [DEV_EUI.upper()]}
        response = await client.open(where, method=method, json=body, headers=ASYNC)
        assert response.status_code == status, where


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("path", ["chirpstack?event=up", "chirpstack/uplink"])
async def test_a_webhook_arrives_with_a_slash_at_the_end(
    app: QuartTrio, path: str, end: str
) -> None:
    where, mark, query = f"/api/v1/webhooks/{path}".partition("?")
    body = json.dumps(UP).encode()
    status, _, told = await ask(app, "POST", f"{where}{end}{mark}{query}", JSON, body)
    assert status in (202, 204), told


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/gateways?online=true"),
        ("GET", f"/api/v1/devices/{DEV_EUI}?hours=3"),
        ("POST", f"/api/v1/downlink/{DEV_EUI}?wait_for_verification=false"),
        ("POST", "/api/v1/devices/initialize?force=true"),
        ("GET", "/api/v1/supervisor?depth=3"),
    ],
)
async def test_a_parameter_that_a_path_lacks_is_not_passed_over(
    client: Client, application: FakeApplication, method: str, path: str
) -> None:
    response = await client.open(path, method=method, json={"red": 1, "green": 2, "blue": 3})
    told = await response.get_json()
    assert response.status_code == 422
    [mistake] = told["errors"]
    assert mistake["field"] == path.partition("?")[2].partition("=")[0]
    assert application.commands.given == {}


@pytest.mark.parametrize(
    ("media_type", "data", "status", "words"),
    [
        ("application/json; charset=utf-8", b"%s", 202, ""),
        ("application/json", b"\xef\xbb\xbf%s", 202, ""),  # as PowerShell writes files
        ("application/x-www-form-urlencoded", b"%s", 415, "x-www-form-urlencoded"),  # curl -d
        (None, b"%s", 415, "without a Content-Type"),
        ("application/json", b"", 400, "the body is empty"),
        ("application/json", b"\x95%s", 400, ""),
    ],
)
async def test_what_is_wrong_with_a_body_is_said(
    app: QuartTrio, media_type: str | None, data: bytes, status: int, words: str
) -> None:
    body = data.replace(b"%s", json.dumps({"red": 1, "green": 2, "blue": 3}).encode())
    headers = [("Host", "localhost"), ("Prefer", "respond-async")]
    if media_type is not None:
        headers.append(("Content-Type", media_type))
    got, _, told = await ask(app, "POST", f"/api/v1/downlink/{DEV_EUI}", headers, body)
    assert got == status, told
    if words:
        assert words in json.loads(told)["detail"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/devices/20:20:20:39:07:29:09:02", 422, "must be 16 hexadecimal digits"),
        ("/api/v1/downlink/20-20-20-39-07-29-09-02", 422, "must be 16 hexadecimal digits"),
        ("/api/v1/gateways/00:16:c0:01:f1:53:a1:4c/status", 404, "16 hexadecimal digits"),
        ("/api/v1/gateways/roof/outages", 404, "16 hexadecimal digits"),
    ],
)
async def test_an_id_with_separators_is_told_what_it_should_be(
    client: Client, path: str, status: int, words: str
) -> None:
    method = "POST" if "downlink" in path else "GET"
    body = {"red": 1, "green": 2, "blue": 3} if method == "POST" else None
    response = await client.open(path, method=method, json=body)
    assert response.status_code == status
    assert words in (await response.get_data()).decode()


async def test_the_methods_of_a_path_are_told(client: Client) -> None:
    wrong = await client.get(f"/api/v1/downlink/{DEV_EUI}")
    asked = await client.options(f"/api/v1/downlink/{DEV_EUI}")
    assert wrong.status_code == 405
    assert asked.status_code == 200
    for response in (wrong, asked):
        assert {name.strip() for name in response.headers["Allow"].split(",")} == {
            "OPTIONS",
            "POST",
        }
    head = await client.head("/api/v1/devices")
    assert head.status_code == 200
