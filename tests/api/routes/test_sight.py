"""A caller who may see some lights only hears of no other, on any route.

The walk is over all routes that there are: a new one has to declare what it tells of lights, and is
asked here with what it is known to take (`BODIES`, `PLACES`) or with an empty body.
"""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

import msgspec
import pytest
from quart_trio import QuartTrio

from actors.board.changes import AlertView
from actors.device.command import Command
from actors.fleet.initialization import InitializationRun
from actors.plans.model import Plan
from actors.rollouts.model import Part, PartState
from api.http.app import create_app
from api.http.auth import Scope, scope_of
from api.http.sight import Lights, shown_by
from lorawan.kuando.light_state import LightState
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, settings_with
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light
from tests.support.full_application import BUSY, ENDED, NEW, OPEN, STRAY, full_application

LIMITED = "limited-token-0123456789abcdef"
HIDDEN = (BUSY, NEW, 'Desk "7"', "Café", "app-2", "Beyond")
"""What only the lights have that may not be seen: DevEUIs, a name, an application."""
NOBODY = "20202000000fffff"
VARIABLE, BRACED = re.compile(r"<(?:\w+:)?(\w+)>"), r"{\1}"
"""Of a path, and as the description writes it."""
RED = {"red": 255, "green": 0, "blue": 0}

PLACES = {
    "dev_eui": (DEV_EUI, BUSY, NEW, NOBODY),
    "command_id": (OPEN.id, ENDED.id, "cmd-mine"),
    "run_id": ("run-1",),
    "gateway_id": (GATEWAY, STRAY),
    "rollout_id": ("roll-1", "roll-2"),
    "alert_id": ("alert-1", "alert-0", "alert-2"),
    "plan_id": ("plan-1",),
    "digest": ("d" * 64,),
    "actor_id": (f"device {BUSY}", f"device {DEV_EUI}", "journal"),
}
"""What the variables of paths may be; one that is not here is asked as `x`."""

BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/downlink/<dev_eui>": {**RED, "wait_for_verification": False},
    "/api/v1/rollouts": {**RED, "dev_euis": [DEV_EUI, BUSY]},
    "/api/v1/rollouts/<rollout_id>": {"state": "cancelled"},
    "/api/v1/calibrations": {"dev_euis": [BUSY]},
    "/api/v1/calibrations/plan": {"dev_euis": [BUSY]},
    "/api/v1/restored-store": {"decision": "resume"},
}


def whole() -> FakeApplication:
    """Everything there is, beside a light that may be seen."""
    application = full_application()
    mine = Command("cmd-mine", DEV_EUI, LightState(1, 2, 3), True, NOW - 9, NOW + 900)
    application.commands.given[mine.id] = mine
    rollout, parts = application.rollouts.rolled["roll-1"]
    seen = Part(DEV_EUI, PartState.VERIFIED, "cmd-mine")
    application.rollouts.rolled["roll-1"] = rollout, (*parts, Part(BUSY), seen)
    beyond = msgspec.structs.replace(rollout, id="roll-2")
    application.rollouts.rolled["roll-2"] = beyond, (Part(BUSY, PartState.FAILED),)
    spot = (0.5, 0.5)
    plan = Plan(id="plan-1", name="Hall", order=1, revision=3, lights={BUSY: spot, DEV_EUI: spot})
    application.plans.plans[plan.id] = plan
    application.board.publish(plan.head())
    application.initializer.runs.append(
        (InitializationRun("run-2", NOW, 1, 0, 0, 0, 0, by="mallory"), None, False)
    )
    for number, subject in enumerate((DEV_EUI, f"device {BUSY}"), start=2):
        application.board.publish(
            AlertView(f"alert-{number}", "light_silent", subject, f"{subject}", NOW, NOW)
        )
    return application


def app_of(application: FakeApplication) -> QuartTrio:
    tokens = {**TOKENS, "operator": {"caretaker": LIMITED, "boss": OPERATOR}}
    sight = {"caretaker": {"dev_euis": [DEV_EUI]}}
    return create_app(application, settings_with(tokens=tokens, sight=sight))


