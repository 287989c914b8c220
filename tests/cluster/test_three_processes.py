"""Three real processes under load, hurt some times: what `make crash` does at length."""

import pytest

from tests.cluster.hurt import hurt


@pytest.mark.timeout(600)
async def test_whatever_dies_or_stands_still_no_accepted_command_is_lost() -> None:
    """Some minutes, in which everybody mostly waits; few lights have their settings soon."""
    tally = await hurt(("kill", "pause", "kill master"), seed=3, lights=4)
    assert tally.accepted > 50, tally
    assert tally.refused == 0, tally
