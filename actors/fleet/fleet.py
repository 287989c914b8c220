"""The fleet: one actor for each light, and the door by which events reach them.

`deliver` and `post` never wait, whatever the light does: a full mailbox or a crashed actor of one
light is an answer to the caller, and delays no other light.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import structlog
import trio

from actors.clocks.clock import Clock
from actors.device.events import (
    DeviceEvent,
    GatewayHealthChanged,
    GatewayReturned,
    Message,
)
from actors.device.model import Device
from actors.fleet.broadcast import Broadcast
from actors.fleet.delivery import Delivery
from actors.fleet.ears import by_signal, for_dispatcher, uplink_heard
from actors.fleet.event_memory import EventMemory
from actors.fleet.gateway_index import GatewayIndex
from actors.fleet.ports import DeviceActorPort, FleetPorts, FleetStatistics
from actors.fleet.translate import described, translate
from actors.fleet.unknown_devices import UnknownDevices
from actors.messaging.mailbox import Offer, wait_all_idle
from actors.messaging.reply import ActorStopped, fail_reply
from actors.storage.history import line
from actors.supervision import (
    Backoff,
    Budget,
    ChildReport,
    ChildSpec,
    Exhausted,
    Restart,
    Supervisor,
    SupervisorStopped,
)
from lorawan.events import Event
from lorawan.events.model import DeviceInfo, Uplink

log = structlog.get_logger()

# 10 kB each with actor, mailbox and record: 500 MB, and twice the fleet that this was made for.
DEVICES_MOST = 50_000
PROVISIONAL_MOST = 500
"""Lights that only an event told of, until ChirpStack lists them, which is looked up within half a
minute: a fleet that is switched on at once is listed already, and invented DevEUIs fill no more."""
REMOVED_KEPT = 10_000
"""DevEUIs of removed lights whose late events are ignored; some 100 bytes each."""
PROFILE_CONTAINS = "kuando"
# A poisoned message costs one crash each; five within a minute are no bad luck any more.
BUDGET = Budget(restarts=5, period_s=60.0)
BACKOFF = Backoff(first_s=0.2, factor=2.0, most_s=10.0, jitter=0.2)
LET_GO_S = 6.0  # a light that is told to end has 5 s (`shutdown_s`), and needs milliseconds
RESTORE_CHUNK = 250  # registered between two checkpoints, 20 us each: 5 ms

Wrap = Callable[[DeviceEvent], Message]
"""Puts an event into an envelope by which it is told that its light dealt with it."""


def actor_id(dev_eui: str) -> str:
    """The id of a light's actor in the tree."""
    return f"device {dev_eui}"


