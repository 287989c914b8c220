"""Devices that send events but are none of ours: counted, so that a forgotten profile is noticed.

What unknown devices send cannot make memory grow without bound.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice

import msgspec

from lorawan.events.model import DeviceInfo

KEPT = 1_000
"""About 500 bytes each: half a megabyte."""


class UnknownDevice(msgspec.Struct, frozen=True):
    """A stranger: how many events it sent since it was first noticed, and the newest one's time."""

    dev_eui: str
    name: str
    profile_name: str
    events: int
    heard_at: float


class UnknownDevices:
    """The strangers heard last, at most `capacity`; the one silent for longest is forgotten."""

    __slots__ = ("_capacity", "_kept", "total")

    def __init__(self, capacity: int = KEPT) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, UnknownDevice] = OrderedDict()
        self.total = 0
        """Events of strangers, ever."""

    def __len__(self) -> int:
        return len(self._kept)

    def count(self, device: DeviceInfo, at: float) -> None:
        """One more event of a stranger."""
        self.total += 1
        before = self._kept.pop(device.dev_eui, None)
        self._kept[device.dev_eui] = UnknownDevice(
            dev_eui=device.dev_eui,
            name=device.device_name,
            profile_name=device.device_profile_name,
            events=1 if before is None else before.events + 1,
            heard_at=at,
        )
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def forget(self, dev_eui: str) -> None:
        """It is one of ours now."""
        self._kept.pop(dev_eui, None)

    def recent(self, most: int) -> Sequence[UnknownDevice]:
        """Those heard last, newest first."""
        return list(islice(reversed(self._kept.values()), max(0, most)))
