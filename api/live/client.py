"""One live client: what it is sent, and how it ends.

A client that cannot keep up delays only itself: all that it is sent is sent by tasks of its own.
Once the peer is gone, the server's send neither raises nor lets other tasks run (hypercorn 0.18,
trio worker), so every round of a sending loop waits for a channel or passes a checkpoint.
"""

from collections.abc import Awaitable, Callable

import msgspec
import structlog
import trio

from actors.board.subscription import Subscription
from actors.clocks.clock import Clock
from api.http.rate_limits import RateLimiter
from api.live.hub import Hub
from api.live.protocol import (
    Ping,
    beat,
    changes_parts,
    decode,
    hello,
    pong,
    snapshot_parts,
)
from api.live.sight import LiveSight

log = structlog.get_logger()

RESTARTING = 1012
TOO_SLOW = 1013
POLICY = 1008
UNSUPPORTED = 1003
INTERNAL = 1011

# A client says little: a ping now and then. Beyond this it is closed.
MESSAGES_PER_S = 5.0
MESSAGES_BURST = 20
# A close frame carries at most 125 bytes, two of them the code (RFC 6455, 5.5).
REASON_BYTES = 123


class LiveClient:
    """Speaks the protocol over `receive`, `send` and `close` of an accepted websocket."""

    def __init__(
        self,
        *,
        receive: Callable[[], Awaitable[str | bytes]],
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
        clock: Clock,
        hub: Hub,
        sight: LiveSight,
        beat_s: float,
    ) -> None:
        self._receive = receive
        self._send = send
        self._close = close
        self._clock = clock
        self._hub = hub
        self._sight = sight
        self._beat_s = beat_s
        self._scope = trio.CancelScope()
        self.ending: tuple[int, str] | None = None
        """Code and reason, once we closed it."""

    def end(self, code: int, reason: str) -> None:
        """Close it with this code and reason; the first call counts, and it never waits."""
        if self.ending is None:
            self.ending = (code, reason)
            self._scope.cancel(reason=reason)

    async def run(self, subscription: Subscription) -> None:
        """Serve the client until it leaves (then this is cancelled) or is closed by us."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._watch, subscription)
                    nursery.start_soon(self._listen, nursery)
                    await self._greet(subscription)
                    nursery.start_soon(self._beat, subscription)
                    await self._tell(subscription)
        except Exception:  # otherwise the server closes with 1000, as if all were well
            log.exception("live client failed")
            self.ending = (INTERNAL, "something failed inside")
        code, reason = self.ending or (RESTARTING, subscription.closed_reason or "")
        await self._close(code, reason.encode()[:REASON_BYTES].decode(errors="ignore"))

    async def _greet(self, subscription: Subscription) -> None:
        """Say where the numbers are, then what is, or what was missed."""
        encoder, told = self._hub.encoder, self._sight.told
        snapshot, missed = subscription.snapshot, subscription.missed
        number = subscription.cursor
        if snapshot is not None:
            number = snapshot.number
        elif missed:
            number = missed[0].number - 1
        boot, beat_s = self._hub.boot or "", self._beat_s
        now, resumed = self._clock.now(), snapshot is None
        await self._send(hello(boot, number, now, resumed=resumed, beat_s=beat_s))
        if snapshot is not None:
            for part in snapshot_parts(snapshot, told, encoder):
                await self._send(part)
                await trio.lowlevel.checkpoint()
        for part in changes_parts(missed, told, encoder):
            await self._send(part)
            await trio.lowlevel.checkpoint()

    async def _tell(self, subscription: Subscription) -> None:
        """Send what changes, until the subscription is closed."""
        async for batch in subscription:
            for part in changes_parts(batch, self._sight.told, self._hub.encoder):
                await self._send(part)
                await trio.lowlevel.checkpoint()

    async def _beat(self, subscription: Subscription) -> None:
        while True:
            await trio.sleep(self._beat_s)
            await self._send(beat(subscription.cursor, self._clock.now()))

    async def _watch(self, subscription: Subscription) -> None:
        """Free a sender that is stuck, when the board gave this client up."""
        reason = await subscription.wait_closed()
        self.end(TOO_SLOW if reason.startswith("too slow") else RESTARTING, reason)

    async def _listen(self, nursery: trio.Nursery) -> None:
        """Read all the time: only a reader learns from the server that the peer is gone."""
        limiter = RateLimiter(MESSAGES_PER_S, MESSAGES_BURST, clients_most=1)
        send_pong, pongs = trio.open_memory_channel[Ping](MESSAGES_BURST)
        nursery.start_soon(self._answer, pongs)
        with send_pong:
            while True:
                text = await self._receive()
                if limiter.take("", trio.current_time()):
                    return self.end(POLICY, "too many messages")
                try:
                    message = decode(text)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    return self.end(UNSUPPORTED, "not a message of this protocol")
                if isinstance(message, Ping):
                    try:
                        send_pong.send_nowait(message)
                    except trio.WouldBlock:
                        return self.end(TOO_SLOW, "too slow: answers to ping are not read")

    async def _answer(self, pongs: trio.MemoryReceiveChannel[Ping]) -> None:
        async for ping in pongs:
            await self._send(pong(ping))
