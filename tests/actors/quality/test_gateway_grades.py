"""A gateway is as good as its worst line, and a line is as good as its evidence."""

from collections.abc import Mapping

import pytest

from actors.board.changes import GatewayView
from actors.device.model import Device, Hearing
from actors.link.judgement import AttemptJudged
from actors.link.loss_counters import LossCounters
from actors.quality.gateway_cells import CELL_S, CELLS_MOST, GatewayCell, GatewayPast
from actors.quality.gateway_watch import GatewayWatch
from actors.quality.grades import grade_of
from actors.quality.model import GatewayGrade, Grade, GradeLine, Line

NOW = 100 * CELL_S + 50.0
VIEW = GatewayView("aa", airtime_budget_s=360.0)


def day_cell(**fields: object) -> GatewayCell:
    cell = GatewayCell(100 * CELL_S, watched_s=80_000.0)
    for name, value in fields.items():
        setattr(cell, name, value)
    return cell


def graded(
    cell: GatewayCell, *before: GatewayCell, view: GatewayView = VIEW, only: int = 0
) -> GatewayGrade:
    past = GatewayPast([*before, cell])
    return grade_of(view, past, only=only, lights=40, tick_s=1.0, now=NOW)


def line(grade: GatewayGrade, name: Line) -> GradeLine:
    return next(one for one in grade.lines if one.line is name)


def test_a_gateway_of_which_nothing_was_seen_has_no_grade() -> None:
    found = grade_of(VIEW, GatewayPast(), only=0, lights=0, tick_s=1.0, now=NOW)
    assert (found.grade, found.worst) == (None, None)
    assert [one.grade for one in found.lines] == [None] * len(Line)
    assert [one.line for one in found.lines] == list(Line)


def test_a_gateway_without_a_bad_line_is_an_a_and_needs_no_reason() -> None:
    found = graded(day_cell(frames=100.0, at_once=100.0))
    assert (found.grade, found.worst) == (Grade.A, None)


def test_the_worst_line_is_the_grade_and_the_reason() -> None:
    found = graded(day_cell(frames=1_000.0, at_once=960.0, away_s=300.0))
    assert line(found, Line.AWAY).grade is Grade.B
    assert (found.grade, found.worst) == (Grade.C, Line.TAKEN)
    assert found.reason == "96.0 % of 1000 frames taken at the first try"


@pytest.mark.parametrize(
    ("minutes", "outages", "grade"),
    [
        (0, 0, "A"),
        (1, 1, "B"),
        (14, 1, "B"),
        (15, 1, "C"),
        (119, 3, "C"),
        (120, 1, "D"),
        (4, 4, "D"),
    ],
)
def test_time_away(minutes: int, outages: int, grade: str) -> None:
    found = line(graded(day_cell(away_s=minutes * 60.0, outages=outages)), Line.AWAY)
    assert found.grade == grade


@pytest.mark.parametrize(
    ("at_once", "of", "grade"),
    [(19, 19, None), (19, 20, "A"), (995, 1_000, "A"), (975, 1_000, "B"), (880, 1_000, "D")],
)
def test_frames_taken_need_evidence_for_a_bad_grade(at_once: int, of: int, grade: str) -> None:
    cell = day_cell(frames=float(of), at_once=float(at_once))
    assert line(graded(cell), Line.TAKEN).grade == grade


def test_a_frame_refused_for_power_or_frequency_is_a_d_at_once() -> None:
    found = graded(day_cell(frames=1.0, faults=1.0))
    assert (found.grade, found.worst) == (Grade.D, Line.TAKEN)
    assert "settings" in found.reason


def test_a_gateway_that_acknowledges_nothing_is_a_d_at_once() -> None:
    view = GatewayView("aa", airtime_budget_s=360.0, takes_nothing_since=5.0)
    assert graded(day_cell(), view=view).grade is Grade.D


@pytest.mark.parametrize(
    ("attempts", "answered", "grade"),
    [
        (10, 0, None),
        (400, 370, "A"),
        (400, 340, "B"),
        (400, 320, "C"),
        (400, 300, "D"),
        (20, 17, "A"),
    ],
)
def test_answers_are_measured_by_what_the_lights_promise(
    attempts: int, answered: int, grade: str | None
) -> None:
    each = 0.92
    cell = day_cell(
        attempts=attempts,
        answered=answered,
        promised=attempts * each,
        variance=attempts * each * (1 - each),
    )
    assert line(graded(cell), Line.ANSWERED).grade == grade


def test_a_lead_is_what_is_beyond_the_tick() -> None:
    found = line(graded(day_cell(leads={5: 94, 17: 6})), Line.LEAD)
    assert found.value == pytest.approx(0.8)
    assert found.grade is Grade.C
    assert line(graded(day_cell(leads={5: 100})), Line.LEAD).grade is Grade.A
    assert line(graded(day_cell(leads={5: 19})), Line.LEAD).grade is None


def test_uplinks_and_noise_are_compared_with_the_week_before() -> None:
    week = GatewayCell(50 * CELL_S, sent=2_000.0, heard=1_900.0, noise_db=-5_900.0, noises=50)
    same = graded(day_cell(sent=400.0, heard=380.0, noise_db=-2_360.0, noises=20), week)
    assert line(same, Line.UPLINKS).grade is Grade.A
    assert line(same, Line.NOISE).grade is Grade.A
    worse = graded(day_cell(sent=400.0, heard=300.0, noise_db=-2_260.0, noises=20), week)
    assert line(worse, Line.UPLINKS).grade is Grade.D
    assert line(worse, Line.NOISE).grade is Grade.C
    assert "noise -113 dBm, -118 dBm on the days before" in line(worse, Line.NOISE).words
    alone = graded(day_cell(sent=400.0, heard=300.0, noise_db=-2_260.0, noises=20))
    assert line(alone, Line.UPLINKS).grade is None, "there is no week to compare with"


