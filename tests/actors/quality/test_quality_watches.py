"""Quality over records, rounds, restarts and a clock that is set: through its public doors."""

import random
from collections.abc import Sequence

import pytest

from actors.board.changes import GatewayView
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.events import AttemptNotSent
from actors.device.model import Device
from actors.device.policy import Policy
from actors.quality import repository
from actors.quality.model import Line, Rule
from actors.quality.quality import Quality
from actors.replace import replace
from lorawan.kuando.light_state import LightState
from store.memory import MemoryDisk, MemoryStore
from store.port import Delete, Record, Table, Write
from tests.reliability.prediction import BEGAN_AT, Lights, SetClock, SyntheticLight

DAY_S = 86_400.0
ROUND_S = 900.0
RED = LightState(255, 0, 0)


class Watch:
    """Quality, the board that it sees, the clock, and what it wrote."""

    def __init__(self) -> None:
        self.clock, self.board = SetClock(), Lights()
        self.board.gateways["aa"] = GatewayView("aa", airtime_budget_s=360.0)
        self.written: dict[str, bytes] = {}
        self.watching = True
        self.begin()

    def begin(self) -> None:
        """A new run of the service."""
        self.quality = Quality(
            self.board,
            self.clock,
            note=self._note,
            policy=Policy,
            watching=lambda: self.watching,
            tick_s=1.0,
            round_s=ROUND_S,
        )

    def restart(self) -> None:
        """All that is known is what was written."""
        self.begin()
        records = [Record(key, value, 0.0) for key, value in self.written.items()]
        self.quality.restore(repository.read(records))

    def round(self, *lights: SyntheticLight, seconds: float = ROUND_S) -> None:
        """Time passes, and the lights are looked at."""
        self.clock.at += seconds
        for light in lights:
            self.board.devices[light.dev_eui] = light.device
        for _ in self.quality.pieces():
            pass

    @property
    def since_s(self) -> float:
        """Of the synthetic lights' time."""
        return self.clock.at - BEGAN_AT

    def _note(self, writes: Sequence[Write]) -> None:
        for one in writes:
            match one:
                case Delete():
                    self.written.pop(one.key, None)
                case _:
                    assert one.table is Table.META
                    self.written[one.key] = one.value


@pytest.fixture
def watch() -> Watch:
    return Watch()


def light(number: int = 1, *, usual_db: float = 25.0) -> SyntheticLight:
    found = SyntheticLight(number, random.Random(number), 60.0)
    found.kind, found.usual_db = "well", usual_db
    return found


def live(watch: Watch, one: SyntheticLight, statuses: int) -> None:
    for _ in range(statuses):
        one.uplink(watch.since_s)
        watch.round(one)


def test_a_light_that_was_just_found_is_known_for_nothing(watch: Watch) -> None:
    watch.round(light())
    risk = watch.quality.light(light().dev_eui)
    assert risk is not None
    assert (risk.chance_30s, risk.uplink_loss, risk.margin_db) == (None, None, None)
    assert "nothing known yet" in risk.sentence
    assert watch.quality.light("stranger") is None
    assert watch.quality.days("stranger") == ()


def test_a_light_that_is_heard_well_is_nearly_sure_to_answer(watch: Watch) -> None:
    one = light()
    live(watch, one, 60)
    risk = watch.quality.light(one.dev_eui)
    assert risk is not None
    assert risk.chance_30s is not None
    assert risk.chance_30s > 0.99
    assert risk.sentence.startswith("above 99.9 %: none of the last ") or "99." in risk.sentence
    assert risk.warnings == ()


def test_its_chance_falls_as_statuses_are_missed_and_it_is_the_first_of_the_risks(
    watch: Watch,
) -> None:
    well, gone = light(1), light(2)
    for _ in range(40):
        well.uplink(watch.since_s)
        gone.uplink(watch.since_s)
        watch.round(well, gone)
    chances = []
    for _ in range(8):
        well.uplink(watch.since_s)
        watch.round(well)
        risk = watch.quality.light(gone.dev_eui)
        assert risk is not None
        assert risk.chance_30s is not None
        chances.append(risk.chance_30s)
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < 0.05
    assert [one.dev_eui for one in watch.quality.risks(5)] == [gone.dev_eui, well.dev_eui]
    assert len(watch.quality.risks(1)) == 1


