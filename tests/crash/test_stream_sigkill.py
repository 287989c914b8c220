"""SIGKILL between the reading of an event and its commit loses no event of ChirpStack's stream."""

from pathlib import Path

import pytest

from tests.crash.killed_reader import kill_reader


@pytest.mark.timeout(300)
async def test_events_outlive_kills_of_the_service_that_reads_them(tmp_path: Path) -> None:
    tally = await kill_reader(tmp_path, seed=7, kills=6)
    assert tally.written > 500
