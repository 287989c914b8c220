"""Orders from the broker, given to the service one by one for each light, and answered.

Theory. An order is acknowledged to the broker when the service has stored it, or has refused it for
good; what cannot be taken just now is asked again, under the same key, for some minutes. Until it
is acknowledged the broker delivers it again to the next connection, marked as redelivered. Then it
may have been stored before: the command has a mark made of the message's number and content, and
one with that mark that was given within the life of the session is the same order. A message that
is not marked as redelivered is a new one, whatever its number.

Retained orders are not followed: one that lies at the broker would be carried out at each
connection. Orders for one light go in turn; those of eight groups of lights side by side.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec
import structlog
import trio

from api.mqtt.orders import Known, Order, WrongOrder, read_order
from api.mqtt.port import Ended, Given, Lamplighter, NotGiven
from api.mqtt.topics import Kind, Topics
from api.validation import Mistake

log = structlog.get_logger()

LANES = 8
"""Orders that are stored side by side: the store gathers them into one commit."""
WAITING_MOST = 2_000
"""Orders that wait in one lane, of 4 kB at most: 8 x 2,000 are a fleet of 16,000 lights at once."""
PATIENCE_S = 300.0
"""An order that the service cannot take is tried for so long."""
AGAIN_FIRST_S, AGAIN_MOST_S = 0.5, 15.0
SESSION_SLACK_S = 3_600.0
"""Beyond the life of the session: clocks differ."""
FOLLOWED_MOST = 5_000
"""Commands of ours whose end is told, 200 bytes each: as many as are open at a time."""


@dataclass(slots=True)
class DeskStatistics:
    """Counters since the start."""

    given: int = 0
    refused: int = 0
    repeated: int = 0
    """Redelivered by the broker, and given before."""
    retained: int = 0
    """Not followed, because they were retained."""
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message on a light's `set` topic, and how to acknowledge it."""

    dev_eui: str
    payload: bytes
    mark: str
    redelivered: bool
    done: Callable[[], None]


