"""The one way by which a colour command comes to a device, whoever gives it.

A command is accepted by the device's own actor and stored with its idempotency key before anybody
hears of it; an equal request leads to the same command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import trio

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.device.command import Command, CommandStatus
from actors.device.events import (
    CommandRequested,
    DeviceEvent,
    StatusRequested,
    WithdrawRequested,
)
from actors.device.records import read_command
from actors.device.verdict import device_stream
from actors.fleet import Fleet
from actors.messaging.mailbox import Offer
from actors.messaging.not_taken import NotTaken, refusal_of
from actors.messaging.reply import ActorCrashed, ActorError, ActorStopped, NoReply, Reply
from actors.refusal import Refusal
from actors.storage.audit import AuditEntry, of_command
from actors.storage.deadline import store_deadline
from actors.storage.idempotency import IdempotencyKeys, KeyUse
from actors.storage.unreadable_records import UnreadableRecord, UnreadableRecords
from lorawan.kuando.light_state import LightState
from store.port import Store, Table

ACCEPT_TIMEOUT_S = 10.0
"""For the store to take a command: a commit takes milliseconds; past that it is failing."""
TAKEN_LOOK_S = 0.2
"""Between two looks at whether a light has heard of its command, which takes a moment."""
FAR_FUTURE = 1e12
"""Past every time of any clock, in Unix seconds: ChirpStack's may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOrder:
    """A colour command as asked for.

    `ttl_s` None takes the service's time to live. An order with the `idempotency_key` of an earlier
    one for the same device leads to the earlier command if their `fingerprint`, a digest of what is
    asked, is the same. `command_id` is the id of the command, if it becomes one; None for a new id.
    """

    dev_eui: str
    light: LightState
    keep: bool
    ttl_s: float | None = None
    correlation_id: str = ""
    idempotency_key: str | None = None
    fingerprint: str = ""
    command_id: str | None = None
    by: str = ""
    """Who gives it."""
    audit: AuditEntry | None = None
    """Stored with it, if it becomes a command."""


class Accepted(msgspec.Struct, frozen=True):
    """The command is in the store. `repeated`: an earlier request with the same key made it."""

    command: Command
    repeated: bool = False


class Ended(msgspec.Struct, frozen=True):
    """There is nothing to take back: the command ended by itself before."""

    command: Command


class Commands:
    """Gives commands and finds them again. It holds nothing. How one is accepted, see `_give`."""

    def __init__(
        self,
        post: Callable[[str, DeviceEvent], Offer | None],
        board: Board,
        unreadable: UnreadableRecords,
        store: Store,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        ttl_s: float,
        post_in_order: Callable[[str, DeviceEvent], Offer | None] | None = None,
    ) -> None:
        self._post = post
        self._post_in_order = post_in_order or post
        self._board = board
        self._unreadable = unreadable
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._ttl_s = ttl_s

    async def give(self, order: CommandOrder) -> Accepted | Refusal:
        """Accept a colour command; returns after it is in the store (at most about 10 s).

        Raises StoreError.
        """
        with store_deadline(ACCEPT_TIMEOUT_S + 1.0):
            return await self._give(order)

    async def find(self, command_id: str) -> Command | None:
        """One command, open or ended. Raises StoreError, and UnreadableRecord for an odd one."""
        known = self._board.command(command_id)
        if known is not None:
            await trio.lowlevel.checkpoint()
            return known
        return await self._stored(command_id)

    async def _stored(self, command_id: str) -> Command | None:
        with store_deadline():
            record = await self._store.get(Table.COMMAND, command_id)
        if record is None:
            return None
        try:
            return read_command(record)
        except msgspec.MsgspecError as error:
            raise UnreadableRecord(f"command {command_id}: {error}") from error

    async def wait_settled(self, command_id: str, timeout_s: float) -> Command | None:
        """Wait until the command is final, overdue or held, or the time is over: the command as it
        is then, None for one that is not known. Raises as `find` does."""
        if self._board.command(command_id) is None:
            return await self.find(command_id)
        return await self._board.wait_command(command_id, _settled, timeout_s)

    async def of_device(self, dev_eui: str, most: int) -> Sequence[Command]:
        """The commands of a device with their timelines, newest first. Raises StoreError.

        The stream of its verdicts is the index of the ended ones; there is one open at most.
        """
        with store_deadline():
            device = self._board.devices.get(dev_eui)
            found = [] if device is None or device.command is None else [device.command]
            ended = await self._store.entries(
                device_stream(dev_eui), since=0.0, until=FAR_FUTURE, most=most
            )
            for entry in ended:
                try:
                    command = await self.find(entry.entry)
                except UnreadableRecord:
                    continue  # asked for by itself, it is told
                if command is not None and command.id not in {one.id for one in found}:
                    found.append(command)
        return found[:most]

    async def ask_status(self, dev_eui: str) -> str | Refusal:
        """Have the device send a status: `asked`, or `busy` where a frame is on its way anyway."""
        reply: Reply[str] = Reply()
        refusal = refusal_of(self._post(dev_eui, StatusRequested("by hand", reply)))
        if refusal is not None:
            return refusal
        try:
            return await reply.wait(ACCEPT_TIMEOUT_S)
        except NotTaken as error:
            return error.refusal
        except ActorError:
            return Refusal.NO_REPLY

    async def withdraw(
        self, command_id: str, *, want_nothing: bool = False, by: str = ""
    ) -> Command | Ended | Refusal | None:
        """Take back a command that is not verified: the command as it ended by that, now or before.

        `want_nothing` wants nothing of the light any more, else what was wanted before. None for a
        command that is not known. Raises as `find` does.
        """
        command = await self._stored(command_id)
        if command is None:
            command = await self.find(command_id)
        if command is None:
            return None
        request = WithdrawRequested(command_id, want_nothing, by)
        with trio.move_on_after(ACCEPT_TIMEOUT_S):
            while not command.status.final:
                outcome = await self._take_back(command.dev_eui, request)
                if isinstance(outcome, Refusal):
                    return outcome
                command = await self._stored(command_id) or command
                if not command.status.final:  # it waits for its light in an inbox
                    await trio.sleep(TAKEN_LOOK_S)
        match command.status:
            case CommandStatus.WITHDRAWN:
                return command
            case _ if command.status.final:
                return Ended(command)
            case _:
                return Refusal.NO_REPLY

    async def want_nothing(self, dev_eui: str, by: str = "") -> Command | Refusal | None:
        """Ask nothing of a light any more: the command that was open, and is withdrawn; None where
        none was. Raises as `find` does."""
        outcome = await self._take_back(dev_eui, WithdrawRequested(None, True, by))
        if isinstance(outcome, Refusal):
            return outcome
        _, _, command_id = outcome.partition(" ")
        return await self._stored(command_id) if command_id else None

    async def _take_back(self, dev_eui: str, request: WithdrawRequested) -> str | Refusal:
        """After all that the light was told before."""
        reply: Reply[str] = Reply()
        offer = self._post_in_order(dev_eui, msgspec.structs.replace(request, reply=reply))
        refusal = refusal_of(offer)
        if refusal is not None:
            return refusal
        try:
            return await reply.wait(ACCEPT_TIMEOUT_S)
        except NotTaken as error:
            return error.refusal
        except ActorStopped:
            return Refusal.STOPPING
        except ActorError:
            return Refusal.NO_REPLY

    async def _give(self, order: CommandOrder) -> Accepted | Refusal:
        raise NotImplementedError

    async def _repeated(self, command_id: str) -> Accepted | Refusal:
        """An equal request made this command before, perhaps a moment ago."""
        command = await self.find(command_id)
        if command is None:
            command = await self._board.wait_command(command_id, lambda _: True, ACCEPT_TIMEOUT_S)
        return Refusal.NO_REPLY if command is None else Accepted(command, repeated=True)


