"""The keeper's core of several processes on a model of the engine, one small step after the other.

Nothing waits: a request leaves, is carried out, and is answered in three steps, between which
anything else may happen. Clocks of the processes go at rates of their own.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from actors.cluster.keeper import balance, core
from actors.cluster.keeper.messages import (
    Able,
    Gave,
    Give,
    Looked,
    LookFailed,
    Observation,
    Renewed,
    Retaken,
    SetBack,
    SetBackEnded,
    Start,
    Started,
    Stop,
    Stopped,
    Take,
    TakeAnswered,
    TakeUnknown,
)
from actors.cluster.keeper.state import State
from actors.cluster.keeper.times import KeeperTimes
from actors.replace import replace
from store.engine.port import Applied, Lease, Member, Result


class Asked(msgspec.Struct, frozen=True):
    """A request on its way: `what` is look, renew, take or give; `of` what it carries."""

    what: str
    sent: float
    of: Any
    answer: Any = None
    """What it found, once it was carried out."""
    carried_out: bool = False
    awaited: bool = True
    """Whether anybody still waits for the answer."""


class Process(msgspec.Struct, frozen=True):
    """One process: what its keeper knows, its clock, and its requests."""

    state: State
    clock: float = 0.0
    beat: int = 0
    on_way: tuple[Asked, ...] = ()


class World(msgspec.Struct, frozen=True):
    """The engine, the processes, and the time for which `rates` count."""

    leases: dict[str, Lease]
    members: dict[str, Member]
    processes: tuple[Process, ...]


class LeaseModel:
    """Steps of a world. `rates` are those of the processes' clocks."""

    def __init__(self, shards: Sequence[str], times: KeeperTimes, rates: Sequence[float]) -> None:
        self.shards = tuple(shards)
        self.times = times
        self.rates = tuple(rates)

    def begin(self) -> World:
        """Nobody owns anything, and nobody has looked."""
        boots = [f"p{number}" for number in range(len(self.rates))]
        members = {boot: Member(boot=boot, name=boot, version="1", beat=0) for boot in boots}
        return World(
            dict.fromkeys(self.shards, Lease()),
            members,
            tuple(Process(State(boot=boot)) for boot in boots),
        )

    # ------------------------------------------------------------------ what may happen

    def passes(self, world: World, seconds: float) -> World:
        """Time passes, on each clock in its own way."""
        moved = [
            replace(one, clock=one.clock + seconds * rate)
            for one, rate in zip(world.processes, self.rates, strict=True)
        ]
        return replace(world, processes=tuple(moved))

    def ask(self, world: World, number: int, what: str) -> World:
        """A process sends a look, or the renewal of what it holds."""
        one = world.processes[number]
        of: Any = None
        if what == "renew":
            of = dict(core.to_renew(one.state, one.clock, self.times))
        return self._with(
            world, number, replace(one, on_way=(*one.on_way, Asked(what, one.clock, of)))
        )

    def carry_out(self, world: World, number: int, index: int) -> World:
        """The engine carries out a request."""
        one = world.processes[number]
        asked = one.on_way[index]
        answer, leases = _carried_out(world, one.state.boot, asked)
        members = world.members
        if asked.what == "renew":  # whoever renews tells that it is there
            unable = balance.cannot_serve(one.state, one.clock, self.times)
            member = replace(
                members[one.state.boot],
                beat=members[one.state.boot].beat + 1,
                sees_network=one.state.blind_since is None,
                leaving=one.state.leaving or unable,
            )
            members = {**members, member.boot: member}
        asked = replace(asked, carried_out=True, answer=answer)
        on_way = (*one.on_way[:index], asked, *one.on_way[index + 1 :])
        if not asked.awaited:
            on_way = (*one.on_way[:index], *one.on_way[index + 1 :])
        world = replace(world, leases=leases, members=members)
        return self._with(world, number, replace(one, on_way=on_way))

    def answer(self, world: World, number: int, index: int) -> World:
        """The answer to a request that was carried out arrives."""
        one = world.processes[number]
        asked = one.on_way[index]
        one = replace(one, on_way=(*one.on_way[:index], *one.on_way[index + 1 :]))
        return self.tell(self._with(world, number, one), number, _observed(asked))

    def give_up(self, world: World, number: int, index: int) -> World:
        """The process waits no more; the request may still be carried out."""
        one = world.processes[number]
        asked = one.on_way[index]
        left = [replace(asked, awaited=False)] if not asked.carried_out else []
        on_way = (*one.on_way[:index], *left, *one.on_way[index + 1 :])
        world = self._with(world, number, replace(one, on_way=on_way))
        match asked.what:
            case "look":
                return self.tell(world, number, LookFailed())
            case "take":
                return self.tell(world, number, TakeUnknown(asked.of.shard))
            case "give":
                return self.tell(world, number, Gave(asked.of[0]))
            case _:
                return world

    def tell(self, world: World, number: int, told: Observation) -> World:
        """A process observes something, and does what follows from it."""
        one = world.processes[number]
        state, actions = core.step(one.state, told, one.clock, self.times)
        world = self._with(world, number, replace(one, state=state))
        for action in actions:
            world = self._do(world, number, action)
        return world

    def _do(self, world: World, number: int, action: object) -> World:
        one = world.processes[number]
        match action:
            case Take():
                more = Asked("take", one.clock, action)
                return self._with(world, number, replace(one, on_way=(*one.on_way, more)))
            case Give(shard=shard):
                more = Asked("give", one.clock, (shard, one.state.held[shard].lease.token))
                return self._with(world, number, replace(one, on_way=(*one.on_way, more)))
            case Start(shard=shard):
                return self.tell(world, number, Started(shard))
            case Stop(shard=shard):
                return self.tell(world, number, Stopped(shard))
            case SetBack(shard=shard):
                return self._set_back(world, number, shard)
            case _:
                return world

    def _set_back(self, world: World, number: int, shard: str) -> World:
        """The store looks, and takes again where our take was forgotten."""
        one = world.processes[number]
        found, held = world.leases[shard], one.state.held[shard]
        if found.epoch >= held.lease.epoch and found.owner != one.state.boot:
            return self.tell(world, number, SetBackEnded(shard))
        lease = _taken(found, one.state.boot)
        world = replace(world, leases={**world.leases, shard: lease})
        return self.tell(world, number, Retaken(shard, lease))

    def _with(self, world: World, number: int, one: Process) -> World:
        processes = (*world.processes[:number], one, *world.processes[number + 1 :])
        return replace(world, processes=processes)

    # ------------------------------------------------------------------ what must hold

    def valid(self, world: World, shard: str) -> list[str]:
        """The tokens of those who believe in their lease of a shard."""
        return [
            one.state.held[shard].lease.token
            for one in world.processes
            if core.valid_for_s(one.state, shard, one.clock) > 0.0
        ]

    def broken(self, world: World) -> str | None:
        """What does not hold: whoever believes in a lease has it."""
        for shard in self.shards:
            tokens = self.valid(world, shard)
            if tokens and tokens != [world.leases[shard].token]:
                return f"{shard}: {tokens} are believed in, {world.leases[shard].token!r} is stored"
        return None

    # ------------------------------------------------------------------ whole histories

    def settle(self, world: World, seconds: float) -> World:
        """Let everything work for so long: looks and renewals in time, answered at once."""
        tick_s = self.times.look_s / 2
        for tick in range(math.ceil(seconds / tick_s)):
            world = self.passes(world, tick_s)
            for number in range(len(world.processes)):
                if tick % 4 == number % 4:
                    world = self.tell(world, number, Able(True, True))
                    world = self.at_once(self.ask(world, number, "renew"), number)
                world = self.at_once(self.ask(world, number, "look"), number)
        return world

    def at_once(self, world: World, number: int) -> World:
        """Carry out and answer all that a process asks for, and what follows."""
        for _ in range(10 * len(self.shards) + 10):
            on_way = world.processes[number].on_way
            if not on_way:
                return world
            if not on_way[0].carried_out:
                world = self.carry_out(world, number, 0)
            if world.processes[number].on_way[:1] and world.processes[number].on_way[0].carried_out:
                world = self.answer(world, number, 0)
        raise AssertionError("it asks for ever")