class OrderDesk:
    """`publish` sends a result, not retained."""

    def __init__(
        self,
        lamplighter: Lamplighter,
        topics: Topics,
        publish: Callable[[str, bytes], None],
        new_key: Callable[[], str],
        *,
        session_s: float,
    ) -> None:
        self._lamplighter = lamplighter
        self._topics = topics
        self._publish = publish
        self._new_key = new_key
        self._within_s = session_s + SESSION_SLACK_S
        self._lanes = [trio.open_memory_channel[Incoming](WAITING_MOST) for _ in range(LANES)]
        self._followed: OrderedDict[str, str] = OrderedDict()
        """Ids of commands that were given here, with the id that the sender gave."""
        self._followed_now = trio.Event()
        self.statistics = DeskStatistics()

    def take(
        self,
        topic: str,
        payload: bytes,
        mid: int,
        *,
        retained: bool,
        redelivered: bool,
        done: Callable[[], None],
    ) -> None:
        """A message came on an order's topic. One that finds no room is not acknowledged: the
        broker keeps it."""
        found = self._topics.read(topic)
        if found is None or found[0] is not Kind.LIGHT or found[2] != "set":
            log.warning("message on a topic that takes no orders", topic=topic[:200])
            done()
            return
        dev_eui = found[1]
        if retained:
            done()
            if payload:
                self.statistics.retained += 1
                problem = "it was retained: send orders without the retain flag"
                self._tell_refused(dev_eui, "retained-order", problem)
            return
        incoming = Incoming(dev_eui, payload, mark_of(mid, payload), redelivered, done)
        send = self._lanes[crc32(dev_eui.encode()) % LANES][0]
        try:
            send.send_nowait(incoming)
        except trio.WouldBlock:
            self._tell_refused(
                dev_eui, "too-many", "too many orders wait: it is kept by the broker"
            )

    def follows(self, follows: bool) -> None:
        """Whether the service is followed: until then no light is known to be none."""
        if follows:
            self._followed_now.set()
        elif self._followed_now.is_set():
            self._followed_now = trio.Event()

    def ended(self, ended: Ended) -> None:
        """A command came to its end: told where it was given here."""
        sender_id = self._followed.pop(ended.command_id, None)
        if sender_id is not None:
            told: dict[str, Any] = {
                "reason": ended.reason,
                "reason_code": ended.reason_code,
                "superseded_by": ended.superseded_by,
            }
            self._tell(ended.dev_eui, sender_id, ended.command_id, ended.status, **told)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Give what comes, until cancelled."""
        async with trio.open_nursery() as nursery:
            for _, receive in self._lanes:
                nursery.start_soon(self._lane, receive)
            task_status.started()

    async def _lane(self, receive: trio.MemoryReceiveChannel[Incoming]) -> None:
        while True:
            incoming = await receive.receive()
            self.statistics.waiting += 1
            try:
                await self._deal_with(incoming)
            except Exception:  # a poisoned order is told and let go: it would come again for ever
                log.exception("order could not be dealt with", dev_eui=incoming.dev_eui)
                self._tell_refused(incoming.dev_eui, "internal", "a mistake in Lamplighter")
            finally:
                self.statistics.waiting -= 1
            incoming.done()

    async def _deal_with(self, incoming: Incoming) -> None:
        dev_eui = incoming.dev_eui
        await self._followed_now.wait()
        if incoming.redelivered:
            before = await self._lamplighter.given_before(dev_eui, incoming.mark, self._within_s)
            if before is not None:
                self.statistics.repeated += 1
                return
        try:
            order = read_order(incoming.payload, await self._known(dev_eui))
        except WrongOrder as error:
            self._tell_refused(dev_eui, "invalid", str(error), error.id, error.mistakes)
            return
        given = await self._give(incoming, order)
        if isinstance(given, NotGiven):
            self._tell_refused(dev_eui, given.slug, given.why, order.id)
            return
        self.statistics.given += 1
        self._follow(given.command_id, order.id)
        more = {"ignored": list(order.ignored)} if order.ignored else {}
        self._tell(dev_eui, order.id, given.command_id, "accepted", **more)

    async def _known(self, dev_eui: str) -> Known:
        light = self._lamplighter.light(dev_eui)
        if light is None:
            return Known()
        pending = light.wanted if light.command_id is not None else None
        known = Known(pending, light.reported, light.wanted)
        if known.any_lit:
            return known
        return known._replace(last=await self._lamplighter.last_lit(dev_eui))

    async def _give(self, incoming: Incoming, order: Order) -> Given | NotGiven:
        """Until it is stored or refused for good: under one key, so that it is stored once."""
        key, wait_s = self._new_key(), AGAIN_FIRST_S
        give_up_at = trio.current_time() + PATIENCE_S
        while True:
            given = await self._lamplighter.give(incoming.dev_eui, order, key, incoming.mark)
            if isinstance(given, Given) or not given.again or trio.current_time() > give_up_at:
                return given
            log.warning("order waits", dev_eui=incoming.dev_eui, problem=given.why)
            await trio.sleep(wait_s)
            wait_s = min(2 * wait_s, AGAIN_MOST_S)

    def _follow(self, command_id: str, sender_id: str) -> None:
        self._followed[command_id] = sender_id
        if len(self._followed) > FOLLOWED_MOST:
            self._followed.popitem(last=False)

    def _tell(
        self, dev_eui: str, sender_id: str, command_id: str, status: str, **more: Any
    ) -> None:
        told = {"id": sender_id, "command_id": command_id, "status": status}
        self._publish(self._topics.result(dev_eui), msgspec.json.encode({**told, **more}))

    def _tell_refused(
        self,
        dev_eui: str,
        slug: str,
        problem: str,
        sender_id: str = "",
        mistakes: list[Mistake] | None = None,
    ) -> None:
        self.statistics.refused += 1
        log.warning("order refused", dev_eui=dev_eui, problem=problem, kind=slug)
        told = {"id": sender_id, "status": "refused", "type": slug, "detail": problem}
        payload = msgspec.json.encode({**told, "errors": mistakes or []})
        self._publish(self._topics.result(dev_eui), payload)


def mark_of(mid: int, payload: bytes) -> str:
    """By which an order is known again that the broker delivers once more."""
    return f"mqtt:{mid}:{hashlib.sha256(payload).hexdigest()[:16]}"
