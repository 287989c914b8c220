"""ChirpStack behind the lease of the fleet's own shard: what cannot be taken back needs it.

An enqueue or a flush that was handed to ChirpStack cannot be refused there by a token. So it is
begun only while the lease surely holds for longer than such a call lasts; whoever was paused before
it asks again after it. What is only read passes always.
"""

from collections.abc import Callable

import trio

from lorawan.network import (
    NetworkServer,
    NetworkTimeout,
    NetworkUnavailable,
)

LASTS_S = 3.0
"""An enqueue or a flush that takes longer is given up; the lease holds for so long at its begin."""
NOT_OURS = "another process may be about to take over; this one hands nothing to ChirpStack now"


class GuardedNetwork:
    """A `NetworkServer`; `may_begin` says whether something may begin that cannot be taken back."""

    def __init__(self, network: NetworkServer, may_begin: Callable[[], bool]) -> None:
        self._network = network
        self._may_begin = may_begin
        self._resting = False
        self._under_way = 0
        self._idle = trio.Event()
        self.gateways = network.gateways
        self.devices = network.devices
        self.queue = network.queue
        self.activation = network.activation
        self.device = network.device
        self.replay = network.replay

    async def rest(self) -> None:
        """Begin nothing more, and wait for what is under way, `LASTS_S` at most."""
        self._resting = True
        while self._under_way:
            if self._idle.is_set():
                self._idle = trio.Event()
            await self._idle.wait()

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        """Queue one downlink. Raises NetworkUnavailable where it may not begin."""
        self._begin()
        try:
            with trio.fail_after(LASTS_S):
                return await self._network.enqueue(
                    dev_eui, f_port=f_port, data=data, expires_at=expires_at
                )
        except trio.TooSlowError as slow:
            raise NetworkTimeout(f"no answer within {LASTS_S:g} s") from slow
        finally:
            self._end()

    async def flush(self, dev_eui: str) -> None:
        """Empty a queue. Raises NetworkUnavailable where it may not begin."""
        self._begin()
        try:
            with trio.fail_after(LASTS_S):
                await self._network.flush(dev_eui)
        except trio.TooSlowError as slow:
            raise NetworkTimeout(f"no answer within {LASTS_S:g} s") from slow
        finally:
            self._end()

    def _begin(self) -> None:
        if self._resting or not self._may_begin():
            raise NetworkUnavailable(NOT_OURS)
        self._under_way += 1

    def _end(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()
