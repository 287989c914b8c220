"""Follow the live websocket, and resume after it broke.

Every wait has a deadline: for the connection, and for the next message (three heartbeats). What the
user must correct (token, filter) ends it; everything else is retried, more slowly each time, with
`resume`, so that no change is missed as long as the service still has it.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
import trio
from trio_websocket import (
    CloseReason,
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    open_websocket_url,
)

from api.cli.client.errors import ClientError, Refused, Unanswered, refusal
from api.cli.client.place import Place
from api.cli.exits import Exit

SUBPROTOCOL = "lamplighter.v1"
CONNECT_S = 10.0
HELLO_S = 10.0
BEATS_MISSED = 3
WAIT_FIRST_S, WAIT_MOST_S = 0.5, 15.0
# 200 lights of about 700 bytes are 140 kB; the first part holds all gateways and alerts, too.
MESSAGE_BYTES_MOST = 16 * 1024 * 1024
FOR_GOOD = {
    1003: "the service does not understand us; are both of the same version?",
    4401: "the token is not accepted",
    4403: "the token lacks scope viewer",
}


class Message(msgspec.Struct, frozen=True):
    """One message of the service: hello, snapshot, changes or beat, as it came."""

    kind: str
    body: dict[str, Any]


class Lost(msgspec.Struct, frozen=True):
    """The connection is gone; another is tried after `retry_s`."""

    reason: str
    retry_s: float


class Follower:
    """Follows the service until cancelled; remembers where it was."""

    def __init__(
        self,
        place: Place,
        *,
        kinds: Sequence[str] = (),
        dev_euis: Sequence[str] = (),
        gateways: Sequence[str] = (),
        jitter: random.Random | None = None,
    ) -> None:
        self._place = place
        self._query = [
            (name, ",".join(values))
            for name, values in (("kind", kinds), ("dev_eui", dev_euis), ("gateway", gateways))
            if values
        ]
        self._jitter = jitter or random.Random()
        self._resume: tuple[str, int] | None = None
        self._failures = 0

    async def run(self, send: trio.MemorySendChannel[Message | Lost]) -> None:
        """Put everything that comes into the channel. Raises ClientError for what only a person
        can mend, and Unanswered when the very first connection fails."""
        async with send:
            while True:
                reason = await self._once(send)
                wait_s = min(WAIT_MOST_S, WAIT_FIRST_S * 2 ** min(self._failures, 10))
                wait_s *= 1 - 0.3 * self._jitter.random()
                self._failures += 1
                await send.send(Lost(reason, wait_s))
                await trio.sleep(wait_s)

    async def _once(self, send: trio.MemorySendChannel[Message | Lost]) -> str:
        """One connection, from its start to its end; why it ended."""
        query = list(self._query)
        if self._resume is not None:
            query.append(("resume", f"{self._resume[0]}:{self._resume[1]}"))
        url = self._place.live + (f"?{urlencode(query)}" if query else "")
        headers = [(k.encode(), v.encode()) for k, v in self._place.headers().items()]
        try:
            async with open_websocket_url(
                url,
                subprotocols=[SUBPROTOCOL],
                extra_headers=headers,
                connect_timeout=CONNECT_S,
                disconnect_timeout=1.0,
                max_message_size=MESSAGE_BYTES_MOST,
            ) as socket:
                try:
                    return await self._listen(socket, send)
                except ConnectionClosed:
                    # trio-websocket 0.12 leaves the socket open when the peer closed first
                    await trio.aclose_forcefully(socket._stream)  # noqa: SLF001
                    raise
        except ConnectionRejected as error:
            return self._rejected(refusal(error.status_code, error.body or b""))
        except ConnectionClosed as error:
            return _ended(error.reason)
        except (HandshakeError, OSError) as error:
            text = str(error) or "the connection could not be made"
            if self._resume is None:
                raise Unanswered(
                    f"no service answers at {self._place.at} ({text});"
                    " is it running, and is --at right?"
                ) from error
            return f"no answer ({text})"

    def _rejected(self, problem: Refused) -> str:
        if problem.exit is Exit.MISTAKE or self._resume is None:
            raise problem
        return str(problem)

    async def _listen(
        self, socket: WebSocketConnection, send: trio.MemorySendChannel[Message | Lost]
    ) -> str:
        silence_s = HELLO_S
        while True:
            with trio.move_on_after(silence_s) as waiting:
                text = await socket.get_message()
            if waiting.cancelled_caught:
                return f"nothing heard for {silence_s:g} s"
            body = _decode(text)
            if body["type"] == "hello":
                silence_s = BEATS_MISSED * float(body["beat_s"])
                self._failures = 0
                self._resume = (str(body["boot"]), int(body["number"]))
            elif self._resume is not None and "number" in body and _complete(body):
                self._resume = (self._resume[0], int(body["number"]))
            await send.send(Message(str(body["type"]), body))


def _complete(body: Mapping[str, Any]) -> bool:
    """A snapshot counts once its last part is there."""
    return body["type"] != "snapshot" or bool(body["part"] == body["parts"])


def _decode(text: str | bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        body = None
    if not isinstance(body, dict) or "type" not in body:
        raise Unanswered("what came over the websocket is not of Lamplighter's protocol")
    return body


def _ended(reason: CloseReason | None) -> str:
    """Why the connection ended. Raises ClientError where reconnecting is of no use."""
    if reason is None:
        return "the connection broke"
    if reason.code in FOR_GOOD:
        error = ClientError(f"{FOR_GOOD[reason.code]} ({reason.reason or reason.code})")
        error.exit = Exit.MISTAKE
        raise error
    return f"{reason.reason or 'the service closed the connection'} ({reason.code})"
