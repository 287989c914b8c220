"""A path prefix that a proxy leaves on what it hands to us, or took off already."""

import json

import pydantic
import pytest

from api.http.app import create_app
from tests.api.conftest import settings_with
from tests.api.webhooks.test_endpoint import UP
from tests.support.asgi import ask
from tests.support.fake_application import DEV_EUI, FakeApplication

JSON = [("Host", "localhost"), ("Content-Type", "application/json")]
COLOUR = json.dumps({"red": 1, "green": 2, "blue": 3, "wait_for_verification": False}).encode()


@pytest.mark.parametrize("prefix", ["", "/lamp", "/site/two"])
async def test_all_doors_open_with_and_without_the_prefix(prefix: str) -> None:
    app = create_app(
        FakeApplication(), settings_with(base_path="/" if not prefix else f"{prefix}/")
    )
    for path in ("/", "/docs", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        for where in (path, prefix + path):
            status, _, _ = await ask(app, "GET", where, JSON)
            assert status in (200, 204), where
    for where in ("/static/icon.svg", "/api/v1/devices", f"/api/v1/devices/{DEV_EUI}"):
        status, _, _ = await ask(app, "GET", prefix + where, JSON)
        assert status == 200, where
    hook = f"{prefix}/api/v1/webhooks/chirpstack?event=up"
    status, _, _ = await ask(app, "POST", hook, JSON, json.dumps(UP).encode())
    assert status in (202, 204)


@pytest.mark.parametrize("prefix", ["", "/lamp"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/api/v1/downlink/{DEV_EUI}", COLOUR),
        (f"/api/v1/devices/{DEV_EUI}/initialize", b"{}"),
        (
            "/api/v1/rollouts",
            json.dumps({"red": 1, "green": 2, "blue": 3, "dev_euis": [DEV_EUI]}).encode(),
        ),
    ],
)
async def test_what_is_pointed_to_is_found_by_the_same_way(
    prefix: str, path: str, body: bytes
) -> None:
    app = create_app(FakeApplication(), settings_with(base_path=prefix))
    _, headers, _ = await ask(app, "POST", prefix + path, JSON, body)
    [location] = headers["location"]
    assert location.startswith(f"{prefix}/api/v1/")
    status, _, _ = await ask(app, "GET", location, JSON)
    assert status == 200


async def test_the_prefix_alone_leads_to_the_page_and_a_longer_name_is_another() -> None:
    app = create_app(FakeApplication(), settings_with(base_path="/lamp"))
    status, headers, _ = await ask(app, "GET", "/lamp?view=gateways", JSON)
    assert (status, headers["location"]) == (308, ["/lamp/?view=gateways"])
    status, _, _ = await ask(app, "GET", "/lamps/healthz", JSON)
    assert status == 404
    status, _, _ = await ask(app, "GET", "/lamp/lamp/healthz", JSON)
    assert status == 404


@pytest.mark.parametrize("wrong", ["lamp", "/lamp?x", "//lamp", "/la mp", "/lämp", "/../x", "/%2e"])
def test_a_prefix_that_no_path_can_have_is_a_mistake(wrong: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="must be a path as /lamp"):
        settings_with(base_path=wrong)
