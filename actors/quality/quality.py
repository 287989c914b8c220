"""Quality: what is to be expected of each light and gateway, and how good such tellings were.

It looks on. Once a minute it goes over the records of all lights and gateways on the board; between
two rounds it is told of txacks, judged attempts and commands, and only adds numbers up. Nothing
waits for it, and nothing is decided by it but which warnings are shown.

A round over 10,000 lights takes some 50 ms, in pieces of at most 4 ms.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Protocol

import trio

from actors.board.changes import GatewayView
from actors.board.outlook import RiskTold
from actors.clocks.clock import Clock, Steps
from actors.device.command import Command
from actors.device.events import AttemptNotSent, DeviceEvent
from actors.device.firmware import knowledge_in, listening_since, taught_policy
from actors.device.model import Device
from actors.device.policy import Policy
from actors.link.judgement import AttemptJudged
from actors.quality import repository
from actors.quality.chance_scores import ChanceScores
from actors.quality.command_scores import CommandScores
from actors.quality.gateway_cells import GatewayPast
from actors.quality.gateway_watch import LOCK_S, GatewayWatch
from actors.quality.light_watch import SHARDS, LightWatch, shard_of
from actors.quality.model import GatewayGrade, LightDay, LightRisk, Scores
from actors.quality.repository import Restored, StoredScores
from actors.quality.rule_scores import RuleScores
from actors.quality.scores_in_words import scores_in_words
from store.port import Write

ROUND_S = 60.0
LIGHTS_AT_ONCE = 100
"""Looked at between two checkpoints: 3 us each where nothing changed, 40 us where something did."""
DAY_S = 86_400.0
UNLIKELY = 0.5
"""A light whose chance is below is among the worst, warned of or not."""


@dataclass(frozen=True, slots=True)
class QualityStatistics:
    """Counters, now; the scores are told by `scores`."""

    lights: int
    """Under watch."""
    commands_followed: int
    """Of which a chance was said, and whose time is not over."""
    light_months: float
    silences: float
    silences_unannounced: float
    rounds: int
    round_s: float
    """How long the newest round took, its pauses included."""


class BoardView(Protocol):
    """What it sees of the board."""

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every light by DevEUI."""
        ...

    @property
    def gateways(self) -> Mapping[str, GatewayView]:
        """Every gateway by id."""
        ...


