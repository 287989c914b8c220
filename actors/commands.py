"""The one way by which a colour command comes to a light, whoever gives it.

The rule it keeps: a command is accepted by the light's own actor and stored with its key before
anybody hears of it; an equal request leads to the same command.
"""

import msgspec
import trio

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.device.events import CommandRequested
from actors.device.model import Command
from actors.device.records import read_command
from actors.fleet import Fleet
from actors.messaging.mailbox import Offer
from actors.messaging.reply import ActorCrashed, ActorError, NoReply, Reply
from actors.service_api import Accepted, Refusal
from actors.storage.idempotency import IdempotencyKeys, KeyUse
from actors.storage.unreadable_records import UnreadableRecord
from lorawan.kuando.light_state import LightState
from store.port import Store, Table

ACCEPT_TIMEOUT_S = 10.0
"""For the store to take a command: a commit takes milliseconds; past that it is failing."""


class Commands:
    """Gives commands and finds them again. It holds nothing."""

    def __init__(
        self,
        fleet: Fleet,
        board: Board,
        keys: IdempotencyKeys,
        store: Store,
        clock: Clock,
        *,
        ttl_s: float,
    ) -> None:
        self._fleet = fleet
        self._board = board
        self._keys = keys
        self._store = store
        self._clock = clock
        self._ttl_s = ttl_s

    async def give(
        self,
        dev_eui: str,
        light: LightState,
        *,
        command_id: str,
        keep: bool,
        ttl_s: float | None,
        correlation_id: str,
        idempotency_key: str | None,
        fingerprint: str,
    ) -> Accepted | Refusal:
        """Accept a colour command; returns after it is in the store (at most about 10 s).

        `command_id` is the id of the command, if it becomes one. Raises StoreError.
        """
        if dev_eui not in self._fleet.actors:
            return Refusal.UNKNOWN_DEVICE
        key = None if idempotency_key is None else f"{dev_eui}:{idempotency_key}"
        if key is not None:
            use = self._keys.claim(key, fingerprint, command_id, self._clock.now())
            if use is KeyUse.REUSED:
                return Refusal.KEY_REUSED
            if isinstance(use, str):
                return await self._repeated(use)
        request = CommandRequested(
            command_id=command_id,
            light=light,
            keep=keep,
            ttl_s=self._ttl_s if ttl_s is None else ttl_s,
            correlation_id=correlation_id,
            idempotency_key=key,
            idempotency_fingerprint=fingerprint,
            reply=Reply(),
        )
        outcome = await self._hand_over(dev_eui, request)
        if isinstance(outcome, Refusal) and outcome is not Refusal.NO_REPLY and key is not None:
            self._keys.release(key, command_id)
        return outcome

    async def find(self, command_id: str) -> Command | None:
        """One command, open or ended. Raises StoreError, and UnreadableRecord for an odd one."""
        known = self._board.command(command_id)
        if known is not None:
            await trio.lowlevel.checkpoint()
            return known
        record = await self._store.get(Table.COMMAND, command_id)
        if record is None:
            return None
        try:
            return read_command(record)
        except msgspec.MsgspecError as error:
            raise UnreadableRecord(f"command {command_id}: {error}") from error

    async def _hand_over(self, dev_eui: str, request: CommandRequested) -> Accepted | Refusal:
        refusal = refusal_of(self._fleet.post(dev_eui, request))
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

    async def _repeated(self, command_id: str) -> Accepted | Refusal:
        """An equal request made this command before, perhaps a moment ago."""
        command = await self.find(command_id)
        if command is None:
            command = await self._board.wait_command(command_id, lambda _: True, ACCEPT_TIMEOUT_S)
        return Refusal.NO_REPLY if command is None else Accepted(command, repeated=True)


def refusal_of(offer: Offer | None) -> Refusal | None:
    """Why a light's mailbox did not take a message; None when it did."""
    match offer:
        case None:
            return Refusal.UNKNOWN_DEVICE
        case Offer.FULL:
            return Refusal.MAILBOX_FULL
        case Offer.CLOSED:
            return Refusal.PARKED
        case Offer.ACCEPTED:
            return None
