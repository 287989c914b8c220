"""Risks on the board: told where they changed noticeably, and never all at once."""

import pytest
import trio
from trio.testing import MockClock

from actors.board.board import Board
from actors.board.outlook import UNKNOWN, RiskTold, WarningTold, noticeable, worst_first
from actors.quality.announcer import RiskAnnouncer, grade_told
from actors.quality.model import Grade, Line, Rule
from tests.support.fake_application import DEV_EUI, FakeClock, a_light
from tests.support.fake_quality import FakeQuality, a_grade, a_risk, told_of

TREND, COUNTERS = WarningTold("trend", 5.0), WarningTold("counters", 7.0)


def eui(number: int) -> str:
    return f"{number:016x}"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, RiskTold(0.9), True),
        (None, UNKNOWN, False),
        (RiskTold(0.9), RiskTold(0.86), False),
        (RiskTold(0.9), RiskTold(0.85), True),
        (RiskTold(0.99), RiskTold(0.97), True),
        (RiskTold(0.99), RiskTold(0.985), False),
        (RiskTold(0.7), RiskTold(0.71), False),
        (RiskTold(1.0), RiskTold(0.99), True),
        (RiskTold(0.9), RiskTold(None), True),
        (RiskTold(None), RiskTold(None), False),
        (RiskTold(0.9), RiskTold(0.9, (TREND,)), True),
        (RiskTold(0.9, (TREND,)), RiskTold(0.9, (TREND._replace(since=9.0),)), False),
        (RiskTold(0.9, (TREND,)), RiskTold(0.9, (COUNTERS,)), True),
    ],
)
def test_only_what_a_reader_would_notice_is_told(
    before: RiskTold | None, after: RiskTold, told: bool
) -> None:
    assert noticeable(before, after) is told


def test_warned_and_unlikely_lights_are_the_worst_and_unknown_ones_the_last() -> None:
    told = {
        eui(1): RiskTold(0.9),
        eui(2): RiskTold(0.6),
        eui(3): RiskTold(0.99, (TREND,)),
        eui(4): RiskTold(None),
        eui(6): RiskTold(0.6),
        eui(7): RiskTold(0.49),
    }
    found = worst_first([a_light(eui(number)) for number in range(7, 0, -1)], told)
    assert [int(device.dev_eui, 16) for device, _ in found] == [7, 3, 2, 6, 1, 4, 5]


def test_what_travels_is_short() -> None:
    told = told_of(a_risk(DEV_EUI, 0.96789, Rule.TREND, since=5.0))
    assert told == RiskTold(0.968, (TREND,))
    graded = a_grade("gw", Grade.C, Line.TAKEN, "few")
    assert grade_told(graded) == ("C", "taken")
    assert grade_told(a_grade("gw", Grade.A, Line.TAKEN, "all")) == ("A", None)
    assert grade_told(None) == (None, None)


class Fleet:
    """A board with lights of which something is known."""

    def __init__(self, lights: int) -> None:
        self.board = Board(FakeClock(), "boot-1")
        self.quality = FakeQuality()
        self.announcer = RiskAnnouncer(self.board, self.quality)
        for number in range(lights):
            self.board.publish(a_light(eui(number)))
            self.quality.lights[eui(number)] = a_risk(eui(number), 0.9)

    async def run_for(self, seconds: float) -> int:
        """How many changes the board told of meanwhile."""
        before = self.board.number
        with trio.move_on_after(seconds):
            await self.announcer.run()
        return self.board.number - before


async def test_every_light_is_told_of_within_a_minute_of_a_start_and_once(
    autojump_clock: MockClock,
) -> None:
    fleet = Fleet(10_000)
    assert await fleet.run_for(9.5) == 10 * 334
    assert await fleet.run_for(50) == 10_000 - 10 * 334
    assert await fleet.run_for(400) == 0
    assert len(fleet.board.risks) == 10_000


async def test_later_every_light_is_looked_at_within_five_minutes(
    autojump_clock: MockClock,
) -> None:
    fleet = Fleet(3_000)
    told: list[int] = []

    async def worsen() -> None:
        await trio.sleep(61.5)
        before = fleet.board.number
        for number in range(3_000):
            fleet.quality.lights[eui(number)] = a_risk(eui(number), 0.5)
        for _ in range(3):
            await trio.sleep(100)
            told.append(fleet.board.number - before)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fleet.announcer.run)
        await worsen()
        nursery.cancel_scope.cancel()
    assert told == [1_000, 2_000, 3_000]


async def test_a_small_fleet_is_through_in_seconds(autojump_clock: MockClock) -> None:
    fleet = Fleet(30)
    assert await fleet.run_for(8) == 30


async def test_a_warning_is_told_and_small_steps_are_not(autojump_clock: MockClock) -> None:
    fleet = Fleet(3)
    await fleet.run_for(1)
    fleet.quality.lights[eui(0)] = a_risk(eui(0), 0.91)
    fleet.quality.lights[eui(1)] = a_risk(eui(1), 0.9, Rule.MOVED)
    with fleet.board.subscribe(100, resume_from=fleet.board.number) as reader:
        assert await fleet.run_for(6) == 1
        async for batch in reader:
            assert [change.what.dev_eui for change in batch] == [eui(1)]  # type: ignore[union-attr]
            break
    assert fleet.board.risks[eui(1)].rules == ["moved"]
    assert fleet.board.risks[eui(0)].chance_30s == 0.9


async def test_a_light_that_nothing_is_known_of_is_left_alone(autojump_clock: MockClock) -> None:
    fleet = Fleet(2)
    fleet.quality.lights.clear()
    assert await fleet.run_for(400) == 0
    assert not fleet.board.risks


def test_the_risk_of_a_stranger_is_not_kept() -> None:
    board = Board(FakeClock(), "boot-1")
    board.tell_risk(DEV_EUI, RiskTold(0.5))
    assert not board.risks
    assert board.number == 0
