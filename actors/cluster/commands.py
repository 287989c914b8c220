"""Commands in a cluster: accepted by the engine, whoever owns the light's shard, or nobody does.

The command, its idempotency key and the message to the light's owner are stored in one step, so
that a 2xx rests on no other process; the owner finds the command in its inbox, now or after it took
the shard over.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.cluster.messages import CommandTaken, decode, encode
from actors.commands import ACCEPT_TIMEOUT_S, Accepted, CommandOrder, Commands
from actors.device.command import Command
from actors.device.events import CommandRequested, DeviceEvent
from actors.device.model import Device
from actors.device.records import command_record
from actors.device.requests import accepted
from actors.messaging.mailbox import Offer
from actors.refusal import Refusal
from actors.replace import replace
from actors.storage.audit import of_command
from actors.storage.idempotency import KeyRecord, stored_key
from actors.storage.unreadable_records import UnreadableRecords
from store.engine import port
from store.engine.shards import shard_of
from store.errors import StoreUnavailable
from store.port import Store, Table

AGAIN_S = 0.2
"""Before the engine is asked once more by the same id, which is harmless."""


def marked_again(accept: port.Accept) -> port.Accept:
    """The same command as one that a failover took after it was accepted: it belongs where it was
    then, although it comes later in the inbox."""
    message = decode(accept.message)
    if not isinstance(message, CommandTaken):
        return accept
    request = replace(message.request, again=True, place=accept.place)
    marked = replace(message, request=request)
    return replace(accept, message=encode(marked))


class AcceptingStore(Store, Protocol):
    """A store that accepts commands."""

    async def accept(self, accept: port.Accept) -> port.AcceptResult:
        """See `ShardStore.accept`."""
        ...


class ClusterCommands(Commands):
    """`post` has any light told, wherever it runs, and `post_in_order` after the commands that were
    accepted for it before; `flush` waits for what this process stores
    of a light."""

    def __init__(
        self,
        board: Board,
        unreadable: UnreadableRecords,
        store: AcceptingStore,
        clock: Clock,
        *,
        post: Callable[[str, DeviceEvent], Offer | None],
        post_in_order: Callable[[str, DeviceEvent], Offer | None],
        flush: Callable[[str], Awaitable[None]],
        new_id: Callable[[], str],
        ttl_s: float,
    ) -> None:
        super().__init__(
            post,
            board,
            unreadable,
            store,
            clock,
            new_id=new_id,
            ttl_s=ttl_s,
            post_in_order=post_in_order,
        )
        self._flush = flush
        self._accept: Callable[[port.Accept], Awaitable[port.AcceptResult]] = store.accept

    async def find(self, command_id: str) -> Command | None:
        """One command, open or ended. Raises StoreError, and UnreadableRecord for an odd one."""
        found = await super().find(command_id)
        # an accepted one is on no board until its light made a step: whoever waits for it needs it
        return found if found is None or found.status.final else self._shown(found)

    async def _give(self, order: CommandOrder) -> Accepted | Refusal:
        dev_eui = order.dev_eui
        if self._unreadable.holds(Table.DEVICE, dev_eui):
            return Refusal.UNREADABLE
        command, asked = self._made(order)
        answer = await self._asked(asked)
        shown = dev_eui in self._board.devices
        if answer is not None and answer.accepted is port.Accepted.UNKNOWN and shown:
            with trio.move_on_after(ACCEPT_TIMEOUT_S):
                await self._flush(dev_eui)  # it is new, and its record on the way
            answer = await self._asked(asked)
            shown = dev_eui in self._board.devices
        if answer is None:
            return Refusal.NO_REPLY
        match answer.accepted:
            case port.Accepted.STORED:
                return Accepted(self._shown(command))
            case port.Accepted.KNOWN:
                known = await self.find(answer.command_id)
                if known is None:
                    return Refusal.NO_REPLY
                # by our own id: an earlier try, whose answer was lost
                return Accepted(known, repeated=known.id != command.id)
            case port.Accepted.REUSED:
                return Refusal.KEY_REUSED
            case port.Accepted.UNKNOWN:
                # what is shown and not stored could not be written, or its store has lost data
                return Refusal.STORE_FAILING if shown else Refusal.UNKNOWN_DEVICE
            case port.Accepted.FULL:
                return Refusal.MAILBOX_FULL

    def _made(self, order: CommandOrder) -> tuple[Command, port.Accept]:
        """The command as it is when it is accepted, and what is asked of the engine."""
        now, dev_eui = self._clock.now(), order.dev_eui
        key = None if order.idempotency_key is None else f"{dev_eui}:{order.idempotency_key}"
        command_id = self._new_id() if order.command_id is None else order.command_id
        request = CommandRequested(
            command_id=command_id,
            light=order.light,
            keep=order.keep,
            ttl_s=self._ttl_s if order.ttl_s is None else order.ttl_s,
            correlation_id=order.correlation_id,
            accepted_at=now,
            by=order.by,
            audit=of_command(order.audit, command_id),
        )
        known = self._board.devices.get(dev_eui)
        command = accepted(Device(dev_eui=dev_eui) if known is None else known, request, now)
        key_record = b""
        if key is not None:
            record = KeyRecord(key, order.fingerprint, command.id, now)
            key_record = stored_key(record).value
        asked = port.Accept(
            shard=shard_of(dev_eui),
            dev_eui=dev_eui,
            command_id=command.id,
            record=command_record(command),
            message=encode(CommandTaken(dev_eui, request)),
            at=now,
            key=key,
            fingerprint=order.fingerprint,
            key_record=key_record,
        )
        return command, asked

    async def _asked(self, asked: port.Accept) -> port.AcceptResult | None:
        """The engine's answer; None where it is not known within the time. A failover takes some
        seconds, and is no reason to refuse anything."""
        with trio.move_on_after(ACCEPT_TIMEOUT_S):
            while True:
                try:
                    return await self._accept(asked)
                except StoreUnavailable:
                    await trio.sleep(AGAIN_S)
        return None

    def _shown(self, command: Command) -> Command:
        """On our own board from now on: it is stored. Others see it with the light's next step."""
        known = self._board.command(command.id)
        if known is not None:
            return known  # the owner was quicker
        self._board.publish(command)
        return command
