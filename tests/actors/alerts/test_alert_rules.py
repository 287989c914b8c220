import re

import msgspec
import pytest

from actors.alerts.decision import Act, Decision, StoredAlert
from actors.alerts.finding import AlertKind, Finding
from actors.alerts.lifecycle import AlertLifecycle
from actors.alerts.light_rules import Outlook, light_findings, silent_at
from actors.alerts.notice import notices
from actors.alerts.policy import AlertPolicy
from actors.alerts.rules import (
    NamedLight,
    actor_finding,
    gateway_finding,
    network_finding,
    store_finding,
    taking_finding,
)
from actors.board.changes import ActorView, AlertView, GatewayView
from actors.board.reachability import Reach
from actors.device.command import Command
from actors.device.model import Device, Phase, Session
from actors.supervision import ChildState
from lorawan.kuando.light_state import LightState

NOW = 1_700_000_000.0
POLICY = AlertPolicy()
HOUR = 3_600.0


class OneSubject:
    """Numbered alerts of one kind, told only about one subject."""

    def __init__(self, kind: AlertKind = AlertKind.GATEWAY_OFFLINE) -> None:
        self.kind = kind
        self.made = 0
        self.alerts = AlertLifecycle(POLICY, self._new_id)

    def _new_id(self) -> str:
        self.made += 1
        return f"a{self.made}"

    def see(self, holds: bool, at: float) -> list[Act]:
        finding = Finding(self.kind, "s", holds, "away" if holds else "back")
        return [decision.act for decision in self.alerts.observe(finding, NOW + at)]

    def due(self, at: float) -> list[Act]:
        return [decision.act for decision in self.alerts.due(NOW + at)]


def lit(phase: Phase = Phase.IDLE, *, overdue: bool = False, heard_at: float = NOW) -> Device:
    command = Command(
        "c1", "d1", LightState(1, 2, 3), True, NOW, NOW + HOUR, overdue=overdue, timeline=()
    )
    return Device(
        dev_eui="d1",
        name="desk 4",
        phase=phase,
        command=command,
        session=Session("00aabbcc", NOW - HOUR, f_cnt=3, heard_at=heard_at),
    )


def holds(findings: tuple[Finding, ...]) -> set[AlertKind]:
    return {finding.kind for finding in findings if finding.holds}


def test_a_light_fails_by_its_phase_or_its_overdue_command() -> None:
    assert holds(light_findings(lit(), NOW, POLICY)) == set()
    assert holds(light_findings(lit(Phase.FAILED), NOW, POLICY)) == {AlertKind.LIGHT_FAILED}
    assert holds(light_findings(lit(overdue=True), NOW, POLICY)) == {AlertKind.LIGHT_FAILED}


def test_a_light_is_silent_from_its_hour_on_and_only_if_ever_heard() -> None:
    device = lit(heard_at=NOW)
    due_at = silent_at(device, POLICY)
    assert due_at == NOW + POLICY.silent_after_s
    assert AlertKind.LIGHT_SILENT not in holds(light_findings(device, due_at - 1, POLICY))
    assert AlertKind.LIGHT_SILENT in holds(light_findings(device, due_at, POLICY))
    assert silent_at(Device(dev_eui="d1"), POLICY) is None
    assert holds(light_findings(Device(dev_eui="d1"), NOW + 9e9, POLICY)) == set()


def test_a_silence_is_counted_from_when_somebody_listens() -> None:
    device = lit(heard_at=NOW)
    back = Outlook(listening_since=NOW + 10_000)
    due_at = NOW + 10_000 + POLICY.silent_after_s
    assert silent_at(device, POLICY, back) == due_at
    assert holds(light_findings(device, due_at - 1, POLICY, back)) == {AlertKind.COMMAND_WAITING}
    assert AlertKind.LIGHT_SILENT in holds(light_findings(device, due_at, POLICY, back))
    for reach in (Reach.NO_GATEWAY_ONLINE, Reach.DISABLED):
        found = holds(light_findings(device, due_at, POLICY, Outlook(reach)))
        assert AlertKind.LIGHT_SILENT not in found


@pytest.mark.parametrize("ahead_s", [3_600.0, -3_600.0])
def test_a_silence_is_not_counted_by_a_clock_that_is_ahead(ahead_s: float) -> None:
    """From the field: a gateway an hour ahead (GPS) hid a real silence for that long."""
    device = msgspec.structs.replace(lit(heard_at=NOW + ahead_s), stepped_at=NOW)
    due_at = silent_at(device, POLICY)
    assert due_at is not None
    assert due_at <= NOW + POLICY.silent_after_s


