"""What is to be expected of lights and gateways, and how good that was, for Prometheus.

Labels have few values: the bounds of the chances, the rules, and the gateways that there are. What
is not known has no sample, rather than a zero.

    lamplighter_devices_by_chance{chance}             lights by the least chance of their class
    lamplighter_devices_warned{rule}                  lights that a rule warns of
    lamplighter_gateway_grade{gateway_id}             1 for A to 4 for D
    lamplighter_prediction_skill                      against the fleet's mean; 0 is no better
    lamplighter_prediction_brier_score                0 is perfect
    lamplighter_prediction_calibration_error          mean of said minus seen
    lamplighter_prediction_commands                   commands that these rest on
    lamplighter_warning_false_per_light_month{rule}
    lamplighter_warning_lead_hours{rule}              median, before a silence
    lamplighter_warning_switched_off{rule}            1 where a rule is wrong too often here
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from actors.board.outlook import RiskTold
from actors.metrics.families import PREFIX, gauges
from actors.quality.model import Grade, QualityView, Rule, Scores

LEAST = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
"""Lower bounds of the classes of chances."""
UNKNOWN = "unknown"


def expected(lights: int, risks: Mapping[str, RiskTold], quality: QualityView) -> Iterator[Metric]:
    """Every family, now; of each of so many lights what was told last, which costs no counting."""
    chances = Counter(_class(told.chance_30s) for told in risks.values())
    chances[UNKNOWN] += lights - len(risks)
    by_chance = gauges(
        "devices_by_chance",
        "Lights by the chance that their next command is verified within 30 s: at least so much.",
        "chance",
    )
    for name in (*(f"{least:g}" for least in LEAST), UNKNOWN):
        by_chance.add_metric([name], chances[name])
    yield by_chance
    warned = Counter(rule for told in risks.values() for rule in told.rules)
    by_rule = gauges("devices_warned", "Lights that a rule warns of.", "rule")
    for rule in Rule:
        by_rule.add_metric([rule.value], warned[rule.value])
    yield by_rule
    grades = gauges("gateway_grade", "1 for A, 2 for B, 3 for C, 4 for D.", "gateway_id")
    for one in quality.gateways():
        if one.grade is not None:
            grades.add_metric([one.gateway_id], 1 + list(Grade).index(one.grade))
    yield grades
    yield from _scores(quality.scores())


def _scores(scores: Scores) -> Iterator[Metric]:
    told = {
        "prediction_skill": ("Of the chances, against the fleet's mean.", scores.skill),
        "prediction_brier_score": ("Mean squared error of the chances.", scores.brier),
        "prediction_calibration_error": (
            "Mean difference of chances and outcomes.",
            scores.calibration_error,
        ),
        "prediction_commands": ("Commands that the scores rest on.", scores.commands),
    }
    for name, (text, value) in told.items():
        if value is not None:
            yield GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)
    false = gauges(
        "warning_false_per_light_month", "False warnings for each light and month.", "rule"
    )
    lead = gauges("warning_lead_hours", "Median hours from warning to silence.", "rule")
    off = gauges("warning_switched_off", "1 where a rule is wrong too often here.", "rule")
    for one in scores.rules:
        label = [one.rule.value]
        if one.false_per_light_month is not None:
            false.add_metric(label, one.false_per_light_month)
        if one.lead_h is not None:
            lead.add_metric(label, one.lead_h)
        off.add_metric(label, float(one.switched_off))
    yield from (false, lead, off)


def _class(chance: float | None) -> str:
    if chance is None:
        return UNKNOWN
    return f"{LEAST[bisect_right(LEAST, chance) - 1]:g}"
