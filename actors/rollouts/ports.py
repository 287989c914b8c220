"""Whom the actor of rollouts asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from actors.board.board import Board
from actors.clock import Clock
from actors.device.model import Command
from actors.keys import KeyBook
from actors.rollouts.book import Commits
from actors.surface import Accepted, Refusal
from lorawan.kuando.light import Light
from store.port import Store


class GiveCommand(Protocol):
    """`actors.commands.Commands.give`."""

    def __call__(
        self,
        dev_eui: str,
        light: Light,
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
    journal: Commits
    store: Store
    clock: Clock
    keys: KeyBook
    give: GiveCommand
    find: Callable[[str], Awaitable[Command | None]]
    new_id: Callable[[], str]
