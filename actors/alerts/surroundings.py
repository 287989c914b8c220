"""The gateways of the lights: when each came back, and which lights an outage cuts off.

It remembers only what the board published. Bounds: the gateways, and for each light that cannot be
reached its gateways, at most eight.
"""

from collections.abc import Mapping

from actors.alerts.rules import NamedLight
from actors.board.changes import GatewayView
from actors.board.reachability import Reach
from actors.device.model import Device


class Surroundings:
    """Told of every gateway and light that the board publishes."""

    def __init__(self) -> None:
        self._online: dict[str, bool] = {}
        self._returned_at: dict[str, float] = {}
        self._cut_off: dict[str, tuple[str, ...]] = {}  # of a light: its gateways
        self._behind: dict[str, dict[str, None]] = {}  # of a gateway: its lights
        self.stale: dict[str, None] = {}
        """Gateways whose cut-off lights have changed; whoever deals with them takes them out."""

    def gateway(self, view: GatewayView, now: float) -> None:
        """A gateway as it is now."""
        if view.online and self._online.get(view.gateway_id) is False:
            self._returned_at[view.gateway_id] = now
        self._online[view.gateway_id] = view.online

    def light(self, device: Device, reach: Reach) -> None:
        """A light can be reached like this now."""
        before = self._cut_off.pop(device.dev_eui, ())
        after: tuple[str, ...] = ()
        if reach is Reach.NO_GATEWAY_ONLINE:
            after = tuple(hearing.gateway_id for hearing in device.hearings)
            self._cut_off[device.dev_eui] = after
        if before == after:
            return
        for gateway_id in set(before) - set(after):
            lights = self._behind.get(gateway_id, {})
            lights.pop(device.dev_eui, None)
            if not lights:
                self._behind.pop(gateway_id, None)
        for gateway_id in after:
            self._behind.setdefault(gateway_id, {})[device.dev_eui] = None
        self.stale.update(dict.fromkeys((*before, *after)))

    def listening_since(self, device: Device) -> float:
        """Since when some gateway that hears this light is there without a break; 0.0 where none
        was seen to come back."""
        since = [
            self._returned_at.get(hearing.gateway_id, 0.0)
            for hearing in device.hearings
            if self._online.get(hearing.gateway_id, False)
        ]
        return min(since, default=0.0)

    def behind(self, gateway_id: str, devices: Mapping[str, Device]) -> list[NamedLight]:
        """The lights that cannot be reached without this gateway."""
        return sorted(
            NamedLight(devices[dev_eui].name or dev_eui, dev_eui)
            for dev_eui in self._behind.get(gateway_id, ())
            if dev_eui in devices
        )

    def moved(self, by_s: float) -> None:
        """The machine's clock was set."""
        self._returned_at = {one: at + by_s for one, at in self._returned_at.items()}
