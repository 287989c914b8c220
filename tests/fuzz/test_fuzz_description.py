"""Requests made from our own OpenAPI, right and wrong ones, against the real application.

Whatever the request and its token are, the answer has a status, a type and a shape that the
description names for it, and nothing fails inside.
"""

import json
from collections.abc import Mapping
from functools import cache

import pytest
import schemathesis
import trio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from quart.typing import TestClientProtocol as Client
from quart_trio import QuartTrio
from requests import Request
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary

from actors.refusal import Refusal
from api.http.app import create_app
from lorawan.kuando import LightState
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, WEBHOOK, settings_with
from tests.fuzz.conftest import SEEKS, restarts, rounds
from tests.support.asgi import ask
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, make_world, running_application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# The limits of requests are not what is asked here.
FREE = {"rate_per_s": 1e6, "rate_burst": 1_000_000}
AS_OPERATOR = {"Authorization": f"Bearer {OPERATOR}"}
ROLLOUT = {"red": 0, "green": 9, "blue": 0, "filter": {"search": "0"}, "pace_per_min": 0.1}
MODES = list(schemathesis.GenerationMode)
REQUEST_FIELDS = ("method", "url", "params", "data", "json", "files", "cookies")
PATIENCE_S = 400.0
"""Of the service's time for one request: the longest wait for a verdict, and twice that."""


# A body that is a file is sent as it was drawn.
schemathesis.serializer("application/zip")(lambda _, value: serialize_binary(value))

Operation = schemathesis.APIOperation
Known = Mapping[str, list[str]]
"""Values of path parameters that lead somewhere."""

authorizations = st.sampled_from(
    [
        {},
        AS_OPERATOR,
        AS_OPERATOR,
        {"Authorization": f"Bearer {VIEWER}"},
        {"X-Lamplighter-Token": WEBHOOK},
        {"Authorization": "Bearer \xff\x80"},
        {"Authorization": "Basic eDp5"},
    ]
)
extra_headers = st.fixed_dictionaries(
    {},
    optional={
        "Prefer": st.sampled_from(
            ["respond-async", "wait=0", "wait=1e9", "wait=-1", "wait=x", "=", ";,;", "wait=" * 400]
        ),
        "Idempotency-Key": st.sampled_from(["k", "k" * 200, "k" * 300, "\xff", '"', "a b"]),
        "X-Request-ID": st.sampled_from(["r", "r" * 5_000, "\xe9", ""]),
        "Origin": st.sampled_from(["null", "http://localhost", "https://evil.example", "http://["]),
        "Content-Type": st.sampled_from(["", "text/plain", "application/json; charset=utf-16"]),
        "Host": st.sampled_from(["localhost:1", "evil.example", "[", ""]),
    },
)


@st.composite
def requests_for(draw: st.DrawFn, operation: Operation, known: Known) -> schemathesis.Case:
    """A request of this operation, right or wrong by the description; most lead somewhere."""
    fixed = {
        name: draw(st.sampled_from(values))
        for name, values in known.items()
        if f"{{{name}}}" in operation.path and draw(st.integers(0, 3))
    }
    # Where there is nothing to be wrong in, no wrong request can be made.
    free = (not fixed and operation.path_parameters) or operation.query or operation.body
    mode = draw(st.sampled_from(MODES)) if free else schemathesis.GenerationMode.POSITIVE
    case = draw(operation.as_strategy(mode, path_parameters=fixed or None))
    case.headers.pop("Authorization", None)  # a token of its own, which is none of ours
    case.headers.update(draw(authorizations))
    if operation.label == "POST /api/v1/rollouts" and draw(st.booleans()):
        case.body = {"red": 1, "green": 0, "blue": 0, "dev_euis": known["dev_eui"][:-1]}
    if draw(st.integers(0, 2)) == 0:
        case.headers.update(draw(extra_headers))
    return case


async def described(app: QuartTrio) -> list[Operation]:
    """Every operation of the description as it is served."""
    _, _, raw = await ask(app, "GET", "/openapi.json", [("Host", "localhost")])
    return list(operations(raw))


@cache
def operations(raw: bytes) -> tuple[Operation, ...]:
    """Of this description; read once, for they keep the strategies that are made of them."""
    schema = schemathesis.openapi.from_dict(json.loads(raw))
    return tuple(found.ok() for found in schema.get_all_operations())


async def lived_in(home: RunningApplication, client: Client) -> Known:
    """Things to ask for: commands, a rollout, an alert, all of the real service."""
    await home.settled()
    light = next(iter(home.devices))
    command = await home.command(light, LightState(red=255, green=0, blue=0))
    await home.final(command.id)
    rolled = await client.post("/api/v1/rollouts", json=ROLLOUT, headers=AS_OPERATOR)
    run = home.application.initializer.start(None, force=False)
    assert not isinstance(run, Refusal)
    home.world.stop_gateway(next(iter(home.world.gateways)))
    await trio.sleep(300.0)
    return {
        "dev_eui": [*home.devices, "00" * 8],
        "command_id": [command.id],
        "gateway_id": list(home.board.gateways),
        "alert_id": [alert.id for alert in home.board.alerts()],
        "run_id": [run.id],
        "rollout_id": [(await rolled.get_json())["id"]],
        "actor_id": ["board", f"device {light}"],
    }


async def send(app: QuartTrio, case: schemathesis.Case) -> schemathesis.Response:
    """Ask as the case says, headers that no client library would send included."""
    kwargs = case.as_transport_kwargs(base_url="http://localhost")
    odd = dict(kwargs.pop("headers"))
    asked = Request(**{k: v for k, v in kwargs.items() if k in REQUEST_FIELDS}).prepare()
    headers = {"Host": "localhost", **asked.headers, **odd}
    body = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
    with trio.fail_after(PATIENCE_S):
        status, answered, content = await ask(
            app, case.method, asked.path_url, list(headers.items()), body
        )
    return schemathesis.Response(status, answered, content, asked, 0.0, True)


async def explore(data: st.DataObject, tokens: Mapping[str, list[str]]) -> None:
    """One request of every operation, in any order, with whatever the ones before left."""
    world = make_world(lights=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            app = create_app(home.application, settings_with(tokens=tokens, **FREE))
            known, wrong = await lived_in(home, app.test_client()), []
            for operation in data.draw(st.permutations(await described(app))):
                case = data.draw(requests_for(operation, known), label=operation.label)
                response = await send(app, case)
                try:
                    case.validate_response(response, checks=CHECKS)
                except FailureGroup as found:
                    wrong += [
                        f"{operation.label} {response.status_code}: {failure.title}: "
                        f"{failure.message}\n{case.headers} {response.request.body!r:.300}\n"
                        f"{response.content!r}"
                        for failure in found.exceptions
                    ]
            assert wrong == []
            await trio.sleep(60.0)
            assert home.application.dead_letters.recent(10) == []
            assert restarts(home.application.supervisor.report()) == 0
        nursery.cancel_scope.cancel()


@pytest.mark.timeout(150)
@pytest.mark.parametrize("tokens", [{}, TOKENS], ids=["open", "tokens"])
@settings(
    max_examples=rounds(4),
    deadline=None,
    derandomize=not SEEKS,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Each round runs a service for minutes of its time; to shrink takes longer than a test may, and
    # what is found is told at once, before `make fuzz` runs out of time.
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    print_blob=True,
)
@given(data=st.data())
def test_every_answer_is_described(data: st.DataObject, tokens: dict[str, list[str]]) -> None:
    in_virtual_time(explore, data, tokens)
