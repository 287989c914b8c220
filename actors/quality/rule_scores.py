"""How good the warnings were: what each announced, how early, and how often for nothing.

A warning waits for its judgement. Of a light that falls silent within a week of it, it announced
that; otherwise it was false. (A moved light need not fall silent: that warning is false if the
signal is back within a day.) A rule that gives more false warnings than it may is switched off in
this fleet: it goes on being judged, unseen, and is switched on again by itself once the false ones
have faded so far, or so much more was watched without any, that it keeps its bound.
"""

import math
from collections.abc import Iterable
from statistics import median

import msgspec

from actors.quality.chance_scores import DAY_LEAVES
from actors.quality.luck import poisson_at_least
from actors.quality.model import Rule, RuleScore
from actors.quality.sentence import number_of

WEEK_S = 7 * 86_400.0
MOVED_BACK_S = 86_400.0
FALSE_MOST = 0.05
"""False warnings per light and month that a rule may give: five a month among 100 lights."""
PROVEN = 0.05
"""A rule is switched off when a rule that keeps the bound would give so many false warnings with
no more than this chance."""
FALSE_LEAST = 3
LIGHT_MONTHS_LEAST = 20.0
"""One false warning is to be expected in that by a rule that just keeps its bound: with less, no
rule is called good."""
LEADS_KEPT = 50
MONTH_DAYS = 30.0


class RuleSums(msgspec.Struct, omit_defaults=True):
    """What is known of one rule, as it is stored; counts fade over 60 days."""

    announced: float = 0.0
    false: float = 0.0
    leads_h: list[float] = []
    """The newest, in hours."""
    switched_off: bool = False


class AllSums(msgspec.Struct, omit_defaults=True):
    """Of all rules, and what was watched."""

    rules: dict[str, RuleSums] = {}
    light_months: float = 0.0
    silences: float = 0.0
    unannounced: float = 0.0


