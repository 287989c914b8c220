"""The network server in process: `lorawan.network.NetworkServer` over the pretend world.

A call takes time both ways, and its effect happens in between, so that an event may come before
the reply and a reply may be lost after the effect. Bad requests get ChirpStack v4's own errors.
"""

import string
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec
import trio

from lorawan.events.model import Event, Uplink
from lorawan.network import (
    Activation,
    DeviceState,
    GatewayInfo,
    GatewayState,
    ListedDevice,
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkInvalid,
    NetworkTimeout,
    NetworkUnknown,
    QueueItem,
)
from simulation.world.chance import Chance
from simulation.world.device import ServerDevice
from simulation.world.faults import ERRORS, WITH_EFFECT, CallFault, Faults
from simulation.world.freeze import Freezer
from simulation.world.kernel import Kernel
from simulation.world.profile import Profile
from simulation.world.queue import QueueEntry
from simulation.world.rules import ServerRules

T = TypeVar("T")

_EUI_DIGITS = 16
_HEX_DIGITS = frozenset(string.hexdigits)


class NetworkStatistics(msgspec.Struct, frozen=True):
    """Counters of the server: calls by method, and what its rules counted."""

    calls: dict[str, int]
    rules: dict[str, int]
    queued: int


class SimulatedNetwork:
    """Implements `NetworkServer`; `faults` decides what goes wrong with the calls.

    `inject` is for programs other than ours that use the same server.
    """

    def __init__(
        self,
        *,
        kernel: Kernel,
        chance: Chance,
        profile: Profile,
        rules: ServerRules,
        freezer: Freezer,
    ) -> None:
        self.rules = rules
        self.freezer = freezer
        self.faults = Faults(chance, profile)
        self._kernel = kernel
        self._rng = chance.each("call")
        self._calls: dict[str, int] = {}

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        """Queue one unconfirmed downlink; the item's id."""
        return await self._call(
            "enqueue",
            dev_eui,
            lambda: self._enqueue(dev_eui, f_port, data, expires_at, confirmed=False),
        )

    async def queue(self, dev_eui: str) -> Sequence[QueueItem]:
        """What waits for the device; empty for an unknown one."""
        return await self._call("queue", dev_eui, lambda: self._queue(dev_eui))

    async def activation(self, dev_eui: str) -> Activation | None:
        """The device's session, None before its first join."""
        return await self._call("activation", dev_eui, lambda: self._activation(dev_eui))

    async def device(self, dev_eui: str) -> DeviceState:
        """Whether the device is disabled, and its class."""
        return await self._call("device", dev_eui, lambda: self._device(dev_eui))

    async def flush(self, dev_eui: str) -> None:
        """Drop everything queued, also what may be in flight."""
        await self._call("flush", dev_eui, lambda: self._flush(dev_eui))

    async def replay(self, dev_eui: str) -> Sequence[Event]:
        """The retained events of the device, oldest first."""
        return await self._call("replay", dev_eui, lambda: self._replay(dev_eui))

    async def gateways(self) -> Sequence[GatewayInfo]:
        """Every gateway, by id."""
        return await self._call("gateways", "gateways", self._gateways)

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """Devices whose profile's name contains this, case-insensitively, by DevEUI."""
        return await self._call("devices", "devices", lambda: self._devices(profile_contains))

    def delete(self, dev_eui: str) -> None:
        """Somebody deletes the device, and its queue with it."""
        self.rules.delete(_eui(dev_eui))

    def disable(self, dev_eui: str, *, disabled: bool = True) -> None:
        """Somebody ticks (or unticks) "device is disabled": its queue stands still, and what is
        expired in it stays until it is enabled."""
        self.rules.disable(_eui(dev_eui), disabled=disabled)

    def inject(
        self,
        dev_eui: str,
        data: bytes,
        *,
        f_port: int = 15,
        confirmed: bool = False,
        expires_at: float | None = None,
    ) -> str:
        """Somebody else's downlink, queued at once; the item's id. Raises as `enqueue` does."""
        self._kernel.catch_up()
        return self._enqueue(dev_eui, f_port, data, expires_at, confirmed=confirmed, foreign=True)

    def statistics(self) -> NetworkStatistics:
        """Counters so far, and the items queued now over all devices."""
        return NetworkStatistics(
            calls=dict(self._calls),
            rules=dict(self.rules.counts),
            queued=sum(len(device.queue) for device in self.rules.devices.values()),
        )

    # One call

    async def _call(self, method: str, about: str, effect: Callable[[], T]) -> T:
        # One for each kind of call: which of several at once comes first is the scheduler's whim.
        profile, rng = self.faults.profile, self._rng[f"{method} {about}"]
        self._calls[method] = self._calls.get(method, 0) + 1
        self._kernel.catch_up()
        fault = self.faults.draw(method, about)
        there_s = back_s = rng.uniform(*profile.call_latency_s) / 2
        if fault is CallFault.SLOW:
            back_s = rng.uniform(*profile.call_slow_s)
        if fault is CallFault.TIMEOUT:
            await trio.sleep(profile.call_deadline_s)
            raise NetworkTimeout(f"{method}: no reply within {profile.call_deadline_s} s")
        try:
            await trio.sleep(there_s)
        except trio.Cancelled:
            # What is on its way arrives, even if nobody is left who waits for the answer.
            self._kernel.catch_up()
            if fault is None or fault in WITH_EFFECT:
                self.freezer.work(_unheard, effect)
            raise
        self._kernel.catch_up()
        if fault is not None and fault not in WITH_EFFECT:
            raise ERRORS[fault](f"{method}: {fault.value}")
        result = await self._worked_off(method, effect, profile.call_deadline_s - there_s)
        if fault is CallFault.REPLY_LOST or there_s + back_s > profile.call_deadline_s:
            await trio.sleep(max(profile.call_deadline_s - there_s, 0.0))
            raise NetworkTimeout(f"{method}: no reply within {profile.call_deadline_s} s")
        await trio.sleep(back_s)
        if fault is not None and fault in ERRORS:
            raise ERRORS[fault](f"{method}: {fault.value}")
        return result

    async def _worked_off(self, method: str, effect: Callable[[], T], most_s: float) -> T:
        """The effect now, or when a server that stands still goes on; the answer, if in time."""
        if not self.freezer.frozen:
            return effect()
        done, results, errors = trio.Event(), list[T](), list[NetworkError]()

        def work_off() -> None:
            try:
                results.append(effect())
            except NetworkError as error:
                errors.append(error)
            done.set()

        self.freezer.work(work_off)
        with trio.move_on_after(max(most_s, 0.0)):
            await done.wait()
        if errors:
            raise errors[0]
        if not results:
            raise NetworkTimeout(f"{method}: no reply in time, the server stands still")
        return results[0]

    # The effects, at one instant each

    def _enqueue(
        self,
        dev_eui: str,
        f_port: int,
        data: bytes,
        expires_at: float | None,
        *,
        confirmed: bool,
        foreign: bool = False,
    ) -> str:
        dev_eui = _eui(dev_eui)
        port = f_port & 0xFF
        if port == 0:
            raise NetworkInvalid("FPort must be > 0")
        device = self.rules.devices.get(dev_eui)
        if device is None:
            if self.rules.settings.tenant_key:
                raise NetworkForbidden("")
            # The row refers to a device that is not there: a foreign key error.
            raise NetworkFault("insert or update on table violates foreign key constraint")
        entry = QueueEntry(
            id=self.rules.new_id(dev_eui),
            f_port=port,
            data=bytes(data),
            confirmed=confirmed,
            expires_at=None if expires_at is None else round(expires_at, 6),
            foreign=foreign,
        )
        self.rules.enqueue(device, entry)
        return entry.id

    def _queue(self, dev_eui: str) -> Sequence[QueueItem]:
        device = self._lenient(dev_eui)
        return () if device is None else device.queue.items()

    def _flush(self, dev_eui: str) -> None:
        device = self._lenient(dev_eui)
        if device is not None:
            self.rules.observer.flushed(device, in_flight=self.rules.in_flight(device))
            self.rules.flush(device)

    def _activation(self, dev_eui: str) -> Activation | None:
        device = self._lenient(dev_eui)
        if device is None:
            raise NetworkUnknown(f"Object does not exist (id: {dev_eui})")
        if not device.activated:
            return None
        return Activation(
            dev_addr=device.dev_addr, f_cnt_up=device.f_cnt_up, f_cnt_down=device.f_cnt_down
        )

    def _device(self, dev_eui: str) -> DeviceState:
        device = self._lenient(dev_eui)
        if device is None:
            raise NetworkUnknown(f"Object does not exist (id: {dev_eui})")
        heard = [event.at or 0.0 for event in device.events if isinstance(event, Uplink)]
        return DeviceState(
            dev_eui=device.info.dev_eui,
            name=device.info.device_name,
            disabled=device.disabled,
            device_class="CLASS_C" if device.class_c else "CLASS_A",
            class_c_profile=device.supports_class_c,
            last_seen_at=max(heard) if heard else None,
        )

    def _replay(self, dev_eui: str) -> Sequence[Event]:
        device = self._lenient(dev_eui)
        return () if device is None else tuple(device.events)

    def _gateways(self) -> Sequence[GatewayInfo]:
        # A flat earth around a square somewhere in Europe; a metre is about 9e-6 degrees.
        now = self._kernel.epoch_at + self._kernel.now
        return tuple(
            GatewayInfo(
                gateway_id=gateway_id,
                name=gateway.name,
                last_seen_at=gateway.last_seen_at(),
                state=_state(gateway.last_seen_at(), gateway.stats_interval_s, now),
                stats_interval_s=gateway.stats_interval_s,
                latitude=round(55.0 + gateway.position[1] * 9e-6, 6),
                longitude=round(10.0 + gateway.position[0] * 15.7e-6, 6),
            )
            for gateway_id, gateway in sorted(self.rules.gateways.items())
        )

    def _devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        wanted = profile_contains.casefold()
        return tuple(
            ListedDevice(
                dev_eui=dev_eui,
                name=device.info.device_name,
                application_id=device.info.application_id,
                application_name=device.info.application_name,
                device_profile_id=device.info.device_profile_id,
                device_profile_name=device.info.device_profile_name,
                tags=device.info.tags,
            )
            for dev_eui, device in sorted(self.rules.devices.items())
            if wanted in device.info.device_profile_name.casefold()
        )

    def _lenient(self, dev_eui: str) -> ServerDevice | None:
        device = self.rules.devices.get(_eui(dev_eui))
        if device is None and self.rules.settings.tenant_key:
            raise NetworkForbidden("")
        return device


def _unheard(effect: Callable[[], object]) -> None:
    """Nobody waits for the answer any more."""
    with suppress(NetworkError):
        effect()


def _eui(dev_eui: str) -> str:
    """As the server reads it: empty is all zeros, anything but 16 digits an internal error."""
    if not dev_eui:
        return "0" * _EUI_DIGITS
    if len(dev_eui) != _EUI_DIGITS or not set(dev_eui) <= _HEX_DIGITS:
        raise NetworkFault(f"EUI64 parse error: {dev_eui!r}")
    return dev_eui.lower()


def _state(last_seen_at: float | None, stats_interval_s: float, now: float) -> GatewayState:
    """As ChirpStack judges: by the last stats alone, within two intervals."""
    if last_seen_at is None:
        return GatewayState.NEVER_SEEN
    late = now - last_seen_at > 2 * stats_interval_s
    return GatewayState.OFFLINE if late else GatewayState.ONLINE
