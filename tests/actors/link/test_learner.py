"""What attempts and rounds teach: a new snapshot when it matters, bounded, and stored."""

import msgspec
import pytest

from actors.link import learner as module
from actors.link.fleet_rates import Census, FleetRates, FleetRecord
from actors.link.judgement import AttemptJudged
from actors.link.knowledge import DAY_S, NOTHING_KNOWN
from actors.link.learner import FLEET_KEY, REVISION_KEY, REVISIONS_MOST, STORE_EACH_S, Learner
from store.port import Delete, Put, Record, Table

REV = 61


def judged(
    answer_s: float | None = 0.3,
    *,
    sw_rev: int | None = REV,
    answered: bool = True,
    late: bool = False,
    gap_s: float | None = None,
    delay_s: float | None = None,
) -> AttemptJudged:
    return AttemptJudged(
        number=1,
        gateway_id="a1",
        first=gap_s is None,
        answered=answered,
        expected=0.9,
        answer_s=answer_s,
        server_delay_s=delay_s,
        sw_rev=sw_rev,
        spreading_factor=9,
        late=late,
        gap_s=gap_s,
    )


def taught(answers: int = 120, *, sw_rev: int = REV, answer_s: float = 0.3) -> Learner:
    learner = Learner()
    for _ in range(answers):
        learner.judged(judged(answer_s, sw_rev=sw_rev, delay_s=answer_s))
    return learner


def records(learner: Learner, now: float = 0.0) -> list[Record]:
    """What it stores, as it is read back."""
    writes = learner.writes(now, 1_000.0 + now, all_of_it=True)
    return [Record(one.key, one.value, one.at) for one in writes if isinstance(one, Put)]


def test_a_snapshot_is_made_when_something_changed_and_else_not() -> None:
    learner = Learner()
    told = [learner.judged(judged()) for _ in range(200)]
    assert [number for number, changed in enumerate(told, start=1) if changed] == [20, 100]
    assert learner.knowledge.answer_waits_s[REV] == pytest.approx(0.35, abs=0.05)
    assert learner.knowledge.spacing_proven == {REV}
    assert learner.statistics().snapshots == 2


def test_revisions_are_learned_apart() -> None:
    learner = taught()
    for _ in range(30):
        learner.judged(judged(4.0, sw_rev=62))
    waits = learner.knowledge.answer_waits_s
    assert waits[REV] < 0.5 < 4.0 < waits[62]
    assert learner.knowledge.spacing_proven == {REV}
    assert learner.answer_delays_s(62) == learner.answer_delays_s(None) == ()
    assert set(learner.answer_delays_s(REV)) == {0.3}


def test_an_answer_of_which_it_is_not_clear_what_it_answers_teaches_no_time() -> None:
    learner = Learner()
    for _ in range(50):
        learner.judged(judged(None))
        learner.judged(judged(0.3, sw_rev=None))
    assert learner.knowledge is NOTHING_KNOWN
    assert learner.statistics().ambiguous == 50


def test_a_late_answer_teaches_as_any_other() -> None:
    learner = taught()
    for _ in range(3):
        learner.judged(judged(None, answered=False))
        learner.judged(judged(4.0, answered=False, late=True))
    assert learner.knowledge.answer_waits_s[REV] > 4.0
    assert learner.statistics().late == 3


def test_a_heartbeat_taken_for_an_answer_is_no_reason_against_short_spacing() -> None:
    learner = taught(110)
    learner.judged(judged(31.0))
    assert learner.knowledge.spacing_proven == {REV}
    learner.judged(judged(4.5))
    assert learner.knowledge.spacing_proven == frozenset(), "an answer may take so long"


def test_near_frames_that_get_lost_are_told_to_the_lights() -> None:
    learner = taught()
    told = [learner.judged(judged(None, answered=False, gap_s=5.1)) for _ in range(8)]
    assert told.count(True) == 1
    assert learner.knowledge.spacing_proven == frozenset()
    kept = taught()
    for _ in range(30):
        kept.judged(judged(None, answered=False, gap_s=5.1))
        kept.judged(judged(None, answered=False, late=True, gap_s=5.1))
    assert kept.knowledge.spacing_proven == {REV}, "all of them were answered, if late"


def test_of_too_many_revisions_the_one_that_answered_longest_ago_is_forgotten() -> None:
    learner = Learner()
    for number in range(REVISIONS_MOST):
        learner.judged(judged(sw_rev=number))
    records(learner)
    learner.judged(judged(sw_rev=0))
    learner.judged(judged(sw_rev=99))
    found = learner.statistics()
    assert (len(found.revisions), found.forgotten) == (REVISIONS_MOST, 1)
    assert 1 not in found.revisions
    assert Delete(Table.META, f"{REVISION_KEY}1") in learner.writes(1.0, 1_001.0)


