"""Scenes and schedules over HTTP: kept, changed against lost updates, applied, told."""

from typing import Any

from quart.typing import TestClientProtocol as Client

from actors.board.changes import DeviceRemoved
from api.http.app import create_app
from lorawan.kuando.light_state import LightState
from tests.api.conftest import OPERATOR, TOKENS, settings_with
from tests.support.fake_application import DEV_EUI, NOW, FakeApplication, a_light

FEW = "limited-token-0123456789abcdef"
URL = "/api/v1/scenes"
SCHEDULES = "/api/v1/schedules"
OTHER = "20202000000000a1"
RED = {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0}
NIGHT = {
    "name": "Night",
    "parts": [{"light": RED, "dev_euis": [DEV_EUI.upper()]}, {"light": RED, "tag": "floor=9"}],
}
EVENING = {"name": "Evening", "cron": "0 18 * * 1-5", "scene": "night"}


async def kept(client: Client, url: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(url, json=body)
    made: dict[str, Any] = await response.get_json()
    assert response.status_code == 201, made
    assert response.headers["Location"] == f"{url}/{made['id']}"
    assert response.headers["ETag"] == '"1"'
    return made


async def problem(response: Any) -> tuple[int, str]:
    return response.status_code, (await response.get_json())["type"].rpartition(":")[2]


async def test_a_scene_is_kept_listed_found_by_name_and_removed(client: Client) -> None:
    made = await kept(client, URL, NIGHT)
    assert made["parts"][0]["dev_euis"] == [DEV_EUI]
    assert (made["lights"], made["missing"], made["by"]) == (1, [], "local")
    listed = (await (await client.get(URL)).get_json())["scenes"]
    assert [(one["name"], one["lights"], one["colours"]) for one in listed] == [("Night", 1, [RED])]
    assert await (await client.get(f"{URL}/NIGHT")).get_json() == made
    assert (await client.delete(f"{URL}/night")).status_code == 204
    assert await problem(await client.get(f"{URL}/night")) == (404, "unknown-scene")
    assert await problem(await client.delete(f"{URL}/night")) == (404, "unknown-scene")


async def test_a_change_names_the_revision_that_it_changes(client: Client) -> None:
    made = await kept(client, URL, NIGHT)
    path, late = f"{URL}/{made['id']}", {**NIGHT, "name": "Late"}
    assert await problem(await client.put(path, json=late)) == (428, "revision-needed")
    changed = await client.put(path, json=late, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    again = await client.put(path, json=NIGHT, headers={"If-Match": '"1"'})
    assert await problem(again) == (412, "edited-meanwhile")
    for seen, status, kind in (
        ('"1"', 412, "edited-meanwhile"),
        ('W/"2"', 412, "edited-meanwhile"),  # RFC 9110, 13.1.1: the comparison is strong
        ("2", 422, "invalid"),
        ("x", 422, "invalid"),
    ):
        refused = await client.delete(path, headers={"If-Match": seen})
        assert await problem(refused) == (status, kind)
    assert (await client.delete(path, headers={"If-Match": '"2"'})).status_code == 204


async def test_a_scene_is_made_of_what_lights_should_show_now(
    client: Client, application: FakeApplication
) -> None:
    application.board.publish(a_light(OTHER, wanted=None, report=None))
    made = await kept(client, URL, {"name": "Now", "made_from": "wanted"})
    green = {"red": 0, "green": 255, "blue": 0, "on": 255, "off": 0}
    assert [(part["light"], part["dev_euis"]) for part in made["parts"]] == [(green, [DEV_EUI])]
    few = await client.post(URL, json={"name": "Few", "made_from": "shown", "dev_euis": [OTHER]})
    assert await problem(few) == (422, "invalid")
    found = await kept(
        client, URL, {"name": "Found", "made_from": "shown", "filter": {"tag": "floor=2"}}
    )
    assert found["lights"] == 1


async def test_a_scene_is_applied_as_one_rollout_and_tells_of_lights_that_are_gone(
    client: Client, application: FakeApplication
) -> None:
    application.board.publish(a_light(OTHER, tags={"floor": "9"}))
    parts = [{"light": RED, "dev_euis": [DEV_EUI]}, {"light": {**RED, "blue": 9}, "tag": "floor=9"}]
    await kept(client, URL, {"name": "Two", "parts": parts, "keep": False})
    applied = await client.post(f"{URL}/two/apply", json={"pace_per_min": 60})
    body = await applied.get_json()
    assert applied.status_code == 201
    assert applied.headers["Location"] == f"/api/v1/rollouts/{body['rollout']['id']}"
    assert (body["rollout"]["scene"], body["rollout"]["total"]) == ("Two", 2)
    assert len(body["rollout"]["colours"]) == 2
    order = application.rollouts.orders[0]
    colours = {eui: order.colours.get(eui, order.light) for eui in order.dev_euis}
    assert colours == {DEV_EUI: LightState(255, 0, 0), OTHER: LightState(255, 0, 9)}
    assert (order.keep, order.pace_per_min, order.by) == (False, 60.0, "local")
    application.board.publish(DeviceRemoved(DEV_EUI, "Desk 02", "by hand"))
    told = await (await client.post(f"{URL}/two/apply")).get_json()
    assert (told["missing"], told["rollout"]["total"]) == ([DEV_EUI], 1)
    application.board.publish(DeviceRemoved(OTHER, "Desk a1", "by hand"))
    assert await problem(await client.post(f"{URL}/two/apply")) == (409, "conflict")
    assert await problem(await client.post(f"{URL}/none/apply")) == (404, "unknown-scene")


async def test_mistakes_are_told(client: Client) -> None:
    for body in (
        {"name": "x"},
        {"name": "x", "parts": [{"light": RED}]},
        {"name": " x", "parts": [{"light": RED, "everything": True}]},
        {"name": "x", "parts": [{"light": RED, "everything": True, "tag": "a"}]},
        {"name": "x", "parts": [{"light": RED, "dev_euis": [OTHER]}]},
        {"name": "x", "parts": [{"light": RED, "dev_euis": [DEV_EUI]}] * 2},
        {"name": "x", "made_from": "wanted", "parts": NIGHT["parts"]},
    ):
        assert await problem(await client.post(URL, json=body)) == (422, "invalid"), body
    await kept(client, URL, NIGHT)
    taken = await client.post(URL, json={**NIGHT, "name": "NIGHT"})
    assert await problem(taken) == (409, "conflict")


async def test_a_schedule_shows_its_next_five_times_in_the_zone_of_the_site(
    client: Client,
) -> None:
    await kept(client, URL, NIGHT)
    made = await kept(client, SCHEDULES, EVENING)
    assert (made["time_zone"], made["own_time_zone"]) == ("Europe/Berlin", False)
    assert (made["scene_name"], made["last"]) == ("Night", None)
    assert len(made["next"]) == 5
    assert all(at > NOW for at in made["next"])
    assert await problem(await client.delete(f"{URL}/night")) == (409, "conflict")
    path = f"{SCHEDULES}/evening"
    off = await client.put(path, json={**EVENING, "enabled": False}, headers={"If-Match": '"1"'})
    assert (await off.get_json())["next"] == []
    listed = await (await client.get(SCHEDULES)).get_json()
    assert [one["revision"] for one in listed["schedules"]] == [2]
    assert listed["time_zone"] == "Europe/Berlin"
    assert (await client.delete(path)).status_code == 204
    assert await problem(await client.get(path)) == (404, "unknown-schedule")


async def test_a_schedule_may_give_one_colour_to_lights_by_a_zone_of_its_own(
    client: Client,
) -> None:
    part = {"light": RED, "everything": True}
    body = {"name": "All red", "cron": "0 0 1 1 *", "time_zone": "Asia/Tokyo", "part": part}
    made = await kept(client, SCHEDULES, body)
    assert (made["time_zone"], made["own_time_zone"], made["scene_id"]) == (
        "Asia/Tokyo",
        True,
        None,
    )
    assert made["part"]["everything"] is True
    for wrong in (
        {**body, "cron": "0 0 * *"},
        {**body, "time_zone": "Mars/Base"},
        {**body, "scene": "night"},
        {"name": "x", "cron": "0 0 * * *", "scene": "nobody"},
        {"name": "x", "cron": "0 0 * * *"},
        {**body, "late_most_s": 90_000},
    ):
        assert await problem(await client.post(SCHEDULES, json=wrong)) == (422, "invalid"), wrong


async def test_who_sees_some_lights_applies_a_scene_to_no_others(
    application: FakeApplication,
) -> None:
    application.board.publish(a_light(OTHER, tags={"secret": "yes"}))
    tokens = {**TOKENS, "operator": {"caretaker": FEW, "boss": OPERATOR}}
    sight = {"caretaker": {"dev_euis": [DEV_EUI]}}
    client = create_app(application, settings_with(tokens=tokens, sight=sight)).test_client()
    everything = {"Authorization": f"Bearer {OPERATOR}"}
    few = {"Authorization": f"Bearer {FEW}"}
    parts = [{"light": RED, "dev_euis": [DEV_EUI, OTHER]}, {"light": RED, "tag": "secret"}]
    body = {"name": "Both", "parts": parts}
    assert (await client.post(URL, json=body, headers=everything)).status_code == 201
    told = await (await client.get(f"{URL}/both", headers=few)).get_data(as_text=True)
    assert OTHER not in told
    assert "secret" not in told
    applied = await client.post(f"{URL}/both/apply", headers=few)
    assert applied.status_code == 201
    assert application.rollouts.orders[0].dev_euis == (DEV_EUI,)
    for method, path in (
        (client.post, URL),
        (client.put, f"{URL}/both"),
        (client.delete, f"{URL}/both"),
        (client.get, SCHEDULES),
    ):
        assert (await method(path, headers=few)).status_code == 403
