"""The time of day as a port, so that no actor reads a wall clock by itself.

Two times, because they answer different questions:

* `steady` measures durations. It never goes back and never jumps when somebody sets the machine's
  clock, and where the system has a boot time it goes on while the host sleeps. Whoever waits for
  something, or orders what happened, uses this.
* `now` is the date: what people are shown and what is stored. It follows the machine's clock as
  that is set. A step of it is taken at one place (`look`, called by the timekeeper), never in the
  middle of somebody's calculation.

`now` is `steady` plus all steps so far, so that a date can be made from a steady time and back.
Whoever keeps dates as deadlines moves them by each step (`Steps`): an hour from now stays an hour
from now.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

STEP_S = 0.5
"""A difference from here on is a step. Time servers correct less than that (0.128 s in ntpd, 0.1 s
in systemd-timesyncd's usual case) by running slower or faster, which all clocks of a machine do
together; smaller steps add up until they are taken."""
SLEPT_S = 2.0
"""A difference between boot time and Trio's own clock from here on is a sleep of the host."""
STRADDLE_S = 0.005
"""Two clocks are read one after the other; a pair that took longer is read again."""
READS_MOST = 10
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Drawn by Linux at each boot (`man 4 random`)."""


class Clock(Protocol):
    """Tells the date and measures durations."""

    def now(self) -> float:
        """The date now, in Unix seconds UTC. It is stepped when the machine's clock is set."""
        ...

    def steady(self) -> float:
        """Seconds that only ever pass; they begin at the Unix time of the start."""
        ...

    @property
    def stepped_s(self) -> float:
        """How far `now` is ahead of `steady`: the sum of all steps since the start."""
        ...


@dataclass(frozen=True, slots=True)
class ClockNews:
    """What became of the machine's clock since it was last looked at, in seconds.

    `stepped_s` is how far it was set, backwards where negative; `slept_s` how long the host slept.
    """

    stepped_s: float = 0.0
    slept_s: float = 0.0

    def __bool__(self) -> bool:
        return self != ClockNews()


class RunClock:
    """The clock of one `trio.run`.

    It must be made inside `trio.run` and read from Trio's thread; elsewhere Trio raises
    RuntimeError. Without `wall` the date is `wall_at_start` and what has passed since: under a mock
    clock it follows virtual time. `wall` and `elapsed` are the machine's (see `of_machine`), or
    what a test makes of them.
    """

    __slots__ = (
        "_elapsed",
        "_elapsed_at_look",
        "_origin",
        "_stepped_s",
        "_trio_at_look",
        "_wall",
        "host",
    )

    def __init__(
        self,
        wall_at_start: float,
        *,
        wall: Callable[[], float] | None = None,
        elapsed: Callable[[], float] = trio.current_time,
        host: str = "",
    ) -> None:
        self.host = host
        """Names the boot of the host since which `elapsed` counts, so that two runs can compare it;
        empty where they cannot."""
        self._wall = wall
        self._elapsed = elapsed
        self._elapsed_at_look = elapsed()
        self._trio_at_look = trio.current_time()
        self._origin = wall_at_start - self._elapsed_at_look
        self._stepped_s = 0.0

    @classmethod
    def of_machine(cls) -> "RunClock":
        """The clock of this machine: its wall clock, and its boot time where it has one."""
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        if boot is None:
            return cls(time.time(), wall=time.time)
        try:
            host = BOOT_ID.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            host = ""
        return cls(
            time.time(), wall=time.time, elapsed=partial(time.clock_gettime, boot), host=host
        )

    def apart(self, ahead_s: float) -> "RunClock":
        """A clock that is so far ahead of this one, and that nobody sets."""
        return RunClock(self.now() + ahead_s, elapsed=self._elapsed, host=self.host)

    @property
    def stepped_s(self) -> float:
        """How far `now` is ahead of `steady`: the sum of all steps since the start."""
        return self._stepped_s

    @property
    def only_runs(self) -> bool:
        """Nobody sets it and no sleep of the host moves it, so `look` never finds anything."""
        return self._wall is None and self._elapsed is trio.current_time

    def now(self) -> float:
        """The date now, in Unix seconds UTC; resolution about 0.3 microseconds (a double)."""
        return self._origin + self._elapsed() + self._stepped_s

    def steady(self) -> float:
        """Seconds that only ever pass; they begin at the Unix time of the start."""
        return self._origin + self._elapsed()

    def elapsed_s(self, steady: float) -> float:
        """A steady time as seconds since the host booted."""
        return steady - self._origin

    def look(self) -> ClockNews:
        """Compare with the machine's clocks, and follow them from here on."""
        elapsed, trio_now = self._elapsed(), trio.current_time()
        slept_s = (elapsed - self._elapsed_at_look) - (trio_now - self._trio_at_look)
        self._elapsed_at_look, self._trio_at_look = elapsed, trio_now
        stepped_s = self._ahead_s()
        if abs(stepped_s) < STEP_S:
            stepped_s = 0.0
        self._stepped_s += stepped_s
        return ClockNews(stepped_s, slept_s if slept_s >= SLEPT_S else 0.0)

    def _ahead_s(self) -> float:
        """How far the machine's clock is ahead of `now`."""
        if self._wall is None:
            return 0.0
        ahead_s = 0.0
        for _ in range(READS_MOST):
            before = self.now()
            wall = self._wall()
            after = self.now()
            ahead_s = wall - (before + after) / 2.0
            if after - before < STRADDLE_S:  # else this process was stopped in between
                break
        return ahead_s


class Steps:
    """What one keeper of dates has to move them by: every step is handed out once."""

    __slots__ = ("_clock", "_taken_s")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken_s = clock.stepped_s

    @property
    def pending_s(self) -> float:
        """What the next `take` will return."""
        return self._clock.stepped_s - self._taken_s

    def take(self) -> float:
        """How far the date was set since the last call, in seconds; mostly 0."""
        by_s = self.pending_s
        self._taken_s += by_s
        return by_s
