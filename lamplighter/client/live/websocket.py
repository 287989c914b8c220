"""A websocket without a socket: bytes in, messages out, and bytes to send. Pure, over wsproto."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

SUBPROTOCOL = "lamplighter.v1"
# 200 lights of about 700 bytes are 140 kB; the first part holds all gateways and alerts, too.
MESSAGE_BYTES_MOST = 16 * 1024 * 1024
PROBLEM_BYTES_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Text:
    """A whole message."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """To be sent: an answer to what came."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """It is no websocket: an answer of HTTP."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The service closed it, or what came is no websocket's (1006)."""

    code: int
    reason: str


Heard = Text | Answered | Rejected | Ended


class Websocket:
    """One connection, from its handshake to its end."""

    def __init__(self) -> None:
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._parts: list[str] = []
        self._chars = 0
        self._rejected: int | None = None
        self._problem = b""

    def opening(self, host: str, target: str, headers: Mapping[str, str]) -> bytes:
        """The handshake."""
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        return self._wire.send(
            Request(host=host, target=target, subprotocols=[SUBPROTOCOL], extra_headers=extra)
        )

    def closing(self) -> bytes:
        """Goodbye; nothing where there is nobody to hear it."""
        try:
            return self._wire.send(CloseConnection(1000))
        except LocalProtocolError:
            return b""

    def hear(self, data: bytes) -> Iterator[Heard]:
        """What came; no bytes mean that the connection broke."""
        try:
            self._wire.receive_data(data or None)
            for event in self._wire.events():
                yield from self._event(event)
        except (RemoteProtocolError, LocalProtocolError) as error:
            yield Ended(1006, f"what came is no websocket ({error})")
        if not data:
            if self._rejected is not None:
                yield Rejected(self._rejected, self._problem)
            yield Ended(1006, "the connection broke")

    def _event(self, event: Event) -> Iterator[Heard]:
        match event:
            case TextMessage():
                self._parts.append(event.data)
                self._chars += len(event.data)
                if self._chars > MESSAGE_BYTES_MOST:
                    yield Ended(1009, "a message is too long")
                elif event.message_finished:
                    text = "".join(self._parts)
                    self._parts, self._chars = [], 0
                    yield Text(text)
            case BytesMessage():
                yield Ended(1003, "bytes came where text was to come")
            case Ping():
                yield Answered(self._wire.send(event.response()))
            case CloseConnection():
                yield Answered(self._wire.send(event.response()))
                yield Ended(event.code, event.reason or "")
            case RejectConnection():
                self._rejected = event.status_code
                if not event.has_body:
                    yield Rejected(event.status_code, b"")
            case RejectData():
                self._problem += event.data
                if event.body_finished or len(self._problem) > PROBLEM_BYTES_MOST:
                    yield Rejected(self._rejected or 0, self._problem)
            case AcceptConnection() | _:
                pass
