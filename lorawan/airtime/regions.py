"""What each regional plan says about the second receive window, by which Class C is reached.

`rx2_dr` is ChirpStack's default, the same as in its region files; a duty cycle is given only where
the plan or the law of the band has one. Names are those of ChirpStack's enum of regions, so that
they compare with its profiles.

Sources: LoRaWAN Regional Parameters 1.0.3 rev A and RP002-1.0.3; chirpstack/chirpstack, lrwn and
its region files; ETSI EN 300 220-2, table B.1 (EU868). The lights' maker ships profiles for EU868,
US915, AU915, IN865 and all four AS923 (chirpstack/chirpstack-device-profiles, vendors/plenom).
"""

import re

import msgspec

from lorawan.events.model import Modulation


class UnknownRegion(ValueError):
    """No such region, no such data rate in it, or a frequency outside it."""


class DutyBand(msgspec.Struct, frozen=True):
    """A part of the spectrum, from `low_hz` to `high_hz`, and its share of an hour."""

    low_hz: int
    high_hz: int
    duty_cycle: float


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
    band_hz: tuple[int, int]
    """Where the plan's frequencies lie."""
    duty_bands: tuple[DutyBand, ...] = ()
    """Where the duty cycle depends on the frequency."""

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

    def at(self, frequency_hz: int) -> "Region":
        """The same plan with an operator's own frequency for RX2, and the duty cycle there.

        Raises `UnknownRegion` for a frequency outside the plan.
        """
        low, high = self.band_hz
        if not low <= frequency_hz <= high:
            raise UnknownRegion(
                f"{self.name} lies between {low} and {high} Hz; a frequency is written in Hz,"
                f" as {self.rx2_frequency_hz}"
            )
        duty = self.duty_cycle
        if self.duty_bands:
            inside = [d for d in self.duty_bands if d.low_hz <= frequency_hz <= d.high_hz]
            if not inside:
                raise UnknownRegion(f"no downlinks are allowed at {frequency_hz} Hz in {self.name}")
            duty = min(each.duty_cycle for each in inside)
        return msgspec.structs.replace(self, rx2_frequency_hz=frequency_hz, duty_cycle=duty)

    def with_duty(self, duty_cycle: float) -> "Region":
        """The same plan with an operator's own duty cycle, a fraction of an hour."""
        return msgspec.structs.replace(self, duty_cycle=duty_cycle)


def region(name: str) -> Region:
    """The region of a name (`EU868`, `AS923-2`) or of one of ChirpStack's ids (`eu868`,
    `us915_1`, `as923_2`), in any case of letters.

    Raises `UnknownRegion`.
    """
    wanted = name.upper().replace("-", "_")
    plan, _, part = wanted.partition("_")
    found = REGIONS.get(_FIRST.get(wanted, wanted))
    if found is None and re.fullmatch(r"0|[1-9][0-9]?", part) and int(part) < _PARTS.get(plan, 0):
        found = REGIONS[plan]
    if found is None:
        raise UnknownRegion(
            f"no region of this name: there are {', '.join(REGIONS)}; ChirpStack's ids, such as"
            " eu868 and us915_0, will do, too"
        )
    return found


def _lora(spreading_factor: int, bandwidth_hz: int) -> Modulation:
    return Modulation(spreading_factor=spreading_factor, bandwidth_hz=bandwidth_hz)


_NARROW = {dr: _lora(12 - dr, 125_000) for dr in range(6)}
_NARROW_AND_250 = {**_NARROW, 6: _lora(7, 250_000)}
_WIDE = {dr: _lora(20 - dr, 500_000) for dr in range(8, 14)}

_EU868_BANDS = (
    DutyBand(863_000_000, 865_000_000, 0.001),
    DutyBand(865_000_000, 868_600_000, 0.01),
    DutyBand(868_700_000, 869_200_000, 0.001),
    DutyBand(869_400_000, 869_650_000, 0.10),
    DutyBand(869_700_000, 870_000_000, 0.01),
)


def _as923(name: str, offset_hz: int) -> Region:
    """RP002-1.0.3, 2.10: the groups differ by an offset to every frequency."""
    band_hz = (915_000_000, 928_000_000)
    return Region(name, 923_200_000 + offset_hz, 2, _NARROW_AND_250, None, band_hz)


REGIONS = {
    plan.name: plan
    for plan in (
        Region(
            "EU868",
            869_525_000,
            0,
            _NARROW_AND_250,
            0.10,
            (863_000_000, 870_000_000),
            _EU868_BANDS,
        ),
        # Regional Parameters 1.0.3 rev A, 2.5.2.
        Region("EU433", 434_665_000, 0, _NARROW_AND_250, 0.10, (433_050_000, 434_790_000)),
        Region("US915", 923_300_000, 8, _WIDE, None, (902_000_000, 928_000_000)),
        Region("AU915", 923_300_000, 8, _WIDE, None, (915_000_000, 928_000_000)),
        _as923("AS923", 0),
        _as923("AS923_2", -1_800_000),
        _as923("AS923_3", -6_600_000),
        _as923("AS923_4", -5_900_000),
        Region("IN865", 866_550_000, 2, _NARROW, None, (865_000_000, 867_000_000)),
        Region("KR920", 921_900_000, 0, _NARROW, None, (920_900_000, 923_300_000)),
        Region(
            "CN470",
            505_300_000,
            0,
            {**_NARROW, 6: _lora(7, 500_000)},
            None,
            (470_000_000, 510_000_000),
        ),
        # Regional Parameters 1.0.3 rev A, 2.4.2.
        Region("CN779", 786_000_000, 0, _NARROW_AND_250, 0.01, (779_000_000, 787_000_000)),
        # Regional Parameters 1.0.3 rev A, table 76: less than 1 % at 869.1 MHz.
        Region("RU864", 869_100_000, 0, _NARROW_AND_250, 0.01, (864_000_000, 870_000_000)),
    )
}
"""By name, as settings spell it."""

_FIRST = {"AS923_1": "AS923"}
"""The first group has two names: the Alliance's AS923-1, and ChirpStack's AS923."""
_PARTS = {"US915": 8, "AU915": 8, "CN470": 12}
"""How many channel groups ChirpStack has region files for: us915_0 to us915_7, and so on."""
