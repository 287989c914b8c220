"""Quality of which nothing is known: what a service says that has not heard anything yet."""

from collections.abc import Sequence

from actors.quality.model import GatewayGrade, LightDay, LightRisk, Scores

NOTHING_SCORED = Scores(
    commands=0.0,
    brier=None,
    skill=None,
    calibration_error=None,
    bins=(),
    rules=(),
    light_months=0.0,
    silences=0.0,
    unannounced=0.0,
    sentence="nothing known yet",
)


class NothingKnown:
    """A `QualityView` without evidence."""

    def light(self, dev_eui: str) -> LightRisk | None:
        """Nothing."""
        return None

    def days(self, dev_eui: str) -> Sequence[LightDay]:
        """None."""
        return ()

    def risks(self, limit: int) -> Sequence[LightRisk]:
        """None."""
        return ()

    def gateway(self, gateway_id: str) -> GatewayGrade | None:
        """Nothing."""
        return None

    def gateways(self) -> Sequence[GatewayGrade]:
        """None."""
        return ()

    def scores(self) -> Scores:
        """Nothing was judged."""
        return NOTHING_SCORED
