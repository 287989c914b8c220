"""`lamplighter calibrate` as a process: it says the cost before it sends anything."""

import json

import msgspec
import pytest
import trio

from actors.calibration.model import Outcome, ProbeResult, RunState
from api.cli.exits import Exit
from tests.cli.test_verbs import Here, served, until
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW

pytestmark = pytest.mark.timeout(120)


async def test_the_cost_is_told_and_nothing_is_sent() -> None:
    async with served() as here:
        done = await here.do("calibrate", "--dry-run")
        assert done.returncode == Exit.OK, done.stderr
        assert "software 5.6" in done.stdout
        assert DEV_EUI in done.stdout
        assert "6 frames" in done.stdout
        assert "s of airtime" in done.stdout
        asked = await here.do("calibrate")  # nobody sits there
        assert asked.returncode == Exit.MISTAKE
        assert "give --yes" in asked.stderr
        assert here.application.calibrator.run_now is None


async def test_what_is_known_is_shown() -> None:
    async with served() as here:
        done = await here.do("calibrate", "--show")
        assert done.returncode == Exit.OK, done.stderr
        assert "Not known: software 5.6; the service tries once nothing waits" in done.stdout
        told = json.loads((await here.do("calibrate", "--show", "--json")).stdout)
        assert told["unknown"][0]["words"] == "software 5.6"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--software", "six"), "written like 6.1"),
        (("--software", "26.0"), "written like 6.1"),
        (("--software", "9.9"), "no light has this software"),
        (("--gateway", "dach"), "no gateway is called 'dach'"),
        (("--gateway", "0" * 16), "is not a known gateway"),
        (("0" * 16,), "is not a known light"),
        ((DEV_EUI, "--again"), "not both"),
        (("--show", "--yes"), "goes with nothing else"),
        (("--lights", "0"), "--lights"),
    ],
)
async def test_a_mistake_is_named(words: tuple[str, ...], told: str) -> None:
    async with served() as here:
        extra = () if "--show" in words else ("--dry-run",)
        done = await here.do("calibrate", *words, *extra)
        assert done.returncode == Exit.MISTAKE
        assert told in done.stderr


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((Outcome.MEASURED, Outcome.MEASURED), Exit.OK),
        ((Outcome.MEASURED, Outcome.COMMANDED), Exit.PARTLY),
        ((Outcome.UNANSWERED, Outcome.NOT_TAKEN), Exit.FAILED),
    ],
)
async def test_a_run_is_followed_and_shown(outcomes: tuple[Outcome, ...], code: Exit) -> None:
    async with served() as here, trio.open_nursery() as nursery:
        nursery.start_soon(_end, here, outcomes)
        done = await here.do("calibrate", "--yes", "--gateway", GATEWAY)
        assert done.returncode == code, done.stdout + done.stderr
        assert "1.20 s" in done.stdout


async def _end(here: Here, outcomes: tuple[Outcome, ...]) -> None:
    calibrator = here.application.calibrator
    await until("a run begins", lambda: calibrator.run_now is not None)
    assert calibrator.run_now is not None
    results = tuple(
        ProbeResult(DEV_EUI, "Desk", 56, GATEWAY, one, None, 1.28, 1.2, NOW) for one in outcomes
    )
    calibrator.run_now = msgspec.structs.replace(
        calibrator.run_now, state=RunState.DONE, results=results, ended_at=NOW
    )