@pytest.mark.parametrize(
    ("changes", "outlook", "covered"),
    [
        ({}, Outlook(), False),
        ({"phase": Phase.RETRYING}, Outlook(), False),
        ({"phase": Phase.UNINITIALIZED}, Outlook(Reach.NEVER_HEARD), False),
        ({"phase": Phase.INITIALIZING}, Outlook(), False),
        ({}, Outlook(Reach.SILENT), False),
        ({"phase": Phase.FAILED}, Outlook(), True),
        ({}, Outlook(Reach.NO_GATEWAY_ONLINE), True),
        ({}, Outlook(network_away=True), True),
    ],
)
def test_every_command_that_waits_for_minutes_is_told_of_by_some_alert(
    changes: dict[str, object], outlook: Outlook, covered: bool
) -> None:
    device = msgspec.structs.replace(lit(), **changes)
    early = light_findings(device, NOW + POLICY.waiting_after_s - 1, POLICY, outlook)
    late = light_findings(device, NOW + POLICY.waiting_after_s, POLICY, outlook)
    assert AlertKind.COMMAND_WAITING not in holds(early)
    assert (AlertKind.COMMAND_WAITING in holds(late)) is not covered


def test_a_waiting_command_is_told_of_with_its_reason() -> None:
    device = lit(Phase.AWAITING_VERIFY)
    held = msgspec.structs.replace(
        device, command=msgspec.structs.replace(device.command, reason="the airtime is spent")
    )
    late = NOW + POLICY.waiting_after_s
    (found,) = [one for one in light_findings(held, late, POLICY) if one.holds]
    assert found.text == "the colour for desk 4 waits: the airtime is spent"
    assert found.since == NOW
    (found,) = [one for one in light_findings(lit(Phase.INITIALIZING), late, POLICY) if one.holds]
    assert found.text == "the colour for desk 4 waits: the light is being given its settings first"
    assert not any(one.holds for one in light_findings(lit(overdue=True), late, POLICY)[2:])


def test_the_outage_of_a_gateway_names_its_lights() -> None:
    gone = GatewayView("g1", "roof", online=False, since=NOW, alive_at=NOW - 300)
    lights = [NamedLight(f"Desk {number}", f"{number:016x}") for number in range(70)]
    found = gateway_finding(gone, lights)
    assert found.text == (
        "gateway roof is offline; 70 lights cannot be reached:"
        " Desk 0, Desk 1, Desk 2, Desk 3, Desk 4 and 65 more"
    )
    assert (len(found.lights), found.lights_total, found.since) == (50, 70, NOW - 300)
    one = gateway_finding(gone, lights[:1])
    assert one.text == "gateway roof is offline; 1 light cannot be reached: Desk 0"
    assert gateway_finding(gone).text == "gateway roof is offline"


def test_no_text_of_an_alert_names_an_age() -> None:
    """From the field: "silent for 4 min" after 27 min."""
    device = lit(Phase.FAILED)
    found = [
        *light_findings(device, NOW + 9e5, POLICY),
        *light_findings(lit(), NOW + 9e5, POLICY),
        gateway_finding(GatewayView("g1", "roof", online=False, since=NOW)),
        store_finding(NOW),
    ]
    for finding in found:
        assert not re.search(r"\d+ (s|min|h|d)\b", finding.text), finding.text
        assert not finding.holds or finding.since is not None or finding.kind in TIMELESS


TIMELESS = {AlertKind.LIGHT_FAILED, AlertKind.LIGHT_HELD}
"""Their beginning is when they were told: the machine says it at once."""


def test_what_is_shown_of_an_open_alert_stays_true() -> None:
    subject = OneSubject()
    alerts = subject.alerts

    def see(text: str, at: float, **more: object) -> list[Decision]:
        finding = Finding(AlertKind.GATEWAY_OFFLINE, "s", True, text, **more)  # type: ignore[arg-type]
        return alerts.observe(finding, NOW + at)

    assert see("away", 0) == []
    assert [one.act for one in alerts.due(NOW + 30)] == [Act.OPENED]
    assert see("away", 40) == []
    (changed,) = see("away with 3 lights", 50, lights=("a",), lights_total=3)
    assert (changed.act, changed.act.notifies) == (Act.CHANGED, False)
    assert (changed.view.summary, changed.view.lights_total) == ("away with 3 lights", 3)
    assert changed.view.repeated_at == NOW + 30, "nobody was told"
    assert [one.act for one in alerts.due(NOW + 30 + HOUR)] == [Act.REPEATED]
    assert notices([changed], NOW) == []