def test_who_listens_to_nothing_takes_no_light_for_dark(watch: Watch) -> None:
    one = light()
    live(watch, one, 40)
    watch.watching = False
    for _ in range(40):
        watch.round(one)
    risk = watch.quality.light(one.dev_eui)
    assert risk is not None
    assert (risk.chance_30s or 0.0) > 0.9
    assert watch.quality.scores().silences == 0.0


def test_a_light_silent_for_four_hours_fell_silent_once(watch: Watch) -> None:
    one = light()
    live(watch, one, 40)
    for _ in range(15):
        watch.round(one)
    assert watch.quality.scores().silences == 0.0
    for _ in range(40):
        watch.round(one)
    scores = watch.quality.scores()
    assert (scores.silences, scores.unannounced) == (1.0, 1.0)
    assert "sudden deaths cannot be foretold" in scores.sentence
    watch.restart()
    for _ in range(40):
        watch.round(one)
    assert 0.9 < watch.quality.scores().silences <= 1.0, "it was told before the restart"


def test_a_light_that_joins_again_and_again_is_warned_of(watch: Watch) -> None:
    one = light()
    live(watch, one, 10)
    for _ in range(3):
        one.join(watch.since_s)
        live(watch, one, 4)
    risk = watch.quality.light(one.dev_eui)
    assert risk is not None
    assert [warning.rule for warning in risk.warnings] == [Rule.FLAPPING]
    assert "3 times in 24 h" in risk.sentence
    live(watch, one, 97)
    after = watch.quality.light(one.dev_eui)
    assert after is not None
    assert after.warnings == ()


def test_days_begin_at_midnight_and_tell_both_directions(watch: Watch) -> None:
    one = light()
    live(watch, one, 96 * 2)
    watch.quality.transmitted(one.dev_eui, "aa", None)
    days = watch.quality.days(one.dev_eui)
    assert len(days) in {2, 3}
    assert all(day.at % DAY_S == 0.0 for day in days)
    assert days[-2].uplinks_counted == 96
    assert days[-2].uplink_loss is not None
    assert (days[-2].margin_db or 0.0) > 15.0
    assert (days[-1].downlinks_counted, days[-1].downlink_loss) == (1, 1.0)
    assert days[-2].downlink_loss is None


def test_all_of_it_is_the_same_after_a_restart(watch: Watch) -> None:
    lights = [light(number) for number in range(5)]
    for _ in range(96 * 3):
        for one in lights:
            one.uplink(watch.since_s)
        watch.round(*lights)
    lights[0].join(watch.since_s)
    for _ in range(70):  # every group of lights is written once in 64 rounds
        watch.round(*lights, seconds=0.0)
    before = [watch.quality.days(one.dev_eui) for one in lights]
    scores = watch.quality.scores()
    watch.restart()
    watch.round(*lights, seconds=0.0)
    assert [watch.quality.days(one.dev_eui) for one in lights] == before
    again = watch.quality.scores()
    assert again.light_months == pytest.approx(scores.light_months)
    assert (again.commands, again.silences) == (scores.commands, scores.silences)
    grade, airtime = watch.quality.gateway("aa"), Line.AIRTIME
    assert grade is not None
    assert next(one for one in grade.lines if one.line is airtime).grade is not None


def test_what_is_not_seen_again_leaves_the_store(watch: Watch) -> None:
    one = light()
    live(watch, one, 70)
    assert any(key.startswith("quality:lights:") for key in watch.written)
    assert "quality:gateway:aa" in watch.written
    watch.board.devices.clear()
    watch.board.gateways.clear()
    for _ in range(64):
        watch.round()
    assert not any(key.startswith("quality:lights:") for key in watch.written)
    assert "quality:gateway:aa" not in watch.written


