"""The parts of a service with an oracle and a saboteur between them and the outside.

The rule it keeps: only ports are wrapped; what is wrapped behaves as before, unless it is struck.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from actors.board.changes import Subject
from actors.device.actor import DeviceActor
from actors.device.model import Device
from actors.supervision import ChildReport, ChildState
from actors.wiring import Environment as Outside
from actors.wiring import Parts, Policies
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
from simulation.harness.oracle import Oracle
from simulation.harness.saboteur import InjectedCrash, Saboteur

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


class WatchedParts(Parts):
    """Production parts; lights get struck, and what they show is looked at."""

    def __init__(
        self,
        outside: Outside,
        policies: Policies,
        oracle: Oracle,
        saboteur: Saboteur,
        alive: Callable[[], bool],
    ) -> None:
        self._alive = alive
        self._oracle = oracle
        self._saboteur = saboteur
        super().__init__(outside, policies)
        publish = self.board.publish

        def shown(subject: Subject) -> None:
            oracle.published(subject)
            publish(subject)

        self.board.publish = shown  # type: ignore[method-assign] # every light has its own wrapper

    def light_actor(self, device: Device) -> DeviceActor:
        """One light's actor, with the saboteur at its ports: only one that runs may crash."""
        saboteur = self._saboteur
        armed, saboteur.armed = saboteur.armed, False
        try:
            return DeviceActor(device, saboteur.between(device.dev_eui, self.light_ports))
        finally:
            saboteur.armed = armed

    def _actor_changed(self, report: ChildReport) -> None:
        super()._actor_changed(report)
        if self._alive() and report.state in {ChildState.BACKING_OFF, ChildState.PARKED}:
            error = report.last_error or ""
            self._oracle.counts["actor restarts"] += 1
            if report.id.startswith("device "):
                self._oracle.crashed(report.id.removeprefix("device "))
            if report.state is ChildState.BACKING_OFF and "Poison" in error:
                self._oracle.poisoned(report.id)
            if not any(word in error for word in FOLLOWING):
                about = report.id.removeprefix("device ")
                self._oracle.breaks(about, f"{report.id} crashed by itself: {error}")


class WatchedNetwork:
    """The network server as the service sees it; dead once its process is."""

    def __init__(
        self,
        network: NetworkServer,
        oracle: Oracle,
        saboteur: Saboteur,
        alive: Callable[[], bool],
    ) -> None:
        self._network = network
        self._oracle = oracle
        self._saboteur = saboteur
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
        self._saboteur.strike_part(method)
        try:
            answer = await call()
        except NetworkError as error:
            trace(about, method, type(error).__name__)
            raise
        trace(about, method, "ok")
        return answer


__all__ = ["InjectedCrash", "WatchedNetwork", "WatchedParts"]