def test_what_was_stored_is_known_again_after_a_restart() -> None:
    learner = taught()
    learner.counted(Census(90 * DAY_S, 30, 1_000, 200, 1_000, 10), 600.0)
    again = Learner()
    assert again.restore(records(learner)) == []
    assert again.knowledge == learner.knowledge
    assert again.knowledge.spacing_proven == {REV}
    assert again.answer_delays_s(REV) == learner.answer_delays_s(REV)
    assert again.statistics().revisions == learner.statistics().revisions
    assert records(again) == [], "nothing of it is new"


def test_records_are_few_small_and_written_rarely() -> None:
    learner = Learner()
    for answers in range(600):
        learner.judged(judged(0.01 + answers * 0.4, delay_s=answers / 7))
    (one,) = [record for record in records(learner) if record.key != FLEET_KEY]
    assert len(one.value) < 5_000
    assert learner.writes(0.0, 1_000.0, all_of_it=True) == []
    learner.judged(judged())
    assert learner.writes(STORE_EACH_S - 1, 1_000.0) == []
    assert len(learner.writes(STORE_EACH_S, 1_000.0)) == 1
    for _ in range(module.STORE_AT_SAMPLES):
        learner.judged(judged())
    assert len(learner.writes(STORE_EACH_S + 60, 1_000.0)) == 1, "much is new"


@pytest.mark.parametrize(
    "value", [b"", b"nonsense", b'{"v":1,"times":7,"light_s":"x"}', b'{"v":99,"times":{}}', b"[]"]
)
@pytest.mark.parametrize("key", [f"{REVISION_KEY}{REV}", FLEET_KEY, f"{REVISION_KEY}x"])
def test_a_record_that_cannot_be_read_is_told_kept_and_no_crash(key: str, value: bytes) -> None:
    learner = Learner()
    (found,) = learner.restore([Record(key, value, 5.0)])
    assert found[0] == key
    for _ in range(50):
        learner.judged(judged())
    learner.counted(Census(uplinks=900.0, uplinks_lost=400.0), 600.0)
    assert learner.knowledge.answer_waits_s, "learned anew"
    assert key not in {one.key for one in records(learner)}


def test_a_record_without_later_fields_and_others_records_are_read_over() -> None:
    learner = Learner()
    old = Record(f"{REVISION_KEY}58", b'{"v":1,"times":{"counts":[[40,30]],"samples":30}}', 1.0)
    other = Record("set-back", b"what others keep", 2.0)
    assert learner.restore([other, old]) == []
    assert learner.knowledge.answer_waits_s.keys() == {58}


def test_the_fleets_losses_are_those_its_lights_counted() -> None:
    learner = Learner()
    assert not learner.counted(Census(), 600.0), "as nothing was counted"
    assert learner.counted(Census(uplinks=3_000, uplinks_lost=600, downlinks=900), 600.0)
    known = learner.knowledge
    assert known.uplink_loss == pytest.approx((7 + 600) / 3_100)
    assert known.downlink_loss == pytest.approx(3 / 1_000)
    assert not learner.counted(Census(uplinks=3_000, uplinks_lost=601, downlinks=900), 600.0)


def test_the_dark_rate_is_learned_from_silences_and_forgets() -> None:
    rates = FleetRates()
    assert rates.dark_per_s * DAY_S == pytest.approx(0.035)
    for _ in range(30):
        rates.counted(Census(light_s=100 * DAY_S, silences=100), DAY_S)
    assert rates.dark_per_s * DAY_S == pytest.approx(1.0, rel=0.05), "switched off each night"
    for _ in range(90):
        rates.counted(Census(light_s=100 * DAY_S, silences=1), DAY_S)
    assert rates.dark_per_s * DAY_S < 0.15
    assert FleetRates(rates.record()).dark_per_s == pytest.approx(rates.dark_per_s)


def test_rates_of_an_odd_record_are_the_general_ones() -> None:
    odd = FleetRecord(light_s=-1.0, silences=float("inf"), uplink_loss=7.0, downlink_loss=0.0)
    rates = FleetRates(odd)
    general = FleetRates()
    assert rates.record() == general.record()
    assert msgspec.json.decode(msgspec.json.encode(rates.record()), type=FleetRecord)
