"""Two processes and two shards: every order of a few steps, and nobody believes in a lost lease.

Whoever believes in its lease has it in the engine: of two processes at most one does, and a token
that is believed in is the one that is stored.
"""

from collections.abc import Hashable, Iterator

import pytest

from actors.cluster.keeper import core, leases
from actors.cluster.keeper.messages import Action, Renewed
from actors.cluster.keeper.state import State
from actors.cluster.keeper.times import KeeperTimes
from actors.replace import replace
from store.engine.shards import FLEET
from tests.support.lease_model import LeaseModel, Process, World

SHARDS = ("00", FLEET)
TIMES = KeeperTimes(ttl_s=2.0, renew_s=1.0, look_s=1.0, late_s=2.5, patience_s=1.0)
RATES = (0.991, 1.009)
"""The owner's clock is slow and the observer's fast, 1.8 % apart: hardly less than allowed for."""
ON_WAY_MOST = 2
"""Requests of one process: one that is answered late, and one that overtakes it."""

Steps = dict[int, tuple[str, ...]]
"""What each process asks for by itself: `look` and `renew` in three steps, between which anything
may happen, and `look!` and `renew!` at once."""
EVERYTHING: Steps = {0: ("look", "renew"), 1: ("look", "renew")}
LATE_OWNER: Steps = {0: ("renew",), 1: ("look!",)}
LATE_OBSERVER: Steps = {0: ("renew!",), 1: ("look",)}


def next_worlds(model: LeaseModel, world: World, steps: Steps) -> Iterator[tuple[str, World]]:
    """Everything that may happen next, one step each."""
    yield "1 s passes", model.passes(world, 1.0)
    for number, one in enumerate(world.processes):
        for step in steps[number] if len(one.on_way) < ON_WAY_MOST else ():
            what = step.rstrip("!")
            if what == "renew" and not one.state.held:
                continue
            asked = model.ask(world, number, what)
            if what == step:
                yield f"{number} sends {what}", asked
            else:
                index = len(one.on_way)
                done = model.carry_out(asked, number, index)
                yield f"{number} has {what}", model.answer(done, number, index)
        for index, way in enumerate(one.on_way):
            name = f"{number}: {way.what}"
            if not way.carried_out:
                yield f"{name} is carried out", model.carry_out(world, number, index)
            elif way.awaited:
                yield f"{name} is answered", model.answer(world, number, index)
            if way.awaited:
                yield f"{name} is given up", model.give_up(world, number, index)


def explore(
    model: LeaseModel, start: World, steps: Steps, depth: int
) -> tuple[int, list[str] | None]:
    """How many worlds there are within so many steps, and the shortest way to a broken one."""
    seen = {like(start)}
    border: list[tuple[World, tuple[str, ...]]] = [(start, ())]
    for _ in range(depth):
        found: list[tuple[World, tuple[str, ...]]] = []
        for world, way in border:
            for step, after in next_worlds(model, world, steps):
                broken = model.broken(after)
                if broken is not None:
                    return len(seen), [*way, step, broken]
                key = like(after)
                if key not in seen:
                    seen.add(key)
                    found.append((after, (*way, step)))
        border = found
    return len(seen), None


def like(world: World) -> Hashable:
    """Equal for worlds that go on alike: times are told from now, and the long past is one."""
    parts: list[Hashable] = [lease.moved_by for lease in world.leases.values()]
    parts += [member.beat for member in world.members.values()]
    for one in world.processes:
        parts.append(_like_state(one))
        for asked in one.on_way:
            what = repr((asked.of, asked.answer)) if asked.what != "look" else ""
            told = _told(asked.answer[0]) if asked.what == "look" and asked.answer else ()
            aged = _aged(asked.sent, one.clock)
            parts.append((asked.what, aged, asked.carried_out, asked.awaited, what, told))
    return tuple(parts)


def _told(leases_then: dict[str, object]) -> Hashable:
    return tuple(repr(lease) for lease in leases_then.values())


def _like_state(one: Process) -> Hashable:
    state, now = one.state, one.clock
    parts: list[Hashable] = [state.reachable, state.unbroken, _aged(state.looked_at, now)]
    for shard in SHARDS:
        held, seen = state.held.get(shard), state.seen.get(shard)
        parts.append(shard in state.taking)
        parts.append(_aged(state.changed.get(shard), now))
        if held is not None:
            until = _aged(held.valid_until, now)
            parts.append((held.lease.token, held.stage, held.set_back, until))
        if seen is not None:
            times = (_aged(seen.since, now), _aged(seen.asked_at, now), _aged(seen.owner_at, now))
            parts.append((seen.lease.moved_by, *times))
    for boot, other in state.members.items():
        parts.append((boot, other.member.beat, _aged(other.since, now)))
    return tuple(parts)


def _aged(at: float | None, now: float) -> float | None:
    return None if at is None else round(max(-9.0, min(9.0, at - now)), 3)


def owned_by_first(model: LeaseModel) -> World:
    """The first process owns both shards; it does not know yet that the second is alive."""
    world = model.begin()
    alone = replace(world, members={"p0": world.members["p0"]})
    alone = model.at_once(model.ask(alone, 0, "look"), 0)
    alone = model.at_once(model.ask(alone, 0, "renew"), 0)
    assert set(alone.processes[0].state.held) == set(SHARDS)
    second = world.members["p1"]
    world = replace(alone, members={**alone.members, "p1": second})
    world = model.at_once(model.ask(world, 0, "look"), 0)
    world = replace(world, members={**world.members, "p1": replace(second, beat=1)})
    return model.at_once(model.ask(world, 1, "look"), 1)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("steps", "depth", "least"),
    [(EVERYTHING, 6, 4_000), (LATE_OWNER, 9, 8_000), (LATE_OBSERVER, 8, 7_000)],
    ids=["everything", "late owner", "late observer"],
)
def test_whoever_believes_in_its_lease_has_it(steps: Steps, depth: int, least: int) -> None:
    model = LeaseModel(SHARDS, TIMES, RATES)
    worlds, way = explore(model, owned_by_first(model), steps, depth)
    assert way is None
    assert worlds >= least


def test_an_observer_that_waits_no_longer_than_the_lease_holds_is_found() -> None:
    class Hasty(KeeperTimes, frozen=True):
        @property
        def expired_s(self) -> float:
            return self.ttl_s

    times = Hasty(**{name: getattr(TIMES, name) for name in TIMES.__struct_fields__})
    model = LeaseModel(SHARDS, times, RATES)
    assert explore(model, owned_by_first(model), LATE_OWNER, 8)[1] is not None


def test_an_owner_that_counts_from_the_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    counted_well = leases.renewed

    def counted_from_the_answer(
        state: State, told: Renewed, now: float, times: KeeperTimes
    ) -> tuple[State, list[Action]]:
        return counted_well(state, replace(told, sent=now), now, times)

    monkeypatch.setattr(leases, "renewed", counted_from_the_answer)
    model = LeaseModel(SHARDS, TIMES, RATES)
    assert explore(model, owned_by_first(model), LATE_OWNER, 9)[1] is not None


def test_an_owner_that_believes_in_what_it_is_giving_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def until_the_end(state: State, shard: str, now: float) -> float:
        held = state.held.get(shard)
        return 0.0 if held is None else held.valid_until - now

    monkeypatch.setattr(core, "valid_for_s", until_the_end)
    model = LeaseModel(SHARDS, TIMES, RATES)
    assert explore(model, owned_by_first(model), EVERYTHING, 6)[1] is not None
