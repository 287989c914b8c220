"""The fleet's shard is given while a request is answered: what was done is not done again.

The handler has handed in what it was asked for, and its commit is under way; when that is stored
the fleet is another process's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from store.engine.memory.way import Request
from store.engine.shards import FLEET
from tests.support.cluster_doors import Doors, doors
from tests.support.cluster_house import House

HOOK = {"name": "Desk", "url": "https://example.com/in"}
TIMED = {
    "name": "Often",
    "cron": "*/10 * * * *",
    "part": {"light": {"red": 255, "green": 0, "blue": 0}, "everything": True},
}
SEEN = ("If-Match", '"1"')


@asynccontextmanager
async def given_at_a_commit(giver: House, number: int) -> AsyncIterator[None]:
    """It leaves as SIGTERM has it do, once the engine has its so manieth commit of the fleet's
    shard from now on, and hears only then that this is stored."""
    leaving, commits = trio.Event(), count(1)

    async def hold(request: Request) -> None:
        if request.name != "commit" or FLEET not in request.about or next(commits) != number:
            return
        leaving.set()
        with trio.fail_after(2):
            while giver.parts.fleetwide_here is not None:  # noqa: ASYNC110
                await trio.sleep(0.01)

    async def leave() -> None:
        await leaving.wait()
        await giver.application.leave()

    root = giver.parts.root
    assert root is not None
    stop = root.stop_child

    async def stop_slowly(child: str, why: str) -> None:
        await trio.sleep(0.1)  # as long as the last part takes that is stopped before the others
        await stop(child, why)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        root.stop_child = stop_slowly  # type: ignore[method-assign]
        giver.engine.after = hold
        yield
        assert leaving.is_set()


async def made(here: Doors, path: str, body: dict[str, Any]) -> Any:
    status, answer = await here.ask(here.fleet, "POST", path, body)
    assert status == 201, answer
    await trio.sleep(5)  # what else it stores is stored
    return answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/hooks", HOOK | {"name": "Other"}, 201),
        ("PATCH", "/hooks/desk", {"name": "Front"}, 200),
        ("POST", "/hooks/desk/secret", None, 200),
        ("POST", "/hooks/desk/replay", {"since": 1.0}, 200),
        ("POST", "/schedules", TIMED | {"name": "Other"}, 201),
        ("PUT", "/schedules/often", TIMED | {"name": "Seldom"}, 200),
    ],
)
@pytest.mark.parametrize("carried", [False, True])
async def test_who_hands_something_in_as_the_fleet_is_given_is_told_that_it_is_done(
    autojump_clock: MockClock,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    status: int,
    carried: bool,
) -> None:
    async with doors(2) as here:
        first = await made(here, *(("/hooks", HOOK) if "hooks" in path else ("/schedules", TIMED)))
        giver, stays = here.fleet, here.other
        seen = [SEEN] if method in ("PATCH", "PUT") else []
        async with given_at_a_commit(giver, 2 if carried else 1):  # it notes what is carried first
            answered = await here.ask(stays if carried else giver, method, path, body, *seen)
        assert answered[0] == status, answered
        await here.street.owned_by_all()
        assert here.fleet is stays
        told = answered[1].get("hook", answered[1])
        _, kept = await here.ask(stays, "GET", f"/{path.split('/')[1]}/{told['id']}")
        assert kept["revision"] == told["revision"]
        if path.endswith("secret"):
            hook = stays.application.outgoing.hooks[kept["id"]]
            assert hook.secret == answered[1]["secret"]
            assert hook.secret_before == first["secret"], "a receiver that knows it goes on"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/scenes", {"name": "Night", "parts": [TIMED["part"]]}),
        ("/plans", {"name": "Hall"}),
        ("/rollouts", {"red": 255, "green": 0, "blue": 0, "filter": {}}),
    ],
)
async def test_what_is_made_as_the_fleet_is_given_is_there_once(
    autojump_clock: MockClock, path: str, body: dict[str, Any]
) -> None:
    async with doors(2) as here:
        await trio.sleep(5)
        giver, stays = here.fleet, here.other
        async with given_at_a_commit(giver, 1):
            status, answer = await here.ask(giver, "POST", path, body)
        assert status == 201, answer
        await here.street.owned_by_all()
        assert here.fleet is stays
        _, listed = await here.ask(stays, "GET", path)
        assert [one["id"] for one in listed[path[1:]]] == [answer["id"]]
