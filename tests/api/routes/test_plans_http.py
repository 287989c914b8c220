"""Floor plans over HTTP: made, drawn, placed, exported, and every way in which that is refused."""

import io
import json
import zipfile

import pytest
from quart.typing import TestClientProtocol as Client

from actors.board.sight import Sight
from actors.refusal import Refusal
from api.http.app import create_app
from api.http.auth import Credential, Scope, digest_of
from api.http.services import services_of
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, settings_with
from tests.api.plans.pictures import SVG, png, svg
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light

URL = "/api/v1/plans"
ONE = f"{URL}/plan-1"
PART = 100_000


async def made(client: Client, name: str = "Hall") -> None:
    response = await client.post(URL, json={"name": name})
    assert response.status_code == 201


async def sent_in_parts(client: Client, path: str, content: bytes, key: str = "k") -> int:
    """The status of the last part."""
    for start in range(0, len(content), PART):
        part = content[start : start + PART]
        place = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
        method = client.put if path.endswith("picture") else client.post
        headers = {"Content-Range": place, "Idempotency-Key": key}
        response = await method(path, data=part, headers=headers)
        if response.status_code != 202:
            break
        told = await response.get_json()
        assert told == {"received_bytes": start + len(part), "total_bytes": len(content)}
    return response.status_code


async def test_a_plan_is_made_drawn_placed_and_removed(
    client: Client, application: FakeApplication
) -> None:
    response = await client.post(URL, json={"name": "Hall"})
    assert (response.status_code, response.headers["Location"]) == (201, ONE)
    assert response.headers["ETag"] == '"1"'
    drawn = await client.put(f"{ONE}/picture", data=svg("<script/><rect/>"))
    taken = await drawn.get_json()
    assert taken["left_out"] == ["<script>"]
    digest = taken["plan"]["picture"]["digest"]
    places = {"lights": {DEV_EUI.upper(): [0.25, 0.5]}, "gateways": {GATEWAY: [1.0, 0.0]}}
    placed = await client.patch(ONE, json=places, headers={"If-Match": '"2"'})
    assert (placed.status_code, placed.headers["ETag"]) == (200, '"3"')
    seen = await client.get(ONE)
    assert seen.headers["ETag"] == '"3"'
    told = await seen.get_json()
    assert told == {
        "id": "plan-1",
        "name": "Hall",
        "order": 1,
        "revision": 3,
        "picture": {
            "digest": digest,
            "media_type": "image/svg+xml",
            "width": 400,
            "height": 300,
            "size_bytes": taken["plan"]["picture"]["size_bytes"],
        },
        "changed_at": NOW,
        "by": told["by"],
        "lights": {DEV_EUI: [0.25, 0.5]},
        "gateways": {GATEWAY: [1.0, 0.0]},
    }
    listed = (await (await client.get(URL)).get_json())["plans"]
    assert [(one["id"], "lights" in one) for one in listed] == [("plan-1", False)]
    assert (await client.patch(ONE, json={"lights": {DEV_EUI: None}})).status_code == 200
    assert (await (await client.get(ONE)).get_json())["lights"] == {}
    assert (await client.delete(ONE)).status_code == 204
    assert (await client.get(ONE)).status_code == 404
    assert (await client.get(f"{URL}/pictures/{digest}")).status_code == 404
    assert application.plans.pictures == {}


async def test_a_picture_is_served_so_that_it_can_do_nothing(client: Client) -> None:
    await made(client)
    taken = await (await client.put(f"{ONE}/picture", data=SVG)).get_json()
    response = await client.get(f"{URL}/pictures/{taken['plan']['picture']['digest']}")
    assert response.headers["Content-Type"] == "image/svg+xml"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert b"<rect" in await response.get_data()


async def test_the_content_tells_the_type_whatever_the_sender_says(client: Client) -> None:
    await made(client)
    headers = {"Content-Type": "image/svg+xml"}
    taken = await (await client.put(f"{ONE}/picture", data=png(), headers=headers)).get_json()
    assert taken["plan"]["picture"]["media_type"] == "image/png"


@pytest.mark.parametrize(
    ("content", "status", "slug", "words"),
    [
        (b"GIF89a", 415, "wrong-media-type", "The picture is a GIF by its content"),
        (b"", 415, "wrong-media-type", "is empty"),
        (png(60_000, 60_000), 413, "body-too-large", "60000 x 60000 pixels"),
        (b"<!DOCTYPE svg>" + SVG, 422, "file-refused", "take its <!DOCTYPE"),
        (bytes(300_000), 413, "body-too-large", ""),
    ],
)
async def test_a_picture_that_cannot_be_used_is_refused_precisely(
    client: Client, content: bytes, status: int, slug: str, words: str
) -> None:
    await made(client)
    response = await client.put(f"{ONE}/picture", data=content)
    problem = await response.get_json()
    assert (response.status_code, problem["type"]) == (status, f"urn:lamplighter:problem:{slug}")
    assert words in problem.get("detail", "")


