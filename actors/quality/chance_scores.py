"""How good the chances were that were said of commands, judged by what came of these.

Sums that fade: a command counts 1/e after 60 days. So the scores follow the fleet as it is, and
take a few hundred bytes whatever the number of commands.
"""

import math

import msgspec

from actors.quality.model import ReliabilityBin

BINS = 10
WINDOW_DAYS = 60.0
DAY_LEAVES: float = math.exp(-1.0 / WINDOW_DAYS)
"""What a day leaves of everything that is summed here and of the rules' counts."""
COMMANDS_LEAST = 20.0
"""Below that a score is luck."""


class ChanceSums(msgspec.Struct, omit_defaults=True):
    """The sums, as they are stored."""

    squares: float = 0.0
    """Of the differences between chance and outcome."""
    counts: list[float] = msgspec.field(default_factory=lambda: [0.0] * BINS)
    predicted: list[float] = msgspec.field(default_factory=lambda: [0.0] * BINS)
    verified: list[float] = msgspec.field(default_factory=lambda: [0.0] * BINS)


class ChanceScores:
    """Scores of all commands together."""

    __slots__ = ("sums",)

    def __init__(self) -> None:
        self.sums = ChanceSums()

    def restore(self, sums: ChanceSums) -> None:
        """What the store knows; sums of another number of bins are of another version."""
        if all(len(each) == BINS for each in (sums.counts, sums.predicted, sums.verified)):
            self.sums = sums

    def judged(self, chance: float, *, verified: bool) -> None:
        """A command of which this chance was said was verified within 30 s, or not."""
        sums, outcome = self.sums, float(verified)
        at = min(BINS - 1, int(chance * BINS))
        sums.squares += (chance - outcome) ** 2
        sums.counts[at] += 1.0
        sums.predicted[at] += chance
        sums.verified[at] += outcome

    def days_over(self, days: int) -> None:
        """Everything counts so many days less."""
        sums, leaves = self.sums, DAY_LEAVES**days
        sums.squares *= leaves
        for each in (sums.counts, sums.predicted, sums.verified):
            each[:] = [value * leaves for value in each]

    @property
    def commands(self) -> float:
        """How many are judged, fading."""
        return sum(self.sums.counts)

    @property
    def brier(self) -> float | None:
        """Mean squared difference of chance and outcome."""
        return self.sums.squares / self.commands if self.commands >= COMMANDS_LEAST else None

    @property
    def skill(self) -> float | None:
        """1 - brier / the Brier score of the fleet's own mean; None where all commands ended alike,
        since then the mean is perfect."""
        brier, commands = self.brier, self.commands
        if brier is None:
            return None
        mean = sum(self.sums.verified) / commands
        of_mean = mean * (1.0 - mean)
        return None if of_mean < 1e-9 else 1.0 - brier / of_mean

    @property
    def calibration_error(self) -> float | None:
        """Mean distance of what was said and what came, over the bins by their counts."""
        if self.commands < COMMANDS_LEAST:
            return None
        pairs = zip(self.sums.predicted, self.sums.verified, strict=True)
        return sum(abs(said - came) for said, came in pairs) / self.commands

    def bins(self) -> tuple[ReliabilityBin, ...]:
        """The reliability diagram."""
        sums = self.sums
        return tuple(
            ReliabilityBin(
                least=at / BINS,
                most=(at + 1) / BINS,
                count=count,
                predicted=sums.predicted[at] / count if count > 0.0 else None,
                observed=sums.verified[at] / count if count > 0.0 else None,
            )
            for at, count in enumerate(sums.counts)
        )
