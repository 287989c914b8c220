"""A network server that is frozen: stopped by its host, or waiting for a disk that does not answer.

What arrives meanwhile waits in sockets, in order, and is handled at once when the server goes on,
whether or not somebody still waits for the answer. It has no bound of its own: a freeze ends after
minutes, and the world makes a few events a second.
"""

from collections.abc import Callable
from typing import Any

from simulation.world.scheduler import Scheduler


class Freezer:
    """`frozen` from `freeze` to `thaw`; both may be called in any order and again."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    @property
    def frozen(self) -> bool:
        """Whether the server stands still."""
        return self._scheduler.paused

    def freeze(self) -> None:
        """The server does nothing from now on."""
        self._scheduler.paused = True

    def thaw(self) -> None:
        """It goes on, with what waited first."""
        self._scheduler.paused = False
        waiting, self._waiting = self._waiting, []
        for work, args in waiting:
            work(*args)
        self._scheduler.plan()

    def work(self, work: Callable[..., object], *args: Any) -> None:
        """Do it now, or when the server goes on."""
        if self.frozen:
            self._waiting.append((work, args))
        else:
            work(*args)

    def through(self, work: Callable[..., object]) -> Callable[..., None]:
        """The same work, but waiting while the server stands still."""

        def when_it_goes_on(*args: Any) -> None:
            self.work(work, *args)

        return when_it_goes_on
