"""Every operation of the API has a method, sends what the description asks for, and reads what it
promises. No service is needed: calls are steps, and the description has examples."""

import inspect
import random
import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from docs.generate import service
from lamplighter.client import Client, models
from lamplighter.client.blocking import Blocking
from lamplighter.client.steps import Answer, Call, Kit, Send
from tests.support.fake_application import DEV_EUI, GATEWAY

DESCRIPTION: dict[str, Any] = service.openapi()
SCHEMAS = DESCRIPTION["components"]["schemas"]
NOT_ASKED = {
    ("POST", "/api/v1/webhooks/chirpstack"),
    ("POST", "/api/v1/webhooks/chirpstack/uplink"),
    ("GET", "/healthz"),
}
"""For ChirpStack, and for whoever watches the process."""
LIGHT = models.LightBody(red=0, green=255, blue=0)
GIVEN: dict[str, Any] = {
    "actor_id": f"lights/{DEV_EUI}",
    "alert_id": "alert-1",
    "colour": LIGHT,
    "command_id": "cmd-1",
    "content": b"bytes",
    "decision": "resume",
    "dev_eui": DEV_EUI,
    "digest": "0" * 64,
    "gateway_id": GATEWAY,
    "name": "Night",
    "plan_id": "plan-1",
    "revision": 3,
    "rollout_id": "roll-1",
    "run_id": "run-1",
    "since": 1_760_000_000.0,
    "wait_s": 0.0,
}
MORE = {"dev_eui", "run_id", "revision", "wait_s"}
"""Given although they may be left out."""
REQUESTS: dict[str, Any] = {
    "start_rollout": models.RolloutRequest(red=1, green=2, blue=3, dev_euis=[DEV_EUI]),
    "create_scene": models.SceneRequest(
        name="Night", parts=[models.PartBody(light=LIGHT, dev_euis=[DEV_EUI])]
    ),
    "replace_scene": models.SceneRequest(name="Night", made_from="shown"),
    "create_schedule": models.ScheduleRequest(name="Daily", cron="0 7 * * *", scene="Night"),
    "replace_schedule": models.ScheduleRequest(name="Daily", cron="0 7 * * *", scene="Night"),
    "plan_calibration": models.CalibrationRequest(sw_revs=[58]),
    "change_plan": models.PlanChange(lights={DEV_EUI: (0.5, 0.5)}),
    "change_hook": models.HookPatch(enabled=False),
    "create_hook": models.HookRequest(name="Desk", url="https://desk.example/"),
    "begin_calibration": models.CalibrationRequest(),
}
CALLS: dict[str, Callable[..., Call[Any]]] = {
    name: each.call for name, each in vars(Client).items() if type(each) is Blocking
}


def made(name: str) -> Call[Any]:
    """The call with an argument for each that it needs, and more where they can be given."""
    call = CALLS[name]
    needed = {
        each.name: REQUESTS[name] if each.name in {"request", "change"} else GIVEN[each.name]
        for each in inspect.signature(call).parameters.values()
        if each.default is inspect.Parameter.empty or each.name in MORE
    }
    return call(**needed)


def kit() -> Kit:
    return Kit(steady=lambda: 0.0, chance=random.Random(1), new_key=lambda: "key-1")


def operation_of(send: Send) -> tuple[tuple[str, str], dict[str, Any]]:
    """The operation that this asks; a path without variables comes before one with some."""
    for path in sorted(DESCRIPTION["paths"], key=lambda path: path.count("{")):
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), send.path):
            operation = DESCRIPTION["paths"][path].get(send.method.lower())
            if operation is not None:
                return (send.method, path), operation
    raise AssertionError(f"there is no {send.method} {send.path}")


def first(name: str) -> Send:
    step = made(name).steps(kit()).send(None)
    assert isinstance(step, Send)
    return step


@pytest.mark.parametrize("name", CALLS)
def test_a_call_sends_what_is_described_and_reads_what_is_promised(name: str) -> None:
    steps = made(name).steps(kit())
    send = steps.send(None)
    assert isinstance(send, Send)
    _, operation = operation_of(send)
    parameters = {each["name"]: each for each in operation["parameters"]}
    assert {key for key, _ in send.query} <= set(parameters)
    headers = {key for key in send.headers if key != "Content-Type"}
    assert headers <= set(parameters), "a header that the service does not know"
    assert {key for key, each in parameters.items() if each.get("required")} <= headers | {
        key for key, each in parameters.items() if each["in"] == "path"
    }
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = {"components": {"schemas": SCHEMAS}, **content["application/json"]["schema"]}
        jsonschema_rs.validate(schema, msgspec.json.decode(send.content or b"null"))
    else:
        assert bool(content) is (send.content is not None)
    answers = {status: each for status, each in operation["responses"].items() if status < "300"}
    status, answer = next(iter(answers.items()))
    told = answer.get("content", {}).get("application/json", {}).get("example")
    body = b"a file" if told is None else msgspec.json.encode(told)
    with pytest.raises(StopIteration) as done:
        steps.send(Answer(int(status), {}, b"" if status == "204" else body))
    read = done.value.value
    if status == "204":
        assert read is None
    elif told is None:
        assert read == body
    elif name == "devices":
        assert [light.dev_eui for light in read] == [light["dev_eui"] for light in told["devices"]]
    else:
        assert type(read).__name__ == content_model(answer)
        assert msgspec.to_builtins(read) == told


def content_model(answer: dict[str, Any]) -> str:
    """The name of the schema of an answer."""
    return str(answer["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def test_every_operation_can_be_asked() -> None:
    described = {
        (method.upper(), path)
        for path, operations in DESCRIPTION["paths"].items()
        for method in operations
    }
    asked = {operation_of(first(name))[0] for name in CALLS}
    for name in ("initialization", "metrics"):  # of all, without an argument
        step = CALLS[name]().steps(kit()).send(None)
        assert isinstance(step, Send)
        asked.add(operation_of(step)[0])
    assert described - asked == NOT_ASKED
