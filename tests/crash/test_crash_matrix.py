"""The crash matrix: the service is killed at every commit of a day in turn, just before it reaches
the disk and just after, and nothing that was told to a caller is lost or false.

Not at random: the day is the same in each run, so each of its steps is tried.
"""

from collections.abc import Iterator

import pytest
import structlog

from actors.device.command import StepKind
from actors.device.records import read_command
from simulation.harness import determinism
from store.port import Table
from tests.crash.crash_scenario import Day, Moment, lights_in


@pytest.fixture
def quiet_deaths() -> Iterator[None]:
    """Catch what is logged."""
    with structlog.testing.capture_logs():  # each death would print a traceback
        yield


def lived(kill_at: int | None = None, moment: Moment = Moment.BEFORE) -> Day:
    day = Day(kill_at, moment)
    try:
        determinism.run(day.run, seed=1)
    except BaseException as error:
        error.add_note(f"killed {moment.value} commit {kill_at}: {_words(day, kill_at)}")
        raise
    return day


def _words(day: Day, number: int | None) -> object:
    return None if number is None or number > len(day.commits) else day.commits[number - 1]


def test_the_day_holds_what_it_is_meant_to_hold(quiet_deaths: None) -> None:
    day = lived()
    found = [read_command(record) for record in day.disk.records(Table.COMMAND)]
    kinds = [step.kind for command in found for step in command.timeline]
    for kind in (StepKind.VERIFIED, StepKind.SUPERSEDED, StepKind.UNPROVEN, StepKind.HELD):
        assert kind in kinds
    assert max(command.attempts for command in found) > 1, "a frame was lost and sent again"
    assert not day.world.network.faults._ordered, "a reply was lost"
    assert [s.joins for s in day.world.statistics().lights] == [1, 2]
    assert any(lights_in(writes) > 1 for writes in day.commits), "two lights in one commit"
    assert len(day.commits) > 50
    assert not day.killed


@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", Moment)
def test_killed_at_every_commit_nothing_told_is_lost_or_false(
    quiet_deaths: None, moment: Moment
) -> None:
    steps = len(lived().commits)
    for number in range(1, steps + 1):
        day = lived(number, moment)
        assert day.killed, f"commit {number} was never reached"
