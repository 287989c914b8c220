"""Quality whose word is chosen by the test, with two lights and a gateway to choose from."""

from collections.abc import Sequence

import msgspec

from actors.board.outlook import RiskTold, WarningTold
from actors.quality.model import (
    GatewayGrade,
    Grade,
    GradeLine,
    LightDay,
    LightRisk,
    LightWarning,
    Line,
    ReliabilityBin,
    Rule,
    RuleScore,
    Scores,
)

DAY_S = 86_400.0
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


def told_of(risk: LightRisk) -> RiskTold:
    """The same in short, as its view tells it."""
    warnings = tuple(WarningTold(one.rule.value, one.since) for one in risk.warnings)
    return RiskTold(None if risk.chance_30s is None else round(risk.chance_30s, 3), warnings)


class FakeQuality:
    """`lights`, `past`, `graded` and `scored` are what the test says; nothing is known before."""

    def __init__(self) -> None:
        self.lights: dict[str, LightRisk] = {}
        self.past: dict[str, Sequence[LightDay]] = {}
        self.graded: dict[str, GatewayGrade] = {}
        self.scored: Scores = NOTHING_SCORED

    def light(self, dev_eui: str) -> LightRisk | None:
        """As the test says."""
        return self.lights.get(dev_eui)

    def told(self, dev_eui: str) -> RiskTold | None:
        """The light's in short."""
        risk = self.lights.get(dev_eui)
        return None if risk is None else told_of(risk)

    def days(self, dev_eui: str) -> Sequence[LightDay]:
        """As the test says."""
        return self.past.get(dev_eui, ())

    def risks(self, limit: int) -> Sequence[LightRisk]:
        """By chance."""
        known = sorted(self.lights.values(), key=lambda one: one.chance_30s or 0.0)
        return known[:limit]

    def gateway(self, gateway_id: str) -> GatewayGrade | None:
        """As the test says."""
        return self.graded.get(gateway_id)

    def gateways(self) -> Sequence[GatewayGrade]:
        """By id."""
        return [self.graded[one] for one in sorted(self.graded)]

    def scores(self) -> Scores:
        """As the test says."""
        return self.scored


def a_risk(dev_eui: str, chance_30s: float = 0.97, *rules: Rule, since: float = 0.0) -> LightRisk:
    """A light with such a chance, of which these rules warn."""
    words = {
        Rule.TREND: "its margin falls by 0.9 dB a day and is 5 dB now",
        Rule.COUNTERS: "more than half of its last statuses were lost",
        Rule.FLAPPING: "it joined 4 times within 24 h",
        Rule.MOVED: "its margin fell by 8 dB within an hour",
    }
    return LightRisk(
        dev_eui=dev_eui,
        chance_30s=chance_30s,
        uplink_loss=0.075,
        uplinks_counted=40.0,
        downlink_loss=0.0,
        downlinks_counted=12.0,
        margin_db=11.0,
        margin_trend_db_per_day=-0.6,
        warnings=tuple(LightWarning(rule, since, words[rule]) for rule in rules),
        sentence=f"{chance_30s * 100:.0f} %: 3 of the last 40 statuses and none of 12 colours were"
        " lost; margin 11 dB, falling 0.6 dB a day",
    )


def some_days(last_at: float, count: int = 9) -> list[LightDay]:
    """Days up to the one of `last_at`: a margin that falls, losses that grow, one day unheard."""
    first = last_at // DAY_S * DAY_S - (count - 1) * DAY_S
    days = []
    for number in range(count):
        at = first + number * DAY_S
        if number == 2:
            days.append(LightDay(at, None, None, 0, None, 0))
            continue
        loss = 0.02 + 0.04 * number
        down = None if number % 3 == 1 else 0.01 * number
        days.append(LightDay(at, 14.0 - number, loss, 96, down, 0 if down is None else 7))
    return days


def a_grade(gateway_id: str, letter: Grade, worst: Line, words: str) -> GatewayGrade:
    """A gateway that is as good as one line of it; nothing was measured of the noise."""
    lines = []
    for line in Line:
        if line is worst:
            lines.append(GradeLine(line, letter, 0.81, 57, words))
        elif line is Line.NOISE:
            lines.append(GradeLine(line, None, None, 3, "too few weak frames: 3 of 50"))
        else:
            lines.append(GradeLine(line, Grade.A, 0.0, 96, f"nothing is wrong with {line.value}"))
    return GatewayGrade(gateway_id, letter, words, worst, tuple(lines))


def some_scores() -> Scores:
    """Of a fleet that was watched for two months; one rule was wrong too often."""
    counts = (0.0, 1.0, 4.0, 9.0, 12.0, 26.0, 58.0, 140.0, 610.0, 2_140.5)
    bins = tuple(
        ReliabilityBin(
            number / 10,
            (number + 1) / 10,
            count,
            number / 10 + 0.06 if count else None,
            min(1.0, number / 10 + 0.07) if count else None,
        )
        for number, count in enumerate(counts)
    )
    good = RuleScore(Rule.TREND, 21.0, 18.0, 74.0, 3.0, 0.008, True, False, "as good as it must be")
    rules = (
        good,
        msgspec.structs.replace(good, rule=Rule.COUNTERS, announced=20.0, lead_h=19.0),
        msgspec.structs.replace(
            good,
            rule=Rule.FLAPPING,
            warnings=1.0,
            announced=1.0,
            lead_h=53.0,
            false_warnings=0.0,
            false_per_light_month=0.0,
            enough=False,
            words="too few to judge it",
        ),
        msgspec.structs.replace(
            good,
            rule=Rule.MOVED,
            warnings=61.0,
            announced=4.0,
            lead_h=31.0,
            false_warnings=57.0,
            false_per_light_month=0.14,
            switched_off=True,
            words="0.14 false warnings per light-month, more than 0.05: not shown in this fleet",
        ),
    )
    return Scores(
        commands=3_000.5,
        brier=0.061,
        skill=0.16,
        calibration_error=0.004,
        bins=bins,
        rules=rules,
        light_months=400.0,
        silences=65.0,
        unannounced=26.0,
        sentence="0.16 better than the fleet's mean would have been, by 3,000 commands",
    )
