"""The pretend ChirpStack's streams of events in a real Redis, as the real one writes them.

Each event is one entry in the stream of all devices and one in that of its own, with one field: its
kind, and the Protobuf message. Source: chirpstack v4.19, chirpstack/src/integration/redis.rs and
stream/mod.rs.
"""

from typing import Any

import redis
import structlog
import trio
from redis.backoff import NoBackoff
from redis.retry import Retry

from lorawan.events.model import Event
from lorawan.stream.redis_source import ALL_EVENTS, key_of
from simulation.world.bodies import protobuf_body

log = structlog.get_logger()

HISTORY = 10
"""ChirpStack's own default of both histories."""
DEVICE_TTL_MS = 31 * 86_400_000
WAITING_MOST = 100_000
TOGETHER_MOST = 200
TIMEOUT_S = 2.0


class RedisStream:
    """Writes events. `send` never waits; like ChirpStack, an event that cannot be written is lost
    (`lost` counts), and of an event that was written only in part nobody knows."""

    def __init__(
        self,
        url: str,
        prefix: str = "",
        *,
        history: int = HISTORY,
        device_history: int = HISTORY,
        exact: bool = False,
    ) -> None:
        self.lost = 0
        self.written = 0
        self._prefix = prefix
        self._history = history
        self._device_history = device_history
        self._trim = "=" if exact else "~"  # exact before 4.18
        retry = Retry(NoBackoff(), 0)
        self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, retry=retry)
        self._queue, self._waiting = trio.open_memory_channel[Event](WAITING_MOST)

    def send(self, event: Event) -> None:
        """Hand an event over."""
        try:
            self._queue.send_nowait(event)
        except trio.WouldBlock:
            self.lost += 1

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until cancelled."""
        task_status.started()
        while True:
            batch = [await self._waiting.receive()]
            while len(batch) < TOGETHER_MOST:
                try:
                    batch.append(self._waiting.receive_nowait())
                except trio.WouldBlock:
                    break
            try:
                await trio.to_thread.run_sync(self.write, batch)
            except redis.RedisError as error:
                self.lost += len(batch)
                log.debug("events not written", error=str(error))

    def write(self, events: list[Event]) -> None:
        """Write these now; blocks. Raises redis.RedisError."""
        with self._client.pipeline(transaction=False) as commands:
            for event in events:
                self._add(commands, event)
            commands.execute()
        self.written += len(events)

    def _add(self, commands: Any, event: Event) -> None:
        field, body = protobuf_body(event)
        device_key = key_of(self._prefix, event.device.dev_eui)
        for key, most in (
            (self._prefix + ALL_EVENTS, self._history),
            (device_key, self._device_history),
        ):
            if most:
                trim = ("MAXLEN", self._trim, most)
                commands.execute_command("XADD", key, *trim, "*", field, body)
        if self._device_history:
            commands.execute_command("PEXPIRE", device_key, DEVICE_TTL_MS)
