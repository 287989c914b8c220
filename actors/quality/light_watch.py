"""All lights under watch: what they do is taken from their records, once in a round.

Nothing is done when a light is heard: a record is looked at once a minute, and one in which nothing
changed costs a microsecond. What two uplinks within a minute do not tell twice is the signal of the
first; counts are differences of counters, and miss nothing.
"""

import zlib
from collections.abc import Collection, Mapping

from actors.board.outlook import RiskTold, WarningTold
from actors.device import retry_plan
from actors.device.firmware import heartbeat_only, knowledge_in
from actors.device.model import Device, Phase
from actors.device.policy import Policy
from actors.device.sessions import REQUIRED_SNR_DB
from actors.link.loss_counters import NONE_COUNTED
from actors.quality import rules
from actors.quality.chance import Prior, attempts_within, chance_of, losses_of
from actors.quality.gateway_watch import GatewayWatch
from actors.quality.light_past import LightPast
from actors.quality.model import LightRisk, LightWarning, Rule
from actors.quality.rule_scores import RuleScores
from actors.quality.rules import Found, Standing
from actors.quality.sentence import losses, margin, sentence_of, share
from actors.quality.watched_light import StoredLight, WatchedLight

SILENT_S = 4 * 3_600.0
"""A light that was not heard for so long, while somebody listened, has fallen silent."""
QUIET_S = 1_200.0
"""From then on its chance changes by itself: no status is overdue before."""
SHARDS = 64
"""Lights are stored, and looked at slowly, in so many groups: one a minute."""


def shard_of(name: str) -> int:
    """The group of a light, or of a gateway."""
    return zlib.crc32(name.encode()) % SHARDS


