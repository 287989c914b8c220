"""The status uplink of a Busylight: 24 bytes, or 25 while high brightness is on."""

import msgspec

from lorawan.kuando.light_state import LightState

STATUS_BYTES_MOST = 25


class Status(msgspec.Struct, frozen=True, gc=False):
    """One status report. Counters are unsigned and count since the last join.

    `snr_raw` is kept as sent: the documents call it dB, the values suggest quarter dB.
    `sw_rev` and `hw_rev` are revisions times ten (56 = 5.6). `high_brightness` is None in the
    24-byte form.
    """

    rssi_dbm: int
    snr_raw: int
    downlinks_received: int
    uplinks_sent: int
    light: LightState
    sw_rev: int
    hw_rev: int
    adr: int
    high_brightness: int | None = None
