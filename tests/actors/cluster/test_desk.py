"""What the desk takes from stored records is what the lights' own effects would have said."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule

from actors.cluster.desk import Desk
from actors.device import events as ev
from actors.device.clock_step import moved
from actors.device.effects import Effect, Submit, Withdraw
from actors.device.machine import step
from actors.device.model import Attempt, Device, Hearing, Stage
from actors.device.records import read_device, writes_of
from actors.replace import replace
from lorawan.kuando.frames import RequestStatus
from store.port import Put, Record
from tests.model.test_machine_model import EXAMPLES, MachineAgainstWorld

DEV_EUI = "2020200000000001"


class Told:
    """A dispatcher that remembers what it was given."""

    def __init__(self) -> None:
        self.holds: Attempt | None = None
        self.calls: list[tuple[str, int | None]] = []

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        self.holds = attempt
        self.hearings = hearings
        self.calls.append(("submit", attempt.number))

    def withdraw(self, dev_eui: str) -> None:
        self.holds = None
        self.calls.append(("withdraw", None))


def stored(device: Device, event: ev.DeviceEvent, effects: list[Effect]) -> Device:
    """The record as another process reads it."""
    put = writes_of(device, effects, event, 0.0, "entry")[0]
    assert isinstance(put, Put)
    return read_device(Record(put.key, put.value, put.at))


class DeskAgainstEffects(MachineAgainstWorld):
    """The model of the machine, whose dispatcher is given only what the desk says."""

    def __init__(self) -> None:
        super().__init__()
        self.by_records, self.by_effects = Told(), Told()
        self.desk = Desk(self.by_records)

    def tell(self, event: ev.DeviceEvent, chance: float = 0.5) -> None:
        before = self.device
        self.device, effects = step(before, event, self.world.now, chance, self.policy)
        said = [effect for effect in effects if isinstance(effect, Submit | Withdraw)]
        for effect in said:
            if isinstance(effect, Submit):
                self.by_effects.submit(DEV_EUI, effect.attempt, self.device.hearings)
            else:
                self.by_effects.withdraw(DEV_EUI)
        for effect in effects:
            if not isinstance(effect, Submit | Withdraw):
                self._carry_out(effect)
        self.by_records.calls.clear()
        if self.device is not before or effects:
            self.desk.changed(stored(self.device, event, effects))
        self._same(said, event)
        for kind, _ in self.by_records.calls:
            given = self.by_records.holds
            self._carry_out(Submit(given) if kind == "submit" and given else Withdraw())
        while self.owed:
            self.tell(self.owed.pop(0), chance)

    def _same(self, said: list[Submit | Withdraw], event: ev.DeviceEvent) -> None:
        records, effects = self.by_records, self.by_effects
        assert len(records.calls) <= 1
        if said and isinstance(said[-1], Submit):
            assert records.calls == [("submit", said[-1].attempt.number)]
            assert records.holds == said[-1].attempt
            assert records.hearings == effects.hearings
        else:
            assert all(kind == "withdraw" for kind, _ in records.calls)
            if records.calls and not said:  # what the dispatcher itself gave away, and over at once
                assert isinstance(event, ev.AttemptQueued | ev.AttemptRefused)
                effects.withdraw(DEV_EUI)
        assert records.holds == effects.holds

    @rule(by_s=st.sampled_from([-3600.0, 7200.0]))
    def clock_is_set(self, by_s: float) -> None:
        """Every date of the record moves, and nothing is submitted for that."""
        self.by_records.calls.clear()
        self.desk.changed(moved(self.device, by_s))
        assert not self.by_records.calls


SEARCH = settings(
    max_examples=int(EXAMPLES or 200),
    stateful_step_count=40,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDeskAgainstEffects = DeskAgainstEffects.TestCase
TestDeskAgainstEffects.settings = SEARCH


def light(stage: Stage | None, number: int = 1, times: int = 1) -> Device:
    attempt = None
    if stage is not None:
        attempt = Attempt(number, RequestStatus(), 1, 0.0, 0.0, False, stage=stage)
        attempt = replace(attempt, handed_over=times)
    return Device(dev_eui=DEV_EUI, attempt=attempt)


def test_a_new_dispatcher_is_given_all_that_is_open_and_nothing_that_is_on_the_air() -> None:
    told = Told()
    desk = Desk(told)
    for stage in (None, Stage.TRANSMITTED):
        desk.start([light(stage)])
        assert told.calls == []
    for stage in (Stage.SUBMITTED, Stage.HELD, Stage.QUEUED):
        desk.start([light(stage)])
        assert told.calls.pop() == ("submit", 1)
    assert len(desk) == 1


def test_changes_that_were_not_seen_one_by_one_end_where_the_newest_record_stands() -> None:
    told = Told()
    desk = Desk(told)
    desk.changed(light(Stage.SUBMITTED, 1))
    desk.changed(light(Stage.SUBMITTED, 3))
    desk.changed(light(Stage.HELD, 3, 4))
    desk.changed(light(None, 3))
    desk.changed(light(Stage.QUEUED, 4, 2))
    desk.changed(light(Stage.TRANSMITTED, 4, 2))
    assert told.calls == [
        ("submit", 1),
        ("submit", 3),
        ("submit", 3),
        ("withdraw", None),
        ("submit", 4),
    ]
    assert len(desk) == 0


def test_a_light_that_is_gone_is_withdrawn_once() -> None:
    told = Told()
    desk = Desk(told)
    desk.changed(light(Stage.HELD))
    desk.removed(DEV_EUI)
    desk.removed(DEV_EUI)
    assert told.calls == [("submit", 1), ("withdraw", None)]


def test_what_a_dispatcher_before_this_one_queued_is_followed_if_this_one_still_holds_it() -> None:
    told = Told()
    waits = {DEV_EUI}
    desk = Desk(told, waits=waits.__contains__)
    desk.changed(light(Stage.SUBMITTED))
    desk.changed(light(Stage.QUEUED))
    assert told.calls == [("submit", 1), ("submit", 1)]
    assert told.holds is not None
    assert told.holds.stage is Stage.QUEUED
    waits.clear()
    desk.changed(light(Stage.SUBMITTED, 2))
    desk.changed(light(Stage.QUEUED, 2))
    assert told.calls[2:] == [("submit", 2)]


def test_what_the_dispatcher_dealt_with_and_no_record_tells_is_handed_on_again_at_the_second_look():
    told = Told()
    owed: set[tuple[str, int, bool]] = set()
    desk = Desk(told, owes=lambda *asked: asked in owed)
    waiting, queued = light(Stage.SUBMITTED), light(Stage.QUEUED)
    desk.changed(waiting)
    assert [desk.look({DEV_EUI: waiting}) for _ in range(3)] == [0, 0, 0]
    owed.add((DEV_EUI, 1, False))
    assert [desk.look({DEV_EUI: waiting}) for _ in range(4)] == [0, 1, 0, 1]
    desk.changed(queued)
    assert [desk.look({DEV_EUI: queued}) for _ in range(3)] == [0, 0, 0]
    owed.add((DEV_EUI, 1, True))
    assert [desk.look({DEV_EUI: queued}) for _ in range(2)] == [0, 1]
    assert told.calls == [("submit", 1)] * 4
    desk.changed(light(None))
    assert [desk.look({}) for _ in range(3)] == [0, 0, 0]


def test_news_that_came_between_two_looks_was_on_its_way():
    told = Told()
    desk = Desk(told, owes=lambda *asked: True)
    for number in range(1, 5):
        desk.changed(light(Stage.SUBMITTED, number))
        assert desk.look({DEV_EUI: light(Stage.SUBMITTED, number)}) == 0