def _taken(found: Lease, boot: str) -> Lease:
    epoch = found.epoch + 1
    return Lease(token=f"{epoch}.{boot}", epoch=epoch, owner=boot)


def _carried_out(world: World, boot: str, asked: Asked) -> tuple[Any, dict[str, Lease]]:
    """The engine's answer to a request, and its leases afterwards."""
    leases = dict(world.leases)
    match asked.what:
        case "look":
            return (leases, tuple(world.members.values())), world.leases
        case "renew":
            results = {}
            for shard, token in asked.of.items():
                lease = leases[shard]
                if lease.token == token:
                    leases[shard] = lease = replace(lease, beat=lease.beat + 1)
                    results[shard] = Result(Applied.DONE, lease)
                else:
                    results[shard] = Result(Applied.FENCED, lease)
            return results, leases
        case "take":
            lease = leases[asked.of.shard]
            if lease.moved_by != asked.of.seen.moved_by:
                return None, world.leases
            leases[asked.of.shard] = _taken(lease, boot)
            return leases[asked.of.shard], leases
        case _:
            shard, token = asked.of
            lease = leases[shard]
            if lease.token == token:
                leases[shard] = replace(lease, token="", owner="")
            return None, leases


def _observed(asked: Asked) -> Observation:
    match asked.what:
        case "look":
            leases, members = asked.answer
            return Looked(asked.sent, leases, members)
        case "renew":
            return Renewed(asked.sent, asked.answer)
        case "take":
            return TakeAnswered(asked.of.shard, asked.sent, asked.answer)
        case _:
            return Gave(asked.of[0])
