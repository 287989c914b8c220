"""Which lights ChirpStack knows: so that one that never spoke to us is on the board, too.

The rule it keeps: it only adds. A light that ChirpStack no longer lists stays, with its history;
its commands are refused by ChirpStack itself, and say so.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass

import structlog
import trio

from actors.clock import Clock
from actors.device.model import Device
from actors.supervision import Backoff, SupervisorStopped
from lorawan.network import ListedDevice, NetworkError, NetworkServer

log = structlog.get_logger()

PERIOD_S = 900.0
"""New lights register themselves by their first uplink; this is for those that cannot be heard."""
AGAIN = Backoff(first_s=5.0, factor=2.0, most_s=300.0, jitter=0.2)
TIMEOUT_S = 120.0
"""20,000 lights are 200 pages of some 50 ms."""
CHUNK = 100
"""Registered between two checkpoints, some 40 us each: 4 ms."""


@dataclass(frozen=True, slots=True)
class DirectoryStatistics:
    """Listings read and failed since the start; lights found in the newest, and registered ever."""

    readings: int
    failures: int
    listed: int
    registered: int


class Directory:
    """One actor. `register` is the fleet's door."""

    def __init__(
        self,
        network: NetworkServer,
        known: Callable[[], Container[str]],
        register: Callable[[Device], object | None],
        clock: Clock,
        *,
        profile_contains: str,
        chance: Callable[[], float],
        period_s: float = PERIOD_S,
    ) -> None:
        self._network = network
        self._known = known
        self._register = register
        self._clock = clock
        self._profile_contains = profile_contains
        self._chance = chance
        self._period_s = period_s
        self._readings = self._failures = self._listed = self._registered = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read the listing now and every period, until cancelled."""
        task_status.started()
        in_a_row = 0
        while True:
            in_a_row = 0 if await self._read() else in_a_row + 1
            pause_s = AGAIN.delay_s(in_a_row, self._chance()) if in_a_row else self._period_s
            with trio.move_on_after(pause_s):
                await trio.Event().wait()  # nobody sets it: a pause that a cancel ends

    def statistics(self) -> DirectoryStatistics:
        """Counters, now."""
        return DirectoryStatistics(self._readings, self._failures, self._listed, self._registered)

    async def _read(self) -> bool:
        try:
            with trio.fail_after(TIMEOUT_S):
                listed = await self._network.devices(self._profile_contains)
        except (NetworkError, trio.TooSlowError) as error:
            self._failures += 1
            log.warning("lights not listed", error=str(error) or "timeout")
            return False
        self._readings += 1
        self._listed = len(listed)
        for count, one in enumerate(listed, start=1):
            self._take_in(one)
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()
        return True

    def _take_in(self, one: ListedDevice) -> None:
        if one.dev_eui in self._known():
            return
        device = Device(
            dev_eui=one.dev_eui,
            name=one.name,
            application_id=one.application_id,
            application_name=one.application_name,
            profile_name=one.device_profile_name,
            tags=dict(one.tags),
            since=self._clock.now(),
        )
        try:
            self._registered += self._register(device) is not None
        except SupervisorStopped:
            log.info("lights listed while stopping")