async def test_a_picture_larger_than_a_body_comes_in_parts(
    client: Client, application: FakeApplication
) -> None:
    await made(client)
    large = png()[:-12] + b"\0\x09\xff\xf8teXt" + bytes(0x9FFF8) + bytes(4) + png()[-12:]
    assert await sent_in_parts(client, f"{ONE}/picture", large) == 200
    assert list(application.plans.pictures.values()) == [large]
    assert application.plans.plans["plan-1"].revision == 2


@pytest.mark.parametrize(
    ("place", "key", "status", "words"),
    [
        ("bytes 0-3/10", None, 422, "Idempotency-Key"),
        ("bytes 0-4/10", "k", 422, "does not fit"),
        ("bytes 0-3/3", "k", 422, "does not fit"),
        ("items 0-3/10", "k", 422, "must be like"),
        ("bytes 4-7/10", "k", 409, "begins at byte 0"),
        ("bytes 0-3/5000000", "k", 413, "5000000 bytes, 4194304 at most"),
    ],
)
async def test_parts_that_do_not_fit_are_refused(
    client: Client, place: str, key: str | None, status: int, words: str
) -> None:
    await made(client)
    headers = {"Content-Range": place, **({"Idempotency-Key": key} if key else {})}
    response = await client.put(f"{ONE}/picture", data=b"abcd", headers=headers)
    assert response.status_code == status
    assert words in json.dumps(await response.get_json())


async def test_of_two_editors_the_second_is_told(client: Client) -> None:
    await made(client)
    headers = {"If-Match": '"1"'}
    first = await client.patch(ONE, json={"name": "Foyer"}, headers=headers)
    assert first.status_code == 200
    for answer in (
        await client.patch(ONE, json={"name": "Lobby"}, headers=headers),
        await client.delete(ONE, headers=headers),
        await client.put(f"{ONE}/picture", data=SVG, headers=headers),
    ):
        problem = await answer.get_json()
        assert (answer.status_code, problem["type"][-16:]) == (412, "edited-meanwhile")
    assert (await (await client.get(ONE)).get_json())["name"] == "Foyer"
    for seen, status, words in (
        ("2", 422, "must be one ETag"),
        ('"1", "2"', 422, "must be one ETag"),
        ('W/"2"', 412, 'send If-Match: \\"2\\"'),
        ('"long ago"', 412, "no revision has this"),
        ("*", 200, "Hall"),
    ):
        answer = await client.patch(ONE, json={"name": "Hall"}, headers={"If-Match": seen})
        assert (answer.status_code, words in await answer.get_data(as_text=True)) == (status, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"name": ""}, "name"),
        ({"lights": {DEV_EUI: [0.5]}}, f"lights.{DEV_EUI}"),
        ({"lights": {DEV_EUI: [0.5, 1.1]}}, f"lights.{DEV_EUI}"),
        ({"lights": {"ffffffffffffffff": [0, 0]}}, "lights.ffffffffffffffff"),
        ({"gateways": {"ffffffffffffffff": [0, 0]}}, "gateways.ffffffffffffffff"),
        ({"lights": {"x": [0, 0]}}, "lights.x"),
        ({"order": -1}, "order"),
    ],
)
async def test_wrong_changes(client: Client, body: dict[str, object], field: str) -> None:
    await made(client)
    response = await client.patch(ONE, json=body)
    assert response.status_code == 422
    assert (await response.get_json())["errors"][0]["field"].startswith(field)


async def test_what_is_exported_is_imported_again(
    client: Client, application: FakeApplication
) -> None:
    await made(client)
    await made(client, "Yard")
    await client.put(f"{ONE}/picture", data=SVG)
    await client.patch(ONE, json={"lights": {DEV_EUI: [0.5, 0.5]}})
    response = await client.get(f"{URL}/export")
    assert response.headers["Content-Disposition"].endswith('"lamplighter-plans.zip"')
    packed = await response.get_data()
    assert "plans.json" in zipfile.ZipFile(io.BytesIO(packed)).namelist()
    await client.delete(ONE)
    imported = await client.post(f"{URL}/import", data=packed)
    assert await imported.get_json() == {"added": ["plan-1"], "replaced": ["plan-2"]}
    told = await (await client.get(ONE)).get_json()
    assert (told["name"], told["lights"]) == ("Hall", {DEV_EUI: [0.5, 0.5]})
    assert len(application.plans.pictures) == 1
    noted = application.audited[-2:]
    assert [(one.what, one.on, one.detail["imported"]) for one in noted] == [
        ("plan_save", "plan-1", True),
        ("plan_save", "plan-2", True),
    ]
    assert await sent_in_parts(client, f"{URL}/import", packed) == 200
    refused = await client.post(f"{URL}/import", data=b"hello")
    assert (refused.status_code, (await refused.get_json())["detail"][:17]) == (
        422,
        "The file is no ZI",
    )


