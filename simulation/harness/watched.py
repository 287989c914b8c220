"""Oracle and fault injector at the hooks of the actors and in front of the network server.

Only ports are wrapped, and a wrapped one behaves as before unless a crash is injected.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from actors.hooks import Hooks
from actors.supervision import ChildReport, ChildState
from lorawan.events import Event
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    ListedDevice,
    NetworkError,
    NetworkServer,
    QueueItem,
)
from simulation.harness.fault_injector import FaultInjector
from simulation.harness.oracle import Oracle

T = TypeVar("T")

FOLLOWING = (
    "InjectedCrash",
    "Poison",
    "ActorCrashed",
    "ActorStopped",
    "MailboxClosed",
    "SupervisorGaveUp",
)
"""Crashes that were injected, and those that follow from one."""


def watched(
    oracle: Oracle,
    injector: FaultInjector,
    alive: Callable[[], bool],
    following: Callable[[], tuple[str, ...]] = lambda: FOLLOWING,
) -> Hooks:
    """Hooks of one process: what is shown is compared with the store, and devices may crash.

    No actor may crash by itself, but for a crash with one of the names in `following()`.
    """

    def actor_changed(report: ChildReport) -> None:
        about = report.id.removeprefix("device ")
        if alive() and report.state is ChildState.RUNNING:
            oracle.runs(about)
        if not alive() or report.state not in {ChildState.BACKING_OFF, ChildState.PARKED}:
            return
        error = report.last_error or ""
        oracle.counts["actor restarts"] += 1
        if about != report.id:
            oracle.crashed(about, parked=report.state is ChildState.PARKED)
        if report.state is ChildState.BACKING_OFF and "Poison" in error:
            oracle.poisoned(report.id)
        if not any(name in error for name in following()):
            oracle.breaks(about, f"{report.id} crashed by itself: {error}")

    return Hooks(
        publishing=oracle.published, actor_changed=actor_changed, device_ports=injector.wrap_ports
    )


class WatchedNetwork:
    """The network server as the service sees it; it answers nothing once the process was killed."""

    def __init__(
        self,
        network: NetworkServer,
        oracle: Oracle,
        injector: FaultInjector,
        alive: Callable[[], bool],
    ) -> None:
        self._network = network
        self._oracle = oracle
        self._injector = injector
        self._alive = alive

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        """Queue one downlink."""
        self._oracle.calls_enqueue(dev_eui, data, expires_at)
        return await self._ask(
            "enqueue",
            dev_eui,
            lambda: self._network.enqueue(dev_eui, f_port=f_port, data=data, expires_at=expires_at),
        )

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        """What waits for the device."""
        return await self._ask("queue", dev_eui, lambda: self._network.queue(dev_eui))

    async def activation(self, dev_eui: str) -> Activation | None:
        """The device's session."""
        return await self._ask("activation", dev_eui, lambda: self._network.activation(dev_eui))

    async def device(self, dev_eui: str) -> DeviceState:
        """How the device is configured."""
        return await self._ask("device", dev_eui, lambda: self._network.device(dev_eui))

    async def flush(self, dev_eui: str) -> None:
        """Drop everything queued."""
        await self._ask("flush", dev_eui, lambda: self._network.flush(dev_eui))

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        """The retained events."""
        return await self._ask("replay", dev_eui, lambda: self._network.replay(dev_eui))

    async def gateways(self) -> Sequence[GatewayInfo]:
        """Every gateway."""
        return await self._ask("gateways", "polls", self._network.gateways)

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """Every light."""
        return await self._ask("devices", "polls", lambda: self._network.devices(profile_contains))

    async def _ask(self, method: str, about: str, call: Callable[[], Awaitable[T]]) -> T:
        trace = self._oracle.note
        if not self._alive():
            await trio.sleep_forever()
        self._injector.maybe_crash_part(method)
        try:
            answer = await call()
        except NetworkError as error:
            trace(about, method, type(error).__name__)
            raise
        trace(about, method, "ok")
        return answer
