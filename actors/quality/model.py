"""What quality tells: the risk of a light, the grade of a gateway, and how good such tellings were.

Immutable values, as people and programs read them. Chances and losses are shares (0 to 1), fields
ending in `_at` (and `since`) Unix seconds UTC. What has too little evidence is None, never a guess.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from actors.board.outlook import RiskTold


class Rule(StrEnum):
    """What a light can be warned of. A sudden death announces itself by none of them."""

    TREND = "trend"
    """Its margin falls day by day and will soon not be enough."""
    COUNTERS = "counters"
    """More than half of its uplinks are lost."""
    FLAPPING = "flapping"
    """It joins again and again: its power supply, or its radio, comes and goes."""
    MOVED = "moved"
    """Its margin fell at once and stays so: it was moved, or an antenna was."""


class LightWarning(msgspec.Struct, frozen=True):
    """A rule that holds for a light now."""

    rule: Rule
    since: float
    words: str
    """What was measured, in plain English."""


class LightRisk(msgspec.Struct, frozen=True):
    """What is to be expected of one light."""

    dev_eui: str
    chance_30s: float | None
    """Chance that the next command is verified within 30 s; None while nothing was counted."""
    uplink_loss: float | None
    """Share of its frames that are lost on the way to us; None while none was counted."""
    uplinks_counted: float
    """Frames that this rests on: each counts half after 50 more."""
    downlink_loss: float | None
    """Share of our frames, taken by a gateway, that it does not receive."""
    downlinks_counted: float
    margin_db: float | None
    """Median of the newest day, or of the newest statuses before there is one: how far its signal
    lies above what a gateway needs."""
    margin_trend_db_per_day: float | None
    """Theil-Sen slope of the daily medians of the last week; None of less than four days."""
    warnings: tuple[LightWarning, ...]
    """Rules that hold, without those that are switched off in this fleet."""
    sentence: str
    """All of it as one sentence with its evidence."""


class LightDay(msgspec.Struct, frozen=True):
    """One day (UTC) of a light, as far as it was watched."""

    at: float
    """When the day began."""
    margin_db: float | None
    """Median of what gateways heard that day; None where nothing was heard."""
    uplink_loss: float | None
    """Share of the frames it sent that day that never came; None where none was counted."""
    uplinks_counted: int
    """Frames that it sent, by its counter."""
    downlink_loss: float | None
    """Share of our frames, taken by a gateway that day, that it did not receive."""
    downlinks_counted: int


class Grade(StrEnum):
    """Of a gateway, and of each line that makes it. D is worth an alert."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Line(StrEnum):
    """What a gateway is graded by, over the last 24 h."""

    AWAY = "away"
    """Minutes without a sign of life, and how often."""
    TAKEN = "taken"
    """Share of frames that it took at the first try."""
    ANSWERED = "answered"
    """Answered first attempts through it, against what the lights' own records promise."""
    LEAD = "lead"
    """Seconds from an order to its txack, 95th percentile, less the scheduler's tick."""
    UPLINKS = "uplinks"
    """Share heard of the frames that the lights in its reach sent, against its last seven days."""
    NOISE = "noise"
    """RSSI minus SNR of frames below 0 dB, against its last seven days: dB."""
    AIRTIME = "airtime"
    """Share of the hour's airtime that is used."""
    ALONE = "alone"
    """Share of its lights that no other gateway hears."""


class GradeLine(msgspec.Struct, frozen=True):
    """One line of a gateway's grade."""

    line: Line
    grade: Grade | None
    """None where there is too little evidence."""
    value: float | None
    """In the line's own unit, see `Line`; None where nothing was measured."""
    count: int
    """On how many observations it rests."""
    words: str
    """What was measured and why that is this grade, or what is missing for one."""


class GatewayGrade(msgspec.Struct, frozen=True):
    """A gateway is as good as its worst line, and that line is the reason."""

    gateway_id: str
    grade: Grade | None
    """None while no line has enough evidence."""
    reason: str
    worst: Line | None
    lines: tuple[GradeLine, ...]
    """Every line, in the order of `Line`."""


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Of the reliability diagram: commands of which such a chance was said, and what came of them.

    `count` fades like everything here, so it is no whole number.
    """

    least: float
    most: float
    count: float
    predicted: float | None
    """Mean of the chances that were said."""
    observed: float | None
    """Share that was verified within 30 s."""


class RuleScore(msgspec.Struct, frozen=True):
    """How a rule did in this fleet, over about the last 60 days."""

    rule: Rule
    warnings: float
    """Given, whether shown or not, and judged by now: a week passed (of `moved` a day), or the
    light fell silent."""
    announced: float
    """Of these, followed by a silence within a week; of `moved`, those that lasted for a day."""
    lead_h: float | None
    """Median hours from the warning to the silence."""
    false_warnings: float
    false_per_light_month: float | None
    """None while nothing was watched."""
    enough: bool
    """Watched for long enough to judge the rule."""
    switched_off: bool
    """It gives more false warnings than it may, so it is not shown in this fleet."""
    words: str


class Scores(msgspec.Struct, frozen=True):
    """How good the chances and warnings were, judged by what came, over about the last 60 days."""

    commands: float
    """Judged; fading."""
    brier: float | None
    """Mean squared difference of chance and outcome: 0 is perfect."""
    skill: float | None
    """1 - brier / what the fleet's mean, said of every command, would have had."""
    calibration_error: float | None
    """Mean difference of what was said and what came, over the bins."""
    bins: tuple[ReliabilityBin, ...]
    """Ten, from 0 to 1."""
    rules: tuple[RuleScore, ...]
    light_months: float
    """Watched, of all lights together."""
    silences: float
    """Lights that fell silent."""
    unannounced: float
    """Of these, without any warning in the week before."""
    sentence: str


class QualityView(Protocol):
    """What is asked of quality; every answer is made of what is in memory, at once."""

    def light(self, dev_eui: str) -> LightRisk | None:
        """Of one light; None of one that is not known."""
        ...

    def told(self, dev_eui: str) -> RiskTold | None:
        """What the view of one light says of it: the same in short, as of the last look at it."""
        ...

    def days(self, dev_eui: str) -> Sequence[LightDay]:
        """What one light's days were like, the oldest first, at most 14; empty for one not known.

        Its panel draws both directions and the margin over time from it.
        """
        ...

    def risks(self, limit: int) -> Sequence[LightRisk]:
        """The lights most at risk, the worst first."""
        ...

    def gateway(self, gateway_id: str) -> GatewayGrade | None:
        """Of one gateway; None of one that is not known."""
        ...

    def gateways(self) -> Sequence[GatewayGrade]:
        """Of all gateways, by id."""
        ...

    def scores(self) -> Scores:
        """How good all that was."""
        ...
