"""One connection to the broker, from CONNECT to its end: paho's protocol, Trio's waiting.

paho (2.x) does the protocol without a thread of its own: it says by callbacks when its socket opens
and closes and when it has something to write, and is called when the socket is ready. Only to look
up the name, to connect and to shake hands for TLS it blocks, so that this is done in a thread, with
a deadline. Every callback of paho runs in Trio's thread; none of them waits.

A connection is never used again: what the next one needs is kept by others. The broker keeps our
session, so that orders which come while nobody is connected, or which were not acknowledged, are
delivered when we are back. It is left without a goodbye, so that the broker tells our will.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import trio
from paho.mqtt.client import (
    MQTT_ERR_SUCCESS,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

CONNECT_S = 10.0
"""For the name, TCP, TLS and CONNACK together."""
SOCKET_S = 5.0
"""For TCP or TLS alone, to one address."""
ANSWER_S = 10.0
"""For SUBACK."""
MISC_S = 1.0
"""Between two looks at whether a ping is due."""
WINDOW = 20
"""Messages that the broker has not acknowledged: mosquitto's own bound for one client."""
ORDERS_AT_ONCE = 100
"""Orders that the broker may hand over before we acknowledge one (MQTT 5)."""
PACKET_BYTES_MOST = 2_100_000
"""The largest message that we take (MQTT 5): an index of 20,000 lights."""
TAKEN_OVER = 142
"""MQTT 5, 3.14.2.1: another client with our name came."""
V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
_NO_SUCH_VERSION = frozenset({"Unsupported protocol version", "Protocol error"})


