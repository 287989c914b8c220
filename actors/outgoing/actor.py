"""The actor of hooks: keeps them, has events collected, and has each hook delivered to.

It runs where the fleet's shard lives, so that each event is collected once. All that it knows is in
the store; each incarnation reads it there.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import structlog
import trio

from actors.alerts.finding import AlertKind, Finding
from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.outgoing import edits, repository
from actors.outgoing.collector import Collector, CollectorPorts
from actors.outgoing.courier import Courier, CourierPorts
from actors.outgoing.edits import Reason, Refused
from actors.outgoing.keeping import prune_for_ever
from actors.outgoing.model import Hook, Kind, Position, StopKind, Stopped, Try
from actors.outgoing.ports import Sender
from actors.outgoing.requests import (
    Remove,
    Replay,
    Request,
    Requests,
    Save,
    Secret,
    Stop,
)
from actors.refusal import Refusal
from actors.replace import replace
from actors.storage.commits import Commits
from actors.supervision.patience import started_at_last
from store.port import Record, Store, Table, Write

log = structlog.get_logger()

TEST_TIMEOUT_S = 11.0
"""A try has 10 s by itself; a process that carries the request waits 12 s."""
AT_ONCE_MOST = 16
"""Requests under way to all receivers together: sockets, and 100 kB each with TLS."""
TESTS_MOST = 4
FAILING_S = 900.0
"""A hook that was not taken for so long is told of."""


class RecordWriter(Commits, Protocol):
    """What is needed of the store writer."""

    async def scan(self, table: Table) -> Sequence[Record]:
        """All records of a table, after all that was handed in before is durable."""
        ...


@dataclass(frozen=True, slots=True)
class OutgoingPorts:
    """Whom the actor asks."""

    board: Board
    store: Store
    store_writer: RecordWriter
    clock: Clock
    rng: Random
    sender: Sender
    new_id: Callable[[], str]
    alone: bool = True


@dataclass(frozen=True, slots=True)
class OutgoingStatistics:
    """Counted since the start; `waiting`, `failing` and `stopped` are now."""

    hooks: int
    failing: int
    stopped: int
    waiting: int
    collected: int
    found_by_sweep: int
    """Verdicts of which no news came, found in the store."""
    taken: int
    not_taken: int


class Outgoing(Requests):
    """One actor for all hooks."""

    def __init__(self, ports: OutgoingPorts) -> None:
        super().__init__()
        self._ports = ports
        self._hooks: dict[str, Hook] = {}
        self._couriers: dict[str, Courier] = {}
        """Of all hooks; those that run have a scope."""
        self._scopes: dict[str, trio.CancelScope] = {}
        self._slots = trio.CapacityLimiter(AT_ONCE_MOST)
        self._tests = trio.CapacityLimiter(TESTS_MOST)
        self._collector: Collector | None = None
        self._kinds_changed = trio.Event()
        self._collected = self._found = self._taken = self._not_taken = 0

    # ---------------------------------------------------------------- what is asked of it

    @property
    def hooks(self) -> Mapping[str, Hook]:
        """By id, in the order of their names."""
        return self._hooks

    def new_id(self) -> str:
        """For a new hook."""
        return self._ports.new_id()

    def position(self, hook_id: str) -> Position:
        """Up to where a hook was delivered to."""
        courier = self._couriers.get(hook_id)
        return Position() if courier is None else courier.window.position

    def waiting(self, hook_id: str) -> int:
        """Events of a hook that are read and not delivered."""
        courier = self._couriers.get(hook_id)
        return 0 if courier is None else courier.window.waiting

    def tries(self, hook_id: str) -> Sequence[Try]:
        """The newest tries of a hook, newest first."""
        courier = self._couriers.get(hook_id)
        return () if courier is None else list(reversed(courier.tries))

    async def test(self, hook_id: str) -> Try | Refusal | None:
        """Post an event that tells nothing, and say what came of it. None for an unknown hook."""
        courier = self._couriers.get(hook_id)
        if courier is None:
            await trio.lowlevel.checkpoint()
            return None
        try:
            self._tests.acquire_nowait()
        except trio.WouldBlock:
            return Refusal.TOO_MANY
        try:
            with trio.move_on_after(TEST_TIMEOUT_S):
                return await courier.test()
            return Refusal.NO_REPLY
        finally:
            self._tests.release()

    def findings(self) -> Iterator[Finding]:
        """Hooks that are not delivered to."""
        now = self._ports.clock.now()
        for one in self._hooks.values():
            since = self.position(one.id).failing_since
            text = f"the hook {one.name} is delivered to"
            if one.stopped is not None:
                since = one.stopped.at
                text = f"the hook {one.name} was stopped: {one.stopped.why}"
            elif since is not None and one.enabled and now - since >= FAILING_S:
                tries = self.tries(one.id)
                why = next((line.error for line in tries if line.error is not None), "")
                text = f"nothing is taken by the hook {one.name}: {why}"
            else:
                since = None
            yield Finding(AlertKind.HOOK_FAILING, one.id, since is not None, text, since)

    def statistics(self) -> OutgoingStatistics:
        """Counters, now."""
        collector = self._collector
        positions = [courier.window.position for courier in self._couriers.values()]
        return OutgoingStatistics(
            hooks=len(self._hooks),
            failing=sum(one.failing_since is not None for one in positions),
            stopped=sum(one.stopped is not None for one in self._hooks.values()),
            waiting=sum(courier.window.waiting for courier in self._couriers.values()),
            collected=self._collected + (0 if collector is None else collector.collected),
            found_by_sweep=self._found + (0 if collector is None else collector.found),
            taken=self._taken,
            not_taken=self._not_taken,
        )

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. The store is read by each incarnation, and waited for.

        Raises StoreError when it cannot be read.
        """
        async with started_at_last(task_status):
            kept = repository.read(await self._ports.store_writer.scan(Table.META))
        self._hooks = dict(kept.hooks)
        self._couriers = {
            one.id: self._courier(one, kept.positions.get(one.id), kept.logs.get(one.id, ()))
            for one in self._hooks.values()
        }
        self._scopes.clear()
        async with trio.open_nursery() as nursery:
            for one in self._hooks.values():
                self._begin(one, nursery)
            nursery.start_soon(self._collect)
            nursery.start_soon(prune_for_ever, self._ports.store, self._ports.clock)
            while True:
                message = await self.mailbox.take()
                await self._deal_with(message, nursery)
                self.mailbox.handled()

    async def _deal_with(self, message: Request, nursery: trio.Nursery) -> None:
        match message:
            case Save():
                message.reply.resolve(await self._save(message, nursery))
            case Secret():
                hook = self._hooks.get(message.hook_id)
                made: Hook | Refused = Refused(Reason.UNKNOWN, "there is no such hook")
                if hook is not None:
                    made = edits.with_secret(hook, message.secret, self._ports.clock.now())
                    await self._keep(made)
                message.reply.resolve(made)
            case Remove():
                message.reply.resolve(await self._remove(message))
            case Replay():
                message.reply.resolve(await self._replay(message, nursery))
            case Stop():
                hook = self._hooks.get(message.hook_id)
                if hook is not None and hook.runs:
                    log.warning("hook stopped", hook=hook.name, why=message.stopped.why)
                    await self._keep(
                        replace(hook, stopped=message.stopped, revision=hook.revision + 1)
                    )
                    self._end(hook.id)

    # ---------------------------------------------------------------- what people change

    async def _save(self, message: Save, nursery: trio.Nursery) -> Hook | Refused:
        before = self._hooks.get(message.asked.id)
        start = await self._newest_place() if message.revision is None else 0.0
        made = edits.saved(self._hooks, message.asked, message.revision, start)
        if isinstance(made, Refused):
            return made
        await self._keep(made)
        courier = self._couriers.get(made.id)
        if courier is None:
            self._couriers[made.id] = courier = self._courier(made, None, ())
        if made.runs and (before is None or not before.runs):
            courier.window.again()
            self._begin(made, nursery)
        elif not made.runs:
            self._end(made.id)
        courier.stir()
        self._kinds_changed.set()
        return made

    async def _newest_place(self) -> float:
        """After which a new hook is told: what was before it is of before anybody asked."""
        newest = await self._ports.store.entries(
            repository.STREAM, since=-repository.FAR, until=repository.FAR, most=1
        )
        return newest[0].at if newest else 0.0

    async def _remove(self, message: Remove) -> Hook | Refused:
        hook = self._hooks.get(message.hook_id)
        if hook is None:
            return Refused(Reason.UNKNOWN, "there is no such hook")
        if message.revision not in {None, hook.revision}:
            return Refused(Reason.STALE, f"it was changed meanwhile: {hook.revision}")
        self._end(hook.id)
        await self._ports.store_writer.commit(repository.hook_deletes(hook.id))
        self._hooks.pop(hook.id)
        self._couriers.pop(hook.id)
        self._kinds_changed.set()
        return hook

    async def _replay(self, message: Replay, nursery: trio.Nursery) -> Hook | Refused:
        """From an earlier place on; what is open is among that."""
        hook = self._hooks.get(message.hook_id)
        if hook is None:
            return Refused(Reason.UNKNOWN, "there is no such hook")
        await self._end_and_wait(hook.id)
        courier = self._couriers[hook.id]
        before = courier.window.position
        since = math.nextafter(message.since, -math.inf)
        first = min([since, before.read_to, *before.open])
        position = replace(before, read_to=first, open=(), failing={}, failing_s=0.0)
        now = self._ports.clock.now()
        await self._ports.store_writer.commit([repository.position_put(hook.id, position, now)])
        self._couriers[hook.id] = self._courier(hook, position, list(courier.tries))
        self._begin(hook, nursery)
        return hook

    async def _keep(self, hook: Hook) -> None:
        writes: list[Write] = [repository.hook_put(hook, self._ports.clock.now())]
        await self._ports.store_writer.commit(writes)
        hooks = {**self._hooks, hook.id: hook}
        self._hooks = dict(sorted(hooks.items(), key=lambda each: each[1].name.casefold()))
        courier = self._couriers.get(hook.id)
        if courier is not None:
            courier.hook = hook

    # ---------------------------------------------------------------- who delivers

    def _courier(self, hook: Hook, position: Position | None, tries: Sequence[Try]) -> Courier:
        ports = self._ports
        return Courier(
            hook,
            Position(read_to=hook.start) if position is None else position,
            tries,
            CourierPorts(
                store=ports.store,
                store_writer=ports.store_writer,
                board=ports.board,
                clock=ports.clock,
                rng=ports.rng,
                sender=ports.sender,
                slots=self._slots,
                stop=self._stop,
                tried=self._tried,
            ),
        )

    def _tried(self, taken: bool) -> None:
        self._taken += taken
        self._not_taken += not taken

    def _begin(self, hook: Hook, nursery: trio.Nursery) -> None:
        if hook.runs and hook.id not in self._scopes:
            self._scopes[hook.id] = scope = trio.CancelScope()
            nursery.start_soon(self._run, self._couriers[hook.id], scope)

    def _end(self, hook_id: str) -> None:
        scope = self._scopes.pop(hook_id, None)
        if scope is not None:
            scope.cancel(reason="the hook is not delivered to")

    async def _end_and_wait(self, hook_id: str) -> None:
        self._end(hook_id)
        await self._couriers[hook_id].ended()

    async def _run(self, courier: Courier, scope: trio.CancelScope) -> None:
        with scope:
            await courier.run()

    def _stop(self, hook_id: str, kind: StopKind, why: str) -> None:
        self.mailbox.offer(Stop(hook_id, Stopped(kind, self._ports.clock.now(), why)))

    # ---------------------------------------------------------------- what is told

    def _wanted(self) -> frozenset[Kind]:
        """What any hook wants; one that is paused by a person, or dead, may go on."""
        return frozenset(kind for hook in self._hooks.values() for kind in hook.kinds)

    async def _collect(self) -> None:
        """Anew for each set of kinds: by what is stored then."""
        ports = self._ports
        while True:
            self._kinds_changed = trio.Event()
            kinds = self._wanted()
            if not kinds:
                await self._kinds_changed.wait()
                continue
            kept = repository.read(await ports.store_writer.scan(Table.META))
            self._collector = collector = Collector(
                CollectorPorts(
                    board=ports.board,
                    store=ports.store,
                    store_writer=ports.store_writer,
                    clock=ports.clock,
                    stored=self._stir,
                    alone=ports.alone,
                ),
                kept,
            )
            async with trio.open_nursery() as nursery:
                asks = [one for one in self._hooks.values() if Kind.VERDICTS in one.kinds]
                asked_at = min((one.changed_at for one in asks), default=ports.clock.now())
                nursery.start_soon(collector.run, kinds, asked_at)
                while self._wanted() == kinds:
                    await self._kinds_changed.wait()
                    self._kinds_changed = trio.Event()
                nursery.cancel_scope.cancel(reason="other kinds are wanted")
            self._collected += collector.collected
            self._found += collector.found
            self._collector = None

    def _stir(self) -> None:
        for courier in self._couriers.values():
            courier.stir()