async def test_a_viewer_looks_and_an_operator_edits(application: FakeApplication) -> None:
    client = create_app(application, settings_with(tokens=TOKENS)).test_client()
    viewer, operator = ({"Authorization": f"Bearer {token}"} for token in (VIEWER, OPERATOR))
    assert (await client.post(URL, json={"name": "x"}, headers=viewer)).status_code == 403
    assert (await client.post(URL, json={"name": "x"}, headers=operator)).status_code == 201
    assert (await client.get(ONE, headers=viewer)).status_code == 200
    assert (await client.get(ONE)).status_code == 401
    for refused in (
        await client.put(f"{ONE}/picture", data=SVG, headers=viewer),
        await client.delete(ONE, headers=viewer),
        await client.post(f"{URL}/import", data=b"", headers=viewer),
    ):
        assert refused.status_code == 403


async def test_what_the_actor_refuses_is_told(client: Client, application: FakeApplication) -> None:
    application.plans.refusal = Refusal.MAILBOX_FULL
    assert (await client.post(URL, json={"name": "x"})).status_code == 503
    application.plans.refusal = Refusal.NO_REPLY
    assert (await client.post(URL, json={"name": "x"})).status_code == 504


def limited(application: FakeApplication) -> Client:
    """A client that may see the lights of the cellar only."""
    app = create_app(application, settings_with(tokens=TOKENS))
    sight = Sight(tags=("floor=-1",))
    credential = Credential("kim", Scope.OPERATOR, digest_of(OPERATOR), sight)
    services_of(app).gatekeeper.replace([credential])
    return app.test_client()


async def test_lights_that_a_caller_may_not_see_are_on_no_plan(
    client: Client, application: FakeApplication
) -> None:
    below = "20202000000000a1"
    application.board.publish(a_light(below, tags={"floor": "-1"}))
    await made(client)
    everything = {"lights": {DEV_EUI: [0.5, 0.5], below: [0.1, 0.1]}}
    assert (await client.patch(ONE, json=everything)).status_code == 200
    kim, headers = limited(application), {"Authorization": f"Bearer {OPERATOR}"}
    seen = await (await kim.get(ONE, headers=headers)).get_json()
    assert seen["lights"] == {below: [0.1, 0.1]}
    packed = await (await kim.get(f"{URL}/export", headers=headers)).get_data()
    index = json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("plans.json"))
    assert list(index["plans"][0]["lights"]) == [below]
    moved = await kim.patch(ONE, json={"lights": {below: [0.2, 0.2]}}, headers=headers)
    assert moved.status_code == 200
    hidden = await kim.patch(ONE, json={"lights": {DEV_EUI: None}}, headers=headers)
    assert (await hidden.get_json())["errors"][0]["problem"] == "is not a known light"
    for refused in (
        await kim.patch(ONE, json={"name": "x"}, headers=headers),
        await kim.patch(ONE, json={"gateways": {GATEWAY: None}}, headers=headers),
        await kim.post(URL, json={"name": "x"}, headers=headers),
        await kim.put(f"{ONE}/picture", data=SVG, headers=headers),
        await kim.delete(ONE, headers=headers),
        await kim.post(f"{URL}/import", data=packed, headers=headers),
    ):
        assert refused.status_code == 403
    stayed = await (await client.get(ONE)).get_json()
    assert stayed["lights"] == {DEV_EUI: [0.5, 0.5], below: [0.2, 0.2]}


async def test_every_change_is_in_the_audit(client: Client, application: FakeApplication) -> None:
    await made(client)
    await client.put(f"{ONE}/picture", data=SVG)
    await client.patch(ONE, json={"lights": {DEV_EUI: [0.5, 0.5]}})
    await client.patch(ONE, json={"lights": {DEV_EUI: None}}, headers={"If-Match": '"1"'})
    await client.delete(ONE)
    told = [(e.what, e.on, e.detail["name"], e.detail["revision"]) for e in application.audited]
    assert told == [
        ("plan_save", "plan-1", "Hall", 1),
        ("plan_save", "plan-1", "Hall", 2),
        ("plan_save", "plan-1", "Hall", 3),
        ("plan_delete", "plan-1", "Hall", 3),
    ]