class OwnCommands(Commands):
    """Commands for lights whose actors all run in this process: each accepts its own."""

    def __init__(
        self,
        fleet: Fleet,
        board: Board,
        keys: IdempotencyKeys,
        unreadable: UnreadableRecords,
        store: Store,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        ttl_s: float,
    ) -> None:
        super().__init__(fleet.post, board, unreadable, store, clock, new_id=new_id, ttl_s=ttl_s)
        self._fleet = fleet
        self._keys = keys

    async def _give(self, order: CommandOrder) -> Accepted | Refusal:
        dev_eui = order.dev_eui
        if self._unreadable.holds(Table.DEVICE, dev_eui):
            return Refusal.UNREADABLE
        if dev_eui not in self._fleet.actors:
            return Refusal.UNKNOWN_DEVICE
        command_id = self._new_id() if order.command_id is None else order.command_id
        key = None if order.idempotency_key is None else f"{dev_eui}:{order.idempotency_key}"
        if key is not None:
            use = self._keys.claim(key, order.fingerprint, command_id, self._clock.now())
            if use is KeyUse.REUSED:
                return Refusal.KEY_REUSED
            if isinstance(use, str):
                return await self._repeated(use)
        request = CommandRequested(
            command_id=command_id,
            light=order.light,
            keep=order.keep,
            ttl_s=self._ttl_s if order.ttl_s is None else order.ttl_s,
            correlation_id=order.correlation_id,
            idempotency_key=key,
            idempotency_fingerprint=order.fingerprint,
            reply=Reply(),
            by=order.by,
            audit=of_command(order.audit, command_id),
        )
        outcome = await self._hand_over(dev_eui, request)
        if isinstance(outcome, Refusal) and outcome is not Refusal.NO_REPLY and key is not None:
            self._keys.release(key, command_id)
        return outcome

    async def _hand_over(self, dev_eui: str, request: CommandRequested) -> Accepted | Refusal:
        refusal = refusal_of(self._post(dev_eui, request))
        if refusal is not None:
            return refusal
        assert request.reply is not None  # noqa: S101 - made with one
        try:
            await request.reply.wait(ACCEPT_TIMEOUT_S)
        except (NoReply, ActorCrashed):
            return Refusal.NO_REPLY
        except ActorError:
            return Refusal.STOPPING
        command = await self.find(request.command_id)
        return Refusal.NO_REPLY if command is None else Accepted(command)


def _settled(command: Command) -> bool:
    return command.status.final or command.overdue or command.status is CommandStatus.HELD