@pytest.mark.parametrize(
    ("used", "held", "grade"),
    [(0.2, 0, "A"), (0.6, 0, "B"), (0.9, 0, "C"), (0.97, 0, "C"), (0.97, 1, "D")],
)
def test_airtime_is_bad_only_where_frames_waited_for_it(used: float, held: int, grade: str) -> None:
    assert line(graded(day_cell(airtime=used, held=held)), Line.AIRTIME).grade == grade


@pytest.mark.parametrize(("only", "grade"), [(0, "A"), (3, "A"), (4, "B"), (19, "B"), (40, "C")])
def test_lights_that_only_it_hears(only: int, grade: str) -> None:
    assert line(graded(day_cell(), only=only), Line.ALONE).grade == grade


def test_cells_are_of_three_hours_and_kept_for_eight_days() -> None:
    past = GatewayPast()
    for number in range(CELLS_MOST + 5):
        past.now(number * CELL_S + 1.0).sent = 1.0
    assert len(past.cells) == CELLS_MOST
    now = past.cells[-1].at + 100.0
    assert sum(1 for _ in past.day(now)) == 9
    assert sum(1 for _ in past.week(now)) == CELLS_MOST - 9


def hearing(gateway_id: str, *, latest: bool = True, snr_db: float = -5.0) -> Hearing:
    return Hearing(gateway_id, 0.0, -120, snr_db, snr_db + 12.5, latest)


def watch(*ids: str) -> tuple[GatewayWatch, Mapping[str, GatewayView]]:
    found, views = GatewayWatch(1.0), {one: GatewayView(one) for one in ids}
    found.begin(NOW)
    found.end(views, 60.0, watching=True)
    found.begin(NOW)
    return found, views


def cell_of(found: GatewayWatch, gateway_id: str) -> GatewayCell:
    past = found.past(gateway_id)
    assert past is not None
    return past.now(NOW)


def test_uplinks_count_for_every_gateway_in_reach() -> None:
    found, _ = watch("aa", "bb")
    heard_by = (hearing("aa"), hearing("bb", latest=False))
    found.uplinks(Device(dev_eui="1", hearings=heard_by), sent=3, heard=2)
    aa, bb = cell_of(found, "aa"), cell_of(found, "bb")
    assert (aa.sent, aa.heard, aa.noises, aa.noise_db) == (3.0, 2.0, 1, -115.0)
    assert (bb.sent, bb.heard, bb.noises) == (3.0, 0.0, 0)


def test_a_frame_that_nobody_took_is_shared_by_those_that_might_have() -> None:
    found, _ = watch("aa", "bb")
    device = Device(dev_eui="1", hearings=(hearing("aa"), hearing("bb")))
    found.not_taken(device, NOW, None)
    found.not_taken(device, NOW, "TX_POWER")
    assert (cell_of(found, "aa").frames, cell_of(found, "aa").faults) == (1.0, 0.5)


def test_a_txack_tells_the_lead_unless_the_light_held_the_frame_back() -> None:
    found, _ = watch("aa")
    found.taken("aa", NOW, 0.55, locked=False)
    found.taken("aa", NOW, 5.2, locked=True)
    found.taken("aa", NOW, 6.2, locked=False)
    found.taken("aa", NOW, None, locked=True)
    found.taken("stranger", NOW, 0.5, locked=False)
    cell = cell_of(found, "aa")
    assert cell.leads == {5: 1, 62: 1}
    assert (cell.frames, cell.at_once) == (4.0, 3.0)


def test_only_first_attempts_count_and_a_late_proof_is_made_good() -> None:
    found, _ = watch("aa")

    def told(*, first: bool = True, answered: bool, late: bool = False) -> None:
        attempt = AttemptJudged(1, "aa", first, answered, 0.9, late=late)
        found.judged(attempt, NOW)

    told(answered=True)
    told(answered=False)
    told(first=False, answered=False)
    told(answered=True, late=True)
    cell = cell_of(found, "aa")
    assert (cell.attempts, cell.answered) == (2, 2)
    assert cell.promised == pytest.approx(1.8)


def test_an_outage_is_counted_once_and_its_minutes_only_while_somebody_watched() -> None:
    found, _ = watch("aa")
    away = {"aa": GatewayView("aa", online=False, since=NOW)}
    for watching in (True, True, False):
        found.begin(NOW)
        found.end(away, 60.0, watching=watching)
    cell = cell_of(found, "aa")
    assert (cell.outages, cell.away_s, cell.watched_s) == (1, 120.0, 180.0)
    found.begin(NOW)
    assert found.end({}, 60.0, watching=False) == [], "no list says nothing of who is gone"
    assert found.end({}, 60.0, watching=True) == ["aa"]


def test_lights_near_a_gateway_tell_what_is_to_be_expected_there() -> None:
    found, views = watch("aa")
    counters = LossCounters(uplinks_heard=30, uplinks_lost=10, downlinks_heard=19, downlinks_lost=1)
    lights = [
        Device(dev_eui=f"{one}", hearings=(hearing("aa"),), losses=counters) for one in range(20)
    ]
    for light in lights[:19]:
        found.light(light)
    found.end(views, 60.0, watching=True)
    assert found.losses_near(lights[0]) is None
    found.begin(NOW)
    for light in lights:
        found.light(light)
    found.end(views, 60.0, watching=True)
    assert found.losses_near(lights[0]) == pytest.approx((0.25, 0.05))
