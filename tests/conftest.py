"""What all tests share: how log lines look, and the clock of those that run in virtual time."""

import pytest
import structlog
from trio.testing import MockClock

from simulation.harness.quick_clock import quick_clock

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        # A traceback in colours, with the locals of each frame, takes half a second of CPU, and
        # hundreds of actors are made to crash.
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


@pytest.fixture
def autojump_clock() -> MockClock:
    """In place of pytest-trio's, which does the same at a higher cost."""
    return quick_clock()
