"""What is to be expected of lights and gateways, as HTTP and the live websocket show it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actors.board.outlook import RiskTold
from actors.device.model import Device
from actors.quality.model import GatewayGrade, LightDay, LightRisk, LightWarning, Rule


class RiskShown(msgspec.Struct, frozen=True):
    """What a light's entry says of the commands to come: as told last, not of this instant."""

    chance_30s: float | None
    """Chance that the next command is verified within 30 s; null while nothing was counted."""
    warnings: list[str]
    """Rules that hold, by name; empty where none does."""

    @classmethod
    def of(cls, told: RiskTold | None) -> "RiskShown | None":
        """The view of a risk; None of a light of which nothing is known yet."""
        return None if told is None else cls(told.chance_30s, told.rules)


class LightQuality(msgspec.Struct, frozen=True):
    """What is to be expected of one light, with its evidence."""

    chance_30s: float | None
    """Chance that the next command is verified within 30 s; null while nothing was counted."""
    uplink_loss: float | None
    """Share of its frames that are lost on the way to us; null while none was counted."""
    uplinks_counted: float
    """Frames that this rests on: each counts half after 50 more."""
    downlink_loss: float | None
    """Share of our frames, taken by a gateway, that it does not receive."""
    downlinks_counted: float
    """Frames that this rests on."""
    margin_db: float | None
    """Median of the newest day: how far its signal lies above what a gateway needs."""
    margin_trend_db_per_day: float | None
    """How that median changes (Theil-Sen slope over the last week); null of less than four days."""
    warnings: list[LightWarning]
    """Rules that hold, without those that are switched off in this fleet."""
    sentence: str
    """All of it as one sentence."""
    days: list[LightDay]
    """What its days were like, the oldest first, at most 14."""

    @classmethod
    def of(cls, risk: LightRisk | None, days: Sequence[LightDay]) -> "LightQuality | None":
        """The view of a light's risk; None while nothing is known of it."""
        if risk is None:
            return None
        return cls(days=list(days), **_figures(risk))


class RiskView(msgspec.Struct, frozen=True):
    """One light with what is to be expected of it."""

    dev_eui: str
    name: str
    chance_30s: float | None
    """Chance that the next command is verified within 30 s; null while nothing was counted."""
    uplink_loss: float | None
    """Share of its frames that are lost on the way to us; null while none was counted."""
    uplinks_counted: float
    """Frames that this rests on: each counts half after 50 more."""
    downlink_loss: float | None
    """Share of our frames, taken by a gateway, that it does not receive."""
    downlinks_counted: float
    """Frames that this rests on."""
    margin_db: float | None
    """Median of the newest day: how far its signal lies above what a gateway needs."""
    margin_trend_db_per_day: float | None
    """How that median changes (Theil-Sen slope over the last week); null of less than four days."""
    warnings: list[LightWarning]
    """Rules that hold, without those that are switched off in this fleet."""
    sentence: str
    """All of it as one sentence."""

    @classmethod
    def of(cls, device: Device, risk: LightRisk) -> "RiskView":
        """The view of a light's risk."""
        return cls(dev_eui=device.dev_eui, name=device.name, **_figures(risk))


class RiskList(msgspec.Struct, frozen=True):
    """Lights, those most at risk first: the ones that are warned of or whose chance is below 0.5,
    then the others, each by chance.

    `total` counts all that match and of which something is known, `unknown` those that match and of
    which nothing is; `warned` are how many of them have each warning.
    """

    total: int
    unknown: int
    warned: dict[Rule, int]
    limit: int
    offset: int
    risks: list[RiskView]


def gateway_quality(gateway_id: str, graded: GatewayGrade | None) -> GatewayGrade:
    """A gateway's grade with its lines; one of which nothing is known has neither."""
    if graded is not None:
        return graded
    return GatewayGrade(gateway_id, None, "nothing known yet", None, ())


def _figures(risk: LightRisk) -> dict[str, Any]:
    figures = msgspec.structs.asdict(risk)
    del figures["dev_eui"]
    figures["warnings"] = list(risk.warnings)
    return figures
