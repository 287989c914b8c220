"""Which lights each gateway hears, by the records on the board.

A light is heard by the gateways that its record names. The number of a gateway's lights is thereby
the number of lights that a filter by this gateway finds.
"""

from actors.device.model import Device


class GatewayHearing:
    """Gateway id to DevEUIs. Bound: the hearings in the records, at most eight for each light."""

    __slots__ = ("_gateways", "_lights")

    def __init__(self) -> None:
        # Of a light. Tuples: they are few, and a set of two takes 160 bytes more.
        self._gateways: dict[str, tuple[str, ...]] = {}
        self._lights: dict[str, dict[str, None]] = {}  # of a gateway

    def see(self, device: Device) -> None:
        """The light is heard by these gateways now."""
        self._set(device.dev_eui, tuple(sorted({one.gateway_id for one in device.hearings})))

    def forget(self, dev_eui: str) -> None:
        """The light is no longer on the board."""
        self._set(dev_eui, ())
        self._gateways.pop(dev_eui, None)

    def lights(self, gateway_id: str) -> tuple[str, ...]:
        """The DevEUIs of its lights."""
        return tuple(self._lights.get(gateway_id, ()))

    def count(self, gateway_id: str) -> int:
        """How many lights it hears."""
        return len(self._lights.get(gateway_id, ()))

    def _set(self, dev_eui: str, heard: tuple[str, ...]) -> None:
        before = self._gateways.get(dev_eui, ())
        if before == heard:
            return
        self._gateways[dev_eui] = heard
        for gateway_id in set(before).difference(heard):
            lights = self._lights[gateway_id]
            del lights[dev_eui]
            if not lights:
                del self._lights[gateway_id]
        for gateway_id in set(heard).difference(before):
            self._lights.setdefault(gateway_id, {})[dev_eui] = None
