"""What is to be expected, over HTTP: of each light, of the gateways, and how good it was."""

from typing import Any

import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.changes import GatewayView
from actors.quality.model import Grade, LightRisk, Line, Rule
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light
from tests.support.fake_quality import a_grade, a_risk, some_days, some_scores, told_of

A1, A2, A3, A4 = (f"20202000000000a{number}" for number in range(1, 5))


async def get(client: Client, path: str) -> Any:
    response = await client.get(f"/api/v1/{path}")
    assert response.status_code == 200, await response.get_data()
    return await response.get_json()


def known(application: FakeApplication, *risks: LightRisk) -> None:
    for risk in risks:
        application.quality.lights[risk.dev_eui] = risk
        application.board.tell_risk(risk.dev_eui, told_of(risk))


@pytest.fixture
def fleet(application: FakeApplication) -> FakeApplication:
    """Four lights more, of which the last is new."""
    application.board.publish(a_light(A1, tags={"floor": "3"}))
    application.board.publish(a_light(A2, tags={"floor": "3"}, application_name="Hall"))
    application.board.publish(a_light(A3))
    application.board.publish(a_light(A4))
    known(
        application,
        a_risk(DEV_EUI, 0.99),
        a_risk(A1, 0.6),
        a_risk(A2, 0.95, Rule.FLAPPING, since=NOW - 90),
        a_risk(A3, 0.8, Rule.TREND, Rule.COUNTERS, since=NOW - 50),
    )
    return application


async def test_warned_lights_come_first_then_those_with_the_least_chance(
    client: Client, fleet: FakeApplication
) -> None:
    found = await get(client, "risks")
    assert [one["dev_eui"] for one in found["risks"]] == [A3, A2, A1, DEV_EUI]
    assert (found["total"], found["unknown"]) == (4, 1)
    assert found["warned"] == {"trend": 1, "counters": 1, "flapping": 1, "moved": 0}
    worst = found["risks"][0]
    assert worst["name"] == "Desk a3"
    assert worst["chance_30s"] == 0.8
    assert worst["sentence"].startswith("80 %: 3 of the last 40 statuses")
    assert [one["rule"] for one in worst["warnings"]] == ["trend", "counters"]
    assert worst["warnings"][0]["since"] == NOW - 50


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ("?limit=2", [A3, A2], 4),
        ("?limit=2&offset=2", [A1, DEV_EUI], 4),
        ("?tag=floor=3", [A2, A1], 2),
        ("?application=Hall", [A2], 1),
        ("?search=a1", [A1], 1),
        ("?warned=true", [A3, A2], 2),
        ("?warned=false&tag=floor", [A1, DEV_EUI], 2),
        ("?phase=failed", [], 0),
    ],
)
async def test_risks_are_filtered_as_the_lights_are(
    client: Client, fleet: FakeApplication, query: str, found: list[str], total: int
) -> None:
    answer = await get(client, f"risks{query}")
    assert [one["dev_eui"] for one in answer["risks"]] == found
    assert answer["total"] == total


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "warned=maybe", "sort=chance"])
async def test_a_mistake_in_the_query_is_told(client: Client, query: str) -> None:
    response = await client.get(f"/api/v1/risks?{query}")
    assert response.status_code == 422
    answer = await response.get_json()
    assert answer["type"] == "urn:lamplighter:problem:invalid"
    assert answer["errors"][0]["field"] == query.partition("=")[0]


async def test_a_light_carries_its_risk_in_short_and_its_inspection_all_of_it(
    client: Client, fleet: FakeApplication
) -> None:
    fleet.quality.past[A3] = some_days(NOW, 5)
    by_eui = {one["dev_eui"]: one for one in (await get(client, "devices"))["devices"]}
    assert by_eui[A3]["risk"] == {"chance_30s": 0.8, "warnings": ["trend", "counters"]}
    assert by_eui[A4]["risk"] is None
    seen = await get(client, f"devices/{A3}")
    quality = seen["quality"]
    assert seen["device"]["risk"] == by_eui[A3]["risk"]
    assert (quality["uplink_loss"], quality["uplinks_counted"]) == (0.075, 40.0)
    assert (quality["downlink_loss"], quality["downlinks_counted"]) == (0.0, 12.0)
    assert (quality["margin_db"], quality["margin_trend_db_per_day"]) == (11.0, -0.6)
    assert [one["margin_db"] for one in quality["days"]] == [14.0, 13.0, None, 11.0, 10.0]
    assert quality["days"][-1]["uplinks_counted"] == 96
    assert (await get(client, f"devices/{A4}"))["quality"] is None


async def test_a_light_that_leaves_takes_its_risk_along(
    client: Client, fleet: FakeApplication
) -> None:
    response = await client.delete(f"/api/v1/devices/{A3}")
    assert response.status_code == 204
    assert A3 not in fleet.board.risks
    assert (await get(client, "risks"))["total"] == 3


async def test_a_gateway_tells_its_grade_and_why(
    client: Client, application: FakeApplication
) -> None:
    words = "81 % of the answers that the lights promised"
    application.quality.graded[GATEWAY] = a_grade(GATEWAY, Grade.D, Line.ANSWERED, words)
    application.board.publish(
        GatewayView(GATEWAY, "Roof", grade="D", grade_line=Line.ANSWERED.value)
    )
    [shown] = (await get(client, "gateways"))["gateways"]
    assert (shown["grade"], shown["grade_line"]) == ("D", "answered")
    graded = await get(client, f"gateways/{GATEWAY.upper()}/quality")
    assert (graded["grade"], graded["worst"], graded["reason"]) == ("D", "answered", words)
    assert [one["line"] for one in graded["lines"]] == [line.value for line in Line]
    noise = next(one for one in graded["lines"] if one["line"] == "noise")
    assert (noise["grade"], noise["value"], noise["count"]) == (None, None, 3)


async def test_a_gateway_of_which_nothing_is_known_has_no_grade(client: Client) -> None:
    graded = await get(client, f"gateways/{GATEWAY}/quality")
    assert graded["grade"] is None
    assert graded["reason"] == "nothing known yet"
    assert graded["lines"] == []


@pytest.mark.parametrize("gateway_id", ["0016c001f15300ff", "roof"])
async def test_a_gateway_that_is_not_known_is_a_problem(client: Client, gateway_id: str) -> None:
    response = await client.get(f"/api/v1/gateways/{gateway_id}/quality")
    assert response.status_code == 404
    assert (await response.get_json())["type"] == "urn:lamplighter:problem:unknown-gateway"


async def test_scores_are_told_with_what_they_rest_on(
    client: Client, application: FakeApplication
) -> None:
    nothing = await get(client, "quality/scores")
    assert (nothing["commands"], nothing["skill"], nothing["bins"]) == (0, None, [])
    application.quality.scored = some_scores()
    scores = await get(client, "quality/scores")
    assert (scores["skill"], scores["brier"], len(scores["bins"])) == (0.16, 0.061, 10)
    off = [one["rule"] for one in scores["rules"] if one["switched_off"]]
    assert off == ["moved"]
    assert scores["unannounced"] == 26
