"""How often each gateway sends its statistics, as ChirpStack has it configured.

`GatewayService.List` does not tell it; `GatewayService.Get` does, one gateway a call. It changes
when somebody edits the gateway, so it is asked for once and then once an hour.

A listing of gateways never fails because of this, and is delayed by 2 s at most: each listing asks
for at most 20 gateways, and shows the others without. With 1,000 gateways that is one call in
3.6 s, and it takes 25 min until all were asked once.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import trio

from lorawan.network import GatewayInfo, NetworkError, NetworkUnavailable

AGAIN_S = 3_600.0
ASKED_MOST = 20
PATIENCE_S = 2.0

Ask = Callable[[str], Awaitable[float | None]]
"""A gateway's interval in seconds, None where the server keeps none. Raises `NetworkError`s."""


class Intervals:
    """Remembers what was answered. Bound: the gateways of the newest list."""

    def __init__(self, ask: Ask, *, again_s: float = AGAIN_S, most: int = ASKED_MOST) -> None:
        self._ask = ask
        self._again_s = again_s
        self._most = most
        # Of a gateway: when it was asked (Trio's clock), and what was answered.
        self._known: dict[str, tuple[float, float | None]] = {}

    async def complete(self, listed: Sequence[GatewayInfo]) -> Sequence[GatewayInfo]:
        """The same gateways with what is known of their intervals."""
        ids = {info.gateway_id for info in listed}
        self._known = {one: known for one, known in self._known.items() if one in ids}
        await self._refresh(ids)
        return [self._with_interval(info) for info in listed]

    def _with_interval(self, info: GatewayInfo) -> GatewayInfo:
        known = self._known.get(info.gateway_id)
        if known is None or known[1] is None:
            return info
        return msgspec.structs.replace(info, stats_interval_s=known[1])

    async def _refresh(self, ids: set[str]) -> None:
        now = trio.current_time()
        due = [one for one in ids if self._asked_at(one) + self._again_s <= now]
        due.sort(key=lambda one: (self._asked_at(one), one))
        with trio.move_on_after(PATIENCE_S):
            for gateway_id in due[: self._most]:
                try:
                    interval_s = await self._ask(gateway_id)
                except NetworkUnavailable:
                    return  # the next list tries again
                except NetworkError:  # no right to it, or gone meanwhile: what is known stays
                    interval_s = self._known.get(gateway_id, (0.0, None))[1]
                self._known[gateway_id] = (now, interval_s)

    def _asked_at(self, gateway_id: str) -> float:
        return self._known.get(gateway_id, (float("-inf"), None))[0]
