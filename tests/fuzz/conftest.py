"""The hypothesis profiles of this folder, and no logs.

The normal run is the same every time; only `make fuzz` seeks something new.
"""

import os
from collections.abc import Iterator

import pytest
import structlog

from actors.supervision import ChildReport
from tests.support.fake_application import FakeApplication

SEEKS = "FUZZ_FACTOR" in os.environ
"""Whether something new is sought."""


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[list[dict[str, object]]]:
    """Catch what is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def application() -> FakeApplication:
    return FakeApplication()


def rounds(normal: int) -> int:
    """How many examples: `FUZZ_FACTOR` times as many as in the normal run."""
    return normal * int(os.environ.get("FUZZ_FACTOR", "1"))


def restarts(report: ChildReport) -> int:
    """Restarts of an actor and of all below it."""
    return report.restarts + sum(restarts(child) for child in report.children)
