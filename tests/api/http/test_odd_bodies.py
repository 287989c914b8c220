"""Bodies that are JSON hardly or not at all: a precise problem from every route, never a fault."""

import json

import pytest
from quart.typing import TestClientProtocol as Client

from tests.support.fake_application import DEV_EUI

ROUTES = [
    ("POST", f"/api/v1/downlink/{DEV_EUI}"),
    ("POST", f"/api/v1/devices/{DEV_EUI}/initialize"),
    ("POST", "/api/v1/devices/initialize"),
    ("POST", "/api/v1/rollouts"),
    ("PATCH", "/api/v1/rollouts/none"),
    ("POST", "/api/v1/alerts/none/acknowledge"),
    ("POST", "/api/v1/webhooks/chirpstack?event=up"),
    ("POST", "/api/v1/webhooks/chirpstack?event=join"),
]
BODIES = {
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    "a huge whole number": b'{"red": ' + b"9" * 10_000 + b"}",
    "a huge exponent": b'{"red": 1e999999, "ttl_s": -1e400}',
    "not a number": b'{"red": NaN, "ttl_s": Infinity}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "half a surrogate": b'{"name": "\\ud800", "by": "\\udfff"}',
    "a surrogate as a key": b'{"\\ud800": 1}',
    "a null character": b'{"na\\u0000me": "\\u0000"}',
    "a string": b'"text"',
    "a number": b"17",
    "null": b"null",
    "two values": b"{} {}",
    "a comma too many": b'{"red": 1,}',
    "UTF-16": '{"red": 1}'.encode("utf-16"),
    "many keys": json.dumps({f"k{n}": n for n in range(10_000)}).encode(),
    "wrong in every field": b'{"red": {}, "green": [], "blue": "x", "name": 1, "state": 5}',
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_an_odd_body_is_a_mistake_in_words(
    client: Client, method: str, path: str, quiet_logs: list[dict[str, object]]
) -> None:
    for name, body in BODIES.items():
        response = await client.open(
            path, method=method, data=body, headers={"Content-Type": "application/json"}
        )
        assert response.status_code in {400, 404, 413, 422}, name
        problem = json.loads(await response.get_data())
        assert problem.get("detail") or problem.get("errors") or response.status_code == 404, name
        assert not [line for line in quiet_logs if line["log_level"] == "error"], name


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"red": 1, "green": 2, "blue": 3, "red": 255}', ["red"]),
        (b'{"red": 1, "red": 2, "green": 2, "green": 2, "blue": 3}', ["red", "green"]),
        (b'{"red": 1, "\\u0072ed": 2, "green": 2, "blue": 3}', ["red"]),
    ],
)
async def test_a_key_that_stands_twice_is_a_mistake(
    client: Client, body: bytes, fields: list[str]
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await client.post(f"/api/v1/downlink/{DEV_EUI}", data=body, headers=headers)
    assert response.status_code == 422
    errors = (await response.get_json())["errors"]
    assert [one["field"] for one in errors] == fields
    assert {one["problem"] for one in errors} == {"is given more than once"}


async def test_a_key_twice_inside_of_a_rollouts_filter_is_a_mistake(client: Client) -> None:
    body = b'{"filter": {"tag": "a", "tag": "b"}, "red": 1, "green": 2, "blue": 3}'
    headers = {"Content-Type": "application/json"}
    response = await client.post("/api/v1/rollouts", data=body, headers=headers)
    assert response.status_code == 422
    assert (await response.get_json())["errors"][0]["field"] == "tag"
