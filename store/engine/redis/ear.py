"""Hears the bells of all shards, in a thread with a connection of its own.

Many rings in a moment become one call for each name: the thread only notes names, and Trio's own
thread takes what was noted when it gets to it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import redis
import trio

from store.engine.redis.keys import TRIAL, Keys
from store.engine.redis.node import Connection
from store.engine.redis.places import Places
from store.errors import StoreError

AGAIN_S = 0.5
"""After a lost connection. Whoever listens looks every second as well."""
SILENCE_S = 1.0
"""After it the connection is tried, and given up after a second one without an answer. The thread
ends so long after `hear` at the latest."""


async def hear(
    places: Places,
    keys: Keys,
    ring: Callable[[str], None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Call `ring` with the name of each bell, until cancelled. Started when it first listens."""
    ear = _Ear(places, keys, ring)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ear.run)
            await ear.listening.wait()
            task_status.started()
    finally:
        ear.stop()


class _Ear:
    """The thread, and what it shares with Trio's."""

    def __init__(self, places: Places, keys: Keys, ring: Callable[[str], None]) -> None:
        self.listening = trio.Event()
        self._places = places
        self._pattern = keys.bell_pattern
        self._trial = keys.bell(TRIAL).encode()
        self._ring = ring
        self._token = trio.lowlevel.current_trio_token()
        self._stopped = threading.Event()
        self._noted: dict[str, None] = {}
        """At most one for each shard and process, some hundred."""

    async def run(self) -> None:
        """Until cancelled."""
        await trio.to_thread.run_sync(
            self._listen,
            thread_name="redis-ear",
            abandon_on_cancel=True,
            limiter=trio.CapacityLimiter(1),
        )

    def stop(self) -> None:
        """The thread ends soon."""
        self._stopped.set()

    def _take(self) -> None:
        while self._noted and not self._stopped.is_set():
            # In one step: the thread may note another one at any moment, and an error here, in the
            # loop's own callback, ends the process.
            name, _ = self._noted.popitem()
            self._ring(name)

    def _listen(self) -> None:
        turn = 0
        while not self._stopped.is_set():
            with suppress(redis.RedisError, OSError, StoreError):
                nodes = self._places.nodes()
                connection = self._places.dial(nodes[turn % len(nodes)])
                try:
                    self._hear(connection)
                finally:
                    connection.disconnect()
            turn += 1
            self._stopped.wait(AGAIN_S)

    def _hear(self, connection: Connection) -> None:
        self._send(connection, "PSUBSCRIBE", self._pattern)
        asked_at: float | None = None
        era = self._places.era()
        while not self._stopped.is_set() and era == self._places.era():
            if connection.can_read(timeout=SILENCE_S):
                asked_at = None
                self._note(connection.read_response())
            elif asked_at is not None and time.monotonic() - asked_at >= SILENCE_S:
                return
            else:
                asked_at = time.monotonic()
                self._send(connection, "PING")

    def _note(self, message: list[bytes]) -> None:
        call: Callable[[], object]
        match message:
            case [b"pmessage", _, channel, _] if channel == self._trial:
                return
            case [b"pmessage", _, _, name]:
                self._noted[name.decode()] = None
                call = self._take
            case [b"psubscribe", *_]:
                call = self.listening.set
            case _:
                return
        try:
            self._token.run_sync_soon(call, idempotent=True)
        except trio.RunFinishedError:
            self._stopped.set()

    def _send(self, connection: Connection, *command: str) -> None:
        connection.send_packed_command(connection.pack_commands([command]), False)
