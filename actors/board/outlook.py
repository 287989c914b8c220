"""What is expected of each light, as it was told last: the few figures that travel with its view.

Quality knows more, and anew with every frame. Readers of the board are told again only where it
changed noticeably, so that the chances of 10,000 lights, each moving a little with every status,
are no flood of messages.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actors.device.model import Device

CHANCE_STEP = 0.05
"""A chance that moved by so much is told again."""
LEAST_STEP = 0.01
"""A smaller step counts where the risk is small: from 1 % to 3 % it has tripled."""
RISK_RATIO = 1.5
UNLIKELY = 0.5
"""A light with a lower chance is among the worst, warned of or not."""


class WarningTold(NamedTuple):
    """A rule that holds for a light, by its name, and since when (Unix seconds)."""

    rule: str
    since: float


class RiskTold(NamedTuple):
    """What a light's view says of the commands to come."""

    chance_30s: float | None
    """Chance that the next command is verified within 30 s; None while nothing was counted."""
    warnings: tuple[WarningTold, ...] = ()

    @property
    def rules(self) -> list[str]:
        """The warnings, by name."""
        return [warning.rule for warning in self.warnings]

    @property
    def order(self) -> tuple[bool, float]:
        """For sorting, the worst first: lights that are warned of or unlikely to answer, then the
        others, each by chance; those of which nothing is known last."""
        chance = 2.0 if self.chance_30s is None else self.chance_30s
        return not (self.warnings or chance < UNLIKELY), chance


UNKNOWN = RiskTold(None)
"""Of a light of which nothing is known yet."""


def noticeable(before: RiskTold | None, after: RiskTold) -> bool:
    """Whether a reader who knows `before` should be told."""
    if before is None:
        return after != UNKNOWN
    if before.rules != after.rules:
        return True
    if before.chance_30s is None or after.chance_30s is None:
        return before.chance_30s != after.chance_30s
    step = abs(after.chance_30s - before.chance_30s)
    if step >= CHANCE_STEP:
        return True
    risks = sorted((1 - before.chance_30s, 1 - after.chance_30s))
    return step >= LEAST_STEP and risks[1] >= RISK_RATIO * risks[0]


def worst_first(
    devices: Sequence[Device], told: Mapping[str, RiskTold]
) -> list[tuple[Device, RiskTold]]:
    """Lights with what was told of them, those most at risk first, ties by DevEUI."""
    known = [(device, told.get(device.dev_eui, UNKNOWN)) for device in devices]
    return sorted(known, key=lambda one: (*one[1].order, one[0].dev_eui))
