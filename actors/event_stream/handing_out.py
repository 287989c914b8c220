"""Hands the events of a stream to their lights, and keeps account of lights that take none.

Where a light's mailbox is full the reading waits a moment. A light that still takes nothing is
*owed* its events: they are read from its own stream once it takes messages again, and no other
light waits for it meanwhile. Only a light whose actor is here can be owed anything.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog
import trio

from actors.device.events import Message
from actors.event_stream.low_water import Tray
from actors.fleet.delivery import Delivery
from actors.fleet.translate import for_light
from actors.messaging.mailbox import Mailbox
from lorawan.events.errors import EventError, UnknownEventKind
from lorawan.events.model import Event
from lorawan.stream.entries import EntryId, StreamEntry, Whose, decoded, whose
from lorawan.stream.errors import StreamError, StreamUnavailable
from lorawan.stream.source import EventSource

log = structlog.get_logger()

ROOM_S = 1.0
"""So long the reading waits for one light; from then on it is owed, and costs nobody time."""
LOOK_S = 0.01
OWED_MOST = 1_000
"""Lights that are owed events: 60 bytes each in the record of the mark."""
TOGETHER_MOST = 50
"""Lights whose streams are read in one go."""
PAY_AGAIN_S = 15.0
"""After a light's stream could not be read, which costs the reading the time limit of a call."""
FILL_MOST = 300
"""Entries of one light's own stream: a light makes some 200 events a day."""


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom events are. Nothing here waits or raises.

    `deliver` takes an event, with whether it is past; `wants` says by DevEUI and profile whether
    the events of a device are for these; `lights` are those whose own streams are read where the
    stream of all forgot some. What is told to others than lights is not counted.
    """

    deliver: Callable[[Event, bool], Delivery]
    wants: Callable[[Whose], bool]
    lights: Callable[[], Collection[str]]
    to_lights: bool = True


class HandingOut:
    """The lights that were told something since the last look are in `touched`."""

    def __init__(
        self, source: EventSource, mailbox: Callable[[str], Mailbox[Message] | None]
    ) -> None:
        self.touched: set[str] = set()
        self.owed: dict[str, EntryId] = {}
        """Lights that took nothing, or whose stream could not be read, and from which entry on."""
        self.stopped = False
        """The service stops: nobody takes events any more."""
        self.events = self.foreign = self.unreadable = self.past = self.filled = 0
        self._source = source
        self._mailbox = mailbox
        self._paying: dict[str, EntryId] = {}
        """What is told just now: still owed, and in the way of nothing that comes."""
        self._paid: dict[str, tuple[EntryId, Tray, int]] = {}
        self._pay_at = 0.0

    def event(
        self, entry: StreamEntry, wants: Callable[[Whose], bool], again: bool = False
    ) -> Event | None:
        """The event of an entry, if it is wanted. Read `again`, what is not was counted before."""
        try:
            device = whose(entry)
            if device is not None and not wants(device):
                self.foreign += not again
                return None
            return decoded(entry)
        except UnknownEventKind:
            return None
        except EventError as error:
            self.unreadable += 1
            log.warning("stream entry unreadable", entry=str(entry.id), error=str(error)[:200])
            return None
        except Exception:  # or it would be read again and again, by every process
            self.unreadable += 1
            log.exception("stream entry failed", entry=str(entry.id))
            return None

    async def give(self, event: Event, entry_id: EntryId, audience: Audience, past: bool) -> bool:
        """Hand out one event, waiting a moment for room. False where the light got nothing."""
        dev_eui, mailbox = event.device.dev_eui, None
        if for_light(event):  # else the dispatcher has it, which tells the light
            if dev_eui in self.owed:
                return False
            mailbox = self._mailbox(dev_eui)
        if mailbox is not None and not mailbox.has_room:
            with trio.move_on_after(0.0 if mailbox.closed else ROOM_S):
                while not mailbox.has_room:  # noqa: ASYNC110 rare, and no mailbox tells of room
                    await trio.sleep(LOOK_S)
        if mailbox is None or mailbox.has_room:
            match self._deliver(event, audience, past):
                case Delivery.DELIVERED | Delivery.REGISTERED:
                    if audience.to_lights:
                        self.events += 1
                        self.past += past
                    self.touched.add(dev_eui)
                    return True
                case Delivery.UNKNOWN:
                    self.foreign += 1
                    return False
                case Delivery.STOPPING:
                    self.stopped = True
                    return False
                case Delivery.FULL:
                    pass
        if mailbox is not None:  # one without is refused, and counted, as a webhook would be
            self._owe(dev_eui, entry_id)
        return False

    async def fill(self, since: EntryId, until: EntryId | None, audience: Audience) -> None:
        """The stream forgot entries: look for them in those of the single lights.

        A light whose own stream cannot be read is owed them. Raises StreamError where those are too
        many.
        """
        before = self.filled
        lights = [dev_eui for dev_eui in audience.lights() if dev_eui not in self.owed]
        log.warning("stream forgot entries that were not read", since=str(since))
        for start in range(0, len(lights), TOGETHER_MOST):
            some = lights[start : start + TOGETHER_MOST]
            found = await self._of_devices(some, since, until)
            unread = [dev_eui for dev_eui in some if dev_eui not in found]
            if len(self.owed) + len(unread) > OWED_MOST:
                raise StreamUnavailable("the streams of too many lights cannot be read")
            for dev_eui in unread:
                self.owed.setdefault(dev_eui, since)
            await self._tell_past(found, audience)
        log.info("streams of single lights read", lights=len(lights), events=self.filled - before)

    async def pay(self, audience: Audience) -> None:
        """Lights that take messages again get what they are owed, where it can be read.

        One that is gone from here is owed nothing: it was removed, or its next owner reads it all.
        """
        for dev_eui in [dev_eui for dev_eui in self.owed if self._mailbox(dev_eui) is None]:
            del self.owed[dev_eui]
        if trio.current_time() < self._pay_at:
            return
        ready = [dev_eui for dev_eui in self.owed if self._takes(dev_eui)][:TOGETHER_MOST]
        if not ready:
            return
        since = min(self.owed[dev_eui] for dev_eui in ready)
        found = await self._of_devices(ready, since, None)
        for dev_eui in ready:
            if dev_eui not in found:  # others first, the next time
                self.owed[dev_eui] = self.owed.pop(dev_eui)
                self._pay_at = trio.current_time() + PAY_AGAIN_S
            elif self._takes(dev_eui):
                await self._pay_one(dev_eui, found[dev_eui], audience)

    def to_be_kept(self) -> dict[str, EntryId]:
        """What is owed, or was paid and is not dealt with yet: to be stored beside the mark."""
        for dev_eui, (_, tray, upto) in list(self._paid.items()):
            if tray.finished >= upto:
                del self._paid[dev_eui]
        lights = self.owed.keys() | self._paying.keys() | self._paid.keys()
        return {dev_eui: self._from(dev_eui) for dev_eui in lights}

    def _from(self, dev_eui: str) -> EntryId:
        """From which entry on a light of these was not told, or has not dealt with it."""
        paid = self._paid.get(dev_eui)
        told = (
            self.owed.get(dev_eui),
            self._paying.get(dev_eui),
            None if paid is None else paid[0],
        )
        return min(since for since in told if since is not None)

    async def _pay_one(
        self, dev_eui: str, entries: Sequence[StreamEntry], audience: Audience
    ) -> None:
        since = self._paying[dev_eui] = self.owed.pop(dev_eui)
        due = [entry for entry in entries if entry.id >= since]
        try:
            await self._tell_past({dev_eui: due}, audience)
        except BaseException:  # told in part: told again as a whole
            self.owed[dev_eui] = since
            raise
        finally:
            since = self._from(dev_eui)  # or of what was paid before, and is not dealt with
            del self._paying[dev_eui]
        tray = self._mailbox(dev_eui)
        if tray is not None:
            self._paid[dev_eui] = (since, tray, tray.accepted)

    async def _of_devices(
        self, dev_euis: Sequence[str], since: EntryId, until: EntryId | None
    ) -> Mapping[str, Sequence[StreamEntry]]:
        """Of those that can be read."""
        try:
            return await self._source.of_devices(dev_euis, since, until, most=FILL_MOST)
        except StreamError as error:
            log.warning("streams of single lights cannot be read", error=str(error))
            return {}

    def _deliver(self, event: Event, audience: Audience, past: bool) -> Delivery:
        try:
            return audience.deliver(event, past)
        except Exception:  # a poisoned event must not be read again and again
            self.unreadable += 1
            log.exception("stream entry failed", dev_eui=event.device.dev_eui)
            return Delivery.UNKNOWN

    def _owe(self, dev_eui: str, since: EntryId) -> None:
        if len(self.owed) < OWED_MOST:
            self.owed.setdefault(dev_eui, since)
            log.warning("light takes no events", dev_eui=dev_eui, since=str(since))
        else:
            log.error("event lost: too many lights take nothing", dev_eui=dev_eui)

    def _takes(self, dev_eui: str) -> bool:
        mailbox = self._mailbox(dev_eui)
        return mailbox is not None and mailbox.has_room and mailbox.waiting == 0

    async def _tell_past(
        self, found: Mapping[str, Sequence[StreamEntry]], audience: Audience
    ) -> None:
        for entries in found.values():
            for entry in entries:
                event = self.event(entry, audience.wants)
                if event is not None:
                    self.filled += await self.give(event, entry.id, audience, True)
                await trio.lowlevel.checkpoint()
