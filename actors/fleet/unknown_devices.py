"""Devices that send events but are none of ours: counted, so that a forgotten profile is noticed.

What unknown devices send cannot make memory grow without bound.
"""

from collections import OrderedDict

KEPT = 1_000
"""About 200 bytes each: 200 kB."""


class UnknownDevices:
    """Those heard last, at most `capacity`; the one silent for longest is forgotten."""

    __slots__ = ("_capacity", "_kept")

    def __init__(self, capacity: int = KEPT) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, dev_eui: str) -> None:
        """An event came from this device."""
        self._kept[dev_eui] = None
        self._kept.move_to_end(dev_eui)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def forget(self, dev_eui: str) -> None:
        """It is one of ours now."""
        self._kept.pop(dev_eui, None)
