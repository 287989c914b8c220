"""What is to be expected of each light and gateway, said with its evidence, and scored."""

from actors.quality.model import (
    GatewayGrade,
    Grade,
    GradeLine,
    LightDay,
    LightRisk,
    LightWarning,
    Line,
    QualityView,
    ReliabilityBin,
    Rule,
    RuleScore,
    Scores,
)

__all__ = [
    "GatewayGrade",
    "Grade",
    "GradeLine",
    "LightDay",
    "LightRisk",
    "LightWarning",
    "Line",
    "QualityView",
    "ReliabilityBin",
    "Rule",
    "RuleScore",
    "Scores",
]
