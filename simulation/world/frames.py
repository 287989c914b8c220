"""The frames of the pretend radio, decrypted, with their MAC layer fields.

Values only. Times are world seconds.
"""

import msgspec

from lorawan.events.model import Modulation

JOIN_REQUEST_BYTES = 10
"""A join-request has 23 bytes on the air: 13 of overhead in the airtime formula, and these."""
JOIN_ACCEPT_BYTES = 20
"""A join-accept with a channel list has 33 bytes on the air: 13 and these."""


class UplinkFrame(msgspec.Struct, frozen=True, gc=False):
    """A data frame, or a join-request when `dev_addr` is empty. `ack` is the ACK bit."""

    dev_eui: str
    dev_addr: str
    f_cnt: int
    f_port: int
    data: bytes
    confirmed: bool
    ack: bool
    adr: bool
    frequency_hz: int
    modulation: Modulation
    rx2_answered: bool = False
    """It carries RXParamSetupAns."""

    @property
    def is_join_request(self) -> bool:
        """True when the frame asks for a session."""
        return not self.dev_addr


class DownlinkFrame(msgspec.Struct, frozen=True, gc=False):
    """A data frame, or a join-accept. `f_port` is None when it carries an ACK only.

    `dev_eui` is how the pretend air finds the addressee; the device itself looks at `dev_addr`.
    """

    dev_eui: str
    dev_addr: str
    f_cnt: int
    f_port: int | None
    data: bytes
    confirmed: bool = False
    ack: bool = False
    is_join_accept: bool = False
    rx2: Modulation | None = None
    """RXParamSetupReq, or what a join-accept says of the second window."""
    foreign: bool = False
    """Of somebody else's program: only an oracle may look."""


class Slot(msgspec.Struct, frozen=True, gc=False):
    """Where and when a frame may be sent; `start_s` None means immediately (class C)."""

    frequency_hz: int
    modulation: Modulation
    start_s: float | None = None


class DownlinkCommand(msgspec.Struct, frozen=True, gc=False):
    """What the network server gives to a gateway: one frame and its slots, in order of choice."""

    downlink_id: int
    frame: DownlinkFrame
    slots: tuple[Slot, ...]
