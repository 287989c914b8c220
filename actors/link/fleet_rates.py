"""What the fleet as a whole is like: how many frames are lost, how often a light goes dark.

It is counted in rounds over all lights (`Census`), never per event. Until a fleet has told enough
of itself the general values hold.
"""

import math

import msgspec

from actors.link.knowledge import DARK_PER_DAY, DAY_S, DOWNLINK_LOSS, UPLINK_LOSS

PRIOR_FRAMES = 100.0
"""The general shares weigh as much as so many frames: those of a light in a day."""
PRIOR_LIGHT_DAYS = 60.0
"""The general rate weighs as much as so many days of one light, in which two go dark."""
HALF_LIFE_S = 30.0 * DAY_S
"""Of the silences: a building changes, and its lights are switched off otherwise."""
DARK_PER_DAY_WITHIN = (0.001, 5.0)
"""Once in three years; and more than each night, each lunch and each weekend."""


class Census(msgspec.Struct, frozen=True, gc=False):
    """One round over all lights."""

    light_s: float = 0.0
    """Seconds since the last round, summed over the lights that were in reach and awake."""
    silences: int = 0
    """Lights that fell silent since then, each for itself."""
    uplinks: float = 0.0
    """Frames that the lights' own counters rest on, and how many of them were lost."""
    uplinks_lost: float = 0.0
    downlinks: float = 0.0
    downlinks_lost: float = 0.0


class FleetRecord(msgspec.Struct, frozen=True, gc=False):
    """What is stored of it; the lights' counters are in their own records."""

    light_s: float = 0.0
    silences: float = 0.0
    uplink_loss: float = UPLINK_LOSS
    downlink_loss: float = DOWNLINK_LOSS


class FleetRates:
    """The account of all lights."""

    def __init__(self, record: FleetRecord | None = None) -> None:
        stored = record or FleetRecord()
        self._light_s, self._silences = _positive(stored.light_s), _positive(stored.silences)
        self.uplink_loss = _share(stored.uplink_loss, UPLINK_LOSS)
        self.downlink_loss = _share(stored.downlink_loss, DOWNLINK_LOSS)

    def counted(self, census: Census, passed_s: float) -> None:
        """One round, so many seconds after the last."""
        keep = 0.5 ** (max(passed_s, 0.0) / HALF_LIFE_S)
        self._light_s = self._light_s * keep + max(census.light_s, 0.0)
        self._silences = self._silences * keep + max(census.silences, 0)
        self.uplink_loss = _over(UPLINK_LOSS, census.uplinks_lost, census.uplinks)
        self.downlink_loss = _over(DOWNLINK_LOSS, census.downlinks_lost, census.downlinks)

    @property
    def dark_per_s(self) -> float:
        """Rate at which a light goes dark, per second."""
        prior_s = PRIOR_LIGHT_DAYS * DAY_S
        rate = (DARK_PER_DAY * PRIOR_LIGHT_DAYS + self._silences) / (prior_s + self._light_s)
        least, most = DARK_PER_DAY_WITHIN
        return min(max(rate, least / DAY_S), most / DAY_S)

    @property
    def light_days(self) -> float:
        """Days of lights that the rate rests on."""
        return self._light_s / DAY_S

    def record(self) -> FleetRecord:
        """What is stored of it."""
        return FleetRecord(
            light_s=self._light_s,
            silences=self._silences,
            uplink_loss=self.uplink_loss,
            downlink_loss=self.downlink_loss,
        )


def _over(prior: float, lost: float, counted: float) -> float:
    return (PRIOR_FRAMES * prior + lost) / (PRIOR_FRAMES + counted)


def _positive(value: float) -> float:
    return value if 0.0 <= value < math.inf else 0.0


def _share(value: float, otherwise: float) -> float:
    return value if 0.0 < value < 1.0 else otherwise
