"""Whatever goes wrong with a request that is carried to another process is told as a problem."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.cluster import carried
from actors.cluster.messages import CarriedAnswer, CarriedRequest
from api.http.carrying import CarriedHere
from api.http.services import services_of
from store.engine.memory import Fate
from tests.support.asgi import ask
from tests.support.cluster_doors import HOST, JSON, Doors, doors

PROBLEM = "application/problem+json"


async def raw(
    here: Doors, method: str, path: str, body: bytes = b""
) -> tuple[int, Any, dict[str, list[str]]]:
    """Of a process that has to have it carried."""
    sent = [HOST, JSON, ("Content-Length", str(len(body)))]
    app = here.apps[here.other.name]
    status, headers, answer = await ask(app, method, f"/api/v1{path}", sent, body)
    assert headers["content-type"] == [PROBLEM], (status, headers)
    return status, msgspec.json.decode(answer), headers


async def test_a_file_that_is_too_large_is_told_as_that_by_any_process(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        plan = (await here.ask(here.other, "POST", "/plans", {"name": "Hall"}))[1]
        for path, method in ((f"/plans/{plan['id']}/picture", "PUT"), ("/plans/import", "POST")):
            status, problem, _ = await raw(here, method, path, b"x" * 300_000)
            assert (status, problem["type"][-14:]) == (413, "body-too-large")


async def test_a_process_that_has_too_much_to_do_and_one_that_fails_are_told_as_problems(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with doors(2) as here:
        with monkeypatch.context() as patched:
            patched.setattr(carried, "SERVED_MOST", 0)
            status, problem, headers = await raw(here, "GET", "/rollouts")
        assert (status, problem["type"][-8:]) == (503, "no-owner")
        assert "nothing was done" in problem["detail"]
        assert headers["retry-after"] == ["1"]

        with monkeypatch.context() as patched:
            patched.setattr(carried, "ANSWER_BYTES_MOST", 1)
            status, problem, _ = await raw(here, "GET", "/rollouts")
        assert (status, problem["type"][-8:]) == (500, "internal")
        assert "too large" in problem["detail"]

        def fails(request: CarriedRequest) -> CarriedAnswer:
            raise RuntimeError("a fault")

        here.fleet.parts.flow.carrier.serve = fails  # type: ignore[assignment]
        status, problem, _ = await raw(here, "GET", "/rollouts")
        assert (status, problem["type"][-8:]) == (500, "internal")


@pytest.mark.parametrize("status", [500, 503])
async def test_what_an_older_process_refuses_without_a_word_is_a_problem(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async with doors(2) as here:

        async def refuses(*_: object) -> CarriedAnswer:
            await trio.lowlevel.checkpoint()
            return CarriedAnswer(1, status, (("Retry-After", "1"),) if status == 503 else ())

        monkeypatch.setattr(here.other.parts.flow.carrier, "carry", refuses)
        told, problem, _ = await raw(here, "GET", "/rollouts")
        assert (told, problem["status"]) == (status, status)


def another_version(change: Callable[[dict[str, Any]], None]) -> type[CarriedHere]:
    """A process that tells a light otherwise than this version does."""

    class Other(CarriedHere):
        async def __call__(self, request: CarriedRequest) -> CarriedAnswer:
            answer = await super().__call__(request)
            view = msgspec.json.decode(answer.body)
            change(view)
            return msgspec.structs.replace(answer, body=msgspec.json.encode(view))

    return Other


def with_less(view: dict[str, Any]) -> None:
    del view["healed"]
    view["device"]["phase"] = "resting"


def with_another_actor(view: dict[str, Any]) -> None:
    view["actor"]["state"] = "resting"


@pytest.mark.parametrize(("change", "has_actor"), [(with_less, True), (with_another_actor, False)])
async def test_a_light_is_inspected_though_its_own_process_is_of_another_version(
    autojump_clock: MockClock, change: Callable[[dict[str, Any]], None], has_actor: bool
) -> None:
    async with doors(2) as here:
        dev_eui = next(iter(here.street.world.stations))
        owner, away = here.owner(dev_eui), here.away(dev_eui)
        app = here.apps[owner.name]
        owner.parts.flow.carrier.serve = another_version(change)(app.asgi_app)  # type: ignore[arg-type]
        status, view = await here.ask(away, "GET", f"/devices/{dev_eui}")
        assert status == 200, view
        assert (view["actor"] is not None) is has_actor


async def test_an_engine_that_hangs_holds_up_a_light_that_is_inspected_for_a_second(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        dev_eui = next(iter(here.street.world.stations))
        away = here.away(dev_eui)
        await trio.sleep(carried.CLOCK_S + 1)  # the engine's clock has to be read anew
        away.engine.fate = lambda request: Fate(lost=request.name in ("time", "post"))
        began = trio.current_time()
        status, view = await here.ask(away, "GET", f"/devices/{dev_eui}")
        assert (status, view["actor"]) == (200, None)
        assert trio.current_time() - began < 1.1


async def test_a_request_that_is_carried_is_answered_when_the_service_stops(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        here.fleet.engine.cut_off = True
        shutdown = services_of(here.apps[here.other.name]).shutdown
        async with trio.open_nursery() as nursery:

            async def stop() -> None:
                await trio.sleep(1)
                shutdown.cancel_handlers()

            nursery.start_soon(stop)
            began = trio.current_time()
            status, problem, _ = await raw(here, "GET", "/rollouts")
        assert (status, problem["type"][-8:]) == (503, "stopping")
        assert trio.current_time() - began < 1.5


async def test_who_leaves_while_the_clock_is_read_leaves_no_question(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        away = here.other
        await trio.sleep(carried.CLOCK_S + 1)
        away.engine.fate = lambda request: Fate(lost=request.name == "time")
        with trio.move_on_after(0.1):
            await here.ask(away, "GET", "/rollouts")
        assert len(away.parts.flow.replies) == 0


async def test_a_file_that_does_not_come_is_told_as_that_by_any_process(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        plan = (await here.ask(here.other, "POST", "/plans", {"name": "Hall"}))[1]
        path = f"/api/v1/plans/{plan['id']}/picture"
        sent = [HOST, ("Content-Length", "1000")]
        app = here.apps[here.other.name]
        status, _, answer = await ask(app, "PUT", path, sent, b"x" * 10, ends=False)
        assert (status, msgspec.json.decode(answer)["type"][-12:]) == (408, "body-timeout")


async def test_a_rollout_is_told_the_same_by_any_process_however_it_is_carried(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carried, "DEFLATED_FROM_BYTES", 1)
    async with doors(2) as here:
        lights = list(here.street.world.stations)
        order = {"red": 255, "green": 0, "blue": 0, "dev_euis": lights}
        made = (await here.ask(here.other, "POST", "/rollouts", order))[1]
        await trio.sleep(300)
        for query in ("", "?format=csv"):
            path = f"/api/v1/rollouts/{made['id']}{query}"
            [one, other] = [await ask(app, "GET", path, [HOST]) for app in here.apps.values()]
            assert (one[0], one[2]) == (200, other[2])
            for name in ("content-type", "content-length"):
                assert one[1][name] == other[1][name]
            assert "content-encoding" not in one[1] | other[1]
