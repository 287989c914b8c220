"""ChirpStack as one house reaches it: not while they are parted, and late while it stands still."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from lorawan.events import Event
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    ListedDevice,
    NetworkServer,
    NetworkUnavailable,
    QueueItem,
)
from simulation.harness.cluster.connection import Connection
from simulation.harness.cluster.oracle import ClusterOracle

T = TypeVar("T")


class HouseNetwork:
    """`enqueueing` is told just after the guard let an enqueue pass; a house may be stopped there,
    and then does what it was about to do when it goes on, whatever its own deadline says."""

    def __init__(
        self,
        network: NetworkServer,
        oracle: ClusterOracle,
        connection: Connection,
        *,
        blind: Callable[[], bool],
        alive: Callable[[], bool],
        enqueueing: Callable[[str], None],
    ) -> None:
        self._network = network
        self._oracle = oracle
        self._connection = connection
        self._blind = blind
        self._alive = alive
        self._enqueueing = enqueueing

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        """Queue one downlink."""
        self._enqueueing(dev_eui)
        stopped = self._connection.still
        if stopped:
            self._oracle.twice[dev_eui] = self._oracle.twice.get(dev_eui, 0) + 1
        with trio.CancelScope(shield=stopped):
            return await self._ask(
                lambda: self._network.enqueue(
                    dev_eui, f_port=f_port, data=data, expires_at=expires_at
                )
            )
        raise NetworkUnavailable("the process is gone")  # a cancelled scope ends here

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        """What waits for the device."""
        return await self._ask(lambda: self._network.queue(dev_eui))

    async def activation(self, dev_eui: str) -> Activation | None:
        """The device's session."""
        return await self._ask(lambda: self._network.activation(dev_eui))

    async def device(self, dev_eui: str) -> DeviceState:
        """How the device is configured."""
        return await self._ask(lambda: self._network.device(dev_eui))

    async def flush(self, dev_eui: str) -> None:
        """Drop everything queued."""
        await self._ask(lambda: self._network.flush(dev_eui))

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        """The retained events."""
        return await self._ask(lambda: self._network.replay(dev_eui))

    async def gateways(self) -> Sequence[GatewayInfo]:
        """Every gateway."""
        return await self._ask(self._network.gateways)

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """Every light."""
        return await self._ask(lambda: self._network.devices(profile_contains))

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._connection.wait_while_still()
        if not self._alive():
            raise NetworkUnavailable("the process is gone")
        if self._blind():
            await trio.lowlevel.checkpoint()
            raise NetworkUnavailable("simulated: ChirpStack cannot be reached from this house")
        answer = await call()
        await self._connection.wait_while_still()
        return answer