APP = app_of(whole())
"""Only looked at, and asked for what changes nothing."""


class Route(NamedTuple):
    """A method of a rule that a token may ask for."""

    method: str
    rule: str
    lights: Lights | None


def every_route() -> list[Route]:
    found = []
    for rule in APP.url_map.iter_rules():
        view = APP.view_functions[rule.endpoint]
        methods = set() if rule.websocket else rule.methods or set()
        found += [
            Route(method, rule.rule, shown_by(view))
            for method in sorted(methods - {"HEAD", "OPTIONS"})
            if scope_of(view, method) in {Scope.VIEWER, Scope.OPERATOR}
        ]
    return found


def requests() -> Iterator[tuple[Route, str]]:
    """Everything that can be asked with a token, with a path."""
    for route in every_route():
        for path in paths(route.rule):
            yield route, path


def paths(rule: str) -> list[str]:
    found = [rule]
    for variable in VARIABLE.findall(rule):
        pattern = rf"<(?:\w+:)?{variable}>"
        values = PLACES.get(variable, ("x",))
        found = [re.sub(pattern, value, path) for path in found for value in values]
    return found


_unchanged: list[QuartTrio] = []
"""Of which a change was refused: the next one may be asked of it, too."""


async def ask(route: Route, path: str, token: str) -> tuple[int, str]:
    apps = [APP] if route.method == "GET" else _unchanged or [app_of(whole())]
    app = apps.pop()
    body = None if route.method in {"GET", "DELETE"} else BODIES.get(route.rule, {})
    answer = await app.test_client().open(
        path, method=route.method, json=body, headers={"Authorization": f"Bearer {token}"}
    )
    content: bytes = await answer.get_data()
    if route.method != "GET" and answer.status_code == 403:
        _unchanged.append(app)
    if answer.content_type == "application/zip":
        with ZipFile(BytesIO(content)) as archive:
            content = b"\n".join(map(archive.read, archive.namelist()))
    return answer.status_code, content.decode()


def leaks(text: str) -> list[str]:
    return [secret for secret in HIDDEN if secret in text or json.dumps(secret)[1:-1] in text]


def test_every_route_declares_what_it_tells_of_lights() -> None:
    undeclared = [(one.method, one.rule) for one in every_route() if one.lights is None]
    assert undeclared == [], "mark them with @shows (api/http/sight.py)"
    assert len(every_route()) > 40


async def test_no_route_leaks_a_light_that_may_not_be_seen() -> None:
    leaking, shown, let_in = [], 0, []
    for route, path in requests():
        status, text = await ask(route, path, LIMITED)
        if found := leaks(text):
            leaking.append((route, path, status, found))
        if route.lights is Lights.ALL and status != 403:
            let_in.append((route, path, status))
        shown += status < 300 and DEV_EUI in text
    assert leaking == []
    assert let_in == []
    assert shown >= 15  # of its own light it hears


async def test_who_sees_all_is_told_what_others_are_not() -> None:
    told = 0
    for route, path in requests():
        status, text = await ask(route, path, OPERATOR)
        told += status < 300 and bool(leaks(text))
    assert told >= 25, "the walk above would find nothing"


async def test_a_light_that_may_not_be_seen_is_answered_like_one_that_is_not_known() -> None:
    different = []
    for route, path in requests():
        if "<dev_eui>" in route.rule and BUSY in path:
            hidden = await ask(route, path, LIMITED)
            nobody = await ask(route, path.replace(BUSY, NOBODY), LIMITED)
            if without_ids(hidden) != without_ids(nobody) or hidden[0] != 404:
                different.append((route, path, hidden, nobody))
    assert different == []