def test_a_restored_alert_of_a_kind_nobody_can_judge_yet_waits() -> None:
    subject = OneSubject()
    subject.alerts.restore([stored()], NOW)
    unsure = {AlertKind.GATEWAY_OFFLINE}
    assert subject.alerts.due(NOW + POLICY.confirm_s, unsure=unsure) == []
    (decision,) = subject.alerts.due(NOW + 2 * POLICY.confirm_s)
    assert decision.act is Act.CLOSED


def test_the_other_rules() -> None:
    assert gateway_finding(GatewayView("g1", "roof", online=False)).holds
    assert not gateway_finding(GatewayView("g1", online=True)).holds
    assert not gateway_finding(GatewayView("g1", "roof", online=False, known=False)).holds
    deaf = GatewayView("g1", "roof", takes_nothing_since=NOW)
    assert taking_finding(deaf).holds
    assert "roof acknowledges no downlink since" in taking_finding(deaf).text
    assert not taking_finding(GatewayView("g1", "roof")).holds
    away = GatewayView("g1", "roof", online=False, takes_nothing_since=NOW)
    assert not taking_finding(away).holds  # that is an alert of its own
    parked = actor_finding(ActorView("device d1", ChildState.PARKED, 5, "KeyError: x"))
    assert parked.holds
    assert "KeyError" in parked.text
    assert not actor_finding(ActorView("device d1", ChildState.RUNNING, 5)).holds
    assert (store_finding(NOW).holds, store_finding(None).holds) == (True, False)
    assert (network_finding("no reply").holds, network_finding(None).holds) == (True, False)


def test_a_condition_must_last_before_it_is_told() -> None:
    subject = OneSubject()
    assert subject.see(True, 0) == []
    assert subject.due(29) == []
    assert subject.see(False, 29.5) == []
    assert subject.see(True, 40) == []
    assert subject.alerts.next_at() == NOW + 70
    assert subject.due(70) == [Act.OPENED]
    assert subject.see(True, 80) == []
    assert subject.alerts.open_count() == 1


@pytest.mark.parametrize("kind", [AlertKind.LIGHT_FAILED, AlertKind.ACTOR_PARKED])
def test_what_was_judged_already_is_told_at_once(kind: AlertKind) -> None:
    assert OneSubject(kind).see(True, 0) == [Act.OPENED]


def test_an_open_alert_repeats_hourly_and_closes_once() -> None:
    subject = OneSubject(AlertKind.LIGHT_FAILED)
    assert subject.see(True, 0) == [Act.OPENED]
    assert subject.due(HOUR - 1) == []
    assert subject.due(HOUR) == [Act.REPEATED]
    assert subject.due(HOUR) == []
    (again,) = subject.alerts.due(NOW + 2 * HOUR)
    assert again.view.repeats == 2
    assert subject.see(False, 2 * HOUR + 1) == [Act.CLOSED]
    assert subject.see(False, 2 * HOUR + 2) == []
    assert subject.alerts.open_count() == 0


def test_flapping_is_told_once_and_not_again() -> None:
    subject = OneSubject(AlertKind.LIGHT_FAILED)
    told = subject.see(True, 0) + subject.see(False, 10)
    assert told == [Act.OPENED, Act.CLOSED]
    for flap in range(1, 50):
        assert subject.see(True, 30 * flap) == [Act.REOPENED]
        assert subject.see(False, 30 * flap + 15) == [Act.CLOSED_QUIETLY]
    assert subject.made == 1


def test_what_came_back_and_stays_is_told_when_it_has_lasted() -> None:
    subject = OneSubject(AlertKind.LIGHT_FAILED)
    subject.see(True, 0)
    subject.see(False, 10)
    assert subject.see(True, 100) == [Act.REOPENED]
    assert subject.due(219) == []
    assert subject.due(220) == [Act.OPENED]
    assert subject.see(False, 300) == [Act.CLOSED]
    assert subject.made == 1


def test_later_than_reopening_it_is_a_new_alert() -> None:
    subject = OneSubject(AlertKind.LIGHT_FAILED)
    subject.see(True, 0)
    subject.see(False, 10)
    assert subject.due(10 + POLICY.reopen_s) == []
    assert subject.see(True, 20 + POLICY.reopen_s) == [Act.OPENED]
    assert subject.made == 2
    assert subject.alerts.next_at() is not None


