"""What the dispatcher may know of the air to pace by; who knows it is joined in `wiring.py`."""

from collections.abc import Sequence
from typing import Protocol

DELAYS_MOST = 200
"""Answer delays in one answer: the pacer tries each against each of a batch."""
PROBED_MOST = 20
"""Delays told by commands, from which on probes add nothing."""


class AirFacts(Protocol):
    """Facts that are measured; where nothing is known the careful answer is given."""

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        """Delays from a txack to the start of its answer, less the frame's airtime, on ChirpStack's
        clock, ascending, at most 200, the forwarder's lag within; empty while unknown. Those of
        frames that `gateway_id` sent, where there are enough of them."""
        ...

    def lag_s(self, gateway_id: str) -> float | None:
        """From a gateway's txack to its frame's start, seconds; None while unknown."""
        ...

    def lag_beyond_s(self, gateway_id: str, other_id: str) -> float | None:
        """By how much the one's lag is longer than the other's, at most; None while unknown, which
        lags themselves may be."""
        ...

    def is_basics_station(self, gateway_id: str) -> bool:
        """Whether it shuts its band after each frame, and drops in silence; False if unknown."""
        ...


class LightFacts(Protocol):
    """The part of `AirFacts` that answers teach."""

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        """See `AirFacts`."""
        ...


class GatewayFacts(Protocol):
    """The part of `AirFacts` that a forwarder's own ways teach."""

    def lag_s(self, gateway_id: str) -> float | None:
        """See `AirFacts`."""
        ...

    def lag_beyond_s(self, gateway_id: str, other_id: str) -> float | None:
        """See `AirFacts`."""
        ...

    def is_basics_station(self, gateway_id: str) -> bool:
        """See `AirFacts`."""
        ...

    def sums_s(self, sw_rev: int, gateway_id: str) -> Sequence[float]:
        """Answer delays of lights with this software through this gateway, its lag within."""
        ...


class JoinedFacts:
    """The facts of two who know: of lights the one, of gateways the other."""

    def __init__(self, lights: LightFacts, gateways: GatewayFacts) -> None:
        self._lights, self._gateways = lights, gateways
        self.lag_s = gateways.lag_s
        self.lag_beyond_s = gateways.lag_beyond_s
        self.is_basics_station = gateways.is_basics_station

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        """See `AirFacts`. Until commands have taught more, what probes taught of this gateway."""
        told = self._lights.answer_delays_s(sw_rev, gateway_id)
        if len(told) >= PROBED_MOST or sw_rev is None or gateway_id is None:
            return told
        probed = self._gateways.sums_s(sw_rev, gateway_id)
        return probed if len(probed) > len(told) else told
