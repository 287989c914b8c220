"""What is to be sent: retained topics whose newest payload the broker does not have, and results.

Theory. A retained topic is not a queue: only its newest payload matters. So nothing that waits
holds a payload; what waits is the name of a topic, and the payload is made when its turn comes. A
topic that changes ten times while the connection is slow, or gone, is sent once. What the broker
acknowledged is remembered as a digest, and the same is not sent again. After each connection the
broker is taken to have nothing: it may have been started anew, without its memory.

Live changes go before what is sent because a connection began or Home Assistant started: of those
there are four for each light. The latter are paced by whoever sends. Pure.
"""

from collections import deque
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple

RESULTS_MOST = 1_000
"""Results of orders that wait for the broker, 300 bytes each; the oldest is dropped for a newer."""

Render = Callable[[str], bytes | None]
"""The payload of a topic now; None for one that shall not be there (any more)."""


class Message(NamedTuple):
    """One message to the broker."""

    topic: str
    payload: bytes
    retain: bool
    live: bool
    """It tells a change that just happened: nothing that is paced."""


class Outbox:
    """Bounds: the topics there are (four for each light and three for each gateway, about 150 bytes
    each), and `RESULTS_MOST`."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._live: dict[str, None] = {}
        self._rest: dict[str, None] = {}
        self._known: dict[str, bytes] = {}
        self._sent: dict[str, bytes] = {}
        """Topics in flight, with the digest of what was sent."""
        self._again: set[str] = set()
        """Of those, what changed since."""
        self._results: deque[Message] = deque()
        self.results_dropped = 0

    def __len__(self) -> int:
        return len(self._live) + len(self._rest) + len(self._again) + len(self._results)

    @property
    def resting(self) -> bool:
        """Whether something waits that is paced."""
        return bool(self._rest)

    def changed(self, topics: Iterable[str]) -> None:
        """Look at these topics soon."""
        for topic in topics:
            self._rest.pop(topic, None)
            self._put(topic, self._live)

    def anew(self, topics: Iterable[str]) -> None:
        """Send these again, whatever the broker acknowledged before, after all that is live."""
        for topic in topics:
            self._known.pop(topic, None)
            if topic not in self._live:
                self._put(topic, self._rest)

    def forget(self) -> None:
        """The connection is gone: nothing is in flight, and nothing known of the broker."""
        for topic in self._again:
            self._live[topic] = None
        self._again.clear()
        self._known.clear()
        self._sent.clear()

    def result(self, topic: str, payload: bytes) -> None:
        """Send this once, not retained."""
        if len(self._results) >= RESULTS_MOST:
            self._results.popleft()
            self.results_dropped += 1
        self._results.append(Message(topic, payload, retain=False, live=True))

    def take(self, *, paced: bool = True) -> Message | None:
        """The next message, None where none is to be sent (now). Without `paced` only live ones.

        A retained one is in flight from now on, until it is acknowledged, refused or forgotten.
        """
        if self._results:
            return self._results.popleft()
        if (found := self._next(self._live, live=True)) is not None:
            return found
        return self._next(self._rest, live=False) if paced else None

    def acknowledged(self, topic: str) -> None:
        """The broker has what was sent of this topic."""
        digest = self._sent.pop(topic, None)
        if digest is not None and digest != GONE:
            self._known[topic] = digest
        self._look_again(topic)

    def refused(self, topic: str) -> None:
        """The broker does not take this topic: it is sent again with its next change."""
        self._sent.pop(topic, None)
        self._look_again(topic)

    def _put(self, topic: str, queue: dict[str, None]) -> None:
        if topic in self._sent:
            # an older payload that is sent again must not overtake: it waits for its answer
            self._again.add(topic)
        else:
            queue[topic] = None

    def _look_again(self, topic: str) -> None:
        if topic in self._again:
            self._again.remove(topic)
            self._live[topic] = None

    def _next(self, queue: dict[str, None], *, live: bool) -> Message | None:
        while queue:
            topic = next(iter(queue))
            del queue[topic]
            payload = self._render(topic) or b""
            digest = digest_of(payload)
            if self._known.get(topic) != digest:
                self._known.pop(topic, None)
                self._sent[topic] = digest
                return Message(topic, payload, retain=True, live=live)
        return None


def digest_of(payload: bytes) -> bytes:
    """Eight bytes that two payloads share by chance once in 10^19."""
    return blake2b(payload, digest_size=8).digest()


GONE = digest_of(b"")
"""Of the empty payload, by which a retained message is removed."""
