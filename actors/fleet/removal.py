"""Taking a light off: its actor, its record and its place on the board; its history stays.

The record is gone from the store before the removal is published, and an open command of the light
ends with the true reason. What was begun is carried out whoever waits for it and however long the
store is away: a light without an actor that is not gone would hold up what is sent to it for ever.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import structlog
import trio

from actors.board.board import Board
from actors.board.changes import DeviceRemoved
from actors.clocks.clock import Clock
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Device
from actors.device.records import command_writes
from actors.device.transition import with_step
from actors.fleet import DeviceActorPort, Fleet, actor_id
from actors.fleet.device_discovery import NOT_LISTED
from actors.messaging.reply import ActorError, ActorStopped, Reply
from actors.reasons import Reason, ReasonCode, other, text_of
from actors.refusal import Refusal
from actors.storage import history
from actors.storage.commits import Commits
from store.errors import StoreError
from store.port import Delete, Table, Write

log = structlog.get_logger()

TIMELINE_MOST = 200
BY_HAND = "by hand"
REMOVE_S = 10.0
"""For a light's actor to stop (5 s at most) and for a commit, which takes milliseconds."""
REMOVALS_MOST = 200
"""Carried out at once, some 10 kB each; more are refused while the store is away."""


class Removals:
    """The one way by which a light leaves; `run` is its task. `forget` tells those that keep
    something of a light, `ended` counts a command that ended."""

    def __init__(
        self,
        fleet: Fleet,
        board: Board,
        store_writer: Commits,
        clock: Clock,
        *,
        ended: Callable[[Command], None],
        forget: Sequence[Callable[[str], object]] = (),
    ) -> None:
        self._fleet = fleet
        self._board = board
        self._store_writer = store_writer
        self._clock = clock
        self._ended = ended
        self._forget = forget
        self._nursery: trio.Nursery | None = None
        self._under_way: dict[str, Reply[bool]] = {}

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry out what is asked for, until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None

    async def remove(self, dev_eui: str, why: str, *, for_good: bool = True, by: str = "") -> bool:
        """Take this light off; False for one that is not known. `why` is for people, `by` who.

        With `for_good` it comes back only when ChirpStack lists it again, and its history says that
        it was removed; without, as if it had never been heard. Cancelling this stops the waiting
        only. Raises ActorError when it cannot be carried out, and StoreError when the light is
        another process's by now: another call goes on from there.
        """
        reply = self._under_way.get(dev_eui)
        if reply is None:
            actor = self._fleet.actors.get(dev_eui)
            if actor is None:
                await trio.lowlevel.checkpoint()
                return False
            if self._nursery is None or len(self._under_way) >= REMOVALS_MOST:
                raise ActorStopped("removals", "no more are carried out now")
            reply = self._under_way[dev_eui] = Reply()
            self._nursery.start_soon(self._carry_out, actor, why, for_good, by, reply)
        return await reply.outcome()

    async def _carry_out(
        self, actor: DeviceActorPort, why: str, for_good: bool, by: str, reply: Reply[bool]
    ) -> None:
        dev_eui = actor.device.dev_eui
        try:
            await self._remove(actor, why, for_good, by)
            reply.resolve(True)
        except (ActorError, StoreError) as error:  # of this one alone: the others go on
            log.warning("light not removed", dev_eui=dev_eui, error=str(error))
            reply.fail(error)
        finally:
            del self._under_way[dev_eui]
            reply.fail(ActorStopped("removals", "cut off"))

    async def _remove(self, actor: DeviceActorPort, why: str, for_good: bool, by: str) -> None:
        fleet = self._fleet
        name, dev_eui = actor.device.name, actor.device.dev_eui
        await fleet.stop_actor(dev_eui, why)  # from here on its record is nobody else's
        if fleet.actors.get(dev_eui) is not actor:
            raise ActorStopped(actor_id(dev_eui), "its shard was left meanwhile")
        now, device = self._clock.now(), actor.device
        ended = _ended(device, now, _removed(why))
        writes: list[Write] = [Delete(Table.DEVICE, dev_eui)]
        if ended is not None:
            writes.extend(command_writes(ended, now))
        if for_good:
            detail: dict[str, str | float | None] = {"name": name, "why": why}
            if by:
                detail["by"] = by
            entry = f"removed-{now:.3f}"
            writes.append(history.line(dev_eui, entry, now, "removed", detail))
        await self._store_writer.commit(writes)
        fleet.drop(dev_eui, for_good=for_good)
        for forget in self._forget:
            forget(dev_eui)
        if ended is not None:
            self._board.publish(ended)
            self._ended(ended)
        self._board.publish(DeviceRemoved(dev_eui, name, why))
        log.info("light removed", dev_eui=dev_eui, why=why)

    async def by_hand(self, dev_eui: str, by: str = "") -> Refusal | None:
        """Take this light off for good; None when it is done. `by` is who wants it. `NO_REPLY`
        where that takes long: it is carried out when the store answers, if it can be."""
        known: bool | None = None
        with trio.move_on_after(REMOVE_S), suppress(ActorError, StoreError):
            known = await self.remove(dev_eui, BY_HAND, by=by)
        if known is None:
            return Refusal.NO_REPLY
        return None if known else Refusal.UNKNOWN_DEVICE


def _removed(why: str) -> Reason:
    """`why` goes from process to process as words."""
    known = {BY_HAND: ReasonCode.BY_HAND, NOT_LISTED: ReasonCode.NOT_LISTED}.get(why)
    cause = other(why) if known is None else Reason(known)
    return Reason(ReasonCode.LIGHT_REMOVED, (cause,))


def _ended(device: Device, now: float, cause: Reason) -> Command | None:
    command = device.command
    if command is None:
        return None
    text = text_of(cause, now)
    ended = msgspec.structs.replace(
        command, status=CommandStatus.REJECTED, reason=text, cause=cause, ended_at=now
    )
    step = Step(now, StepKind.REJECTED, reason=text, cause=cause)
    return with_step(ended, step, TIMELINE_MOST)
