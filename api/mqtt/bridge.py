"""The bridge: follows the service, keeps the broker's retained topics true, takes orders.

Theory. What is to be at the broker follows from what the service says now (`book.py`); what has to
be sent for it follows from what changed and what the broker acknowledged (`outbox.py`). So nothing
has to be remembered over a lost connection: after each connection everything is sent again, at a
pace. While the service is not followed (its process is asked by HTTP, and does not answer) the
bridge says `offline` for all lights, for it does not know how they are.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import structlog
import trio
from paho.mqtt.enums import MQTTProtocolVersion

from actors.alerts.finding import AlertKind, Finding
from api.mqtt.book import Book
from api.mqtt.broker import V5, V311, Broker, BrokerError, Received
from api.mqtt.order_desk import DeskStatistics, OrderDesk
from api.mqtt.outbox import Outbox
from api.mqtt.payloads import OFFLINE
from api.mqtt.port import Ended, Lamplighter, Look, Told
from api.mqtt.settings import BridgeOptions
from api.mqtt.topics import Kind

log = structlog.get_logger()

WAIT_FIRST_S, WAIT_MOST_S = 0.5, 30.0
STEADY_S = 5.0
"""A connection that held so long begins the waits anew."""
TAKEN_OVER_WAIT_S = 30.0
"""Two bridges with one name would push each other out for ever."""
SETTLE_S = 1.0
"""For the index, which the broker sends after it answered the subscription, if there is one."""
CATCH_UP_S = 0.25
"""What a busy machine made late is made up for, of so long."""
LOOK_S = 5.0
"""Between two looks at whether the connection moves."""
ODD_VERSIONS = 2
STUCK_S = 60.0
"""Without an acknowledgement for so long, while some are due, the connection is given up."""


@dataclass(frozen=True, slots=True)
class BridgeStatistics:
    """One look at the bridge; counters since its start."""

    connected: bool
    connections: int
    lost: int
    """Connections that ended or did not come about."""
    published: int
    acknowledged: int
    refused: int
    """Messages that the broker did not take."""
    in_flight: int
    """Retained messages that the broker has not acknowledged."""
    waiting: int
    """Topics and results that wait to be sent."""
    results_dropped: int
    orders_given: int
    orders_refused: int
    orders_repeated: int
    orders_waiting: int


class Bridge:
    """`run` it; it reconnects by itself and raises only what is a bug."""

    def __init__(
        self,
        lamplighter: Lamplighter,
        options: BridgeOptions,
        rng: random.Random,
        new_key: Callable[[], str],
    ) -> None:
        self._lamplighter = lamplighter
        self._options = options
        self._rng = rng
        self._topics = topics = options.topics
        self._book = Book(lamplighter, topics, options.area_tag)
        self._outbox = Outbox(self._book.payload)
        self._desk = OrderDesk(
            lamplighter,
            topics,
            self._result,
            new_key,
            session_s=options.address.session_s,
        )
        self._version: MQTTProtocolVersion = V311 if options.version == "3.1.1" else V5
        self._odd_versions = 0
        self._broker: Broker | None = None
        self._index_seen: bytes | None = None
        self._wake = trio.Event()
        self._topic_of: dict[int, str] = {}
        """Of the messages in flight, by their number."""
        self._moved_at = 0.0
        self._look_for_gone_at = math.inf
        self._connections = self._lost = self._published = 0
        self._acknowledged = self._refused = 0
        self.problem: str | None = None
        """Why there is no connection; None while there is one."""
        self._away_since: float | None = lamplighter.now()
        """Unix time; None while there is a connection."""

    def findings(self) -> Iterator[Finding]:
        """Whether the broker is away."""
        address, since = self._options.address, self._away_since
        broker = f"the MQTT broker at {address.host}:{address.port}"
        text = f"{broker} is connected"
        if since is not None:
            text = f"{broker} is not reached: {self.problem or 'there is no answer yet'}"
        yield Finding(AlertKind.BROKER_AWAY, "mqtt", since is not None, text, since)

    def statistics(self) -> BridgeStatistics:
        """Counters, now."""
        desk: DeskStatistics = self._desk.statistics
        return BridgeStatistics(
            connected=self._broker is not None,
            connections=self._connections,
            lost=self._lost,
            published=self._published,
            acknowledged=self._acknowledged,
            refused=self._refused,
            in_flight=len(self._topic_of),
            waiting=len(self._outbox),
            results_dropped=self._outbox.results_dropped,
            orders_given=desk.given,
            orders_refused=desk.refused,
            orders_repeated=desk.repeated,
            orders_waiting=desk.waiting,
        )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Bridge until cancelled. Ready at once: a broker that is away stops nobody."""
        told = Told(self._looked, self._light_changed, self._gateway_changed, self._ended)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lamplighter.follow, told)
            await nursery.start(self._desk.run)
            task_status.started()
            await self._connect_for_ever()

    # ---------------------------------------------------------------- what the service tells

    def _looked(self, look: Look) -> None:
        fresh = look is Look.FRESH
        if fresh:
            self._outbox.changed(self._book.gone())
        if fresh and not self._book.speaks:
            self._book.speaks = True
            self._begin()
        elif fresh:
            self._outbox.changed(self._book.every_topic())
        self._book.speaks = fresh
        self._desk.follows(fresh)
        self._changed([self._topics.availability])

    def _light_changed(self, dev_eui: str) -> None:
        self._changed(self._book.changed(Kind.LIGHT, dev_eui))

    def _gateway_changed(self, gateway_id: str) -> None:
        self._changed(self._book.changed(Kind.GATEWAY, gateway_id))

    def _ended(self, ended: Ended) -> None:
        self._desk.ended(ended)

    def _changed(self, topics: list[str]) -> None:
        self._outbox.changed(topics)
        self._stir()

    def _result(self, topic: str, payload: bytes) -> None:
        self._outbox.result(topic, payload)
        self._stir()

    def _stir(self) -> None:
        self._wake.set()

    def _begin(self) -> None:
        """Everything, where both the service and the broker are known now."""
        if self._book.speaks and self._broker is not None:
            self._read_index()
            self._outbox.anew(self._book.every_topic())
            self._stir()

    def _read_index(self) -> None:
        """Of those that it names and that are not there, what the broker has is emptied."""
        if self._index_seen is not None:
            self._book.remember(self._index_seen)
            self._index_seen = None
            self._look_for_gone_at = trio.current_time() + self._options.ghosts_after_s
            self._empty_the_gone()

    def _empty_the_gone(self) -> None:
        if self._book.speaks and trio.current_time() >= self._look_for_gone_at:
            self._look_for_gone_at = math.inf
            self._changed(self._book.gone())

    # ---------------------------------------------------------------- the connection

    async def _connect_for_ever(self) -> None:
        wait_s = WAIT_FIRST_S
        while True:
            began_s = trio.current_time()
            broker = Broker(
                self._options.address,
                self._version,
                (self._topics.availability, OFFLINE),
                self._message,
                self._sent,
            )
            try:
                await broker.run(self._serve)
            except BrokerError as error:
                self._lost += 1
                if str(error) != self.problem:
                    log.warning("MQTT broker not reached", problem=str(error))
                self.problem = str(error)
                self._take_version(error)
                if trio.current_time() - began_s > STEADY_S:
                    wait_s = WAIT_FIRST_S
                if error.taken_over:
                    wait_s = TAKEN_OVER_WAIT_S
                    log.warning("another client has our MQTT name", name=self._client_id)
            finally:
                self._broker = None
                if self._away_since is None:
                    self._away_since = self._lamplighter.now()
                self._topic_of.clear()
                self._outbox.forget()
            await trio.sleep(wait_s * (0.5 + 0.5 * self._rng.random()))
            wait_s = min(2 * wait_s, WAIT_MOST_S)

    def _take_version(self, error: BrokerError) -> None:
        """The other one, after two failures in a row that look like it: a broker that is stopped
        in the middle of a handshake looks so once."""
        self._odd_versions = self._odd_versions + 1 if error.other_version else 0
        if self._odd_versions >= ODD_VERSIONS and self._options.version == "auto":
            self._odd_versions = 0
            self._version = V311 if self._version is V5 else V5

    @property
    def _client_id(self) -> str:
        return self._options.address.client_id

    async def _serve(self, broker: Broker) -> None:
        """One connection, from CONNACK on."""
        topics = self._topics
        self._broker = broker
        self._index_seen = None
        self._moved_at = trio.current_time()
        await broker.subscribe([topics.index])
        status = [topics.home_assistant_status] if topics.discovery else []
        await broker.subscribe([topics.orders, topics.availability, *status])
        with trio.move_on_after(SETTLE_S):
            while self._index_seen is None:
                await self._wake.wait()
                self._wake = trio.Event()
        self._connections += 1
        if self.problem is not None or self._connections == 1:
            version = "5" if broker.version is V5 else "3.1.1"
            log.info("MQTT broker connected", version=version, resumed=broker.session_present)
        self.problem = self._away_since = None
        self._outbox.anew([topics.availability])
        self._begin()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch)
            await self._send(broker)

    async def _send(self, broker: Broker) -> None:
        """What is to be sent, as far as the broker keeps up, and what is not new at a pace."""
        pause_s = 1.0 / self._options.pace_per_s
        next_s = trio.current_time()
        while True:
            now_s = trio.current_time()
            room = broker.in_flight < broker.window
            message = self._outbox.take(paced=now_s >= next_s) if room else None
            if message is not None:
                if not message.live:
                    next_s = max(next_s, now_s - CATCH_UP_S) + pause_s
                number = broker.publish(message.topic, message.payload, retain=message.retain)
                self._published += 1
                if message.retain:
                    if not self._topic_of:
                        self._moved_at = now_s
                    self._topic_of[number] = message.topic
                await trio.lowlevel.checkpoint()
                continue
            # with nothing to send, or without room, somebody wakes us
            waits_for_pace = room and self._outbox.resting
            with trio.move_on_after(max(next_s - now_s, 0.001) if waits_for_pace else LOOK_S):
                await self._wake.wait()
            self._wake = trio.Event()

    async def _watch(self) -> None:
        """Raises BrokerError where a broker is silent that owes us acknowledgements."""
        while True:
            await trio.sleep(LOOK_S)
            self._empty_the_gone()
            if self._topic_of and trio.current_time() - self._moved_at > STUCK_S:
                raise BrokerError(f"it acknowledged nothing for {STUCK_S:g} s")

    def _sent(self, number: int, problem: str | None) -> None:
        """The broker acknowledged a message, or says why it does not take it."""
        self._moved_at = trio.current_time()
        self._stir()
        topic = self._topic_of.pop(number, None)
        if problem is not None and problem != "No matching subscribers":
            self._refused += 1
            log.warning("MQTT broker refuses a message", topic=topic, problem=problem)
            if topic is not None:
                self._outbox.refused(topic)
            return
        self._acknowledged += 1
        if topic is None:
            return
        self._outbox.acknowledged(topic)
        if self._book.payload(topic) is None and self._book.emptied(topic):
            self._outbox.changed([self._topics.index])

    # ---------------------------------------------------------------- what the broker brings

    def _message(self, broker: Broker, received: Received) -> None:
        """What a session kept comes right behind CONNACK, before anything was subscribed."""
        topics = self._topics
        done = partial(broker.acknowledge, received)
        if received.topic == topics.index:
            if received.retained:
                self._index_seen = received.payload
                self._stir()
                if self._book.speaks:
                    self._read_index()
        elif received.topic == topics.availability:
            if received.payload == OFFLINE and self._book.speaks:
                # the will of the connection before this one, told late
                self._outbox.anew([topics.availability])
                self._stir()
        elif topics.discovery and received.topic == topics.home_assistant_status:
            if received.payload == b"online" and not received.retained:
                self._outbox.anew(self._book.configs())
                self._stir()
        else:
            self._desk.take(
                received.topic,
                received.payload,
                received.mid,
                retained=received.retained,
                redelivered=received.redelivered,
                done=done,
            )
            return
        done()