def test_a_record_that_cannot_be_read_begins_anew_and_spares_the_others(watch: Watch) -> None:
    one = light()
    live(watch, one, 70)
    watch.written["quality:scores"] = b"{"
    for odd in (b'{"%s":{"past":{"days":[99999,0,0,0,0]}}}', b'{"%s":{"past":{"today":"QUI="}}}'):
        watch.written["quality:lights:99"] = odd % one.dev_eui.encode()
        record = Record("quality:lights:99", watch.written["quality:lights:99"], 0.0)
        assert repository.read([record]).lights == {}
    watch.restart()
    watch.round(one)
    assert watch.quality.scores().light_months < 0.001
    assert watch.quality.days(one.dev_eui)[-1].uplinks_counted > 0


def test_commands_are_judged_by_the_chance_that_was_said_at_their_acceptance(watch: Watch) -> None:
    one = light()
    live(watch, one, 40)
    for number in range(25):
        at = watch.clock.at
        command = Command(f"c{number}", one.dev_eui, RED, True, at, at + DAY_S)
        watch.quality.shown(command)
        queued = (Step(at, StepKind.QUEUED),)
        watch.quality.shown(replace(command, status=CommandStatus.QUEUED, timeline=queued))
        done = replace(command, status=CommandStatus.VERIFIED, timeline=queued, ended_at=at + 5.0)
        watch.quality.shown(done)
        watch.quality.shown(done)
        live(watch, one, 1)
    scores = watch.quality.scores()
    assert scores.commands == pytest.approx(25.0, abs=0.5)
    assert (scores.brier or 1.0) < 0.001
    assert scores.bins[9].count == scores.commands


def test_no_chance_is_said_where_the_air_does_not_decide(watch: Watch) -> None:
    one = light()
    live(watch, one, 40)
    one.device = replace(one.device, disabled_at=watch.clock.at)
    watch.round(one)
    risk = watch.quality.light(one.dev_eui)
    assert risk is not None
    assert risk.chance_30s is None
    assert risk.sentence.startswith("it is disabled in ChirpStack")


def test_a_clock_that_is_set_makes_no_silences_and_no_days(watch: Watch) -> None:
    one = light()
    live(watch, one, 40)
    days = len(watch.quality.days(one.dev_eui))
    by_s = 400 * DAY_S
    watch.clock.at += by_s
    watch.clock.stepped_s += by_s
    session = one.device.session
    assert session is not None
    moved = replace(session, heard_at=session.heard_at + by_s)
    one.device = replace(one.device, session=moved)
    watch.round(one)
    assert watch.quality.scores().silences == 0.0
    assert len(watch.quality.days(one.dev_eui)) == days


def test_frames_that_no_gateway_took_lower_its_grade(watch: Watch) -> None:
    one = light()
    live(watch, one, 10)
    for _ in range(30):
        watch.quality.transmitted(one.dev_eui, "aa", watch.clock.steady() - 0.5)
    for number in range(6):
        watch.quality.dispatched(one.dev_eui, AttemptNotSent(number, "no gateway took the frame"))
    watch.round(one)
    grade = watch.quality.gateway("aa")
    assert grade is not None
    taken = next(found for found in grade.lines if found.line is Line.TAKEN)
    assert taken.count == 36
    assert taken.grade == "D"
    assert [one.gateway_id for one in watch.quality.gateways()] == ["aa"]
    assert watch.quality.gateway("stranger") is None


async def test_what_was_written_is_read_from_a_store(watch: Watch) -> None:
    one = light()
    live(watch, one, 70)
    store = MemoryStore(MemoryDisk())
    await store.open()
    kept = {key: value for key, value in watch.written.items() if key.startswith("quality:lights:")}
    records = repository.read([Record(key, value, 0.0) for key, value in kept.items()])
    puts = [
        repository.lights_put(shard, records.lights, 5.0)
        for shard in repository.shards_of(records.lights)
    ]
    await store.commit(puts)
    again = repository.read(await store.scan(Table.META))
    assert again.lights == records.lights
    assert isinstance(one.device, Device)
    await store.close()
