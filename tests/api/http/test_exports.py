"""The same answers as CSV and JSON lines: quoted as RFC 4180 says, harmless in a spreadsheet."""

import csv
import io
import json

import msgspec
from quart.typing import TestClientProtocol as Client

from actors.outgoing.model import Try
from actors.storage.audit import Act
from actors.storage.history import HistoryEntry
from api.http.app import create_app
from tests.api.conftest import settings_with
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light
from tests.support.full_application import BUSY, full_application

EVENTS = f"/api/v1/devices/{DEV_EUI}/events"


async def rows(client: Client, path: str, **headers: str) -> list[dict[str, str]]:
    response = await client.get(path, headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Vary"] == "Accept"
    text = (await response.get_data()).decode()
    assert text.count("\r\n") >= 1
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_lights_are_told_as_csv_by_parameter_or_by_accept(
    client: Client, application: FakeApplication
) -> None:
    wicked = '=HYPERLINK("http://x","Süd, 2")'
    application.board.publish(a_light(name=wicked))
    application.board.publish(a_light("aa00000000000001", name="two\nlines", tags={"+floor": "2"}))
    for told in (
        await rows(client, "/api/v1/devices?format=csv"),
        await rows(client, "/api/v1/devices", Accept="text/csv, application/json;q=0.5"),
    ):
        light = next(one for one in told if one["dev_eui"] == DEV_EUI)
        assert light["name"] == f"'{wicked}"
        assert light["reported"] == "#00ff00 255/0"
        assert light["heard_at"] == "2025-10-09T08:52:20.000Z"
        assert (light["rssi_dbm"], light["as_wanted"]) == ("-97", "true")
        other = next(one for one in told if one["dev_eui"] != DEV_EUI)
        assert (other["name"], other["tags"]) == ("two\nlines", '{"+floor":"2"}')
    page = await client.get("/api/v1/devices?format=csv&limit=1")
    assert "offset=1" in page.headers["Link"]
    assert 'rel="next"' in page.headers["Link"]
    for anything in ("*/*", "application/json", "text/html"):
        answer = await client.get("/api/v1/devices", headers={"Accept": anything})
        assert answer.headers["Content-Type"] == "application/json"
    assert (await client.get("/api/v1/devices?format=xml")).status_code == 422


async def test_a_history_is_told_by_kind_as_lines_and_as_csv(
    client: Client, application: FakeApplication
) -> None:
    detail = {"f_cnt": 7, "raw": "ff00", "snr_db": -7.5, "odd": "-1+1", "replayed": "yes"}
    application.queries.lines = [
        HistoryEntry("e1", NOW - 1, "status", detail),
        HistoryEntry("e2", NOW - 2, "join", {"dev_addr": "01020304"}),
    ]
    only = await (await client.get(f"{EVENTS}?kind=join")).get_json()
    assert [line["entry"] for line in only["events"]] == ["e2"]
    both = await (await client.get(f"{EVENTS}?kind=join&kind=status")).get_json()
    assert len(both["events"]) == 2
    assert (await client.get(f"{EVENTS}?kind=nothing")).status_code == 422
    assert (await client.get(f"{EVENTS}?limit=1001")).status_code == 422
    first, second = await rows(client, f"{EVENTS}?format=csv&limit=5000")
    assert (first["snr_db"], first["raw"], first["replayed"]) == ("-7.5", "ff00", "yes")
    assert first["more"] == '{"odd":"-1+1"}'
    assert (second["kind"], second["f_cnt"]) == ("join", "")
    lines = await client.get(f"{EVENTS}?limit=1", headers={"Accept": "application/jsonl"})
    told = [json.loads(line) for line in (await lines.get_data()).splitlines()]
    assert told == [msgspec.to_builtins(application.queries.lines[0])]
    assert f"until={NOW - 1}" in lines.headers["Link"]


LISTS = {
    "/api/v1/devices": "devices",
    "/api/v1/devices/{dev_eui}/events": "events",
    "/api/v1/devices/{dev_eui}/commands": "commands",
    "/api/v1/devices/{dev_eui}/signal": "points",
    "/api/v1/risks": "risks",
    "/api/v1/metrics/downlinks": None,
    "/api/v1/metrics/downlinks/{dev_eui}": None,
    "/api/v1/metrics/reliability": "worst",
    "/api/v1/gateways": "gateways",
    "/api/v1/gateways/{gateway_id}/outages": "outages",
    "/api/v1/rollouts": "rollouts",
    "/api/v1/rollouts/{rollout_id}": "lights",
    "/api/v1/schedules": "schedules",
    "/api/v1/hooks": "hooks",
    "/api/v1/hooks/{name}/deliveries": "deliveries",
    "/api/v1/alerts": "alerts",
    "/api/v1/audit": "entries",
}
"""Which list of the JSON the rows are; None: all of it is one."""
CHOSEN = {"/api/v1/devices", "/api/v1/devices/{dev_eui}/commands"}
"""Some fields have no column: parts of a light in other words, where a timeline was cut."""


async def test_every_list_is_told_as_csv_row_by_row_as_in_json() -> None:
    application = full_application()
    application.queries.lines_of = BUSY
    client = create_app(application, settings_with()).test_client()
    described = await (await client.get("/openapi.json")).get_json()
    answers = {
        path: operations["get"]["responses"].get("200", {}).get("content", {})
        for path, operations in described["paths"].items()
        if "get" in operations
    }
    assert {path for path, content in answers.items() if "text/csv" in content} == set(LISTS)
    hook = {"name": "desk", "url": "https://desk.example/", "kinds": ["verdicts", "alerts"]}
    assert (await client.post("/api/v1/hooks", json=hook)).status_code == 201
    tried = Try(
        number=1, at=NOW, event_id="e", type="x", attempt=1, status=None, error="no", took_s=0.1
    )
    application.outgoing.log.append(tried)
    part = {"light": {"red": 1, "green": 2, "blue": 3}, "dev_euis": [DEV_EUI]}
    schedule = {"name": "Daily", "cron": "0 7 * * *", "part": part}
    made = await client.post("/api/v1/schedules", json=schedule)
    assert made.status_code == 201, await made.get_data()
    application.audit.write(Act.REMOVE, DEV_EUI, by="alice", scope="operator", detail={})
    places = {"dev_eui": BUSY, "gateway_id": GATEWAY, "rollout_id": "roll-1", "name": "desk"}
    for template, name in LISTS.items():
        path = template.format(**places)
        told = await (await client.get(path)).get_json()
        listed = [told] if name is None else told[name]
        lines = await rows(client, f"{path}?format=csv")
        assert len(lines) == len(listed) > 0, path
        for line, one in zip(lines, listed, strict=True):
            for field, value in one.items():
                if isinstance(value, str | int) and not field.endswith(("_at", "since", "until")):
                    spelled = str(value).lower() if isinstance(value, bool) else str(value)
                    if field not in line and template in CHOSEN:
                        continue
                    assert line[field].removeprefix("'") == spelled, (path, field)
        assert (await client.get(f"{path}?format=xml")).status_code == 422


async def test_figures_and_the_audit_are_told_as_csv(
    client: Client, application: FakeApplication
) -> None:
    (figures,) = await rows(client, "/api/v1/metrics/downlinks?format=csv")
    assert (figures["hours"], figures["dev_eui"]) == ("24.0", "")
    (one,) = await rows(client, f"/api/v1/metrics/downlinks/{DEV_EUI}?format=csv&hours=2")
    assert one["dev_eui"] == DEV_EUI
    application.audit.write(
        Act.REMOVE, DEV_EUI, by="@alice", scope="operator", detail={"why": "broken"}
    )
    (entry,) = await rows(client, "/api/v1/audit?format=csv")
    assert (entry["by"], entry["detail"]) == ("'@alice", '{"why":"broken"}')
