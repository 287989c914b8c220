"""ChirpStack's deliveries: what is answered, and what becomes of the event."""

from pathlib import Path

import pytest
from quart.typing import TestClientProtocol as Client
from quart_trio import QuartTrio

from actors.fleet.delivery import Delivery
from api.http.app import create_app
from api.webhooks.endpoint import KIND_BY_PATH
from lorawan.events import Join, Uplink
from tests.api.conftest import settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication

URL = "/api/v1/webhooks/chirpstack"
UP = {
    "deduplicationId": "d-1",
    "time": "2025-10-09T08:53:20.123456789+00:00",
    "deviceInfo": {"devEui": DEV_EUI, "deviceName": "Desk"},
    "devAddr": "01abcdef",
    "fCnt": 8,
    "fPort": 15,
    "data": "AQI=",
}
JOIN = {k: UP[k] for k in ("deduplicationId", "time", "deviceInfo", "devAddr")}


@pytest.mark.parametrize(
    ("delivery", "status", "retry"),
    [
        (Delivery.DELIVERED, 204, None),
        (Delivery.REGISTERED, 204, None),
        (Delivery.UNKNOWN, 202, None),
        (Delivery.FULL, 503, "1"),
        (Delivery.STOPPING, 503, "10"),
    ],
)
async def test_what_became_of_it(
    client: Client,
    application: FakeApplication,
    delivery: Delivery,
    status: int,
    retry: str | None,
) -> None:
    application.fleet.delivery = delivery
    response = await client.post(f"{URL}?event=up", json=UP)
    assert (response.status_code, response.headers.get("Retry-After")) == (status, retry)
    (event,) = application.fleet.delivered
    assert isinstance(event, Uplink)
    assert (event.device.dev_eui, event.f_cnt, event.data) == (DEV_EUI, 8, b"\x01\x02")
    if status >= 400:
        assert response.headers["Content-Type"] == "application/problem+json"


def test_every_delivery_is_tested() -> None:
    cases = test_what_became_of_it.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {case[0] for case in cases} == set(Delivery)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{URL}?event=join", Join),
        (f"{URL}/uplink?event=join", Join),
        (f"{URL}/uplink", Uplink),
        (f"{URL}?site=berlin&event=up", Uplink),
        (f"{URL}/uplink?site=berlin", Uplink),
    ],
)
async def test_the_query_tells_the_kind(
    client: Client, application: FakeApplication, path: str, kind: type
) -> None:
    response = await client.post(path, json=UP if kind is Uplink else JOIN)
    assert response.status_code == 204
    assert [type(event) for event in application.fleet.delivered] == [kind]


async def test_protobuf(client: Client, application: FakeApplication) -> None:
    from chirpstack_api import integration

    event = integration.UplinkEvent(dev_addr="01abcdef", f_cnt=9, f_port=15, data=b"\x07")
    event.device_info.dev_eui = DEV_EUI
    event.time.FromSeconds(1_760_000_000)
    headers = {"Content-Type": "application/octet-stream"}
    body = event.SerializeToString()
    response = await client.post(f"{URL}?event=up", data=body, headers=headers)
    assert response.status_code == 204
    (decoded,) = application.fleet.delivered
    assert isinstance(decoded, Uplink)
    assert (decoded.f_cnt, decoded.data) == (9, b"\x07")
    broken = await client.post(f"{URL}?event=up", data=b"\xff\xff\xff", headers=headers)
    assert broken.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "field"),
    [
        (f"{URL}?event=up", b"{", {}, 400, "body"),
        (f"{URL}?event=up", b"", {}, 400, "body"),
        (f"{URL}?event=up", b'{"deviceInfo": {}}', {}, 400, None),
        (URL, b"{}", {}, 422, "event"),
        (f"{URL}?event=up", b"{}", {"Content-Type": "text/plain"}, 415, None),
    ],
)
async def test_what_cannot_be_read(
    client: Client,
    application: FakeApplication,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    field: str | None,
) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    response = await client.post(path, data=body, headers=headers)
    problem = await response.get_json()
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["request_id"] == response.headers["X-Request-ID"]
    if field is not None:
        assert [mistake["field"] for mistake in problem["errors"]] == [field]
    assert application.fleet.delivered == []


async def test_what_is_not_known_is_passed_over_and_counted(
    client: Client, application: FakeApplication
) -> None:
    for kind in ("integration", "geolocation", "geolocation2"):
        assert (await client.post(f"{URL}?event={kind}", json={})).status_code == 202
    await client.post(f"{URL}?event=up", json=UP)
    await client.post(f"{URL}?event=up", data=b"{", headers={"Content-Type": "application/json"})
    text = (await (await client.get("/metrics")).get_data()).decode()
    for event, outcome, count in (
        ("integration", "ignored", 1),
        ("other", "ignored", 2),
        ("up", "delivered", 1),
        ("up", "malformed", 1),
    ):
        line = f'lamplighter_webhook_events_total{{event="{event}",outcome="{outcome}"}} {count}.0'
        assert line in text


async def test_other_methods_are_not_for_webhooks(client: Client) -> None:
    response = await client.get(URL)
    allowed = {method.strip() for method in response.headers["Allow"].split(",")}
    assert (response.status_code, allowed) == (405, {"OPTIONS", "POST"})


async def test_a_bug_behind_it(
    client: Client, application: FakeApplication, quiet_logs: list[dict[str, object]]
) -> None:
    application.break_down()
    response = await client.post(f"{URL}?event=up", json=UP)
    assert response.status_code == 500
    assert b"secret" not in await response.get_data()
    assert any(line["log_level"] == "error" for line in quiet_logs)


async def test_real_bodies(client: Client, application: FakeApplication) -> None:
    """Whatever the shared samples hold is taken or named as malformed, never a 500."""
    samples = Path(__file__).parents[2] / "data" / "chirpstack-events"
    for path in sorted(samples.glob("*.json")):
        for kind in ("up", "join", "txack", "ack", "log", "status", "location"):
            response = await client.post(
                f"{URL}?event={kind}",
                data=path.read_bytes(),
                headers={"Content-Type": "application/json"},
            )
            assert response.status_code in (204, 400), path.name
    assert len(application.fleet.delivered) > 20


async def test_a_query_of_too_many_parameters_is_a_mistake(application: FakeApplication) -> None:
    client = create_app(application, settings_with()).test_client()
    response = await client.post(f"{URL}?{'&' * 20}", json=UP)
    problem = await response.get_json()
    assert (response.status_code, problem["type"]) == (422, "urn:lamplighter:problem:invalid")
    assert problem["errors"] == [
        {"field": "", "problem": "has more than 20 parameters in the query"}
    ]


async def test_a_body_in_one_part_without_a_length_is_refused_when_it_is_too_large(
    application: FakeApplication,
) -> None:
    client = create_app(application, settings_with(body_bytes_most=1_024)).test_client()
    headers = {"Content-Type": "application/json"}
    async with client.request(f"{URL}?event=up", method="POST", headers=headers) as request:
        await request.send(b"{" + b" " * 1_024)
        await request.send_complete()
        response = await request.as_response()
    assert response.status_code == 413
    assert application.fleet.delivered == []


def test_what_is_answered_in_front_of_the_routes_is_described_as_routes(app: QuartTrio) -> None:
    described = {
        rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("webhooks.")
    }
    assert described == set(KIND_BY_PATH)
