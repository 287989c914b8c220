"""What all tests share: how log lines look, a garbage collector that leaves alone what is there for
good, signals as who starts a program has them, and the clock of those that run in virtual time."""

import gc
import signal
from pathlib import Path

import pytest
import structlog
from trio.testing import MockClock

from simulation.harness.quick_clock import quick_clock
from tests.support.clock_and_threads import stand_still_for_threads

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

GC_THRESHOLDS = (5_000, 10, 10)
"""Objects until the youngest are looked at, and how often until older ones are, too. Python's own
(700, 10, 10) look so often that it takes a third of the time of the tests."""


def pytest_configure() -> None:
    """Where the tests run behind a shell (`&`, `nohup`), hangups or Ctrl-C are ignored, and every
    program that a test starts would inherit that. A handler is not inherited."""
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _ignore)


def _ignore(_number: int, _frame: object) -> None:
    """As it was for these tests."""


def pytest_collectstart() -> None:
    """Modules and tests come to stay: to look for garbage among them is in vain, and takes a tenth
    of the time in which each worker collects."""
    gc.disable()


ORDER = (
    *("browser", "api", "docs"),
    *("e2e", "cli", "client", "deploy", "drill", "compatibility", "support", "test_tidy.py"),
    *("simulated_world", "application", "reliability", "model", "crash"),
    *("actors/quality", "actors"),
    *("store", "simulation", "fuzz", "lorawan"),
)
"""Each of four workers begins with a quarter of the tests. So near the beginning of each quarter is
what takes long, and at its end, where who has nothing left helps, what takes milliseconds; else the
end is one worker with a browser, and three that look on. Of these, what waits for servers and
processes comes before what computes. Quarters part within docs, simulated_world and actors."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of `ORDER`; what is not named there comes last."""
    rank = {name: number for number, name in enumerate(ORDER)}
    root = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder, *rest = item.path.relative_to(root).parts
        return rank.get("/".join((folder, *rest[:1])), rank.get(folder, len(rank)))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Modules and tests, 200,000 objects and more, stay until the end: they are never looked at
    again. What a test leaves behind is, as ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()


@pytest.fixture
def autojump_clock(monkeypatch: pytest.MonkeyPatch) -> MockClock:
    """In place of pytest-trio's, which costs more and jumps while a thread works."""
    clock = quick_clock()
    stand_still_for_threads(clock, monkeypatch)
    return clock
