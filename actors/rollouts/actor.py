"""The actor of all rollouts: takes orders, commands lights at their pace, and follows the outcome.

A light gets one command from a rollout, however often anything crashes. The command's id follows
from rollout and light, and it is looked for before it is given; within one run of the service an
idempotency key guards it besides. Nothing is shown that is not stored.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
import trio

from actors.board.changes import Change
from actors.board.rollout import Rollout
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command
from actors.messaging.ask import ask
from actors.messaging.mailbox import Mailbox
from actors.messaging.reply import Reply
from actors.reasons import Reason, ReasonCode
from actors.refusal import Refusal
from actors.rollouts import decisions
from actors.rollouts.model import Conflict, Order, Part, Wish
from actors.rollouts.ports import RolloutPorts
from actors.rollouts.repository import RolloutRepository, StoredRollout
from actors.storage.idempotency import KeyRecord, KeyUse, stored_key
from actors.storage.unreadable_records import UnreadableRecord
from actors.supervision.patience import started_at_last
from store.errors import StoreUnavailable

log = structlog.get_logger()

MAILBOX_REQUESTS = 64
"""People's requests; an order for 13,000 lights (a body of 256 kB) is 1 MB: 64 MB at the worst."""
ACTIVE_MOST = 20
BEHIND_MOST = 10_000
"""Each has one task and may have the whole fleet: 50,000 lights of 300 bytes, 15 MB."""
REPLY_TIMEOUT_S = 10.0
PRUNE_S = 3_600.0
TRIES_MOST = 5
"""For a light whose mailbox is full or whose actor does not answer, `again_s` apart."""
CHUNK = 100
"""Lights looked up between two commits after a start."""


@dataclass(frozen=True, slots=True)
class _Create:
    order: Order
    reply: Reply[Rollout | Refusal]


@dataclass(frozen=True, slots=True)
class _Change:
    rollout_id: str
    wish: Wish
    reply: Reply[Rollout | Conflict | None]


