"""The caller of the drill: its figures say what it saw, and a lost command is noticed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import trio

from actors.device.command import CommandStatus
from actors.refusal import Refusal
from api.settings.model import ApiSettings
from tests.drill.faults import Outcome
from tests.drill.load import Figures, Load
from tests.drill.script import table
from tests.drill.serving import Serving
from tests.support.fake_application import DEV_EUI, FakeApplication
from tests.support.ports import free_port
from tests.support.web_server import running

PER_S = 200.0
SETTINGS = ApiSettings(chirpstack={"target": "localhost:8080", "api_key": "k"}, web={"port": 0})


class Answering(Serving):
    """A process that somebody else runs."""

    runs = True


@asynccontextmanager
async def calling(application: FakeApplication, *more: Serving) -> AsyncIterator[Load]:
    """A load on a real web server; it goes to `more`, too."""
    async with (
        running(application, SETTINGS) as server,
        httpx2.AsyncClient(timeout=2.0, trust_env=False) as http,
        trio.open_nursery() as nursery,
    ):
        asked = [Answering("north", server.port, Path("north.toml")), *more]
        load = Load([DEV_EUI], lambda: asked, http, per_s=PER_S)
        await nursery.start(load.run)
        yield load
        nursery.cancel_scope.cancel()


async def until(true: Callable[[], bool]) -> None:
    with trio.fail_after(10.0):
        while not true():  # noqa: ASYNC110 a real server
            await trio.sleep(0.01)


async def test_commands_are_given_and_their_end_is_known() -> None:
    application = FakeApplication()
    async with calling(application) as load:
        await until(lambda: load.figures.accepted >= 5)
        load.halted = True
        for command_id in list(load.known):
            application.commands.step(command_id, CommandStatus.VERIFIED)
        told = await load.look()
        assert told["verified"] >= 5
        assert load.figures.refused == 0
        assert load.figures.percentile_s(0.5) is not None


async def test_one_that_nobody_knows_any_more_is_missing() -> None:
    application = FakeApplication()
    async with calling(application) as load:
        await until(lambda: load.figures.accepted >= 3)
        load.halted = True
        application.commands.given.pop(next(iter(load.known)))
        assert (await load.look())["missing"] == 1


async def test_where_a_process_does_not_answer_another_is_asked_with_the_same_key() -> None:
    application = FakeApplication()
    gone = Answering("south", free_port(), Path("south.toml"))
    async with calling(application, gone) as load:
        await until(
            lambda: load.figures.accepted >= 10 and load.figures.answers["ConnectError"] > 0
        )
        load.halted = True
        assert load.figures.tries > load.figures.accepted
        assert load.figures.refused == 0
        assert len(application.commands.keys) == len(application.commands.given)


async def test_a_refusal_is_tried_again_and_counted_by_its_status() -> None:
    application = FakeApplication()
    application.refusal = Refusal.MAILBOX_FULL
    async with calling(application) as load:
        await until(lambda: load.figures.answers["503"] >= 3)
        assert load.figures.accepted == 0
        application.refusal = None
        await until(lambda: load.figures.accepted >= 3)


@pytest.mark.parametrize(
    ("refusal", "is_unknown"), [(Refusal.MAILBOX_FULL, False), (Refusal.STORE_FAILING, True)]
)
async def test_of_a_refused_command_it_is_told_whether_it_may_have_been_taken(
    monkeypatch: pytest.MonkeyPatch, refusal: Refusal, is_unknown: bool
) -> None:
    monkeypatch.setattr("tests.drill.load.GIVE_UP_S", 0.1)
    application = FakeApplication()
    application.refusal = refusal
    async with calling(application) as load:
        await until(lambda: load.figures.refused >= 3)
        assert load.figures.unknown == (load.figures.refused if is_unknown else 0)


def test_what_came_after_a_fault_is_counted_alone() -> None:
    figures = Figures(accepted=3, tries=3, took_s=[0.1, 0.2, 0.3])
    before = figures.copy()
    figures.accepted, figures.refused = 5, 1
    figures.took_s += [2.0, 1.0]
    figures.unknown, figures.at_s = 1, [9.0]
    seen = figures.since(before)
    assert (seen.accepted, seen.refused, seen.took_s) == (2, 1, [2.0, 1.0])
    assert (seen.unknown, seen.at_s, seen.tries) == (1, [9.0], 0)


def test_an_outcome_says_how_long_it_took_or_that_it_never_ended() -> None:
    seen = Figures(accepted=4, took_s=[0.1, 1.5])
    assert "all well after 7.3 s; 4 commands accepted" in Outcome("x", 7.3, seen).words
    assert "did not become well" in Outcome("x", None, seen).words


async def test_the_table_says_what_was_lost() -> None:
    async with httpx2.AsyncClient() as http:
        load = Load([DEV_EUI], list, http, per_s=1.0)
    load.figures = Figures(accepted=2, took_s=[0.01, 0.02])
    told = table([Outcome("north killed", 6.4, load.figures)], {"verified": 1, "missing": 1}, load)
    assert "| north killed | 6.4 s | 2 | 0.0 s | 0 |" in told
    assert "Acknowledged and lost: 1." in told