class Quality:
    """The actor; see `QualityView` for what it is asked. `note` hands writes to the store and must
    not wait; `policy` is what the lights go by; `watching` tells whether ChirpStack gives its list
    of gateways."""

    def __init__(
        self,
        board: BoardView,
        clock: Clock,
        *,
        note: Callable[[Sequence[Write]], object],
        policy: Callable[[], Policy],
        watching: Callable[[], bool],
        tick_s: float,
        round_s: float = ROUND_S,
    ) -> None:
        self._board = board
        self._clock = clock
        self._note = note
        self._policy = policy
        self._watching = watching
        self._round_every_s = round_s
        self._steps = Steps(clock)
        self._rules = RuleScores()
        self._commands = CommandScores(ChanceScores())
        self._gateways = GatewayWatch(tick_s)
        self._lights = LightWatch(self._rules, self._gateways)
        self._listening_since = self._looked_at = now = clock.now()
        self._day_since = now - now % DAY_S  # days are those of UTC
        self._day = 0
        self._shard = 0
        self._stored: set[int] = set()
        """Shards that are in the store."""
        self._graded: dict[str, GatewayGrade] = {}
        """In this round: at most one for each gateway."""
        self._rounds = 0
        self._round_s = 0.0

    def restore(self, kept: Restored) -> None:
        """What the store knows; before `run`."""
        self._lights.restore(kept.lights)
        self._gateways.restore({one: GatewayPast(cells) for one, cells in kept.gateways.items()})
        if kept.scores is not None:
            self._rules.restore(kept.scores.rules)
            self._commands.scores.restore(kept.scores.chances)
            self._day_since = min(kept.scores.day_since, self._clock.now())
            self._day = kept.scores.day
        self._stored.update(repository.shards_of(kept.lights))

    # ---------------------------------------------------------------- what it is told

    def shown(self, command: Command) -> None:
        """A command is about to be shown on the board: new, a step further, or ended."""
        now = self._clock.now()
        if self._commands.is_new(command, now):
            device = self._board.devices.get(command.dev_eui)
            chance = None if device is None else self._chance(device, now)
            if chance is not None:
                self._commands.said(command, chance)
        else:
            self._commands.shown(command, now)

    def judged(self, attempt: AttemptJudged) -> None:
        """What became of an attempt."""
        self._gateways.judged(attempt, self._clock.now())

    def transmitted(self, dev_eui: str, gateway_id: str, asked_at: float | None) -> None:
        """A gateway took a frame for this light, ordered at `asked_at` (steady time) if known."""
        now, device = self._clock.now(), self._board.devices.get(dev_eui)
        self._lights.frame_taken(dev_eui)
        lead_s = None if asked_at is None else self._clock.steady() - asked_at
        locked = device is None or lead_s is None or _locked(device, now - lead_s)
        self._gateways.taken(gateway_id, now, lead_s, locked=locked)

    def dispatched(self, dev_eui: str, event: DeviceEvent) -> None:
        """The dispatcher told this light something: perhaps that no gateway took its frame."""
        if isinstance(event, AttemptNotSent):
            self.not_taken(dev_eui)

    def not_taken(self, dev_eui: str, problem: str | None = None) -> None:
        """No gateway took a frame for this light, or one refused it for `problem`."""
        device = self._board.devices.get(dev_eui)
        if device is not None:
            self._gateways.not_taken(device, self._clock.now(), problem)

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Round after round until cancelled; then what is not in the store yet is handed to it."""
        task_status.started()
        try:
            while True:
                await self.round()
                await trio.sleep(self._round_every_s)
        finally:
            self._note(self._writes(range(SHARDS)))  # the store's writer outlives it

    async def round(self) -> None:
        """Look at every light and gateway once."""
        began = trio.current_time()
        for _ in self.pieces():
            await trio.lowlevel.checkpoint()
        self._rounds += 1
        self._round_s = trio.current_time() - began

    def pieces(self) -> Iterator[None]:
        """One round, which gives way after each piece of it."""
        watching = self._watching()
        now, seconds = self._begin(watching)
        for count, device in enumerate(list(self._board.devices.values()), start=1):
            self._look(device, now)
            if count % LIGHTS_AT_ONCE == 0:
                yield
        self._end(now, seconds, watching)
        yield

    # ---------------------------------------------------------------- what it is asked

    def light(self, dev_eui: str) -> LightRisk | None:
        """Of one light; None of one that is not known."""
        device = self._board.devices.get(dev_eui)
        return None if device is None else self._risk(device)

    def told(self, dev_eui: str) -> RiskTold | None:
        """What a light's view on the board says of it, as of the last round; None of a stranger."""
        return self._lights.told(dev_eui)

    def days(self, dev_eui: str) -> Sequence[LightDay]:
        """What one light's days were like, the oldest first; the last is today."""
        past = self._lights.past(dev_eui)
        if past is None:
            return ()
        days = list(past.days())
        first = self._day_since - (len(days) - 1) * DAY_S
        return [
            LightDay(
                at=first + number * DAY_S,
                margin_db=day.margin_db,
                uplink_loss=_loss(day.sent, day.heard),
                uplinks_counted=day.sent,
                downlink_loss=_loss(day.taken, day.received),
                downlinks_counted=day.taken,
            )
            for number, day in enumerate(days)
        ]

    def risks(self, limit: int) -> Sequence[LightRisk]:
        """The lights most at risk, the worst first: those that are warned of or unlikely to answer,
        then the others, each by their chance. Those of which nothing is known come last."""

        def risk(device: Device) -> tuple[bool, float, str]:
            chance = self._lights.chance_seen(device.dev_eui)
            warned = self._lights.warned(device.dev_eui)
            bad = warned or (chance is not None and chance < UNLIKELY)
            return not bad, 2.0 if chance is None else chance, device.dev_eui

        worst = nsmallest(max(0, limit), self._board.devices.values(), key=risk)
        return [self._risk(device) for device in worst]

    def gateway(self, gateway_id: str) -> GatewayGrade | None:
        """Of one gateway; None of one that is not known."""
        view = self._board.gateways.get(gateway_id)
        if view is None:
            return None
        graded = self._graded.get(gateway_id)
        if graded is None:
            graded = self._graded[gateway_id] = self._gateways.grade(view, self._clock.now())
        return graded

    def gateways(self) -> Sequence[GatewayGrade]:
        """Of all gateways, by id."""
        found = (self.gateway(one) for one in sorted(self._board.gateways))
        return [one for one in found if one is not None]

    def scores(self) -> Scores:
        """How good all that was."""
        chances, rules = self._commands.scores, self._rules
        return Scores(
            commands=chances.commands,
            brier=chances.brier,
            skill=chances.skill,
            calibration_error=chances.calibration_error,
            bins=chances.bins(),
            rules=rules.scores(),
            light_months=rules.light_months,
            silences=rules.silences,
            unannounced=rules.unannounced,
            sentence=scores_in_words(chances, rules),
        )

    def statistics(self) -> QualityStatistics:
        """Numbers, now."""
        rules = self._rules
        return QualityStatistics(
            lights=len(self._lights),
            commands_followed=len(self._commands),
            light_months=rules.light_months,
            silences=rules.silences,
            silences_unannounced=rules.unannounced,
            rounds=self._rounds,
            round_s=self._round_s,
        )

    # ---------------------------------------------------------------- how

    def _begin(self, watching: bool) -> tuple[float, float]:
        if by_s := self._steps.take():
            self._follow_clock(by_s)
        now = self._clock.now()
        seconds, self._looked_at = max(0.0, now - self._looked_at), now
        if not watching:
            self._listening_since = now
        elif (
            seconds > 5.0 * self._round_every_s
        ):  # the host slept, or this actor was down: nobody listened
            self._listening_since, seconds = now, 0.0
        if (days := int((now - self._day_since) // DAY_S)) > 0:
            self._day += days
            self._day_since += days * DAY_S
            self._rules.days_over(days)
            self._commands.scores.days_over(days)
        policy = self._policy()
        since = max(listening_since(policy), self._listening_since)
        self._lights.policy = taught_policy(policy, knowledge_in(policy), since)
        self._gateways.begin(now)
        return now, seconds

    def _look(self, device: Device, now: float) -> None:
        self._lights.look(device, now, self._day)
        if self._lights.shard(device.dev_eui) == self._shard:
            self._lights.look_slowly(device, now)

    def _end(self, now: float, seconds: float, watching: bool) -> None:
        self._graded.clear()
        gone = self._gateways.end(self._board.gateways, seconds, watching=watching)
        if watching:
            self._rules.watched(self._lights.speaking, seconds)
        self._lights.forget_all_but(self._board.devices)
        self._rules.look(now)
        self._commands.look(now)
        self._note([*self._writes([self._shard]), *map(repository.gateway_delete, gone)])
        self._shard = (self._shard + 1) % SHARDS
        if self._shard == 0:
            self._lights.drop_kept()

    def _writes(self, shards: Sequence[int]) -> list[Write]:
        """These shards of lights and gateways, and the scores."""
        now, writes = self._clock.now(), list[Write]()
        lights = self._lights.stored(frozenset(shards))
        for shard in shards:
            if lights[shard]:
                writes.append(repository.lights_put(shard, lights[shard], now))
                self._stored.add(shard)
            elif shard in self._stored:
                writes.append(repository.lights_delete(shard))
                self._stored.discard(shard)
        for gateway_id in self._board.gateways:
            past = self._gateways.past(gateway_id)
            if past is not None and shard_of(gateway_id) in shards:
                writes.append(repository.gateway_put(gateway_id, past.cells, now))
        if self._stored:
            chances, rules = self._commands.scores.sums, self._rules.stored()
            stored = StoredScores(self._day_since, self._day, chances, rules)
            writes.append(repository.scores_put(stored, now))
        return writes

    def _follow_clock(self, by_s: float) -> None:
        """The machine's clock was set: every date moves by as much."""
        self._day_since += by_s
        self._listening_since += by_s
        self._looked_at += by_s
        self._rules.moved(by_s)
        self._lights.moved(by_s)
        self._gateways.moved(by_s)
        self._commands.clear()

    def _chance(self, device: Device, now: float) -> float | None:
        return self._lights.chance(device, now)

    def _risk(self, device: Device) -> LightRisk:
        return self._lights.risk(device, self._clock.now())


def _locked(device: Device, at: float) -> bool:
    """Whether ChirpStack may have held a frame back at that time for the light's sake."""
    times = (device.heard_at, device.last_frame_at)
    return any(one is not None and at - LOCK_S < one <= at + LOCK_S for one in times)


def _loss(sent: int, came: int) -> float | None:
    return None if sent <= 0 else max(0.0, 1.0 - came / sent)
