"""Follow the live feed, and resume after it broke: as steps, without a socket.

Every wait has a deadline: for the connection, and for the next message (three heartbeats). What
only a person can mend (token, filter) ends it; everything else is tried again, more slowly each
time, with `resume`, so that no change is missed as long as the service still has it.
"""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from lamplighter.client.errors import Closed, Refused, Unanswered, refusal
from lamplighter.client.live.websocket import Answered, Ended, Rejected, Text, Websocket
from lamplighter.client.place import API, Place
from lamplighter.client.steps import Broken, Kit, Pause

T = TypeVar("T")

CONNECT_S = 10.0
HELLO_S = 10.0
WRITE_S = 10.0
BEATS_MISSED = 3
WAIT_FIRST_S, WAIT_MOST_S = 0.5, 15.0
FOR_GOOD = {
    1003: "the service does not understand us; are both of the same version?",
    4401: "the token is not accepted",
    4403: "the token lacks scope viewer",
}
LATER = frozenset({408, 425, 429})


class Message(msgspec.Struct, frozen=True):
    """One message of the service: hello, snapshot, changes or beat, as it came."""

    kind: str
    body: dict[str, Any]


class Lost(msgspec.Struct, frozen=True):
    """The connection is gone; another is tried after `retry_s`. What was told may be old now."""

    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class Open:
    """Connect to the service, with TLS where `tls`."""

    host: str
    port: int
    tls: bool
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Write:
    """Send these bytes."""

    content: bytes
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for bytes; empty ones mean that the connection broke. None: read again."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class Shut:
    """Close the connection; a word of goodbye is sent if that is possible at once."""

    goodbye: bytes


@dataclass(frozen=True, slots=True)
class Tell(Generic[T]):
    """Hand this to whoever follows."""

    what: T


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing came in time."""


Step: TypeAlias = Open | Write | Read | Shut | Pause | Tell[T]
Came: TypeAlias = bytes | Broken | Silent | None
Following: TypeAlias = Generator[Step[T], Came, NoReturn]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told of; what is empty is not filtered by. Lights and gateways are either."""

    kinds: Collection[str] = ()
    dev_euis: Collection[str] = ()
    gateways: Collection[str] = ()

    def query(self) -> list[tuple[str, str]]:
        """As it is asked for."""
        given = (("kind", self.kinds), ("dev_eui", self.dev_euis), ("gateway", self.gateways))
        return [(name, ",".join(values)) for name, values in given if values]


class Follower:
    """Where one reader is: the run of the service, its newest number, and how often it failed."""

    def __init__(self, place: Place, wanted: Wanted, kit: Kit) -> None:
        self._place = place
        self._wanted = wanted
        self._kit = kit
        self._resume: tuple[str, int] | None = None
        self._failures = 0

    def messages(self) -> Following[Message | Lost]:
        """Everything that comes. Raises Closed and Refused for what only a person can mend, and
        Unanswered when the very first connection fails."""
        while True:
            socket = Websocket()
            reason = yield from self._once(socket)
            yield Shut(socket.closing())
            wait_s = min(WAIT_MOST_S, WAIT_FIRST_S * 2 ** min(self._failures, 10))
            wait_s *= 1 - 0.3 * self._kit.chance.random()
            self._failures += 1
            yield Tell(Lost(reason, wait_s))
            yield Pause(wait_s)

    def _once(self, socket: Websocket) -> Generator[Step[Message | Lost], Came, str]:
        """One connection, from its start to its end; why it ended."""
        parts = urlsplit(self._place.at)
        tls = parts.scheme == "https"
        host = parts.hostname or ""
        opened = yield Open(host, parts.port or (443 if tls else 80), tls, CONNECT_S)
        if isinstance(opened, Broken):
            return self._unanswered(opened.why)
        query = self._wanted.query()
        if self._resume is not None:
            query.append(("resume", f"{self._resume[0]}:{self._resume[1]}"))
        target = f"{parts.path}{API}/live" + (f"?{urlencode(query)}" if query else "")
        opening = socket.opening(parts.netloc, target, self._place.headers())
        return (yield from self._listen(socket, opening))

    def _listen(
        self, socket: Websocket, opening: bytes
    ) -> Generator[Step[Message | Lost], Came, str]:
        sending = opening
        silence_s = HELLO_S
        until_s = self._kit.steady() + silence_s
        while True:
            if sending:
                sent = yield Write(sending, WRITE_S)
                sending = b""
                if isinstance(sent, Broken):
                    return self._unanswered(sent.why)
            data = yield Read(max(0.001, until_s - self._kit.steady()))
            if data is None:  # the reader was cancelled while it waited
                continue
            if isinstance(data, Silent):
                return self._unanswered(f"nothing heard for {silence_s:g} s")
            if not isinstance(data, bytes):
                return self._unanswered(data.why)
            for heard in socket.hear(data):
                match heard:
                    case Answered():
                        sending += heard.content
                    case Rejected():
                        return self._rejected(refusal(heard.status, heard.body))
                    case Ended():
                        return self._ended(heard)
                    case Text():
                        message = _read(heard.text)
                        silence_s = self._note(message, silence_s)
                        yield Tell(message)
                        until_s = self._kit.steady() + silence_s

    def _note(self, message: Message, silence_s: float) -> float:
        """Remember where to resume; how long the next silence may be."""
        body = message.body
        if message.kind == "hello":
            silence_s = BEATS_MISSED * float(body["beat_s"])
            self._failures = 0
            self._resume = (str(body["boot"]), int(body["number"]))
        elif self._resume is not None and "number" in body and _complete(message):
            self._resume = (self._resume[0], int(body["number"]))
        return silence_s

    def _unanswered(self, why: str) -> str:
        if self._resume is None:
            raise Unanswered(f"no service answers at {self._place.at} ({why})", sent=False)
        return f"no answer ({why})"

    def _rejected(self, problem: Refused) -> str:
        mistake = 400 <= problem.status < 500 and problem.status not in LATER
        if mistake or self._resume is None:
            raise problem
        return str(problem)

    def _ended(self, end: Ended) -> str:
        if end.code in FOR_GOOD:
            raise Closed(f"{FOR_GOOD[end.code]} ({end.reason or end.code})")
        if end.code == 1006:
            return self._unanswered(end.reason)
        return f"{end.reason or 'the service closed the connection'} ({end.code})"


def _complete(message: Message) -> bool:
    """A snapshot counts once its last part is there."""
    body: Mapping[str, Any] = message.body
    return message.kind != "snapshot" or bool(body["part"] == body["parts"])


def _read(text: str) -> Message:
    try:
        body = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        body = None
    if not isinstance(body, dict) or "type" not in body:
        raise Unanswered("what came over the websocket is not of Lamplighter's protocol")
    return Message(str(body["type"]), body)
