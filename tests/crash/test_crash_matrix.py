"""The crash matrix: the service is killed at every commit of a day in turn, and nothing that was
told to a caller is lost or false.

Not at random: the day is the same in each run, so each of its steps is tried.
"""

from collections.abc import Iterator

import pytest
import structlog

from actors.device.command import StepKind
from actors.device.records import read_command
from store.port import Table
from tests.crash.crash_scenario import Moment, lights_in, lived


@pytest.fixture
def quiet_deaths() -> Iterator[None]:
    """Catch what is logged."""
    with structlog.testing.capture_logs():  # each death would print a traceback
        yield


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


def test_killed_at_every_commit_nothing_told_is_lost_or_false(quiet_deaths: None) -> None:
    """Just before the commit reaches the disk and just after it, in turn; `make crash` kills at
    each commit in both moments."""
    moments = {1: Moment.BEFORE, 0: Moment.AFTER}
    steps = len(lived().commits)
    for number in range(1, steps + 1):
        day = lived(number, moments[number % 2])
        assert day.killed, f"commit {number} was never reached"
