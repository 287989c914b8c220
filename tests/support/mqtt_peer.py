"""A client of a real broker beside the bridge under test: what it heard, and what it says.

paho runs it in a thread of its own; what it keeps is read from the test's.
"""

import json
import threading
import time
from types import TracebackType
from typing import Any, Self

import trio
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 30.0
LOOK_S = 0.02


class MqttPeer:
    """Hears everything from its start on; follows the broker over restarts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self.retained: dict[str, bytes] = {}
        """What this topic had last; nothing for one that was emptied."""
        self.heard: list[tuple[str, bytes]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.on_publish = self._published
        self._acknowledged: set[int] = set()
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    async def say(self, topic: str, what: Any, *, retain: bool = False) -> None:
        """Publish at QoS 1, and wait until the broker has it."""
        payload = what if isinstance(what, bytes) else json.dumps(what).encode()

        def publish() -> None:
            until = time.monotonic() + PATIENCE_S
            info = self._client.publish(topic, payload, qos=1, retain=retain)
            while info.mid not in self._acknowledged:
                assert time.monotonic() < until, "the broker does not take it"
                time.sleep(LOOK_S)

        await trio.to_thread.run_sync(publish)

    async def until_retained(self, topic: str, payload: bytes | None) -> None:
        """Wait until this is the newest on the topic; None for an empty one."""
        until_s = trio.current_time() + PATIENCE_S
        while self.retained.get(topic) != payload:
            assert trio.current_time() < until_s, f"{topic} is {self.retained.get(topic)!r}"
            await trio.sleep(LOOK_S)

    async def until_heard(
        self, topic: str, timeout_s: float = PATIENCE_S, **members: Any
    ) -> dict[str, Any]:
        """Wait for a JSON message on the topic with these members."""
        until_s = trio.current_time() + timeout_s
        while not (found := self._found(topic, members)):
            assert trio.current_time() < until_s, f"{members} is not in {self.all_of(topic)}"
            await trio.sleep(LOOK_S)
        return found[-1]

    def all_of(self, topic: str) -> list[dict[str, Any]]:
        """Every JSON message on the topic."""
        with self._lock:
            return [json.loads(payload) for name, payload in self.heard if name == topic]

    def _found(self, topic: str, members: dict[str, Any]) -> list[dict[str, Any]]:
        return [one for one in self.all_of(topic) if members.items() <= one.items()]

    def _connected(self, client: Client, *_: object) -> None:
        client.subscribe("#", 1)
        self._ready.set()

    def _published(self, _c: Client, _u: object, mid: int, *_: object) -> None:
        self._acknowledged.add(mid)

    def _message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        with self._lock:
            self.heard.append((message.topic, message.payload))
            if message.payload:
                self.retained[message.topic] = message.payload
            else:
                self.retained.pop(message.topic, None)


def retained_at(port: int, quiet_s: float = 0.5) -> dict[str, bytes]:
    """What the broker has retained now, by asking it anew; blocks."""
    with MqttPeer(port) as fresh:
        seen, since = 0, time.monotonic()
        while time.monotonic() - since < quiet_s:
            if len(fresh.heard) != seen:
                seen, since = len(fresh.heard), time.monotonic()
            time.sleep(LOOK_S)
        return dict(fresh.retained)