def test_a_thousand_alerts_at_once_are_carried_on_in_portions() -> None:
    subject = OneSubject()
    for number in range(1_500):
        subject.alerts.observe(
            Finding(AlertKind.GATEWAY_OFFLINE, f"g{number}", holds=True, text="away"), NOW
        )
    assert len(subject.alerts.due(NOW + 30)) == 1_000
    assert subject.alerts.next_at() == NOW + 30
    assert len(subject.alerts.due(NOW + 30)) == 500
    assert subject.alerts.due(NOW + 30) == []
    assert subject.alerts.next_at() == NOW + 30 + HOUR


def test_years_of_flapping_leave_no_trace() -> None:
    subject = OneSubject(AlertKind.LIGHT_FAILED)
    for flap in range(10_000):
        subject.see(True, 30 * flap)
        subject.see(False, 30 * flap + 15)
    assert subject.alerts._due.heap_size < 100


def stored(closed_at: float | None = None, *, announced: bool = True) -> StoredAlert:
    view = AlertView("old", "gateway_offline", "s", "away", NOW - 600, NOW - 600, 0, closed_at)
    return StoredAlert(view, announced, None if announced else NOW - 60)


def test_a_restart_neither_forgets_nor_repeats() -> None:
    subject = OneSubject()
    assert [view.id for view in subject.alerts.restore([stored()], NOW)] == ["old"]
    assert subject.see(True, 5) == []
    assert subject.due(5) == []
    assert subject.due(HOUR - 600) == [Act.REPEATED]
    assert subject.see(False, HOUR) == [Act.CLOSED]
    assert subject.made == 0


def test_a_restored_alert_that_is_over_is_closed() -> None:
    subject = OneSubject()
    subject.alerts.restore([stored()], NOW)
    assert subject.see(False, 5) == [Act.CLOSED]


def test_a_restored_alert_that_nothing_confirms_is_closed_in_the_end() -> None:
    subject = OneSubject()
    subject.alerts.restore([stored()], NOW)
    assert subject.due(POLICY.confirm_s - 1) == []
    (decision,) = subject.alerts.due(NOW + POLICY.confirm_s)
    assert decision.act is Act.CLOSED
    assert decision.view.close_reason == "not seen again since the restart"


def test_a_restored_quiet_alert_stays_quiet_until_it_has_lasted() -> None:
    subject = OneSubject()
    subject.alerts.restore([stored(announced=False)], NOW)
    assert subject.see(True, 1) == []
    assert subject.due(59) == []
    assert subject.due(60) == [Act.OPENED]


def test_a_restored_alert_closed_lately_reopens_under_its_id() -> None:
    subject = OneSubject()
    subject.alerts.restore([stored(closed_at=NOW - 10)], NOW)
    assert subject.see(True, 5) == [Act.REOPENED]
    assert subject.made == 0


def test_kinds_of_another_version_are_shown_and_left_alone() -> None:
    subject = OneSubject()
    odd = StoredAlert(AlertView("odd", "volcano", "s", "hot", NOW, NOW))
    assert subject.alerts.restore([odd], NOW)[0].id == "odd"
    assert subject.alerts.next_at() is None


def decision(number: int, act: Act, kind: str = "light_silent") -> Decision:
    closed_at = NOW if act is Act.CLOSED else None
    view = AlertView(
        f"a{number}", kind, f"d{number}", f"light {number} is silent", NOW - HOUR, NOW, 1, closed_at
    )
    return Decision(act, StoredAlert(view))


def test_few_alerts_are_told_one_by_one_and_many_in_one() -> None:
    few = notices([decision(number, Act.OPENED) for number in range(5)], NOW)
    assert few[0].title == "light silent: d0"
    assert len(few) == 5
    (many,) = notices([decision(number, Act.OPENED) for number in range(500)], NOW)
    assert many.title == "500 x light silent"
    assert many.body.endswith("and 495 more")
    assert len(many.alert_ids) == 500


def test_notices_say_whether_it_began_lasts_or_is_over() -> None:
    acts = [Act.OPENED, Act.REPEATED, Act.CLOSED, Act.REOPENED, Act.CLOSED_QUIETLY]
    made = notices([decision(number, act) for number, act in enumerate(acts)], NOW)
    assert [notice.title for notice in made] == [
        "light silent: d0",
        "still light silent: d1",
        "over: light silent: d2",
    ]
    assert "for 1.0 h" in made[1].body
    assert [notice.good_news for notice in made] == [False, False, True]
