"""What all tests share: the clock of those that run in virtual time."""

import pytest
from trio.testing import MockClock

from simulation.harness.quick_clock import quick_clock


@pytest.fixture
def autojump_clock() -> MockClock:
    """In place of pytest-trio's, which does the same at a higher cost."""
    return quick_clock()
