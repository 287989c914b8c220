"""The planner in a small random world without tasks: server, gateways, losses and delays.

Time is a heap of events; every choice is one of the seeded generator, so a run is repeatable.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from actors.device.events import (
    AttemptHeld,
    AttemptWaits,
    Transmitted,
)
from actors.device.model import Attempt
from actors.downlink import DispatchPolicy
from actors.downlink.calls import (
    Action,
    CallFailed,
    Enqueue,
    Enqueued,
    Failure,
    Look,
    Looked,
    News,
    Tell,
)
from actors.downlink.planner import Planner
from actors.link.air_facts import AirFacts
from tests.support.dispatcher_kit import START, attempt, hearings
from tests.support.scripted_network import Mood, Server


@dataclass(frozen=True)
class Ills:
    """Probabilities of what goes wrong, and delays."""

    call_fails: float = 0.0
    effect_unknown: float = 0.0
    txack_lost: float = 0.0
    txack_doubled: float = 0.0
    txack_delay_s: float = 0.2
    call_s: float = 0.05
    tick_s: float = 1.0


@dataclass
class World:
    """One run. `enqueue_calls` are the times at which enqueues began, by light."""

    policy: DispatchPolicy
    seed: int
    ills: Ills = field(default_factory=Ills)
    facts: AirFacts | None = None

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.server = Server(Random(self.seed + 1))
        self.server.modulation = self.policy.region.rx2(self.policy.rx2_dr)
        self.planner = Planner(self.policy, str, facts=self.facts)
        self.now = START
        self.news: list[tuple[float, str, News]] = []
        self.enqueue_calls: list[tuple[float, str]] = []
        self.txacks: list[tuple[float, str, Transmitted]] = []
        self.open: dict[str, Attempt] = {}
        self.marks: dict[tuple[str, int], int] = {}  # of every attempt, by light and number
        self.acknowledged: set[str] = set()  # items that a gateway took
        self.submitted_again: set[tuple[str, int]] = set()
        self.in_flight = self.most_in_flight = 0
        self.numbers = itertools.count(1)
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._serial = itertools.count()
        self.at(0.0, self._tick)

    # ------------------------------------------------------------ the script

    def at(self, after_s: float, what: Callable[[], object]) -> None:
        heapq.heappush(self._events, (self.now + after_s, next(self._serial), what))

    def submit(self, dev_eui: str, *, retry: bool = False, not_before: float = 0.0) -> Attempt:
        made = attempt(
            next(self.numbers),
            at=self.now,
            retry=retry,
            not_before=not_before,
            marker_us=self.rng.randrange(1_000_000),
            red=self.rng.randrange(256),
        )
        self.open[dev_eui] = made
        self.marks[dev_eui, made.number] = made.marker_us
        gateways = self.server.lights[dev_eui].gateways
        self.planner.submit(dev_eui, made, hearings(*gateways), self.now)
        return made

    def submit_again(self, dev_eui: str) -> None:
        self.submitted_again.add((dev_eui, self.open[dev_eui].number))
        gateways = self.server.lights[dev_eui].gateways
        self.planner.submit(dev_eui, self.open[dev_eui], hearings(*gateways), self.now)

    def withdraw(self, dev_eui: str) -> None:
        self.open.pop(dev_eui, None)
        self.planner.withdraw(dev_eui)

    def gateway(self, gateway_id: str, mood: Mood, *, told_offline: bool = False) -> None:
        self.server.moods[gateway_id] = mood
        self.planner.gateway_changed(gateway_id, self.now, online=not told_offline)

    def run(self, for_s: float) -> None:
        end = self.now + for_s
        rounds = 0
        told = True
        while True:
            if told or self.planner.wake_at <= self.now:
                self._plan()
            next_at = self._events[0][0] if self._events else end
            next_at = min(next_at, max(self.planner.wake_at, self.now), end)
            assert next_at > self.now or rounds < 1_000, "the planner spins"
            rounds = 0 if next_at > self.now else rounds + 1
            if next_at >= end:
                self.now = end
                return
            self.now = next_at
            told = False
            while self._events and self._events[0][0] <= self.now:
                what = heapq.heappop(self._events)[2]
                what()
                told |= what != self._tick  # of which the planner hears by txacks only

    def taken(self, dev_eui: str, number: int) -> bool:
        """Whether a gateway took an item of this attempt."""
        mark = self.marks[dev_eui, number]
        return any(
            item.id in self.acknowledged and round((item.expires_at or 0.0) % 1.0 * 1e6) == mark
            for _, to, item in self.server.enqueued
            if to == dev_eui
        )

    # ------------------------------------------------------------ the world

    def _plan(self) -> None:
        for action in self.planner.plan(self.now):
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Tell(dev_eui, news):
                self.news.append((self.now, dev_eui, news))
                made = self.open.get(dev_eui)
                ended = not isinstance(news, AttemptHeld | AttemptWaits)
                if made is not None and made.number == news.number and ended:
                    del self.open[dev_eui]
            case Look():
                self._begin()
                self.at(self._delay(), lambda: self._look(action))
            case Enqueue():
                self._begin()
                self.enqueue_calls.append((self.now, action.dev_eui))
                self.at(self._delay(), lambda: self._enqueue(action))

    def _begin(self) -> None:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def _end(self, call: Look | Enqueue, outcome: Looked | Enqueued | CallFailed) -> None:
        self.in_flight -= 1
        self.planner.answered(call.dev_eui, call.stamp, outcome, self.now, self.rng.random())

    def _look(self, call: Look) -> None:
        if self.rng.random() < self.ills.call_fails:
            self._end(call, CallFailed(self.rng.choice([*Failure][:3]), "by chance"))
            return
        light = self.server.lights[call.dev_eui]
        before, queue = light.activation, tuple(light.queue)
        self.at(self._delay(), lambda: self._end(call, Looked(before, queue, light.activation)))

    def _enqueue(self, call: Enqueue) -> None:
        if self.rng.random() < self.ills.call_fails:
            self._end(call, CallFailed(Failure.UNAVAILABLE, "by chance"))
        elif self.rng.random() < self.ills.effect_unknown:
            kind = self.rng.choice([Failure.TIMEOUT, Failure.FAULT])
            if self.rng.random() < 0.5:  # it lands, perhaps after we gave up
                self.at(self.rng.uniform(0.0, 1.5), lambda: self._put(call))
            self._end(call, CallFailed(kind, "by chance"))
        else:
            item_id = self._put(call)
            self.at(self._delay(), lambda: self._end(call, Enqueued(item_id)))

    def _put(self, call: Enqueue) -> str:
        item = self.server.put(call.dev_eui, call.data, expires_at=call.expires_at, now=self.now)
        return item.id

    def _tick(self) -> None:
        for dev_eui, told in self.server.tick(self.now):
            self.acknowledged.add(told.queue_item_id)
            if self.rng.random() < self.ills.txack_lost:
                continue
            copies = 1 + (self.rng.random() < self.ills.txack_doubled)
            for _ in range(copies):
                delay_s = self.rng.uniform(0.01, self.ills.txack_delay_s)
                self.at(delay_s, lambda to=dev_eui, it=told: self._txack(to, it))  # type: ignore[misc]
        self.at(self.ills.tick_s, self._tick)

    def _txack(self, dev_eui: str, told: Transmitted) -> None:
        self.txacks.append((self.now, dev_eui, told))
        self.planner.transmitted(dev_eui, told, self.now)

    def _delay(self) -> float:
        return self.rng.uniform(0.1, 1.0) * self.ills.call_s
