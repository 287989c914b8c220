"""What each regional plan says about the second receive window, by which Class C is reached.

The rule it keeps: data only. `rx2_dr` is ChirpStack's default, the same as in its region files; a
duty cycle is given only where the plan or the law of the band has one.

Sources: LoRaWAN Regional Parameters 1.0.3 rev A and RP002-1.0.3; chirpstack/chirpstack, lrwn;
ETSI EN 300 220 (869.4-869.65 MHz: 10 %).
"""

import msgspec

from lorawan.events.model import Modulation


class UnknownRegion(ValueError):
    """No such region, or no such data rate in it."""


class Region(msgspec.Struct, frozen=True):
    """One regional plan, as far as downlinks in RX2 go."""

    name: str
    rx2_frequency_hz: int
    rx2_dr: int
    """The default data rate of RX2."""
    downlink_data_rates: dict[int, Modulation]
    """The LoRa data rates that a downlink may use."""
    duty_cycle: float | None
    """Fraction of an hour that a gateway may send on the frequency of RX2; None: no limit."""

    def rx2(self, dr: int | None = None) -> Modulation:
        """The modulation of RX2, at its default data rate or at `dr`.

        Raises `UnknownRegion` when `dr` is no LoRa downlink rate of this region.
        """
        wanted = self.rx2_dr if dr is None else dr
        modulation = self.downlink_data_rates.get(wanted)
        if modulation is None:
            known = ", ".join(str(known) for known in sorted(self.downlink_data_rates))
            raise UnknownRegion(f"{self.name} sends LoRa downlinks at DR {known}, not DR {wanted}")
        return modulation


def region(name: str) -> Region:
    """The region of a name (`EU868`) or of one of ChirpStack's ids (`eu868`, `us915_1`).

    Raises `UnknownRegion`.
    """
    found = REGIONS.get(name.partition("_")[0].upper())
    if found is None:
        raise UnknownRegion(f"no region {name!r}: there are {', '.join(REGIONS)}")
    return found


def _lora(spreading_factor: int, bandwidth_hz: int) -> Modulation:
    return Modulation(spreading_factor=spreading_factor, bandwidth_hz=bandwidth_hz)


_NARROW = {dr: _lora(12 - dr, 125_000) for dr in range(6)}
_NARROW_AND_250 = {**_NARROW, 6: _lora(7, 250_000)}
_WIDE = {dr: _lora(20 - dr, 500_000) for dr in range(8, 14)}

REGIONS = {
    plan.name: plan
    for plan in (
        Region("EU868", 869_525_000, 0, _NARROW_AND_250, 0.10),
        # Regional Parameters 1.0.3 rev A, 2.5.2.
        Region("EU433", 434_665_000, 0, _NARROW_AND_250, 0.10),
        Region("US915", 923_300_000, 8, _WIDE, None),
        Region("AU915", 923_300_000, 8, _WIDE, None),
        Region("AS923", 923_200_000, 2, _NARROW_AND_250, None),
        Region("IN865", 866_550_000, 2, _NARROW, None),
        Region("KR920", 921_900_000, 0, _NARROW, None),
        Region("CN470", 505_300_000, 0, {**_NARROW, 6: _lora(7, 500_000)}, None),
        # Regional Parameters 1.0.3 rev A, table 76: less than 1 % at 869.1 MHz.
        Region("RU864", 869_100_000, 0, _NARROW_AND_250, 0.01),
    )
}
"""By name, as settings spell it."""
