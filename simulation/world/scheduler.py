"""The server's loop over class C devices: who is attempted, when, and in which order.

At most one batch in each run, lowest DevEUI first, so that many undeliverable items starve the
higher ones, as they do in ChirpStack. A run that would find no device is skipped to save time.

Source: chirpstack/chirpstack, downlink/scheduler.rs and storage/device.rs (v4.19).
"""

import math
from collections.abc import Callable

from simulation.world.device import ServerDevice, ServerSettings
from simulation.world.kernel import Kernel, Timer


class Scheduler:
    """Calls `attempt` for every device that is due. Runs fall on whole intervals."""

    def __init__(
        self, kernel: Kernel, settings: ServerSettings, attempt: Callable[[ServerDevice], None]
    ) -> None:
        self._kernel = kernel
        self._settings = settings
        self._attempt = attempt
        # Only devices with a queue. A dict and not a set: a set's order is no part of a seed.
        self._waiting: dict[str, ServerDevice] = {}
        self._tick: Timer | None = None
        self.paused = False
        """The server stands still: no run, until `plan`."""

    def add(self, device: ServerDevice) -> None:
        """The device has something queued."""
        self._waiting[device.info.dev_eui] = device
        if device.class_c and not device.disabled:
            self._plan_at(device.run_after_s)

    def discard(self, device: ServerDevice) -> None:
        """The device has nothing queued any more."""
        self._waiting.pop(device.info.dev_eui, None)

    def plan(self) -> None:
        """Think again about the next run; a device without a session waits for its join."""
        wanted_s = [
            device.run_after_s
            for device in self._waiting.values()
            if device.class_c and not device.disabled
        ]
        if wanted_s:
            self._plan_at(min(wanted_s))

    def _plan_at(self, earliest_s: float) -> None:
        interval_s = self._settings.scheduler_interval_s
        wanted_s = max(earliest_s, self._kernel.now)
        tick_s = math.ceil(wanted_s / interval_s - 1e-9) * interval_s
        if tick_s <= self._kernel.now:
            tick_s += interval_s
        if self._tick is not None and self._tick.waiting:
            if self._tick.at <= tick_s:
                return
            self._tick.cancel()
        self._tick = self._kernel.at(tick_s, self._run)

    def _run(self) -> None:
        if self.paused:
            return
        now_s = self._kernel.now
        due = sorted(
            dev_eui
            for dev_eui, device in self._waiting.items()
            if device.run_after_s <= now_s
            and device.class_c
            and not device.disabled
            and not device.queue.blocked(now_s)
        )
        for dev_eui in due[: self._settings.batch_size]:
            device = self._waiting[dev_eui]
            device.run_after_s = now_s + self._settings.scheduler_lock_s
            self._attempt(device)
        self.plan()