class Fleet:
    """The registry of lights. `supervisor` runs the actors, `run` is the fleet's own small task."""

    def __init__(
        self,
        make_actor: Callable[[Device], DeviceActorPort],
        supervisor: Supervisor,
        ports: FleetPorts,
        clock: Clock,
        *,
        profile_contains: str = PROFILE_CONTAINS,
        devices_most: int = DEVICES_MOST,
    ) -> None:
        self._make_actor = make_actor
        self._supervisor = supervisor
        self._ports = ports
        self._clock = clock
        self._profile_contains = profile_contains.casefold()
        self._devices_most = devices_most
        self._actors: dict[str, DeviceActorPort] = {}
        self._hearings = GatewayIndex()
        self._unknown = UnknownDevices()
        self._broadcast = Broadcast(self.post)
        self._deliveries = dict.fromkeys(Delivery, 0)
        self._registrations_refused = 0
        self._parked_refused = 0
        self._stopping = False
        self._kept_out: set[str] = set()
        self.on_provisional: Callable[[str], None] = lambda dev_eui: None
        """A light was registered by its own event only: the listing should be looked at."""
        self.on_new: Callable[[Device], None] = lambda device: None
        """A light is registered that is in no store yet."""
        self._provisional: dict[str, float] = {}
        self._leaving: set[str] = set()
        self._removed: dict[str, float] = {}  # oldest first
        self.memory: EventMemory | None = None
        """Where events come twice, by webhook and by ChirpStack's stream."""

    # From the network.

    def deliver(self, event: Event, *, past: bool = False, wrap: Wrap | None = None) -> Delivery:
        """Put a network event in its light's mailbox; a new light of our profile is registered.

        `past`: it happened a while ago, and says nothing of how gateways and ChirpStack are now.
        `wrap` makes what is put there of what it means to the light.
        """
        if self.memory is not None and self.memory.knows(event):
            return Delivery.DELIVERED
        outcome = self._deliver(event, past, wrap)
        self._deliveries[outcome] += 1
        if self.memory is not None:
            self.memory.told(event, outcome)
        return outcome

    def gateway_changed(self, gateway_id: str, online: bool) -> None:
        """A gateway went away or came back: the lights it hears are told, soon."""
        news = GatewayHealthChanged(gateway_id, online)
        self._announce(f"gateway {gateway_id}", gateway_id, news)

    def gateway_returned(self, gateway_id: str, *, answered: bool = False) -> None:
        """A gateway ended a silence, or frames through it are `answered` again: the lights it hears
        are told, soon."""
        what = "answers" if answered else "return"
        event = GatewayReturned(gateway_id, answered)
        self._announce(f"{what} of gateway {gateway_id}", gateway_id, event)

    # From ourselves.

    def post(self, dev_eui: str, event: Message) -> Offer | None:
        """Put an event in a light's mailbox, without waiting; None for a light not known."""
        actor = self._actors.get(dev_eui)
        if actor is None or dev_eui in self._leaving:
            return None
        return actor.mailbox.offer(event)

    def room(self, dev_eui: str) -> Offer | None:
        """What `post` would answer now."""
        actor = self._actors.get(dev_eui)
        if actor is None or dev_eui in self._leaving:
            return None
        if actor.mailbox.closed:
            return Offer.CLOSED
        return Offer.ACCEPTED if actor.mailbox.has_room else Offer.FULL

    def broadcast(self, event: DeviceEvent) -> None:
        """Every light gets this, soon; of one kind of event only the newest waits."""
        self._broadcast.announce(type(event).__name__, event, lambda: list(self._actors))

    def keep_out(self, dev_eui: str) -> None:
        """A light whose stored record cannot be read: an actor would write over it."""
        self._kept_out.add(dev_eui)

    async def restore(self, devices: Iterable[Device]) -> int:
        """Register the lights that the store knows; how many are registered then."""
        for count, device in enumerate(devices, start=1):
            if device.dev_eui not in self._actors:
                self._register(device)
            if count % RESTORE_CHUNK == 0:
                await trio.lowlevel.checkpoint()
        return len(self._actors)

    def register(self, device: Device) -> DeviceActorPort | None:
        """Start an actor for a light that is not yet known; None when the fleet is full,
        or the light is kept out.

        Its record is stored by the actor itself, with its first message. Raises DuplicateChild for
        a light that is known, SupervisorStopped while the fleet stops.
        """
        actor = self._register(device)
        if actor is not None:
            self.on_new(device)
        return actor

    def _register(self, device: Device) -> DeviceActorPort | None:
        if device.dev_eui in self._kept_out:
            return None
        if len(self._actors) >= self._devices_most:
            self._registrations_refused += 1
            log.error("fleet is full", devices=len(self._actors), dev_eui=device.dev_eui)
            return None
        actor = self._make_actor(device)
        self._supervisor.start_child(
            ChildSpec(
                id=actor_id(device.dev_eui),
                start=actor.run,
                restart=Restart.PERMANENT,
                budget=BUDGET,
                backoff=BACKOFF,
                exhausted=Exhausted.PARK,
                mailbox=actor.mailbox,
            )
        )
        self._actors[device.dev_eui] = actor
        self._removed.pop(device.dev_eui, None)
        self._unknown.forget(device.dev_eui)
        self._hearings.note(
            device.dev_eui,
            [one.gateway_id for one in sorted(device.hearings, key=lambda one: one.heard_at)],
        )
        return actor

    async def stop_actor(self, dev_eui: str, reason: str) -> None:
        """End a light's actor for good; what waits for it becomes dead letters."""
        self._leaving.add(dev_eui)
        await self._supervisor.stop_child(actor_id(dev_eui), reason)

    async def let_go(self, dev_euis: Sequence[str], *, drain_s: float) -> None:
        """End the actors of these lights, for others to go on with; they are known no longer.

        For `drain_s` they go on with what waits for them, and get nothing new; the rest is thrown
        away. Cancelling this cuts the drain short: they are ended all the same, before it returns.
        """
        here = [dev_eui for dev_eui in dev_euis if dev_eui in self._actors]
        if not here:
            await trio.lowlevel.checkpoint()
            return
        self._leaving.update(here)
        try:
            await wait_all_idle([self._actors[dev_eui].mailbox for dev_eui in here], drain_s)
        finally:  # one that went on unknown would store what is past once its shard is ours again
            with trio.move_on_after(LET_GO_S, shield=True):
                await self._end(here)
            for dev_eui in here:
                self.drop(dev_eui, for_good=False)

    async def _end(self, dev_euis: Sequence[str]) -> None:
        for dev_eui in dev_euis:
            stopped = ActorStopped(actor_id(dev_eui), "its shard is left")
            for message in self._actors[dev_eui].mailbox.discard():
                fail_reply(message, stopped)
        ids = [actor_id(dev_eui) for dev_eui in dev_euis]
        await self._supervisor.stop_children(ids, "their shard is left")

    def drop(self, dev_eui: str, *, for_good: bool) -> None:
        """Know a light no longer, whose actor has ended. `for_good`: its late events are a
        stranger's until `register` is called for it again."""
        self._actors.pop(dev_eui, None)
        self._leaving.discard(dev_eui)
        self._provisional.pop(dev_eui, None)
        self._hearings.forget(dev_eui)
        if for_good:
            self._removed[dev_eui] = self._clock.now()
            if len(self._removed) > REMOVED_KEPT:
                del self._removed[next(iter(self._removed))]

    def confirm(self, dev_eui: str) -> None:
        """ChirpStack lists this light."""
        self._provisional.pop(dev_eui, None)

    @property
    def provisional(self) -> Mapping[str, float]:
        """Lights known by their own events only, and since when: a live view."""
        return MappingProxyType(self._provisional)

    def stop(self) -> None:
        """Take nothing from the network any more: the service goes down."""
        self._stopping = True

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry broadcasts and news of gateways to the lights, until cancelled."""
        task_status.started()
        await self._broadcast.run()

    # To be looked at.

    @property
    def actors(self) -> Mapping[str, DeviceActorPort]:
        """Every light's actor by DevEUI: a live view."""
        return MappingProxyType(self._actors)

    def report(self, dev_eui: str) -> ChildReport | None:
        """The supervisor's view of a light's actor."""
        return self._supervisor.child(actor_id(dev_eui))

    def due_at(self, dev_eui: str) -> float | None:
        """When the light's state times out (Unix seconds); None where nothing is due."""
        actor = self._actors.get(dev_eui)
        return None if actor is None else actor.due_at

    def is_ours(self, profile_name: str) -> bool:
        """Whether devices of this profile are lights of ours."""
        return self._profile_contains in profile_name.casefold()

    def statistics(self) -> FleetStatistics:
        """Counters, now."""
        return FleetStatistics(
            devices=len(self._actors),
            gateways=len(self._hearings),
            deliveries=dict(self._deliveries),
            unknown_devices=len(self._unknown),
            registrations_refused=self._registrations_refused,
            parked_refused=self._parked_refused,
            news_posted=self._broadcast.posted,
            news_owed=self._broadcast.owed,
        )

    # How.

    def _announce(self, key: str, gateway_id: str, news: DeviceEvent) -> None:
        lights = self._hearings.lights
        self._broadcast.announce(key, news, lambda: lights(gateway_id))

    def _deliver(self, event: Event, past: bool, wrap: Wrap | None) -> Delivery:
        if self._stopping:
            return Delivery.STOPPING
        ports = self._ports
        ports.told(event.device)
        server_at, event = event.at, (ports.dated_past if past else ports.dated)(event)
        dev_eui = event.device.dev_eui
        if dev_eui in self._leaving:
            return Delivery.UNKNOWN
        actor = self._actors.get(dev_eui)
        done = Delivery.DELIVERED
        if actor is None:
            ours = self.is_ours(event.device.device_profile_name)
            if not ours or dev_eui in self._removed:
                self._unknown.add(event.device.dev_eui)
                return Delivery.UNKNOWN
            if len(self._provisional) >= PROVISIONAL_MOST:
                self._registrations_refused += 1
                return Delivery.FULL
            try:
                actor = self.register(self._new(event.device))
            except SupervisorStopped:
                return Delivery.STOPPING
            if actor is None:
                return Delivery.FULL
            self._provisional[dev_eui] = self._clock.now()
            self.on_provisional(dev_eui)
            done = Delivery.REGISTERED
        if isinstance(event, Uplink) and event.receptions:
            self._hearings.note(dev_eui, [one.gateway_id for one in by_signal(event)])
        uplink_heard(ports.ears, dev_eui, event, self._clock.now(), past=past)
        message = translate(event)
        if message is None:
            self._note(dev_eui, event)
            return done
        if not for_dispatcher(ports.ears, dev_eui, message, server_at, past=past):
            return done
        match actor.mailbox.offer(message if wrap is None else wrap(message)):
            case Offer.ACCEPTED:
                return done
            case Offer.FULL:
                return Delivery.FULL
            case Offer.CLOSED:  # parked: later, after somebody revived it
                self._parked_refused += 1
                return Delivery.FULL

    def _note(self, dev_eui: str, event: Event) -> None:
        told = described(event)
        if told is not None:
            at = self._clock.now() if event.at is None else event.at
            self._ports.note([line(dev_eui, told.entry, at, told.kind, told.detail)])

    def _new(self, device: DeviceInfo) -> Device:
        return Device(
            dev_eui=device.dev_eui,
            name=device.device_name,
            application_id=device.application_id,
            application_name=device.application_name,
            profile_name=device.device_profile_name,
            tags=dict(device.tags),
            since=self._clock.now(),
        )
