"""How each light can be reached now, kept current by events and by time.

No light is polled. When a light falls silent follows from its last uplink, so there is one entry
for it in a heap: of 20,000 lights that are heard every 15 min 22 a second are looked at. An entry
is not moved when the light is heard again: it comes up, is found to be too early, and is put back.
"""

from collections import deque
from collections.abc import Mapping

import msgspec

from actors.board.changes import GatewayView
from actors.board.gateway_hearing import GatewayHearing
from actors.board.reachability import (
    GatewayLink,
    Reach,
    Reachability,
    changes_at,
    disabled_since,
    reachability,
)
from actors.clocks.clock import STEP_S, Clock
from actors.clocks.due_times import DueTimes
from actors.device.model import Device

SILENT_AFTER_S = 2_700.0
"""Three status intervals of 15 min; the application passes its own."""


class ReachabilityIndex:
    """The reachability of every light on the board. `devices` and `gateways` are the board's own.

    Bounds: one entry per light in each of its collections.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        gateways: Mapping[str, GatewayView],
        silent_after_s: float,
        clock: Clock,
    ) -> None:
        self._clock = clock
        # How far the clock had been set when each record came. A record is moved only with the next
        # event of its light; until then its dates are those of the clock as it was.
        self._set_s: dict[str, float] = {}
        self._devices = devices
        self._gateways = gateways
        self._silent_after_s = silent_after_s
        self._known: dict[str, Reachability] = {}
        self._due: DueTimes[str] = DueTimes()
        self._gateway_hearing = GatewayHearing()
        self._to_judge: deque[str] = deque()
        """Lights to be judged anew, because a gateway went offline or came back."""
        self._queued: set[str] = set()

    def of(self, device: Device) -> Reachability:
        """Of a light on the board as last judged, of another one as of now."""
        if self._devices.get(device.dev_eui) is device:
            known = self._known.get(device.dev_eui)
            if known is not None:
                return known
        return self._judged(device, self._clock.now(), 0.0)

    def published(self, device: Device, now: float) -> bool:
        """A new record of a light. True when that changed what is known of it."""
        self._set_s[device.dev_eui] = self._clock.stepped_s
        return self.see(device, now)

    def shift_s(self, dev_eui: str) -> float:
        """How far the clock was set since the newest record of this light came: by so much its
        dates are behind."""
        ahead = self._clock.stepped_s
        by_s = ahead - self._set_s.get(dev_eui, ahead)
        return round(by_s, 3) if abs(by_s) >= STEP_S / 2 else 0.0

    def moved(self, by_s: float) -> None:
        """The clock was set: every planned time moves by as much."""
        self._due.moved(by_s)

    def see(self, device: Device, now: float) -> bool:
        """Judge a light anew. True when that changed what is known of it."""
        self._gateway_hearing.see(device)
        shift_s = self.shift_s(device.dev_eui)
        before, after = self._known.get(device.dev_eui), self._judged(device, now, shift_s)
        if before is not None and before.reach is after.reach is Reach.REACHABLE:
            after = msgspec.structs.replace(after, since=before.since)
        elif before is not None and after.reach is Reach.REACHABLE:
            after = msgspec.structs.replace(after, since=now)
        self._known[device.dev_eui] = after
        if device.dev_eui not in self._due:
            self._plan(device, now, shift_s)
        return before != after

    def forget(self, dev_eui: str) -> None:
        """The light is no longer on the board."""
        self._known.pop(dev_eui, None)
        self._set_s.pop(dev_eui, None)
        self._due.forget(dev_eui)
        self._gateway_hearing.forget(dev_eui)

    def lights_heard(self, gateway_id: str) -> int:
        """How many lights this gateway heard lately."""
        return self._gateway_hearing.count(gateway_id)

    def lights_of(self, gateway_id: str) -> tuple[str, ...]:
        """The lights that this gateway heard lately."""
        return self._gateway_hearing.lights(gateway_id)

    def gateway_changed(self, gateway_id: str) -> None:
        """Judge the lights that it hears anew, when `due` is asked."""
        for dev_eui in self._gateway_hearing.lights(gateway_id):
            if dev_eui not in self._queued:
                self._queued.add(dev_eui)
                self._to_judge.append(dev_eui)

    def due(self, now: float, most: int) -> list[Device]:
        """Lights whose reachability changed, at most `most` of them; see `next_at` for the rest."""
        changed: list[Device] = []
        while len(changed) < most and (dev_eui := self._next(now)) is not None:
            device = self._devices.get(dev_eui)
            if device is not None and self.see(device, now):
                changed.append(device)
        return changed

    def next_at(self) -> float | None:
        """When `due` has something to judge; None while nothing is planned."""
        if self._to_judge:
            return 0.0
        return self._due.next_at()

    def counts(self) -> dict[Reach, int]:
        """How many lights are in each state; all states are named."""
        found = dict.fromkeys(Reach, 0)
        for one in self._known.values():
            found[one.reach] += 1
        return found

    def _judged(self, device: Device, now: float, shift_s: float) -> Reachability:
        """As the record says, whose dates are behind by `shift_s`."""
        found = reachability(
            device,
            lambda gateway_id: self._gateway(gateway_id, shift_s),
            self._silent_after_s,
            now - shift_s,
            disabled_since=disabled_since(device),
        )
        if not shift_s or found.since is None:
            return found
        return msgspec.structs.replace(found, since=found.since + shift_s)

    def _gateway(self, gateway_id: str, shift_s: float) -> GatewayLink | None:
        view = self._gateways.get(gateway_id)
        if view is None:
            return None
        # An outage is noticed minutes after it began, which was at the last sign of life.
        gone = not view.online and view.alive_at is not None and view.alive_at < view.since
        since = view.alive_at if gone and view.alive_at is not None else view.since
        return GatewayLink(view.online, since - shift_s)

    def _plan(self, device: Device, now: float, shift_s: float) -> None:
        due_at = changes_at(device, self._silent_after_s, now - shift_s)
        if due_at is not None:
            self._due.plan(device.dev_eui, due_at + shift_s)

    def _next(self, now: float) -> str | None:
        if self._to_judge:
            dev_eui = self._to_judge.popleft()
            self._queued.discard(dev_eui)
            return dev_eui
        return self._due.take(now)
