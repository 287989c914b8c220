"""How each light can be reached now, kept current by events and by time.

The rule it keeps: no light is looked at because time passes, only because its own moment came. A
light falls silent at a moment that its last uplink names, so there is one entry for it in a heap;
20,000 lights that are heard every 15 min move 22 entries a second, and none is polled. An entry is
not moved when the light is heard again: it comes up, is found too early, and is put back.
"""

import heapq
from collections import deque
from collections.abc import Mapping

import msgspec

from actors.board.changes import GatewayView
from actors.board.hearers import Hearers
from actors.device.model import Device
from actors.reachability import Reach, Reachability, changes_at, disabled_since, reachability

SILENT_AFTER_S = 2_700.0
"""Three status intervals of 15 min; the house gives its own."""


class Reaches:
    """The reachability of every light on the board. `devices` and `gateways` are the board's own.

    Bounds: one entry per light in each of its collections.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        gateways: Mapping[str, GatewayView],
        silent_after_s: float,
    ) -> None:
        self._devices = devices
        self._gateways = gateways
        self._silent_after_s = silent_after_s
        self._known: dict[str, Reachability] = {}
        self._agenda: list[tuple[float, str]] = []
        self._planned: set[str] = set()
        self._hearers = Hearers()
        self._suspects: deque[str] = deque()
        """Lights to be judged anew, because a gateway went or came."""
        self._suspected: set[str] = set()

    def of(self, device: Device, now: float) -> Reachability:
        """Of a light on the board as last judged, of another one as of now."""
        if self._devices.get(device.dev_eui) is device:
            known = self._known.get(device.dev_eui)
            if known is not None:
                return known
        return self._judged(device, now)

    def see(self, device: Device, now: float) -> bool:
        """Judge a light anew. True when that changed what is known of it."""
        self._hearers.see(device)
        before, after = self._known.get(device.dev_eui), self._judged(device, now)
        if before is not None and before.reach is after.reach is Reach.REACHABLE:
            after = msgspec.structs.replace(after, since=before.since)
        elif before is not None and after.reach is Reach.REACHABLE:
            after = msgspec.structs.replace(after, since=now)
        self._known[device.dev_eui] = after
        if device.dev_eui not in self._planned:
            self._plan(device, now)
        return before != after

    def forget(self, dev_eui: str) -> None:
        """The light is no longer on the board; its place in the agenda is skipped when it comes."""
        self._known.pop(dev_eui, None)
        self._hearers.forget(dev_eui)

    def lights_heard(self, gateway_id: str) -> int:
        """How many lights this gateway heard lately."""
        return self._hearers.count(gateway_id)

    def gateway_changed(self, gateway_id: str) -> None:
        """Judge the lights that it hears anew, when `due` is asked."""
        for dev_eui in self._hearers.lights(gateway_id):
            if dev_eui not in self._suspected:
                self._suspected.add(dev_eui)
                self._suspects.append(dev_eui)

    def due(self, now: float, most: int) -> list[Device]:
        """Lights of which something else is to be said now: at most so many, see `next_at`."""
        changed: list[Device] = []
        while len(changed) < most and (dev_eui := self._next(now)) is not None:
            device = self._devices.get(dev_eui)
            if device is not None and self.see(device, now):
                changed.append(device)
        return changed

    def next_at(self) -> float | None:
        """When `due` has something to look at."""
        if self._suspects:
            return 0.0
        return self._agenda[0][0] if self._agenda else None

    def counts(self) -> dict[Reach, int]:
        """How many lights are in each state; all states are named."""
        found = dict.fromkeys(Reach, 0)
        for one in self._known.values():
            found[one.reach] += 1
        return found

    def _judged(self, device: Device, now: float) -> Reachability:
        return reachability(
            device,
            self._gateway,
            self._silent_after_s,
            now,
            disabled_since=disabled_since(device),
        )

    def _gateway(self, gateway_id: str) -> tuple[bool, float] | None:
        view = self._gateways.get(gateway_id)
        if view is None:
            return None
        # An outage is noticed minutes after it began, which was at the last sign of life.
        gone = not view.online and view.alive_at is not None and view.alive_at < view.since
        return view.online, view.alive_at if gone and view.alive_at is not None else view.since

    def _plan(self, device: Device, now: float) -> None:
        due_at = changes_at(device, self._silent_after_s, now)
        if due_at is not None:
            self._planned.add(device.dev_eui)
            heapq.heappush(self._agenda, (due_at, device.dev_eui))

    def _next(self, now: float) -> str | None:
        if self._suspects:
            dev_eui = self._suspects.popleft()
            self._suspected.discard(dev_eui)
            return dev_eui
        if self._agenda and self._agenda[0][0] <= now:
            dev_eui = heapq.heappop(self._agenda)[1]
            self._planned.discard(dev_eui)
            return dev_eui
        return None