class Rollouts:
    """One actor for all rollouts. Each incarnation reads them from the store."""

    def __init__(self, ports: RolloutPorts, *, retention_s: float, again_s: float = 5.0) -> None:
        self.mailbox: Mailbox[_Create | _Change] = Mailbox("rollouts", MAILBOX_REQUESTS)
        self.repository = RolloutRepository(ports.store_writer, ports.clock, ports.board.publish)
        self._ports = ports
        self._retention_s = retention_s
        self._again_s = again_s
        self._nursery: trio.Nursery | None = None
        self._driven: set[str] = set()
        self._begun = trio.Event()

    # ---------------------------------------------------------------- what is asked of it

    async def create(self, order: Order) -> Rollout | Refusal:
        """Begin a rollout; returns after it is stored."""
        reply: Reply[Rollout | Refusal] = Reply()
        return await ask(self.mailbox, _Create(order, reply), reply, REPLY_TIMEOUT_S)

    async def change(self, rollout_id: str, wish: Wish) -> Rollout | Conflict | Refusal | None:
        """Steer a rollout; None for one that is not known."""
        reply: Reply[Rollout | Conflict | None] = Reply()
        return await ask(self.mailbox, _Change(rollout_id, wish, reply), reply, REPLY_TIMEOUT_S)

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. The store is read by each incarnation, and waited for.

        Raises StoreError when the stored rollouts cannot be read.
        """
        async with started_at_last(task_status):
            for rollout_id in await self.repository.restore():
                self._ports.board.forget_rollout(rollout_id)
        self._driven.clear()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._follow)
            for kept in self.repository.running():
                self._drive(kept)
            while True:
                message = None
                with trio.move_on_after(PRUNE_S):  # the waiting only: an order is dealt with whole
                    message = await self.mailbox.take()
                match message:
                    case None:
                        pass
                    case _Create():
                        message.reply.resolve(await self._created(message.order))
                        self.mailbox.handled()
                    case _Change():
                        message.reply.resolve(await self._changed(message))
                        self.mailbox.handled()
                await self._prune()

    async def _created(self, order: Order) -> Rollout | Refusal:
        now, rollout_id = self._ports.clock.now(), self._ports.new_id()
        key = None if order.idempotency_key is None else f"rollout {order.idempotency_key}"
        if key is not None:
            use = self._ports.keys.claim(key, order.fingerprint, rollout_id, now)
            if use is KeyUse.REUSED:
                return Refusal.KEY_REUSED
            if isinstance(use, str):
                if use in self.repository.kept:
                    return self.repository.kept[use].rollout
                rollout_id = use  # an incarnation crashed over it: made now, under that id
        if self.repository.active() >= ACTIVE_MOST:
            if key is not None:
                self._ports.keys.release(key, rollout_id)
            return Refusal.TOO_MANY
        made_at = self.repository.later_than_all(now)
        rollout, parts = decisions.begun(rollout_id, order, made_at, self._asked(order))
        more = (
            [] if key is None else [stored_key(KeyRecord(key, order.fingerprint, rollout_id, now))]
        )
        kept = await self.repository.add(rollout, parts, more)
        log.info("rollout", rollout=rollout.id, lights=rollout.total)
        self._drive(kept)
        return rollout

    async def _changed(self, message: _Change) -> Rollout | Conflict | None:
        kept = self.repository.kept.get(message.rollout_id)
        if kept is None:
            return None
        async with kept.lock:
            before = kept.rollout
            after = decisions.steered(before, message.wish, self._ports.clock.now())
            if isinstance(after, Conflict):
                return after
            if (
                after.state.active
                and not before.state.active
                and self.repository.active() >= ACTIVE_MOST
            ):
                return Conflict(f"{ACTIVE_MOST} rollouts run or pause already")
            if after is not before:
                await self.repository.change(kept, after, {})
                log.info("rollout", rollout=after.id, state=after.state.value)
        self._drive(kept)
        return after

    async def _prune(self) -> None:
        for rollout_id in await self.repository.prune(self._ports.clock.now() - self._retention_s):
            self._ports.board.forget_rollout(rollout_id)

    # ---------------------------------------------------------------- commanding

    def _drive(self, kept: StoredRollout) -> None:
        """Have a task that commands its lights, unless there is one, and the board followed."""
        self._begun.set()
        if self._nursery is not None and kept.rollout.id not in self._driven:
            self._driven.add(kept.rollout.id)
            self._nursery.start_soon(self._command_all, kept)

    async def _command_all(self, kept: StoredRollout) -> None:
        """One light after another at the pace, while it runs; ends with the last waiting one."""
        place = 0
        while not kept.rollout.state.over and kept.rollout.waiting:
            due_at = decisions.due_at(kept.rollout)
            changed = kept.changed
            if due_at is None:
                await changed.wait()
                continue
            # No longer than the pace asks for, should the clock have been set back meanwhile.
            wait_s = min(due_at - self._ports.clock.now(), decisions.pause_s(kept.rollout))
            if wait_s > 0:
                with trio.move_on_after(wait_s) as pause:
                    await changed.wait()
                if not pause.cancelled_caught:
                    continue
            number = kept.next_waiting(place)
            if number is None:
                break
            place = number
            await self._command_one(kept, number)
        self._driven.discard(kept.rollout.id)

    async def _command_one(self, kept: StoredRollout, number: int) -> None:
        part, ports = kept.parts[number], self._ports
        command_id = decisions.command_id_of(kept.rollout.id, part.dev_eui)
        try:  # a crash may have come between command and record
            command = await self._find(command_id)
        except UnreadableRecord:
            await self._take_over(kept, {number: self._unreadable})
            return
        if command is None and self._overtaken(kept.rollout, part):
            await self._take_over(kept, {number: decisions.left_alone})
            return
        refusal = None
        if command is None:
            command, refusal = await self._give(kept, part, command_id)
        now = ports.clock.now()
        if command is not None:
            found = command
            await self._take_over(
                kept,
                # whoever follows may have seen it first, and more of it
                {number: lambda old: old if old.command_id else decisions.seen(old, found, now)},
                commanded_at=now,
            )
        elif refusal in {Refusal.UNKNOWN_DEVICE, Refusal.UNREADABLE}:
            await self._take_over(kept, {number: decisions.gone})
        elif refusal is not None:
            words = refusal.value.replace("_", " ")
            why = Reason(ReasonCode.ROLLOUT_NOT_COMMANDED, (words,))
            maybe_id = command_id if refusal is Refusal.NO_REPLY else None  # it may yet appear
            await self._take_over(
                kept, {number: lambda old: decisions.failed(old, why, now, maybe_id)}
            )

    async def _give(
        self, kept: StoredRollout, part: Part, command_id: str
    ) -> tuple[Command | None, Refusal | None]:
        """Command the light, with patience; (None, None) when the rollout does not run any more."""
        rollout, tries = kept.rollout, 0
        order = CommandOrder(
            dev_eui=part.dev_eui,
            light=rollout.light if part.light is None else part.light,
            keep=rollout.keep,
            ttl_s=rollout.ttl_s,
            correlation_id=rollout.correlation_id,
            idempotency_key=f"rollout {rollout.id}",  # a caller's key has no space in it
            fingerprint=rollout.id,
            command_id=command_id,
            by=rollout.by,
        )
        while True:
            outcome: Accepted | Refusal = Refusal.NO_REPLY
            with suppress(StoreUnavailable):
                outcome = await self._ports.give(order)
            if isinstance(outcome, Accepted):
                return outcome.command, None
            tries += 1
            patient = outcome in {Refusal.MAILBOX_FULL, Refusal.NO_REPLY, Refusal.STOPPING}
            if not patient or tries >= TRIES_MOST:
                return None, outcome
            await trio.sleep(self._again_s)
            if decisions.due_at(kept.rollout) is None:
                with suppress(UnreadableRecord):
                    return await self._find(command_id), None
                return None, outcome

    async def _find(self, command_id: str) -> Command | None:
        """One command; a store that is away is waited for."""
        while True:
            with suppress(StoreUnavailable):
                return await self._ports.find(command_id)
            await trio.sleep(self._again_s)

    def _overtaken(self, rollout: Rollout, part: Part) -> bool:
        device = self._ports.board.devices.get(part.dev_eui)
        if device is None or device.wanted is None:
            return False
        other_at = self.repository.made_at(device.wanted.command_id)
        return decisions.overtaken(rollout, part, device, other_at)

    def _asked(self, order: Order) -> dict[str, str]:
        """What was asked last of each light, by its place; empty where nothing was."""
        known = self._ports.board.devices
        lights = (known[dev_eui] for dev_eui in order.dev_euis if dev_eui in known)
        return {one.dev_eui: "" if one.newest is None else one.newest.place for one in lights}

    # ---------------------------------------------------------------- following

    async def _follow(self) -> None:
        """While any rollout is pursued: with none, nothing on the board is read."""
        while True:
            self._begun = trio.Event()
            if not self.repository.pursued():
                await self._begun.wait()
                continue
            with self._ports.board.subscribe(BEHIND_MOST) as subscription:
                await self._look_up_all()
                async for batch in subscription:
                    await self._see(batch)
                    if not self.repository.pursued():
                        break
            if self.repository.pursued():
                log.info("rollouts start over", reason=subscription.closed_reason)

    async def _see(self, batch: Sequence[Change]) -> None:
        newest = {one.what.id: one.what for one in batch if isinstance(one.what, Command)}
        by_rollout: dict[str, list[Command]] = {}
        for command in newest.values():
            rollout_id = decisions.rollout_id_of(command.id)
            if rollout_id in self.repository.kept:
                by_rollout.setdefault(rollout_id, []).append(command)
        for rollout_id, commands in by_rollout.items():
            kept = self.repository.kept.get(rollout_id)
            if kept is not None:
                await self._compare(kept, commands)

    async def _look_up_all(self) -> None:
        """What happened to the commands while nobody looked."""
        for kept in list(self.repository.kept.values()):
            unsettled = [p for p in kept.parts if p.command_id is not None and not p.settled]
            for first in range(0, len(unsettled), CHUNK):
                found: list[Command] = []
                lost: dict[int, Callable[[Part], Part]] = {}
                for part in unsettled[first : first + CHUNK]:
                    number = kept.index[part.dev_eui]
                    try:
                        command = await self._find(part.command_id or "")
                    except UnreadableRecord:
                        lost[number] = self._unreadable
                        continue
                    if command is not None:
                        found.append(command)
                    else:
                        lost[number] = self._lost
                await self._compare(kept, found)
                await self._take_over(kept, lost)

    def _unreadable(self, part: Part) -> Part:
        """Not commanded again: what it was told may stand in the record."""
        why = Reason(ReasonCode.ROLLOUT_RECORD_UNREADABLE)
        return decisions.failed(part, why, self._ports.clock.now())

    def _lost(self, part: Part) -> Part:
        why = Reason(ReasonCode.ROLLOUT_COMMAND_LOST)
        return decisions.failed(part, why, self._ports.clock.now())

    async def _compare(self, kept: StoredRollout, commands: Sequence[Command]) -> None:
        now = self._ports.clock.now()

        def seen(command: Command) -> Callable[[Part], Part]:
            return lambda part: decisions.seen(part, command, now)

        known = [command for command in commands if command.dev_eui in kept.index]
        await self._take_over(kept, {kept.index[one.dev_eui]: seen(one) for one in known})

    async def _take_over(
        self,
        kept: StoredRollout,
        lights: dict[int, Callable[[Part], Part]],
        commanded_at: float | None = None,
    ) -> None:
        """Change these lights, where there is anything to change, and store and show it."""
        async with kept.lock:
            now, before = self._ports.clock.now(), kept.parts
            after = {
                number: change(before[number])
                for number, change in lights.items()
                if not before[number].settled
            }
            changed = {n: part for n, part in after.items() if part != before[n]}
            if not changed and commanded_at is None:
                return
            rollout = kept.rollout
            if commanded_at is not None:
                rollout = decisions.commanded(rollout, commanded_at)
            pairs = [(before[number], part) for number, part in changed.items()]
            rollout = decisions.moved(rollout, pairs, now)  # the limit of failures is looked at
            if rollout.state is not kept.rollout.state:
                log.info("rollout", rollout=rollout.id, state=rollout.state.value)
            await self.repository.change(kept, rollout, changed)