class LightWatch:
    """Bound: the lights on the board."""

    def __init__(
        self,
        scores: RuleScores,
        gateways: GatewayWatch,
    ) -> None:
        self._scores = scores
        self._gateways = gateways
        self.policy: Policy = Policy()
        """What the lights go by, with what they taught; renewed in every round."""
        self._lights: dict[str, WatchedLight] = {}
        self._kept: dict[str, StoredLight] = {}

    def __len__(self) -> int:
        return len(self._lights)

    def restore(self, lights: Mapping[str, StoredLight]) -> None:
        """What the store knows, to be taken up as the lights are looked at."""
        self._kept.update(lights)

    def past(self, dev_eui: str) -> LightPast | None:
        """What is remembered of a light; None of one that was not looked at yet."""
        watched = self._lights.get(dev_eui)
        return None if watched is None else watched.past

    def shard(self, dev_eui: str) -> int | None:
        """With which others it is looked at slowly, and stored."""
        watched = self._lights.get(dev_eui)
        return None if watched is None else watched.shard

    @property
    def speaking(self) -> int:
        """How many lights are not silent."""
        return sum(not watched.silent for watched in self._lights.values())

    def chance_seen(self, dev_eui: str) -> float | None:
        """The chance of a light when it was looked at last."""
        watched = self._lights.get(dev_eui)
        return None if watched is None else watched.chance

    def warned(self, dev_eui: str) -> bool:
        """Whether a warning is shown of it."""
        watched = self._lights.get(dev_eui)
        off = self._scores.switched_off
        return watched is not None and any(not off(rule) for rule in watched.standing)

    def told(self, dev_eui: str) -> RiskTold | None:
        """What its view says of it, as of its last look: costs nothing, for nothing is counted."""
        watched = self._lights.get(dev_eui)
        if watched is None:
            return None
        off = self._scores.switched_off
        shown = [one for one in watched.standing.items() if not off(one[0])]
        warnings = tuple(WarningTold(rule.value, standing.since) for rule, standing in shown)
        chance = watched.chance
        return RiskTold(None if chance is None else round(chance, 3), warnings)

    # ---------------------------------------------------------------- what happens

    def look(self, device: Device, now: float, day: int) -> None:
        """One light in a round, on the day of this number."""
        dev_eui, watched = device.dev_eui, self._lights.get(device.dev_eui)
        if watched is None:
            watched = self._take_up(device, now, day)
        if watched.day != day:
            watched.days_over(day)
        news, heard_at = watched.news(device), device.heard_at
        self._gateways.light(device)
        if news is not None:
            watched.silent = False
            if news.joins:
                watched.past.joined(now, news.joins)
            if news.heard:
                self._heard(watched, device, news.sent, news.heard, news.received)
            self._judge(watched, device, now)
        elif Rule.FLAPPING in watched.standing:
            found = rules.flapping(watched.past, now, on=True)
            self._decide(watched, dev_eui, found, now)
        silent_s = retry_plan.silent_s(device, now, self.policy)
        if news is not None or watched.chance is None or silent_s > QUIET_S:
            watched.chance = self.chance(device, now)
        if silent_s > SILENT_S and not watched.silent and heard_at is not None:
            watched.silent = True
            if not device.unreachable and device.disabled_at is None:
                self._scores.fell_silent(dev_eui, heard_at, watched.standing)

    def frame_taken(self, dev_eui: str) -> None:
        """A gateway took a frame for it."""
        watched = self._lights.get(dev_eui)
        if watched is not None:
            watched.past.counted(taken=1)

    def look_slowly(self, device: Device, now: float) -> None:
        """What needs to be looked at once an hour only."""
        watched = self._lights.get(device.dev_eui)
        if watched is not None and not watched.silent:
            found = rules.trend(watched.past, on=Rule.TREND in watched.standing)
            self._decide(watched, device.dev_eui, found, now)

    def drop_kept(self) -> None:
        """What is kept of lights that were not seen by now is of lights that are gone."""
        self._kept.clear()

    def forget_all_but(self, known: Mapping[str, Device]) -> None:
        """Lights that were removed are watched no longer."""
        for dev_eui in self._lights.keys() - known.keys():
            del self._lights[dev_eui]
            self._scores.forget(dev_eui)

    def moved(self, by_s: float) -> None:
        """The machine's clock was set."""
        for watched in self._lights.values():
            watched.past.joins = tuple(at + by_s for at in watched.past.joins)
            watched.standing = {
                rule: Standing(one.since + by_s, one.level_db)
                for rule, one in watched.standing.items()
            }

    # ---------------------------------------------------------------- what is known

    def prior(self, device: Device) -> Prior:
        """What is expected of this light beside its own counts."""
        near = self._gateways.losses_near(device)
        knowledge = knowledge_in(self.policy)
        return near or Prior(knowledge.uplink_loss, knowledge.downlink_loss)

    def chance(self, device: Device, now: float) -> float | None:
        """That its next command is verified within 30 s; None while nothing was counted, or where
        something else than the air decides about that."""
        counters, policy = device.losses, self.policy
        if counters is None or counters.uplinks <= 0.0 or obstacle_of(device) is not None:
            return None
        silent_s = retry_plan.silent_s(device, now, policy)
        missed = retry_plan.statuses_missed(device, silent_s, policy)
        up, down = losses_of(counters, self.prior(device), missed)
        odds = retry_plan.dark_odds(device, now, policy)
        return chance_of(up, down, attempts_within(device, policy), odds)

    def risk(self, device: Device, now: float) -> LightRisk:
        """All that is to be said of it."""
        watched = self._lights.get(device.dev_eui)
        past = LightPast() if watched is None else watched.past
        counters = device.losses if device.losses is not None else NONE_COUNTED
        up, down = losses_of(counters, self.prior(device))
        chance = self.chance(device, now)
        margins, trend = past.margins(rules.TREND_DAYS), rules.trend_of(past)
        margin_db = margins[-1][1] if margins else past.margin_recent_db
        slope = None if trend is None else trend.db_per_day
        warnings = () if watched is None else self._warnings(watched, device, now)
        evidence = (
            losses(
                (counters.uplinks_lost, counters.uplinks),
                (counters.downlinks_lost, counters.downlinks),
            ),
            margin(margin_db, slope),
        )
        return LightRisk(
            dev_eui=device.dev_eui,
            chance_30s=chance,
            uplink_loss=up if counters.uplinks > 0.0 else None,
            uplinks_counted=counters.uplinks,
            downlink_loss=down if counters.downlinks > 0.0 else None,
            downlinks_counted=counters.downlinks,
            margin_db=margin_db,
            margin_trend_db_per_day=slope,
            warnings=warnings,
            sentence=sentence_of(chance, obstacle_of(device), evidence, warnings),
        )

    def stored(self, shards: Collection[int]) -> dict[int, dict[str, StoredLight]]:
        """The lights of these shards, for the store."""
        found: dict[int, dict[str, StoredLight]] = {shard: {} for shard in shards}
        for dev_eui, kept in self._kept.items():
            if (shard := shard_of(dev_eui)) in found:
                found[shard][dev_eui] = kept
        for dev_eui, watched in self._lights.items():
            if watched.shard in found:
                pending = self._scores.pending_of(dev_eui)
                found[watched.shard][dev_eui] = StoredLight(
                    watched.past.stored(),
                    {rule.value: one for rule, one in watched.standing.items()},
                    {rule.value: at for rule, at in pending.items()},
                    watched.day,
                    watched.silent,
                )
        return found

    # ---------------------------------------------------------------- how

    def _take_up(self, device: Device, now: float, day: int) -> WatchedLight:
        kept, heard_at = self._kept.pop(device.dev_eui, None), device.heard_at
        silent = heard_at is not None and now - heard_at > SILENT_S  # unseen, or told before
        shard = shard_of(device.dev_eui)
        watched = WatchedLight(device, kept, shard=shard, day=day, silent=silent)
        self._lights[device.dev_eui] = watched
        if kept is not None:
            for rule in Rule:
                if (at := kept.pending.get(rule.value)) is not None:
                    self._scores.warned(device.dev_eui, rule, at)
        return watched

    def _heard(
        self, watched: WatchedLight, device: Device, sent: int, heard: int, received: int
    ) -> None:
        watched.past.counted(sent=sent, heard=heard, received=received)
        best = device.hearings[0] if device.hearings else None
        if best is not None and best.latest:
            factor = best.spreading_factor or 12
            watched.past.heard(best.margin_db, factor, REQUIRED_SNR_DB)
        self._gateways.uplinks(device, sent, heard)

    def _judge(self, watched: WatchedLight, device: Device, now: float) -> None:
        dev_eui, past, on = device.dev_eui, watched.past, watched.standing
        counters = device.losses
        if counters is not None:
            up, _ = losses_of(counters, self.prior(device))
            found = rules.counters(up, counters.uplinks, on=Rule.COUNTERS in on)
            self._decide(watched, dev_eui, found, now)
        if past.joins:
            found = rules.flapping(past, now, on=Rule.FLAPPING in on)
            self._decide(watched, dev_eui, found, now)
        self._decide(watched, dev_eui, rules.moved(past, now, on.get(Rule.MOVED)), now)

    def _decide(self, watched: WatchedLight, dev_eui: str, found: Found, now: float) -> None:
        on = found.rule in watched.standing
        if found.words is not None and not on:
            watched.standing[found.rule] = Standing(now, found.level_db)
            self._scores.warned(dev_eui, found.rule, now)
        elif found.words is None and on:
            del watched.standing[found.rule]
            self._scores.ended(dev_eui, found.rule, now)

    def _warnings(
        self, watched: WatchedLight, device: Device, now: float
    ) -> tuple[LightWarning, ...]:
        past, counters = watched.past, device.losses
        found = []
        for rule, one in watched.standing.items():
            if self._scores.switched_off(rule):
                continue
            match rule:
                case Rule.TREND:
                    words = rules.trend(past, on=True).words
                case Rule.COUNTERS:
                    up, _ = losses_of(counters or NONE_COUNTED, self.prior(device))
                    words = f"{share(up)} of its statuses are lost"
                case Rule.FLAPPING:
                    words = rules.flapping(past, now, on=True).words
                case Rule.MOVED:
                    words = rules.moved(past, now, one).words
            if words is not None:  # else it ends in the next round
                found.append(LightWarning(rule, one.since, words))
        return tuple(found)


def obstacle_of(device: Device) -> str | None:
    """What decides about the next command before the air does, in words; None if nothing."""
    if device.disabled_at is not None:
        return "it is disabled in ChirpStack, so nothing can be sent to it"
    if device.unreachable:
        return "every gateway that hears it is away, so nothing can be sent to it"
    if heartbeat_only(device):
        return "its software answers no command, so its next status will tell"
    if device.phase in {Phase.UNINITIALIZED, Phase.INITIALIZING}:
        return "it joined lately, and its settings go first"
    return None
