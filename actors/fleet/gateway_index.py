"""Which lights each gateway hears, so that news of a gateway reach exactly those.

At most `GATEWAYS_PER_LIGHT` gateways are remembered of a light, the ones that heard it last, so
that the index is bounded by the fleet: 50,000 lights x 16 are 800,000 pairs of about 100 bytes, 80
MB in a city where everybody hears everybody, and 5 MB in an ordinary fleet.
"""

from collections.abc import Iterable

GATEWAYS_PER_LIGHT = 16
"""Twice the hearings that a device record keeps, so that the index always covers those."""


class GatewayIndex:
    """Gateway id to DevEUIs, and back."""

    __slots__ = ("_gateways", "_lights")

    def __init__(self) -> None:
        self._gateways: dict[str, tuple[str, ...]] = {}  # of a light, the latest last
        self._lights: dict[str, dict[str, None]] = {}  # of a gateway

    def note(self, dev_eui: str, gateway_ids: Iterable[str]) -> None:
        """These gateways heard the light, in the order of their importance from low to high."""
        known = self._gateways.get(dev_eui, ())
        heard = tuple(dict.fromkeys(gateway_ids))
        if not heard or known[-len(heard) :] == heard:
            return
        gateways = (*(one for one in known if one not in heard), *heard)
        for gateway_id in gateways[:-GATEWAYS_PER_LIGHT]:
            self._drop(gateway_id, dev_eui)
        self._gateways[dev_eui] = kept = gateways[-GATEWAYS_PER_LIGHT:]
        for gateway_id in kept:
            self._lights.setdefault(gateway_id, {})[dev_eui] = None

    def forget(self, dev_eui: str) -> None:
        """The light is known no longer."""
        for gateway_id in self._gateways.pop(dev_eui, ()):
            self._drop(gateway_id, dev_eui)

    def lights(self, gateway_id: str) -> tuple[str, ...]:
        """The DevEUIs of the lights that this gateway hears, as of now."""
        return tuple(self._lights.get(gateway_id, ()))

    def __len__(self) -> int:
        return len(self._lights)

    def _drop(self, gateway_id: str, dev_eui: str) -> None:
        lights = self._lights.get(gateway_id)
        if lights is not None:
            lights.pop(dev_eui, None)
            if not lights:
                del self._lights[gateway_id]
