"""Whom the actor of rollouts asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command
from actors.refusal import Refusal
from actors.rollouts.repository import RolloutWriter
from actors.storage.idempotency import IdempotencyKeys


@dataclass(frozen=True, slots=True)
class RolloutPorts:
    """Whom the actor asks."""

    board: Board
    store_writer: RolloutWriter
    clock: Clock
    keys: IdempotencyKeys
    give: Callable[[CommandOrder], Awaitable[Accepted | Refusal]]
    find: Callable[[str], Awaitable[Command | None]]
    new_id: Callable[[], str]
