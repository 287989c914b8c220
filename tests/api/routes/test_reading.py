"""What can be looked at: lights, history, gateways, alerts, metrics, actors, health, pages."""

import msgspec
import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.changes import AlertView, GatewayView
from actors.device.model import Hearing, Phase, Report, Session
from actors.messaging.dead_letters import DeadLetter
from actors.readiness import Readiness
from actors.refusal import Refusal
from actors.storage.history import HistoryEntry
from actors.supervision import ChildReport, ChildState
from lamplighter import __version__
from lorawan.kuando.light_state import LightState
from store.errors import StoreUnavailable
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light


async def get(client: Client, path: str) -> dict[str, object]:
    response = await client.get(path)
    assert response.status_code == 200, await response.get_data()
    return await response.get_json()  # type: ignore[no-any-return]


def fleet(application: FakeApplication) -> None:
    """Three more lights, each special in one way."""
    red = LightState(red=255, green=0, blue=0)
    wanted = msgspec.structs.replace(a_light().wanted, light=red)  # type: ignore[type-var]
    application.board.publish(a_light("20202000000000a1", phase=Phase.FAILED, wanted=wanted))
    application.board.publish(a_light("20202000000000a2", name="Printer", tags={"floor": "3"}))
    application.board.publish(
        a_light("20202000000000a3", application_name="Hall", hearings=(), session=None)
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["20202000000000a1", "20202000000000a2", "20202000000000a3", DEV_EUI]),
        ("?phase=failed", ["20202000000000a1"]),
        ("?phase=failed&phase=retrying", ["20202000000000a1"]),
        ("?tag=floor=3", ["20202000000000a2"]),
        ("?tag=room", []),
        ("?search=PRINT", ["20202000000000a2"]),
        ("?search=a3", ["20202000000000a3"]),
        ("?application=Hall", ["20202000000000a3"]),
        ("?application=app-1&phase=failed", ["20202000000000a1"]),
        (f"?gateway={GATEWAY.upper()}&tag=floor=3", ["20202000000000a2"]),
        ("?as_wanted=false", ["20202000000000a1", "20202000000000a3"]),
        ("?limit=1&offset=1", ["20202000000000a2"]),
        ("?offset=4", []),
    ],
)
async def test_lists_and_filters(
    client: Client, application: FakeApplication, query: str, found: list[str]
) -> None:
    fleet(application)
    page = await get(client, f"/api/v1/devices{query}")
    assert [d["dev_eui"] for d in page["devices"]] == found  # type: ignore[attr-defined]
    if "limit" not in query and "offset" not in query:
        assert page["total"] == len(found)


async def test_lights_by_how_they_can_be_reached(
    client: Client, application: FakeApplication
) -> None:
    """A verified light that nobody can hear is not one of those that are well."""
    application.board.publish(GatewayView("00000000000000aa", "Yard", since=NOW - 9_000))
    yard = (Hearing("00000000000000aa", NOW - 60, -97, 7.0, 20.0, latest=True),)
    application.board.publish(a_light("20202000000000b1", hearings=yard))
    mute = Report(NOW - 4_000, "01abcdef", 7, LightState(0, 255, 0), 4, 8, 56, 14, -97, 28)
    old = Session("01abcdef", NOW - 9_000, f_cnt=7, heard_at=NOW - 4_000)
    application.board.publish(a_light("20202000000000b2", session=old, report=mute))
    application.board.publish(a_light("20202000000000b3", session=None, report=None, since=NOW - 5))
    application.board.publish(GatewayView("00000000000000aa", "Yard", online=False, since=NOW - 30))
    page = await get(client, "/api/v1/devices")
    seen = {
        one["dev_eui"][-2:]: (
            one["reachability"],
            one["reachability_since"],
            one["reachable"],
            one["reported_at"],
            one["reported_current"],
        )
        for one in page["devices"]  # type: ignore[attr-defined]
    }
    assert seen == {
        "02": ("reachable", NOW - 3_600, True, NOW - 60, True),
        "b1": ("no_gateway_online", NOW - 30, False, NOW - 60, True),
        "b2": ("silent", NOW - 4_000, False, NOW - 4_000, False),
        "b3": ("never_heard", NOW - 5, False, None, False),
    }
    assert page["by_reachability"] == {
        "reachable": 1,
        "silent": 1,
        "no_gateway_online": 1,
        "never_heard": 1,
        "disabled": 0,
    }
    query = "?reachability=silent&reachability=no_gateway_online"
    found = await get(client, f"/api/v1/devices{query}")
    assert [d["dev_eui"][-2:] for d in found["devices"]] == ["b1", "b2"]  # type: ignore[attr-defined]
    assert sum(found["by_reachability"].values()) == found["total"] == 2  # type: ignore[attr-defined]
    one = await get(client, "/api/v1/devices/20202000000000b2")
    assert one["device"]["reachability"] == "silent"  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("reachability=lost", "reachability.0"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("phase=sleeping", "phase.0"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
        ("search=", "search"),
    ],
)
async def test_wrong_queries(client: Client, query: str, field: str) -> None:
    response = await client.get(f"/api/v1/devices?{query}")
    told = await response.get_json()
    assert response.status_code == 422
    assert [mistake["field"] for mistake in told["errors"]] == [field]


