"""The timekeeper: notices within a second that the machine's clock was set, or that the host slept.

Nothing in the system tells a process of either. Trio's own clock stands still while the host
sleeps, so whoever waits for a moment is late by the time slept: after either event all that keep
times are told to look at them again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
import trio

from actors.clocks.clock import ClockNews, RunClock
from actors.clocks.clock_warnings import ClockWarnings
from actors.clocks.server_clock import ClockDifference

log = structlog.get_logger()

LOOK_S = 1.0
"""Two readings of a clock each second: a microsecond of work. A timer round after a step or a sleep
is late by this at most."""
LOOK_AT_SERVER_S = 10.0
"""Where our clock only runs, ChirpStack's is left to look at: it differs for minutes or more."""


@dataclass(frozen=True, slots=True)
class ClockStatistics:
    """Counted since the start. Seconds; None where nothing is known.

    `set_s` is the sum of all steps; `last_set_at` and `last_slept_at` are dates (Unix seconds) of
    when they were noticed. The last three say how far ChirpStack's clock is ahead of the date.
    """

    steps: int
    set_s: float
    last_set_s: float | None
    last_set_at: float | None
    sleeps: int
    last_slept_s: float | None
    last_slept_at: float | None
    server_ahead_s: float
    server_ahead_at_least_s: float | None
    server_ahead_at_most_s: float | None


class Timekeeper:
    """One actor. `listeners` are told of each step and sleep, `on_trouble` what is to be told of
    the clocks (ours, ChirpStack's), whenever that changed; none of them may wait."""

    def __init__(
        self,
        clock: RunClock,
        difference: Callable[[], ClockDifference],
        listeners: Sequence[Callable[[ClockNews], object]] = (),
        on_trouble: Callable[[str | None, str | None], object] = lambda host, server: None,
    ) -> None:
        self._clock = clock
        self._difference = difference
        self._listeners = tuple(listeners)
        self._on_trouble = on_trouble
        self._trouble = ClockWarnings()
        self._steps = self._sleeps = 0
        self._last_step: tuple[float, float] | None = None
        self._last_sleep: tuple[float, float] | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look at the clock every second, until cancelled."""
        look_s = LOOK_AT_SERVER_S if self._clock.only_runs else LOOK_S
        task_status.started()
        self._on_trouble(self._trouble.host, self._trouble.server)  # also what a restart ended
        while True:
            self.look()
            await trio.sleep(look_s)

    def look(self) -> ClockNews:
        """Look now; what was found has been told when this returns."""
        news = self._clock.look()
        if self._trouble.see(news, self._difference(), self._clock.steady()):
            self._on_trouble(self._trouble.host, self._trouble.server)
        if not news:
            return news
        if news.stepped_s:
            self._steps += 1
            self._last_step = news.stepped_s, self._clock.now()
            log.warning("the machine's clock was set", by_s=round(news.stepped_s, 3))
        if news.slept_s:
            self._sleeps += 1
            self._last_sleep = news.slept_s, self._clock.now()
            log.warning("the host slept", for_s=round(news.slept_s, 3))
        for listener in self._listeners:
            listener(news)
        return news

    def statistics(self) -> ClockStatistics:
        """What is known of the clocks, now."""
        server = self._difference()
        return ClockStatistics(
            steps=self._steps,
            set_s=self._clock.stepped_s,
            last_set_s=self._last_step and self._last_step[0],
            last_set_at=self._last_step and self._last_step[1],
            sleeps=self._sleeps,
            last_slept_s=self._last_sleep and self._last_sleep[0],
            last_slept_at=self._last_sleep and self._last_sleep[1],
            server_ahead_s=server.used_s,
            server_ahead_at_least_s=server.at_least_s,
            server_ahead_at_most_s=server.at_most_s,
        )
