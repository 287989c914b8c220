"""What the owner of light shards does with a message, read from an inbox or given straight.

Nothing here waits: what takes time is begun, and its answer goes back by the stream of replies.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
import trio

from actors.clocks.clock import Clock
from actors.cluster.inbox_shard import PARKED_S, Place, Taken
from actors.cluster.light_ports import LightsHere, LightStore
from actors.cluster.messages import (
    Answer,
    CarriedRequest,
    CommandTaken,
    ForLight,
    ForLights,
    LightAnswered,
    LightConfirmed,
    LightGone,
    LightListed,
    Message,
    NetworkTold,
)
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.events import (
    DeviceEvent,
    Entry,
    GatewayHealthChanged,
    GatewayReturned,
)
from actors.device.events import Message as Mail
from actors.device.model import Device
from actors.device.records import command_writes, read_device
from actors.device.requests import accepted, known_ids
from actors.fleet.delivery import Delivery
from actors.messaging.mailbox import Offer
from actors.messaging.not_taken import refusal_of
from actors.messaging.reply import ActorError, ActorStopped, ToldReply
from actors.reasons import Reason, ReasonCode, text_of
from actors.replace import replace
from actors.storage.history import line
from lorawan.events import Event
from store.errors import StoreError, StoreUnavailable
from store.port import Table

log = structlog.get_logger()

CRASHED = Reason(ReasonCode.ACTOR_CRASHED)
GONE = Reason(ReasonCode.LIGHT_GONE)
PARKED = Reason(ReasonCode.ACTOR_PARKED)
REFUSALS_MOST = 100
"""Commands that are ended at once; each waits for two reads and a commit. More wait their turn."""
AGAIN_S, PATIENCE_S = 0.5, 60.0
"""Of what waits for the store."""
REMOVALS_MOST = 20
"""Lights that are taken off at once; each waits for its actor and for a commit."""


class LightSide:
    """One for each process; `run` is its task, for what takes time.

    `pursued` tells which of some commands of a shard are stored as more than accepted, `show` puts
    a command on the board, `ended` counts one that ended, `remove` takes a light off, `carried` has
    a request answered, `answer` sends an answer to another process.
    """

    def __init__(
        self,
        lights: LightsHere,
        clock: Clock,
        *,
        store: LightStore,
        pursued: Callable[[str, Sequence[str]], Awaitable[set[str]]],
        show: Callable[[Command], None],
        ended: Callable[[Command], None],
        remove: Callable[[str, str, bool], Awaitable[bool]],
        carried: Callable[[CarriedRequest], None],
        answer: Callable[[str, Answer], None],
    ) -> None:
        self._lights = lights
        self._clock = clock
        self._store = store
        self._pursued = pursued
        self._show = show
        self._ended = ended
        self._remove = remove
        self._carried = carried
        self._answer = answer
        self._nursery: trio.Nursery | None = None
        self._removing: set[str] = set()
        self._ending = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None

    def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have something done that waits for the store; where that does not answer, again."""
        if self._nursery is not None:
            self._nursery.start_soon(_done_at_last, work)

    def offer(self, message: Message) -> Offer | None:
        """Deal with a message that came straight; what became of it, where a light has it."""
        if isinstance(message, ForLight):
            return self._lights.post(message.dev_eui, message.event)
        self.take(message)
        return Offer.ACCEPTED

    def take(self, message: Message, place: Place | None = None) -> Taken:
        """Deal with a message, from this place of an inbox."""
        match message:
            case NetworkTold(event):
                return self._network(event, place)
            case ForLight() if message.asker:
                return self._question(message, place)
            case ForLight(dev_eui, event):
                return self._for_light(dev_eui, event, place)
            case CommandTaken() if place is not None:
                return self._command(message, place)
            case ForLights(event, gateway_id):
                self._for_lights(event, gateway_id)
            case LightListed(device):
                if device.dev_eui not in self._lights.actors:
                    self._lights.register(device)
                self._lights.confirm(device.dev_eui)
            case LightConfirmed(dev_eui):
                self._lights.confirm(dev_eui)
            case LightGone():
                return self._gone(message)
            case CarriedRequest():
                self._carried(message)
            case _:
                log.warning(
                    "a message for the fleet lay in the inbox of lights", kind=_kind(message)
                )
        return Taken.DONE

    # ---------------------------------------------------------------- how

    def _network(self, event: Event, place: Place | None) -> Taken:
        wrapped: list[DeviceEvent] = []

        def wrap(meant: DeviceEvent) -> Mail:
            wrapped.append(meant)
            return _mail(meant, place)

        match self._lights.deliver(event, wrap=wrap):
            case Delivery.DELIVERED | Delivery.REGISTERED:
                return Taken.LATER if wrapped else Taken.DONE
            case Delivery.FULL:
                return Taken.NO_ROOM
            case Delivery.UNKNOWN | Delivery.STOPPING:
                return Taken.DONE

    def _for_light(self, dev_eui: str, event: DeviceEvent, place: Place | None) -> Taken:
        match self._lights.post(dev_eui, _mail(event, place)):
            case Offer.ACCEPTED:
                return Taken.LATER
            case Offer.FULL | Offer.CLOSED:
                return Taken.NO_ROOM
            case None:
                return Taken.DONE

    def _question(self, message: ForLight, place: Place | None) -> Taken:
        """Whoever asked is told what the light says, or at once why it says nothing."""
        dev_eui = message.dev_eui
        if place is not None and place.refused:
            offer = self._lights.room(dev_eui)
            offer = Offer.FULL if offer is Offer.ACCEPTED else offer
        else:
            offer = self._lights.post(dev_eui, self._asked(message, place))
        refusal = refusal_of(offer)
        if refusal is None:
            return Taken.LATER
        words = "it is not known" if offer is None else "its actor takes nothing now"
        self._answer(message.asker, LightAnswered(message.ask, "", words, refusal.value))
        return Taken.DONE

    def _asked(self, message: ForLight, place: Place | None) -> Mail:
        """The event, whose reply goes back to the process that asked."""

        def told(reply: ToldReply[str], error: Exception | None) -> None:
            text = reply.value if error is None else ""
            failure = None if error is None else f"{type(error).__name__}: {error}"
            self._answer(message.asker, LightAnswered(message.ask, text, failure))

        answer: ToldReply[str] = ToldReply(told)
        event = msgspec.structs.replace(message.event, reply=answer)
        if place is None:
            return event

        def dealt_with(reply: ToldReply[None], error: Exception | None) -> None:
            place.reply.begun = reply.begun
            if error is None:  # it said something, or had before it was read again
                place.reply.resolve(None)
            else:  # it crashed over it, is parked or stopped
                answer.fail(error)
                place.reply.fail(error)

        return Entry(event, ToldReply(dealt_with), place.id, place.line)

    def _command(self, message: CommandTaken, place: Place) -> Taken:
        dev_eui, request = message.dev_eui, message.request
        if place.last_try:  # before all that may have raised
            return self._refused(message, place, CRASHED)
        actor = self._lights.actors.get(dev_eui)
        if actor is None:
            return self._refused(message, place, GONE)
        if place.tries and request.command_id in _has(actor.device):
            return Taken.DONE  # it crashed after it had stored it
        match self._lights.post(dev_eui, _mail(request, place)):
            case Offer.ACCEPTED:
                return Taken.LATER
            case Offer.CLOSED if place.waits_s >= PARKED_S:
                return self._refused(message, place, PARKED)
            case None if place.waits_s >= PARKED_S:
                return self._refused(message, place, GONE)
            case Offer.FULL | Offer.CLOSED | None:  # None: being removed, and gone soon
                return Taken.NO_ROOM

    def _refused(self, message: CommandTaken, place: Place, why: Reason) -> Taken:
        """It was accepted, and nobody can pursue it: it ends, and says so."""
        if self._nursery is None or self._ending >= REFUSALS_MOST:
            return Taken.NO_ROOM
        self._ending += 1
        self._nursery.start_soon(self._end, message, place, why, name=f"end {message.dev_eui}")
        return Taken.LATER

    async def _end(self, message: CommandTaken, place: Place, why: Reason) -> None:
        """Dealt with once it is stored: until then its entry is read again, by whomever."""
        try:
            if not await self._is_stored(message, place.shard):
                await self._reject(message, why)
        except (StoreError, ActorError) as error:  # the shard is somebody else's, or we go down
            await trio.sleep(AGAIN_S)  # or the store is away: it is offered again at once
            place.reply.fail(error)
        except Exception as error:
            log.exception("a command cannot be ended", command_id=message.request.command_id)
            place.reply.begun = True  # a try, as if its light had crashed over it
            place.reply.fail(error)
        else:
            place.reply.resolve(None)
        finally:
            self._ending -= 1
            if not place.reply.resolved:
                place.reply.fail(ActorStopped(f"end {message.dev_eui}", "cut off"))

    async def _is_stored(self, message: CommandTaken, shard: str) -> bool:
        """Whether the light has it in the store: a step that was stored before a crash is in no
        memory until its actor begins anew."""
        command_id = message.request.command_id
        record = await self._store.read(Table.DEVICE, message.dev_eui)
        if record is not None:
            try:
                if command_id in _has(read_device(record)):
                    return True
            except msgspec.MsgspecError:
                pass  # an odd record: no actor runs for it
        return command_id in await self._pursued(shard, [command_id])

    async def _reject(self, message: CommandTaken, why: Reason) -> None:
        now, dev_eui = self._clock.now(), message.dev_eui
        ended = rejected(accepted(Device(dev_eui=dev_eui), message.request, now), why, now)
        detail: dict[str, str | int | float | None] = {"command_id": ended.id, "why": ended.reason}
        log.warning("command rejected", dev_eui=dev_eui, command_id=ended.id, reason=ended.reason)
        told = line(dev_eui, f"rejected-{ended.id}", now, "command", detail)
        await self._store.commit([*command_writes(ended, now), told])
        self._show(ended)
        self._ended(ended)

    def _for_lights(self, event: DeviceEvent, gateway_id: str | None) -> None:
        match event:
            case GatewayHealthChanged(changed_id, online):
                self._lights.gateway_changed(changed_id, online)
            case GatewayReturned(returned_id, answered):
                self._lights.gateway_returned(returned_id, answered=answered)
            case _ if gateway_id is None:
                self._lights.broadcast(event)
            case _:
                log.warning("no news of a gateway", kind=type(event).__name__)

    def _gone(self, message: LightGone) -> Taken:
        if self._nursery is None or len(self._removing) >= REMOVALS_MOST:
            return Taken.DONE  # whoever wants it says so again
        if message.dev_eui not in self._removing:
            self._removing.add(message.dev_eui)
            self._nursery.start_soon(self._take_off, message, name=f"remove {message.dev_eui}")
        return Taken.DONE

    async def _take_off(self, message: LightGone) -> None:
        failure = None
        removed = False
        try:
            removed = await self._remove(message.dev_eui, message.why, message.for_good)
        except (ActorError, StoreError) as error:
            failure = f"{type(error).__name__}: {error}"
        finally:
            self._removing.discard(message.dev_eui)
        if message.asker:
            text = "removed" if removed else "unknown"
            self._answer(message.asker, LightAnswered(message.ask, text, failure))


async def _done_at_last(work: Callable[[], Awaitable[None]]) -> None:
    with trio.move_on_after(PATIENCE_S):
        while True:
            try:
                return await work()
            except StoreUnavailable:
                await trio.sleep(AGAIN_S)
            except StoreError:  # the shard is somebody else's, or we go down
                return None


def _mail(event: DeviceEvent, place: Place | None) -> Mail:
    """What a light is given, with where it was read, if it was read."""
    return event if place is None else Entry(event, place.reply, place.id, place.line)


def rejected(command: Command, why: Reason, now: float) -> Command:
    """An accepted command that nobody can pursue."""
    at = max(now, command.accepted_at)
    text = text_of(why, now)
    return replace(
        command,
        status=CommandStatus.REJECTED,
        reason=text,
        cause=why,
        ended_at=at,
        timeline=(*command.timeline, Step(at, StepKind.REJECTED, reason=text, cause=why)),
    )


def _has(device: Device) -> tuple[str | None, ...]:
    """Ids of the commands that a light has, or had taken back."""
    return (*known_ids(device), *device.withdrawn)


def _kind(message: Message) -> str:
    return type(message).__name__
