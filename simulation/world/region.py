"""What a region's plan prescribes: channels, the second window, power, payload limits.

Data only. Sources: LoRaWAN regional parameters and ChirpStack v4's region files.
"""

import msgspec

from lorawan.events.model import Modulation

REQUIRED_SNR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""The least signal-to-noise ratio at which a spreading factor is received."""


RX2_AFTER_RX1_S = 1.0
"""LoRaWAN 1.0.3: the second window opens a second after the first, in every region."""


class RadioRegion(msgspec.Struct, frozen=True):
    """One regional plan as a network server runs it.

    `payload_bytes_most` is the limit at the data rate of RX2; delays are those after an uplink.
    """

    name: str
    uplink_channels_hz: tuple[int, ...]
    uplink_data_rates: dict[int, int]
    """Spreading factor to data rate index."""
    rx2_frequency_hz: int
    rx2: Modulation
    rx1_bandwidth_hz: int
    payload_bytes_most: int
    rx2_duty_cycle: float
    device_duty_cycle: float
    rx2_power_dbm: int = 29
    rx1_delay_s: float = 1.0
    join_delay_s: float = 5.0


_EU_CHANNELS_HZ = (
    868_100_000,
    868_300_000,
    868_500_000,
    867_100_000,
    867_300_000,
    867_500_000,
    867_700_000,
    867_900_000,
)
_EU_DATA_RATES = {12: 0, 11: 1, 10: 2, 9: 3, 8: 4, 7: 5}


def _eu868(spreading_factor: int, payload_bytes_most: int) -> RadioRegion:
    return RadioRegion(
        name="EU868",
        uplink_channels_hz=_EU_CHANNELS_HZ,
        uplink_data_rates=_EU_DATA_RATES,
        rx2_frequency_hz=869_525_000,
        rx2=Modulation(spreading_factor=spreading_factor, bandwidth_hz=125_000),
        rx1_bandwidth_hz=125_000,
        payload_bytes_most=payload_bytes_most,
        rx2_duty_cycle=0.10,
        device_duty_cycle=0.01,
    )


EU868 = _eu868(12, 51)
"""ChirpStack's own defaults: RX2 at DR0."""

EU868_SF9 = _eu868(9, 115)
"""The setting to advise: RX2 at DR3, seven times the capacity at nearly the same reach."""

US915 = RadioRegion(
    name="US915",
    uplink_channels_hz=tuple(902_300_000 + 200_000 * n for n in range(8)),
    uplink_data_rates={10: 0, 9: 1, 8: 2, 7: 3},
    rx2_frequency_hz=923_300_000,
    rx2=Modulation(spreading_factor=12, bandwidth_hz=500_000),
    rx1_bandwidth_hz=500_000,
    payload_bytes_most=53,
    rx2_duty_cycle=1.0,
    device_duty_cycle=1.0,
    rx2_power_dbm=27,
)
