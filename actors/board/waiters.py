"""Waiting until something on the board satisfies a condition, woken by the change itself.

The condition is judged at each change, not when the waiting task runs, so that a state that lasted
only an instant is not missed.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Waiters(Generic[T]):
    """The tasks that wait, by the key of what they wait for; other keys cost nothing."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, list[_Waiter[T]]] = {}

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._waiting.values())

    def tell(self, key: str, value: T) -> None:
        """There is a new value. Never raises: a failing condition is raised at its waiter."""
        for waiter in self._waiting.get(key, ()):
            waiter.judge(value)

    async def wait(self, key: str, until: Callable[[T], bool], timeout_s: float) -> T | None:
        """The first value that satisfies `until`, or None after `timeout_s` seconds."""
        waiter = _Waiter(until)
        self._waiting.setdefault(key, []).append(waiter)
        try:
            with trio.move_on_after(timeout_s):
                await waiter.event.wait()
        finally:
            waiting = self._waiting[key]
            waiting.remove(waiter)
            if not waiting:
                del self._waiting[key]
        if waiter.error is not None:
            raise waiter.error
        return waiter.found


class _Waiter(Generic[T]):
    __slots__ = ("error", "event", "found", "until")

    def __init__(self, until: Callable[[T], bool]) -> None:
        self.until = until
        self.event = trio.Event()
        self.found: T | None = None
        self.error: Exception | None = None

    def judge(self, value: T) -> None:
        if self.event.is_set():
            return
        try:
            if not self.until(value):
                return
            self.found = value
        except Exception as error:  # noqa: BLE001 raised again where it belongs, at the waiter
            self.error = error
        self.event.set()