async def test_one_light(client: Client, application: FakeApplication) -> None:
    seen = await get(client, f"/api/v1/devices/{DEV_EUI.upper()}")
    light = {"red": 0, "green": 255, "blue": 0, "on": 255, "off": 0}
    device = seen["device"]
    assert isinstance(device, dict)
    assert (device["wanted"], device["reported"], device["as_wanted"]) == (light, light, True)
    assert seen["report"]["software_rev"] == 5.6  # type: ignore[index]
    assert seen["actor"]["restarts"] == 1  # type: ignore[index]
    assert seen["next_timer_at"] == NOW + 30
    assert (await client.get("/api/v1/devices/ffffffffffffffff")).status_code == 404
    assert (await client.get("/api/v1/devices/nope")).status_code == 422


async def test_after_a_rejoin_nothing_is_reported(
    client: Client, application: FakeApplication
) -> None:
    session = msgspec.structs.replace(a_light().session, dev_addr="0200ffff")  # type: ignore[type-var]
    application.board.publish(a_light(session=session))
    seen = await get(client, f"/api/v1/devices/{DEV_EUI}")
    assert seen["device"]["reported"] is None  # type: ignore[index]
    assert seen["report"]["current"] is False  # type: ignore[index]


async def test_history(client: Client, application: FakeApplication) -> None:
    application.queries.lines = [
        HistoryEntry(f"e{n}", NOW - n, "status", {"n": n}) for n in range(1, 6)
    ]
    url = f"/api/v1/devices/{DEV_EUI}/events"
    page = await get(client, f"{url}?limit=2")
    assert [line["entry"] for line in page["events"]] == ["e1", "e2"]  # type: ignore[attr-defined]
    assert page["next_until"] == NOW - 2
    page = await get(client, f"{url}?until={NOW - 2}")
    assert [line["entry"] for line in page["events"]] == ["e3", "e4", "e5"]  # type: ignore[attr-defined]
    assert page["next_until"] is None
    page = await get(client, f"{url}?since=2025-10-09T08:53:18%2B00:00")
    assert [line["entry"] for line in page["events"]] == ["e1", "e2"]  # type: ignore[attr-defined]
    for wrong in ("since=5&until=4", "since=yesterday", "until=2025-10-09T08:53:18", "since=nan"):
        assert (await client.get(f"{url}?{wrong}")).status_code == 422, wrong
    assert (await client.get("/api/v1/devices/ffffffffffffffff/events")).status_code == 404


async def test_initialising(client: Client, application: FakeApplication) -> None:
    assert (await client.get("/api/v1/devices/initialize")).status_code == 404
    one = await client.post(f"/api/v1/devices/{DEV_EUI}/initialize")
    every = await client.post("/api/v1/devices/initialize", json={"force": True})
    assert (one.status_code, every.status_code) == (202, 202)
    assert [(lights, force) for _, lights, force in application.initializer.runs] == [
        ([DEV_EUI], False),
        (None, True),
    ]
    progress = await get(client, one.headers["Location"])
    assert (progress["id"], progress["total"], progress["ended_at"]) == ("run-1", 1, None)
    assert (await get(client, "/api/v1/devices/initialize"))["id"] == "run-2"
    unknown = await client.post("/api/v1/devices/ffffffffffffffff/initialize")
    wrong = await client.post("/api/v1/devices/initialize", json={"force": 1})
    assert (unknown.status_code, wrong.status_code) == (404, 422)
    application.refusal = Refusal.MAILBOX_FULL
    busy = await client.post("/api/v1/devices/initialize")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")


async def test_gateways(client: Client, application: FakeApplication) -> None:
    application.board.publish(GatewayView("00000000000000aa", online=False, known=False, pending=3))
    gateways = await get(client, "/api/v1/gateways")
    assert (gateways["total"], len(gateways["gateways"])) == (2, 2)  # type: ignore[arg-type]
    health = await get(client, "/api/v1/gateways/health")
    assert (health["total"], health["online"]) == (2, 1)
    assert [g["gateway_id"] for g in health["offline"]] == ["00000000000000aa"]  # type: ignore[attr-defined]
    one = await get(client, "/api/v1/gateways/00000000000000AA/status")
    assert (one["pending"], one["known"]) == (3, False)
    assert (await client.get("/api/v1/gateways/nope/status")).status_code == 404


async def test_alerts(client: Client, application: FakeApplication) -> None:
    application.board.publish(
        AlertView("a1", "light_failed", DEV_EUI, "It stays red", NOW - 9, NOW - 9)
    )
    application.board.publish(
        AlertView("a2", "gateway_offline", GATEWAY, "Gone", NOW - 5, NOW - 5, closed_at=NOW - 1)
    )
    every = await get(client, "/api/v1/alerts")
    assert (every["open"], [a["id"] for a in every["alerts"]]) == (1, ["a2", "a1"])  # type: ignore[attr-defined]
    for query, ids in (
        ("open=true", ["a1"]),
        ("kind=gateway_offline", ["a2"]),
        ("limit=1", ["a2"]),
    ):
        some = await get(client, f"/api/v1/alerts?{query}")
        assert [a["id"] for a in some["alerts"]] == ids  # type: ignore[attr-defined]


