"""Alerts of what is to be expected: lights that are warned of, gateways that are graded D."""

import dataclasses
from collections.abc import Sequence

import msgspec
import pytest
import trio

from actors.alerts.expected_rules import POOR, WARNED, at_risk, poor_gateways
from actors.alerts.finding import AlertKind, Finding
from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.board.outlook import RiskTold, WarningTold
from actors.board.reachability import Reach
from actors.quality.model import GatewayGrade, Grade, GradeLine, Line, Rule
from store.memory import MemoryDisk
from tests.actors.alerts.test_alerter import HOUR, START, AlertService, heard_by
from tests.support.fake_application import FakeClock
from tests.support.fake_quality import a_grade

ROOF = "0016c001f153a14c"
TREND = RiskTold(0.7, (WarningTold("trend", START - HOUR),))
WELL = RiskTold(0.97)


def shown(service: AlertService) -> list[tuple[str, str]]:
    """Kind and subject of the alerts that are open."""
    return [(one.kind, one.subject) for one in service.board.alerts() if one.closed_at is None]


def test_every_rule_and_every_line_that_can_be_bad_has_its_words() -> None:
    assert set(WARNED) == {rule.value for rule in Rule}
    assert set(POOR) == set(Line) - {Line.AWAY}


@pytest.mark.parametrize(
    ("risk", "reach", "poor", "holds"),
    [
        (TREND, Reach.REACHABLE, None, True),
        (TREND, Reach.NEVER_HEARD, None, True),
        (WELL, Reach.REACHABLE, None, False),
        (TREND, Reach.SILENT, None, False),
        (TREND, Reach.NO_GATEWAY_ONLINE, None, False),
        (TREND, Reach.DISABLED, None, False),
        (TREND, Reach.REACHABLE, "Roof", False),
    ],
)
def test_a_light_has_one_alert_for_one_trouble(
    risk: RiskTold, reach: Reach, poor: str | None, holds: bool
) -> None:
    found = at_risk(heard_by("d1", ROOF, name="Desk"), risk, reach, poor)
    assert (found.kind, found.subject, found.holds) == (AlertKind.LIGHT_AT_RISK, "d1", holds)
    if holds:
        words = "Desk may fail: its signal falls day by day and will soon not be enough"
        assert (found.text, found.since) == (words, START - HOUR)


async def test_a_warning_is_told_once_it_has_lasted_an_hour_and_is_over_when_it_ends(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(heard_by("d1", ROOF))
        service.board.tell_risk("d1", TREND)
        await trio.sleep(0.5 * HOUR)
        assert shown(service) == []
        for _ in range(6):  # it is heard, and so not silent
            await trio.sleep(0.1 * HOUR)
            service.board.publish(heard_by("d1", ROOF, heard_at=service.clock.now()))
        assert shown(service) == [("light_at_risk", "d1")]
        assert service.pager.titles == ["light at risk: d1"]
        service.board.tell_risk("d1", WELL)
        await trio.sleep(1)
        assert shown(service) == []
        assert service.pager.titles[-1] == "over: light at risk: d1"
        nursery.cancel_scope.cancel()


async def test_a_warning_that_comes_and_goes_tells_nobody(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        for _ in range(12):
            service.board.publish(heard_by("d1", ROOF, heard_at=service.clock.now()))
            service.board.tell_risk("d1", TREND)
            await trio.sleep(0.5 * HOUR)
            service.board.tell_risk("d1", WELL)
            await trio.sleep(60)
        assert service.pager.notices == []
        nursery.cancel_scope.cancel()


async def test_a_gateway_that_worsens_all_its_lights_is_one_alert(
    autojump_clock: trio.testing.MockClock,
) -> None:
    service = AlertService()
    words = "46 of 57 first attempts answered, 56 promised"
    graded = a_grade(ROOF, Grade.D, Line.ANSWERED, words)
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(GatewayView(ROOF, "Roof", grade="D", grade_line="answered"))
        for _ in range(8):
            for number in range(40):
                device = heard_by(f"d{number}", ROOF, heard_at=service.clock.now())
                service.board.publish(device)
                service.board.tell_risk(f"d{number}", TREND)
            service.conditions = list(poor_gateways([graded], service.board))
            await trio.sleep(0.25 * HOUR)
        assert shown(service) == [("gateway_poor", ROOF)]
        [alert] = service.board.alerts()
        assert alert.summary == (
            "gateway Roof is graded D: fewer of its frames are answered than the lights' own"
            " records promise; 40 lights that it hears may fail: d0, d1, d10, d11, d12 and 35 more"
        )
        assert (alert.lights_total, len(alert.lights)) == (40, 40)
        opened = [notice for notice in service.pager.notices if notice.act == "opened"]
        assert len(opened) == 1
        nursery.cancel_scope.cancel()


async def test_a_kind_that_is_switched_off_is_not_told_and_an_open_one_closes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = MemoryDisk()
    for off in (frozenset[AlertKind](), frozenset({AlertKind.LIGHT_AT_RISK})):
        service = AlertService(disk)
        service.policy = dataclasses.replace(service.policy, off=off)
        async with trio.open_nursery() as nursery:
            await service.open(nursery)
            for _ in range(7):
                service.board.publish(heard_by("d1", ROOF, heard_at=service.clock.now()))
                service.board.tell_risk("d1", TREND)
                await trio.sleep(0.2 * HOUR)
            assert shown(service) == ([] if off else [("light_at_risk", "d1")])
            nursery.cancel_scope.cancel()
    [alert] = service.board.alerts()
    assert alert.close_reason == "switched off in the settings"


async def test_a_restart_keeps_the_alert_until_the_risk_is_told_anew(
    autojump_clock: trio.testing.MockClock,
) -> None:
    disk = MemoryDisk()
    for told_again in (True, False):
        service = AlertService(disk)
        async with trio.open_nursery() as nursery:
            await service.open(nursery)
            for _ in range(9):
                service.board.publish(heard_by("d1", ROOF, heard_at=service.clock.now()))
                if told_again:
                    service.board.tell_risk("d1", TREND)
                await trio.sleep(0.2 * HOUR if told_again else 5)
            assert shown(service) == [("light_at_risk", "d1")]
            if not told_again:
                await trio.sleep(30)
                assert shown(service) == []  # nobody says it any more
            nursery.cancel_scope.cancel()


def poor(view: GatewayView, *lines: Line, grade: Grade | None = Grade.D) -> Sequence[Finding]:
    board = Board(FakeClock(), "boot")
    board.publish(view)
    bad = tuple(GradeLine(line, Grade.D, 0.1, 50, "bad") for line in lines)
    good = GradeLine(Line.LEAD, Grade.A, 0.1, 50, "good")
    worst = lines[0] if lines else None
    graded = GatewayGrade(view.gateway_id, grade, "bad", worst, (*bad, good))
    return list(poor_gateways([graded], board))


def test_what_another_alert_tells_of_a_gateway_is_told_once() -> None:
    roof = GatewayView(ROOF, "Roof")
    [found] = poor(roof, Line.AWAY, Line.NOISE)
    assert found.holds
    assert found.text == "gateway Roof is graded D: the noise around it has grown"
    [found] = poor(roof, Line.AWAY)
    assert not found.holds  # every outage had an alert
    [found] = poor(msgspec.structs.replace(roof, takes_nothing_since=1.0), Line.TAKEN)
    assert not found.holds
    [found] = poor(msgspec.structs.replace(roof, online=False), Line.NOISE)
    assert not found.holds
    assert "offline" in found.text
    assert poor(roof, grade=None) == []
    [found] = poor(roof, grade=Grade.C)
    assert not found.holds