class BrokerError(Exception):
    """There is no connection, or no more; its text says why."""

    def __init__(self, why: str, *, other_version: bool = False, taken_over: bool = False) -> None:
        super().__init__(why)
        self.other_version = other_version
        """The broker may speak the other version of MQTT."""
        self.taken_over = taken_over
        """Another client with our name is connected instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the broker is, and who we are."""

    host: str
    port: int
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    """For each connection anew, in a thread: certificates are renewed. Raises BrokerError."""
    login: Callable[[], tuple[str | None, str | None]] = lambda: (None, None)
    """User and password, likewise."""
    client_id: str = "lamplighter"
    keepalive_s: int = 30
    session_s: int = 600
    """How long the broker keeps our session (MQTT 5; an older broker has its own rule); 0: none."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came. `redelivered`: it may have been dealt with before."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    retained: bool
    redelivered: bool


class Broker:
    """An open connection. `on_message` and `on_acknowledged` (with the number that `publish` gave,
    and whether the broker took it) are called synchronously."""

    def __init__(
        self,
        address: Address,
        version: MQTTProtocolVersion,
        will: tuple[str, bytes] | None,
        on_message: Callable[["Broker", Received], None],
        on_acknowledged: Callable[[int, str | None], None],
    ) -> None:
        self.version = version
        self.session_present = False
        self._address = address
        self._on_message = on_message
        self._on_acknowledged = on_acknowledged
        self._connected = trio.Event()
        self._why_ended: BrokerError | None = None
        self._want_write = trio.Event()
        self._in_trio = False
        self._abandoned = False
        self._subscribed: dict[int, list[ReasonCode] | None] = {}
        self._answered = trio.Event()
        self._came: list[Received | tuple[int, str | None]] = []
        self.in_flight = 0
        self.window = WINDOW
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            clean_session=address.session_s == 0 if version is V311 else None,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = SOCKET_S
        client.max_inflight_messages_set(0)  # we count them ourselves
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._message
        client.on_publish = self._published
        client.on_subscribe = self._suback
        client.on_socket_open = _without_delay
        client.on_socket_close = self._closing
        client.on_socket_register_write = self._register_write

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Hand a message over at QoS 1; the number by which it is acknowledged."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc == MQTT_ERR_SUCCESS:
            self.in_flight += 1
        return info.mid

    def acknowledge(self, received: Received) -> None:
        """It was dealt with; nothing where the connection is gone: it comes again."""
        self._client.ack(received.mid, received.qos)

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe at QoS 1, and wait for the answer. Raises BrokerError, also where one of them
        is refused."""
        if self.version is V5:
            options = SubscribeOptions(qos=1)
            rc, mid = self._client.subscribe([(topic, options) for topic in topics])
        else:
            rc, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if rc != MQTT_ERR_SUCCESS or mid is None:
            raise self._why_ended or BrokerError("the connection broke")
        self._subscribed[mid] = None
        with trio.move_on_after(ANSWER_S):
            while self._subscribed[mid] is None:
                await self._answered.wait()
        codes = self._subscribed.pop(mid)
        if codes is None:
            raise BrokerError(f"no answer to SUBSCRIBE within {ANSWER_S:g} s")
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                raise BrokerError(f"it refuses the subscription to {topic}: {code}")

    async def run(self, body: Callable[["Broker"], Awaitable[None]]) -> None:
        """Connect, and carry everything to and fro until `body` or the connection ends.

        Raises BrokerError when it is the connection.
        """
        ended: BrokerError | None = None
        await self._open()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                nursery.start_soon(self._write)
                nursery.start_soon(self._look)
                await self._wait_connected()
                await body(self)
                nursery.cancel_scope.cancel()
        except* BrokerError as group:  # what cancels us at the same moment goes on by itself
            ended = _first(group)
        finally:
            self._close()
        if ended is not None:
            raise ended

    async def _open(self) -> None:
        try:
            with trio.move_on_after(CONNECT_S):
                await trio.to_thread.run_sync(self._connect, abandon_on_cancel=True)
                self._in_trio = True
        finally:
            self._abandoned = not self._in_trio
        if self._abandoned:
            raise BrokerError(f"no connection within {CONNECT_S:g} s")

    async def _wait_connected(self) -> None:
        with trio.move_on_after(CONNECT_S) as patience:
            await self._connected.wait()
        if patience.cancelled_caught:
            raise BrokerError(f"no CONNACK within {CONNECT_S:g} s", other_version=True)

    def _close(self) -> None:
        """Let the connection go without a goodbye: the broker tells our will."""
        found = self._client.socket()
        if found is not None and found.fileno() >= 0:
            trio.lowlevel.notify_closing(found)
            found.close()

    def _connect(self) -> None:
        """In a thread. Raises BrokerError."""
        address = self._address
        more: dict[str, Any] = {}
        if self.version is V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = address.session_s
            properties.ReceiveMaximum = ORDERS_AT_ONCE
            properties.MaximumPacketSize = PACKET_BYTES_MOST
            more = {"clean_start": address.session_s == 0, "properties": properties}
        self._client.username_pw_set(*address.login())
        if (context := address.tls()) is not None:
            self._client.tls_set_context(context)
        try:
            self._client.connect(address.host, address.port, address.keepalive_s, **more)
        except ssl.SSLCertVerificationError as error:
            raise BrokerError(f"its certificate is not trusted: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise BrokerError(f"TLS: {error.reason or error}") from error
        except socket.gaierror as error:
            raise BrokerError(f"{address.host} is no name that is known here") from error
        except TimeoutError as error:
            raise BrokerError(f"no answer within {SOCKET_S:g} s") from error
        except (OSError, ValueError) as error:
            raise BrokerError(str(getattr(error, "strerror", None) or error)) from error
        if self._abandoned and (late := self._client.socket()) is not None:
            late.close()  # nobody waits for it any more

    async def _read(self) -> None:
        while True:
            found = self._socket()
            if not _pending(found):
                try:
                    await trio.lowlevel.wait_readable(found)
                except trio.ClosedResourceError:
                    raise self._ended() from None
            else:
                await trio.lowlevel.checkpoint()
            try:
                self._client.loop_read()
            except Exception as error:  # paho raises what its parsing of a wrong packet raises
                text = f"what it sent cannot be read ({type(error).__name__})"
                other = not self._connected.is_set()
                raise BrokerError(text, other_version=other) from error
            self._tell()

    async def _write(self) -> None:
        while True:
            await self._want_write.wait()
            self._want_write = trio.Event()
            while self._client.want_write():
                try:
                    await trio.lowlevel.wait_writable(self._socket())
                except trio.ClosedResourceError:
                    raise self._ended() from None
                self._client.loop_write()

    async def _look(self) -> None:
        while True:
            self._client.loop_misc()
            self._socket()
            await trio.sleep(MISC_S)

    def _tell(self) -> None:
        """Outside of paho: what its reader makes of the net's errors must not hide ours."""
        came, self._came = self._came, []
        for one in came:
            if isinstance(one, Received):
                self._on_message(self, one)
            else:
                self.in_flight -= 1
                self._on_acknowledged(*one)

    def _socket(self) -> Any:
        found = self._client.socket()
        if found is None or found.fileno() < 0:
            raise self._ended()
        return found

    def _ended(self) -> BrokerError:
        if self._why_ended is not None:
            return self._why_ended
        before = not self._connected.is_set()
        text = "it closed the connection" + (" before it answered CONNECT" if before else "")
        return BrokerError(text, other_version=before)

    # What paho tells.

    def _on_connect(
        self, _c: Client, _u: object, flags: ConnectFlags, code: ReasonCode, more: Properties | None
    ) -> None:
        if code.is_failure:
            words = str(code)
            self._why_ended = BrokerError(
                f"it refuses us: {words}", other_version=words in _NO_SUCH_VERSION
            )
            return
        self.session_present = flags.session_present
        most = getattr(more, "ReceiveMaximum", None)
        self.window = min(WINDOW, most) if isinstance(most, int) and most else WINDOW
        self._connected.set()

    def _on_disconnect(
        self, _c: Client, _u: object, flags: DisconnectFlags, code: ReasonCode, _more: object
    ) -> None:
        if self._why_ended is None and flags.is_disconnect_packet_from_server:
            taken_over = code.value == TAKEN_OVER
            self._why_ended = BrokerError(f"it disconnects us: {code}", taken_over=taken_over)

    def _message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        received = Received(
            topic,
            bytes(message.payload),
            message.qos,
            message.mid,
            bool(message.retain),
            bool(message.dup),
        )
        self._came.append(received)

    def _published(self, _c: Client, _u: object, mid: int, code: ReasonCode, _more: object) -> None:
        self._came.append((mid, str(code) if code.is_failure else None))

    def _suback(
        self, _c: Client, _u: object, mid: int, codes: list[ReasonCode], _more: object
    ) -> None:
        if mid in self._subscribed:
            self._subscribed[mid] = codes
        self._answered.set()
        self._answered = trio.Event()

    def _closing(self, _c: Client, _u: object, found: Any) -> None:
        if self._in_trio and found.fileno() >= 0:
            trio.lowlevel.notify_closing(found)

    def _register_write(self, _c: Client, _u: object, _s: object) -> None:
        self._want_write.set()


def _first(group: BaseExceptionGroup[BrokerError]) -> BrokerError:
    """The first error of a group, however nested."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _without_delay(_c: Client, _u: object, found: Any) -> None:
    """Many small messages in both directions: Nagle's wait for an acknowledgement would make of
    them 50 a second."""
    if found.family in {socket.AF_INET, socket.AF_INET6}:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _pending(found: Any) -> bool:
    """TLS may have read more than it gave."""
    pending = getattr(found, "pending", None)
    return bool(pending()) if pending is not None else False
