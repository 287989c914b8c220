"""All live clients: they are counted, share what is encoded, and are closed together.

Nothing here waits for a client.
"""

from collections.abc import Callable
from typing import Protocol

import trio

from actors.board.board import Board
from api.http.auth import Caller
from api.live.protocol import Encoder


class Closable(Protocol):
    """A connected client."""

    def end(self, code: int, reason: str) -> None:
        """Close it with this code and reason; the first call counts, and it never waits."""
        ...


class Hub:
    """The connected clients, at most `most` of them."""

    def __init__(self, most: int, board: Board) -> None:
        self._most = most
        self._clients: dict[Closable, Caller] = {}
        self._empty: trio.Event | None = None
        self.encoder = Encoder(board)
        self.boot: str | None = None
        """Which run of the service this is; learnt from the first snapshot."""

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def full(self) -> bool:
        """Whether no further client may come."""
        return len(self._clients) >= self._most

    def add(self, client: Closable, caller: Caller) -> None:
        """A client is connected, let in as `caller`."""
        self._clients[client] = caller

    def remove(self, client: Closable) -> None:
        """A client is gone."""
        self._clients.pop(client, None)
        if not self._clients and self._empty is not None:
            self._empty.set()
            self._empty = None

    def close_all(self, code: int, reason: str) -> None:
        """Close every client."""
        for client in list(self._clients):
            client.end(code, reason)

    def close_unless(self, still: Callable[[Caller], bool], code: int, reason: str) -> None:
        """Close every client that is not to stay."""
        for client, caller in list(self._clients.items()):
            if not still(caller):
                client.end(code, reason)

    async def wait_empty(self) -> None:
        """Wait until every client is gone; give it a deadline."""
        while self._clients:
            if self._empty is None:
                self._empty = trio.Event()
            await self._empty.wait()
