"""An uplink as the device machine hears of it.

By itself, for it is an event of the machine and, while ChirpStack is asked about it, a part of the
record (`Inquiry.doubtful`).
"""

import msgspec

from lorawan.events.model import DeviceInfo, Reception
from lorawan.kuando.status import Status


class UplinkHeard(msgspec.Struct, frozen=True, tag=True):
    """An uplink; `status` is None when its payload is not a status of this light."""

    at: float | None
    dev_addr: str
    f_cnt: int
    status: Status | None
    receptions: tuple[Reception, ...] = ()
    spreading_factor: int | None = None
    device: DeviceInfo | None = None
    note: str | None = None
    """What the payload was when it was no status."""
    id: str = ""
    """By which ChirpStack knows it: its de-duplication id, else the payload."""
    raw: bytes | None = None
    """The payload as it came, for the history; None where that is not told."""
    f_port: int = 0
    dr: int = 0
    """Its data rate, as the region numbers them."""
    frequency_hz: int = 0
