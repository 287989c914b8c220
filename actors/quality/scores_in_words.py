"""What the scores come to, as one sentence for people."""

from actors.quality.chance_scores import ChanceScores
from actors.quality.rule_scores import RuleScores
from actors.quality.sentence import number_of


def scores_in_words(chances: ChanceScores, rules: RuleScores) -> str:
    """How good chances and warnings were, as one sentence."""
    parts = []
    if chances.brier is None:
        parts.append("too few commands to judge the chances by")
    else:
        judged = f"{number_of(round(chances.commands), 'command')} judged"
        off = chances.calibration_error or 0.0
        parts.append(f"{judged}: the chances were off by {off * 100.0:.1f} % on average")
        if chances.skill is not None:
            than = "better" if chances.skill > 0.0 else "worse"
            parts.append(
                f"{abs(chances.skill) * 100.0:.0f} % {than} than the fleet's mean would have been"
            )
    silences = round(rules.silences)
    if silences:
        told = silences - min(silences, round(rules.unannounced))
        fell = "1 light fell silent" if silences == 1 else f"{silences} lights fell silent"
        parts.append(f"{fell}, {told} of them announced: sudden deaths cannot be foretold")
    return "; ".join(parts)
