"""Hooks through a few kills of the service and its receiver; `make crash` does a hundred."""

from pathlib import Path

import pytest

from tests.crash.killed_receiver import tell_under_kills


@pytest.mark.timeout(240)
async def test_every_verdict_is_told_truly_and_in_order_through_kills_and_restarts(
    tmp_path: Path,
) -> None:
    told = await tell_under_kills(tmp_path, seed=3, kills=3)
    assert told.events == told.tally.accepted
    assert told.restarts >= 3