class RuleScores:
    """Bound of what waits: one warning of each rule for each light."""

    __slots__ = ("_pending", "_sums", "_watched")

    def __init__(self) -> None:
        self._watched = AllSums()
        self._sums = {rule: RuleSums() for rule in Rule}
        self._pending: dict[tuple[str, Rule], float] = {}

    def restore(self, stored: AllSums) -> None:
        """What the store knows."""
        self._watched = stored
        self._sums = {rule: stored.rules.get(rule.value, RuleSums()) for rule in Rule}

    def stored(self) -> AllSums:
        """For the store, without what waits: that is kept with its lights."""
        watched = self._watched
        rules = {rule.value: sums for rule, sums in self._sums.items()}
        return AllSums(rules, watched.light_months, watched.silences, watched.unannounced)

    def pending_of(self, dev_eui: str) -> dict[Rule, float]:
        """When this light was warned of what is not judged yet."""
        found = ((rule, self._pending.get((dev_eui, rule))) for rule in Rule)
        return {rule: at for rule, at in found if at is not None}

    # ---------------------------------------------------------------- what happens

    def warned(self, dev_eui: str, rule: Rule, at: float) -> None:
        """A rule began to hold. Again before the first is judged it is the same warning."""
        self._pending.setdefault((dev_eui, rule), at)

    def ended(self, dev_eui: str, rule: Rule, now: float) -> None:
        """It holds no more."""
        at = self._pending.get((dev_eui, rule))
        if rule is Rule.MOVED and at is not None:
            del self._pending[dev_eui, rule]
            if now - at < MOVED_BACK_S:
                self._sums[rule].false += 1.0
            else:
                self._sums[rule].announced += 1.0

    def fell_silent(self, dev_eui: str, since: float, standing: Iterable[Rule]) -> None:
        """A light was heard for the last time at `since`; these rules held then."""
        self._watched.silences += 1.0
        told = any(rule is not Rule.MOVED for rule in standing)
        for rule, at in self.pending_of(dev_eui).items():
            if rule is Rule.MOVED:
                continue
            del self._pending[dev_eui, rule]
            if since - at <= WEEK_S:
                told = True
                sums = self._sums[rule]
                sums.announced += 1.0
                sums.leads_h = [*sums.leads_h, max(0.0, since - at) / 3_600.0][-LEADS_KEPT:]
            else:
                self._sums[rule].false += 1.0
        self._watched.unannounced += not told

    def forget(self, dev_eui: str) -> None:
        """The light is known no longer: what it was warned of is not judged."""
        for rule in Rule:
            self._pending.pop((dev_eui, rule), None)

    def look(self, now: float) -> None:
        """Judge what has waited for long enough."""
        for (dev_eui, rule), at in list(self._pending.items()):
            if rule is Rule.MOVED and now - at >= MOVED_BACK_S:
                self._sums[rule].announced += 1.0
            elif rule is not Rule.MOVED and now - at > WEEK_S:
                self._sums[rule].false += 1.0
            else:
                continue
            del self._pending[dev_eui, rule]
        for sums in self._sums.values():
            self._switch(sums)

    def moved(self, by_s: float) -> None:
        """The machine's clock was set."""
        self._pending = {key: at + by_s for key, at in self._pending.items()}

    def watched(self, lights: int, seconds: float) -> None:
        """So many lights were heard of in this time."""
        self._watched.light_months += lights * seconds / (MONTH_DAYS * 86_400.0)

    def days_over(self, days: int) -> None:
        """Everything counts so many days less."""
        watched, leaves = self._watched, DAY_LEAVES**days
        watched.light_months *= leaves
        watched.silences *= leaves
        watched.unannounced *= leaves
        for sums in self._sums.values():
            sums.announced *= leaves
            sums.false *= leaves

    # ---------------------------------------------------------------- what is known

    @property
    def light_months(self) -> float:
        """Watched, of all lights together."""
        return self._watched.light_months

    @property
    def silences(self) -> float:
        """Lights that fell silent."""
        return self._watched.silences

    @property
    def unannounced(self) -> float:
        """Of these, without a warning."""
        return self._watched.unannounced

    def switched_off(self, rule: Rule) -> bool:
        """Whether its warnings are not shown in this fleet."""
        return self._sums[rule].switched_off

    def scores(self) -> tuple[RuleScore, ...]:
        """Of every rule."""
        return tuple(self._score(rule, sums) for rule, sums in self._sums.items())

    def _score(self, rule: Rule, sums: RuleSums) -> RuleScore:
        months = self.light_months
        enough = months >= LIGHT_MONTHS_LEAST or sums.switched_off
        return RuleScore(
            rule=rule,
            warnings=sums.announced + sums.false,
            announced=sums.announced,
            lead_h=median(sums.leads_h) if sums.leads_h else None,
            false_warnings=sums.false,
            false_per_light_month=sums.false / months if months > 0.0 else None,
            enough=enough,
            switched_off=sums.switched_off,
            words=_words(rule, sums, months, enough=enough),
        )

    def _switch(self, sums: RuleSums) -> None:
        months = self.light_months
        if sums.switched_off:
            sums.switched_off = sums.false > FALSE_MOST * months
        else:
            false = math.floor(sums.false + 1e-6)
            by_luck = poisson_at_least(false, FALSE_MOST * months)
            sums.switched_off = false >= FALSE_LEAST and by_luck <= PROVEN


def _words(rule: Rule, sums: RuleSums, months: float, *, enough: bool) -> str:
    watched = f"in {months:.1f} light-months"
    if rule is Rule.MOVED:
        came = f"{sums.announced:.0f} lasted for a day"
    elif sums.leads_h:
        hours = number_of(round(median(sums.leads_h)), "hour")
        came = f"{sums.announced:.0f} before a silence, half of them at least {hours} ahead"
    else:
        came = f"{sums.announced:.0f} before a silence"
    told = f"{came}, {sums.false:.1f} for nothing {watched}"
    if sums.switched_off:
        return (
            f"switched off here: {told}, more than {FALSE_MOST:g} a light-month; it is judged on"
            " unseen, and comes back when it keeps that"
        )
    return told if enough else f"{told}: too little to judge the rule"
