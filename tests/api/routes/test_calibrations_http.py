"""Calibration by HTTP: what is known, what a run would cost, and one run at a time."""

import pytest

from actors.link.forwarders import Heard, Taken
from tests.api.conftest import Client
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication

PATH = "/api/v1/calibrations"


async def test_what_is_unknown_is_said_and_when_the_service_looks_by_itself(
    client: Client,
) -> None:
    found = await (await client.get(PATH)).get_json()
    assert found["automatic"] is True
    assert found["run"] is None
    assert [one["words"] for one in found["unknown"]] == ["software 5.6", f"gateway {GATEWAY}"]
    assert [(one["tried"], one["next_at"]) for one in found["unknown"]] == [(0, 0.0), (0, 0.0)]


async def test_what_was_measured_is_shown(client: Client, application: FakeApplication) -> None:
    known = application.calibrator.forwarders
    for number in range(3):
        at = NOW + 60 * number
        known.heard(DEV_EUI, Heard(at, "01", 2 * number, 2 * number, 56, 0.2))
        known.taken(DEV_EUI, Taken(GATEWAY, at + 0.3, 0.2, 1.0))
        known.heard(DEV_EUI, Heard(at + 2.6, "01", 2 * number + 1, 2 * number + 1, 56, 0.2))
    found = await (await client.get(PATH)).get_json()
    (software,) = found["software"]
    assert software["delay_s"] == pytest.approx(1.2, abs=0.001)
    assert software["at_most"] is False
    (gateway,) = found["gateways"]
    assert (gateway["name"], gateway["basics_station"], gateway["lag_s"]) == ("Roof", False, None)


async def test_a_plan_tells_the_cost_and_sends_nothing(
    client: Client, application: FakeApplication
) -> None:
    response = await client.post(f"{PATH}/plan", json={"lights": 3})
    assert response.status_code == 200
    plan = await response.get_json()
    assert [one["dev_eui"] for one in plan["lights"]] == [DEV_EUI] * 3
    assert plan["frames"] == 6
    assert plan["airtime_s"] == pytest.approx(6 * 1.319, abs=0.01)  # SF12, which EU868 begins with
    assert application.calibrator.run_now is None


async def test_a_run_is_begun_and_a_second_one_refused(
    client: Client, application: FakeApplication
) -> None:
    response = await client.post(PATH, json={})
    assert response.status_code == 202
    assert response.headers["Location"] == PATH
    begun = await response.get_json()
    assert (begun["run"]["state"], begun["run"]["total"]) == ("running", 5 - 2)
    again = await client.post(PATH, json={})
    assert again.status_code == 409
    assert (await again.get_json())["detail"].startswith("a calibration is under way")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"dev_euis": ["0000000000000001"]}, "dev_euis.0"),
        ({"dev_euis": ["no EUI"]}, "dev_euis.0"),
        ({"gateway_ids": ["0000000000000001"]}, "gateway_ids.0"),
        ({"sw_revs": [61]}, "sw_revs.0"),
        ({"sw_revs": [256]}, "sw_revs.0"),
        ({"lights": 0}, "lights"),
        ({"lights": 21}, "lights"),
        ({"dev_euis": [DEV_EUI], "again": True}, ""),
        ({"gateway": GATEWAY}, "gateway"),
    ],
)
async def test_a_mistake_is_named(client: Client, body: dict[str, object], field: str) -> None:
    for path in (PATH, f"{PATH}/plan"):
        response = await client.post(path, json=body)
        assert response.status_code == 422
        assert [one["field"] for one in (await response.get_json())["errors"]] == [field]


async def test_only_an_operator_may_probe(application: FakeApplication) -> None:
    from api.http.app import create_app
    from tests.api.conftest import settings_with

    tokens = {"viewer": ["v" * 32], "operator": ["o" * 32], "webhook": ["w" * 32]}
    app = create_app(application, settings_with(tokens=tokens))  # type: ignore[arg-type]
    client = app.test_client()
    viewer = {"Authorization": f"Bearer {'v' * 32}"}
    assert (await client.get(PATH, headers=viewer)).status_code == 200
    assert (await client.post(PATH, json={}, headers=viewer)).status_code == 403
    operator = {"Authorization": f"Bearer {'o' * 32}"}
    assert (await client.post(PATH, json={}, headers=operator)).status_code == 202
