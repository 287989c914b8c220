"""Whom the actor of rollouts asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.device.model import Command
from actors.rollouts.repository import Commits
from actors.service_api import Accepted, Refusal
from actors.storage.idempotency import IdempotencyKeys
from lorawan.kuando.light_state import LightState


class GiveCommand(Protocol):
    """`actors.commands.Commands.give`."""

    def __call__(
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
    ) -> Awaitable[Accepted | Refusal]:
        """Accept a colour command."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Whom the actor asks."""

    board: Board
    store_writer: Commits
    clock: Clock
    keys: IdempotencyKeys
    give: GiveCommand
    find: Callable[[str], Awaitable[Command | None]]
    new_id: Callable[[], str]