async def test_counts_are_of_the_lights_that_are_seen() -> None:
    async def told(path: str) -> Any:
        return json.loads((await ask(Route("GET", path, None), f"/api/v1{path}", LIMITED))[1])

    devices = await told("/devices")
    assert (devices["total"], sum(devices["by_reachability"].values())) == (1, 1)
    risks = await told("/risks")
    assert (risks["total"] + risks["unknown"], sum(risks["warned"].values())) == (1, 0)
    [gateway] = (await told("/gateways"))["gateways"]
    assert (gateway["gateway_id"], gateway["lights_heard"]) == (GATEWAY, 1)
    [rollout] = (await told("/rollouts"))["rollouts"]
    assert (rollout["total"], rollout["verified"], rollout["failed"]) == (1, 1, 0)
    alerts = {one["id"]: one for one in (await told("/alerts"))["alerts"]}
    assert alerts.keys() == {"alert-1", "alert-2"}
    assert alerts["alert-1"]["lights"] == [DEV_EUI]
    assert alerts["alert-1"]["summary"] == "gateway Roof is offline"
    assert (await told("/devices/initialize"))["type"].endswith("unknown-run")


async def test_who_asks_is_told_what_would_be_refused_and_nothing_else_is() -> None:
    async def refused(token: str) -> list[str]:
        who = Route("GET", "/api/v1/caller", None)
        found: list[str] = json.loads((await ask(who, who.rule, token))[1])["refused"]
        return found

    assert await refused(OPERATOR) == []
    for token, least in ((LIMITED, 20), (VIEWER, 25)):
        told = await refused(token)
        answered: dict[str, set[int]] = {}
        for route, path in requests():
            operation = f"{route.method} {VARIABLE.sub(BRACED, route.rule)}"
            answered.setdefault(operation, set()).add((await ask(route, path, token))[0])
        assert told == sorted(one for one, how in answered.items() if how == {403})
        assert len(told) >= least


async def test_of_a_rollout_beyond_its_sight_it_changes_nothing() -> None:
    change = Route("PATCH", "/api/v1/rollouts/<rollout_id>", None)
    assert (await ask(change, "/api/v1/rollouts/roll-1", LIMITED))[0] == 403
    assert (await ask(change, "/api/v1/rollouts/roll-2", LIMITED))[0] == 404
    begin = Route("POST", "/api/v1/rollouts", None)
    status, text = await ask(begin, "/api/v1/rollouts", LIMITED)
    assert (status, "dev_euis.1" in text, "is not a known light" in text) == (422, True, True)


async def test_to_give_all_lights_their_settings_gives_them_to_those_that_are_seen() -> None:
    application = whole()
    client = app_of(application).test_client()
    limited = {"Authorization": f"Bearer {LIMITED}"}
    made = await client.post("/api/v1/devices/initialize", headers=limited)
    assert (await made.get_json())["total"] == 1
    assert application.initializer.runs[-1][1] == [DEV_EUI]
    seen = await client.get("/api/v1/devices/initialize", headers=limited)
    assert (await seen.get_json())["by"] == "caretaker"


@pytest.mark.parametrize(
    ("sight", "seen"),
    [
        ({"applications": ["app-1"]}, {DEV_EUI}),
        ({"applications": ["Office", "Elsewhere"]}, {DEV_EUI}),
        ({"tags": ["floor=2"]}, {DEV_EUI, BUSY}),
        ({"tags": ["floor"]}, {DEV_EUI, BUSY}),
        ({"tags": ["floor=3"]}, set()),
        ({"tags": ["floor=2"], "applications": ["Café"]}, {BUSY}),
        ({"dev_euis": [DEV_EUI.upper(), BUSY], "applications": ["Café"]}, {BUSY}),
    ],
)
async def test_limits_are_combined_as_filters_are(
    sight: dict[str, list[str]], seen: set[str]
) -> None:
    application = full_application()
    application.board.publish(a_light(NEW, application_id="x", application_name="X", tags={}))
    tokens = {**TOKENS, "viewer": {"guest": LIMITED}}
    settings = settings_with(tokens=tokens, sight={"guest": sight})
    client = create_app(application, settings).test_client()
    page = await client.get("/api/v1/devices", headers={"Authorization": f"Bearer {LIMITED}"})
    assert {one["dev_eui"] for one in (await page.get_json())["devices"]} == seen


def without_ids(answer: tuple[int, str]) -> tuple[int, Any]:
    body = json.loads(answer[1]) if answer[1] else {}
    body.pop("request_id", None)
    return answer[0], body