async def test_downlink_metrics(client: Client) -> None:
    fleet_wide = await get(client, "/api/v1/metrics/downlinks?hours=6")
    assert (fleet_wide["hours"], fleet_wide["dev_eui"]) == (6.0, None)
    one = await get(client, f"/api/v1/metrics/downlinks/{DEV_EUI}")
    assert (one["hours"], one["dev_eui"], one["time_to_verify_p99_s"]) == (24.0, DEV_EUI, None)
    assert (await client.get("/api/v1/metrics/downlinks?hours=0")).status_code == 422
    assert (await client.get("/api/v1/metrics/downlinks/ffffffffffffffff")).status_code == 404


async def test_the_tree_shows_trouble_first(client: Client, application: FakeApplication) -> None:
    lights = tuple(ChildReport(f"device {n:016x}", ChildState.RUNNING, NOW) for n in range(500))
    poor = ChildReport("device ff", ChildState.PARKED, NOW, restarts=5)
    grown = ChildReport("fleet", ChildState.RUNNING, NOW, children=(*lights, poor))
    application.supervisor.tree = ChildReport("root", ChildState.RUNNING, NOW, children=(grown,))
    application.dead_letters.letters = [
        DeadLetter("device ff", {"a": "b" * 1_000}, "KeyError: 'x'", NOW)
    ]
    shown = await get(client, "/api/v1/supervisor?children=3")
    node = shown["root"]["children"][0]  # type: ignore[index]
    assert (node["children_total"], len(node["children"])) == (501, 3)
    assert node["children_by_state"] == {"running": 500, "crashed": 1}
    assert node["children"][0]["id"] == "device ff"
    letter = shown["dead_letters"][0]  # type: ignore[index]
    assert (letter["kind"], len(letter["message"])) == ("dict", 500)


async def test_reviving(client: Client) -> None:
    url = "/api/v1/supervisor/device 2020200000000099/revive"
    assert (await client.post(url)).status_code == 204
    again = await client.post(url)
    assert again.status_code == 404
    assert (await again.get_json())["type"] == "urn:lamplighter:problem:unknown-actor"


async def test_health(client: Client, application: FakeApplication) -> None:
    alive = await client.get("/healthz")
    assert (alive.status_code, alive.headers["Lamplighter-Version"]) == (204, __version__)
    assert await get(client, "/readyz") == {"ready": True, "problems": [], "warnings": []}
    warned = ("all 3 gateways are offline: no light can be reached",)
    application.readiness.ready = Readiness(ready=True, warnings=warned)
    told = await get(client, "/readyz")
    assert (told["ready"], told["warnings"]) == (True, list(warned))
    application.readiness.ready = Readiness(ready=False, problems=("the store is full",))
    response = await client.get("/readyz")
    assert response.status_code == 503
    told = await response.get_json()
    assert told == {"ready": False, "problems": ["the store is full"], "warnings": []}
    assert (await client.get("/healthz")).status_code == 204


async def test_prometheus(client: Client) -> None:
    await client.get("/api/v1/gateways")
    response = await client.get("/metrics")
    text = (await response.get_data()).decode()
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "lamplighter_fake 1.0" in text
    assert "process_cpu_seconds_total" in text
    assert (
        'lamplighter_http_requests_total{method="GET",route="/api/v1/gateways",status="200"} 1.0'
        in text
    )


@pytest.mark.parametrize("path", ["/", "/docs", "/static/docs.js", "/static/docs.css"])
async def test_pages_load_nothing_from_elsewhere(client: Client, path: str) -> None:
    response = await client.get(path)
    text = (await response.get_data()).decode()
    assert response.status_code == 200
    assert "//" not in text.replace("// ", "").replace("http://www.w3.org", "")
    assert "<style" not in text
    assert "onclick" not in text
    assert " style=" not in text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


async def test_a_store_that_is_away_is_told_as_such(
    client: Client, application: FakeApplication
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("redis://secret")

    application.queries.downlinks = away  # type: ignore[assignment, method-assign]
    response = await client.get("/api/v1/metrics/downlinks")
    problem = await response.get_json()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert problem["type"] == "urn:lamplighter:problem:store-unavailable"
    assert "secret" not in str(problem)


async def test_a_file_name_that_no_file_can_have_is_not_found(client: Client) -> None:
    response = await client.get("/static/" + "a" * 256)
    assert response.status_code == 404
    assert (await response.get_json())["type"] == "urn:lamplighter:problem:not-found"


async def test_both_clocks_are_shown(client: Client) -> None:
    shown = await get(client, "/api/v1/clock")
    assert shown["now"] == NOW
    assert shown["last_set_s"] == -90.0
    assert shown["server_ahead_at_least_s"] == shown["server_ahead_s"] == 119.5
    assert shown["server_ahead_at_most_s"] == 120.25
    assert shown["last_slept_at"] is None
