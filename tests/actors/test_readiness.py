"""Which trouble of the store sends callers elsewhere, and which is only worth knowing."""

from types import SimpleNamespace
from typing import Any

import pytest

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.readiness import ReadinessCheck
from actors.supervision.tree import ActorTree

START = 1_760_000_000.0


@pytest.mark.parametrize(
    ("failing_since", "stopped_since", "problem", "warning"),
    [
        (None, None, False, False),
        (START, 100.0, True, False),
        (START, None, False, True),
    ],
)
async def test_a_part_of_the_store_that_cannot_be_written_is_a_warning(
    failing_since: float | None, stopped_since: float | None, problem: bool, warning: bool
) -> None:
    store: Any = SimpleNamespace(
        failing_since=failing_since, stopped_since=stopped_since, problem="no answer"
    )
    webhooks: Any = SimpleNamespace(warnings=list)
    clock = RunClock(START)
    found = ReadinessCheck(
        ActorTree(clock),
        store,
        lambda: None,
        lambda: None,
        Board(clock, "boot"),
        webhooks,
    ).check()
    assert ("the store cannot be written: no answer" in found.problems) is problem
    assert ("a part of the store cannot be written: no answer" in found.warnings) is warning
