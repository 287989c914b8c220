"""How long a LoRa frame occupies the air.

The published formula and nothing else. Source: Semtech AN1200.13, section 4; checked against the
values of the ns-3 LoRaWAN module.
"""

import math

from lorawan.events.model import Modulation

OVERHEAD_BYTES = 13
"""MHDR 1, DevAddr 4, FCtrl 1, FCnt 2, FPort 1, MIC 4. A Class-C frame carries no FOpts."""

PHY_BYTES_MOST = 255
"""The length byte of the LoRa header."""

_LOW_DATA_RATE_FROM_S = 0.016
_CODING_RATES = {"CR_4_5": 1, "CR_4_6": 2, "CR_4_7": 3, "CR_4_8": 4}


def time_on_air_s(
    phy_bytes: int,
    spreading_factor: int,
    bandwidth_hz: int,
    *,
    coding_rate: int = 1,
    crc: bool = True,
    explicit_header: bool = True,
    preamble: int = 8,
    low_data_rate: bool | None = None,
) -> float:
    """Seconds on the air of a frame with `phy_bytes` bytes of PHY payload (0-255).

    `coding_rate` is 1 (4/5) to 4 (4/8), `preamble` its programmed symbols. `low_data_rate` None
    switches the optimisation on for symbols of 16 ms and more (SF11 and SF12 at 125 kHz), as
    LoRaWAN prescribes. Raises `ValueError` for what the formula does not cover, such as a
    spreading factor outside 7-12.
    """
    if not 0 <= phy_bytes <= PHY_BYTES_MOST:
        raise ValueError(f"a LoRa frame has 0 to {PHY_BYTES_MOST} bytes, not {phy_bytes}")
    if not 7 <= spreading_factor <= 12:
        raise ValueError(f"spreading factor must be 7 to 12, not {spreading_factor}")
    if bandwidth_hz <= 0:
        raise ValueError(f"bandwidth must be above 0 Hz, not {bandwidth_hz}")
    if not 1 <= coding_rate <= 4:
        raise ValueError(f"coding rate must be 1 to 4, not {coding_rate}")
    symbol_s = (1 << spreading_factor) / bandwidth_hz
    if low_data_rate is None:
        low_data_rate = symbol_s >= _LOW_DATA_RATE_FROM_S
    bits = 8 * phy_bytes - 4 * spreading_factor + 28 + 16 * crc - 20 * (not explicit_header)
    blocks = math.ceil(bits / (4 * (spreading_factor - 2 * low_data_rate)))
    symbols = preamble + 4.25 + 8 + max(blocks * (coding_rate + 4), 0)
    return symbols * symbol_s


def downlink_airtime_s(payload_bytes: int, modulation: Modulation) -> float:
    """Seconds on the air of a data downlink with `payload_bytes` of application payload.

    With a payload CRC, as ChirpStack v4 asks for (`no_crc: false`), although LoRaWAN has none on
    downlinks: the longer of the two, so that a budget errs on the lawful side. Raises `ValueError`
    as `time_on_air_s` does.
    """
    return _airtime_s(payload_bytes, modulation)


def uplink_airtime_s(payload_bytes: int, modulation: Modulation) -> float:
    """Seconds on the air of a data uplink with `payload_bytes` of application payload and no
    FOpts. Raises `ValueError` as `time_on_air_s` does."""
    return _airtime_s(payload_bytes, modulation)


def _airtime_s(payload_bytes: int, modulation: Modulation) -> float:
    return time_on_air_s(
        OVERHEAD_BYTES + payload_bytes,
        modulation.spreading_factor,
        modulation.bandwidth_hz,
        # Only 4/5 is used in LoRaWAN; what a server writes instead of it changes nothing.
        coding_rate=_CODING_RATES.get(modulation.code_rate, 1),
    )
