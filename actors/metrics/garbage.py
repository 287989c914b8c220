"""How long the garbage collector stops everything, as a histogram.

It measures and changes nothing; `gc.freeze()` after the start is called by the application.
"""

import gc
import time
from collections.abc import Callable
from typing import Any


class GarbageWatch:
    """Calls `observe` with the seconds of each collection between `install` and `remove`."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._began: float | None = None

    def install(self) -> None:
        """Start measuring; twice is once."""
        if self._callback not in gc.callbacks:
            gc.callbacks.append(self._callback)

    def remove(self) -> None:
        """Stop measuring."""
        if self._callback in gc.callbacks:
            gc.callbacks.remove(self._callback)
        self._began = None

    def _callback(self, phase: str, _info: dict[str, Any]) -> None:
        # A stop watch, not a clock: virtual time does not advance while Python collects.
        if phase == "start":
            self._began = time.perf_counter()
        elif self._began is not None:
            self._observe(time.perf_counter() - self._began)
            self._began = None
