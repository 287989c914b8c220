"""Everything by which one process of a cluster hears and tells, joined.

The keeper of leases says which shards run here: `taking`, `taken`, `leave`, `forget` and
`stepped_back` follow what it does. What runs once for the fleet comes and goes with the fleet's own
shard: `fleet_here`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import msgspec
import trio

from actors.board.board import Board
from actors.board.changes import DeviceRemoved, Subject
from actors.clocks.clock import Clock
from actors.cluster.bells import Bells
from actors.cluster.carried import Carrier
from actors.cluster.confirmed_desk import ConfirmedDesk
from actors.cluster.every_light import EveryLight
from actors.cluster.feed_board import FeedBoard
from actors.cluster.fleet_side import FleetSide
from actors.cluster.follower import Follower, Position
from actors.cluster.inbox import InboxPorts, InboxReader
from actors.cluster.inbox_shard import Place, Taken
from actors.cluster.intake import Intake, IntakePorts
from actors.cluster.light_ports import LightsHere, LightStore
from actors.cluster.light_side import LightSide
from actors.cluster.messages import FailoverTook, ForLight, LightGone, Message
from actors.cluster.replies import Replies
from actors.cluster.router import Router, RouterPorts
from actors.cluster.stored_since import stored_since
from actors.cluster.twice import AskedBefore
from actors.device.command import Command
from actors.device.model import Device
from actors.device.records import read_command
from actors.fleet.delivery import Delivery
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Offer
from actors.supervision import Budget, ChildSpec
from lorawan.events import Event
from store.engine.port import Engine, Lease
from store.engine.shards import ALL_SHARDS, FLEET
from store.port import Put, Table

BUDGET = Budget(restarts=5, period_s=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPorts:
    """What the rest of the process gives."""

    engine: Engine
    boot: str
    clock: Clock
    rng: Random
    board: Board
    dead_letters: DeadLetters
    lights: LightsHere
    """The lights whose actors run in this process."""
    deliver: Callable[[Event], Delivery]
    """Put an event in the mailbox of a light of this process."""
    ours: Callable[[Event], bool]
    """Whether it is of a light of ours, known or not."""
    store_writer: LightStore
    remove: Callable[[str, str, bool], Awaitable[bool]]
    """Take a light of this process off (DevEUI, why, for good). Raises ActorError, StoreError."""
    owner: Callable[[str], str]
    """The boot of the process that has a shard, as far as is seen; empty where nobody has."""
    ended: Callable[[Command], None]
    """Count a command that ended."""
    profile_contains: str
    need: int = 0
    """Replicas that confirm each commit."""
    known_s: Callable[[str], float] = lambda shard: 0.0
    """For how long it is known here that a shard has had an owner."""
    rang: Callable[[str], None] = lambda shard: None
    """A bell of a shard was heard."""
    meta: Callable[[Put], None] = lambda put: None
    """Records of Table.META that others stored and that are not shown by themselves."""


class Flow:
    """Made once for each process; `children` are its tasks."""

    def __init__(self, ports: FlowPorts) -> None:
        self._ports = ports
        self._fleet_side: FleetSide | None = None
        self._desk: ConfirmedDesk | None = None
        self._seen: dict[str, Position] = {}
        self._unread: set[str] = set()
        """Shards that are ours, and shown as their owners before told it."""
        engine, boot, clock, rng = ports.engine, ports.boot, ports.clock, ports.rng
        self.confirm = engine.confirm if ports.need else None
        """See `Engine.confirm`; None where no replica is asked for."""
        self.replies = Replies(engine, rng, boot=boot)
        self.inbox = InboxReader(
            engine,
            InboxPorts(take=self._take, known=self.known),
            clock,
            ports.dead_letters,
            confirm=self.confirm,
        )
        self.router = Router(
            engine,
            RouterPorts(
                here=self.inbox.reads,
                knows=lambda dev_eui: dev_eui in ports.board.devices,
                light=self._to_light,
                fleet=self._to_fleet,
            ),
            self.replies,
            rng,
            boot=boot,
        )
        self._feed_board = FeedBoard(ports.board, now=clock.now, meta=ports.meta)
        self.follower = Follower(engine, self._feed_board, rng, ports.known_s)
        self.follower.follow(ALL_SHARDS)
        self.bells = Bells(
            engine, self.inbox, self.follower, self.replies, boot=boot, others=ports.rang
        )
        self._before = AskedBefore()
        self.carrier = Carrier(
            self.router,
            self.replies,
            clock,
            owner=ports.owner,
            engine_time=engine.time,
            commit=ports.store_writer.commit,
        )
        self.light_side = LightSide(
            ports.lights,
            clock,
            store=ports.store_writer,
            pursued=self.known,
            show=ports.board.publish,
            ended=ports.ended,
            remove=ports.remove,
            carried=self.carrier.take,
            answer=self.router.answer,
        )
        self.intake = Intake(
            IntakePorts(
                here=self.inbox.reads,
                ours=ports.ours,
                light=ports.deliver,
                fleet=self.fleet_event,
            ),
            self.router,
        )
        self.lights = EveryLight(
            ports.board,
            self.router,
            self.replies,
            clock,
            dispatcher_started=self.hand_over_anew,
            profile_contains=ports.profile_contains,
        )
        """Every light, for what runs once for the fleet."""

    @property
    def counted(self) -> Mapping[str, Callable[[], object]]:
        """Statistics of its parts by their names, for Prometheus."""
        return {
            "inbox": self.inbox.statistics,
            "router": self.router.statistics,
            "carrier": self.carrier.statistics,
            "follower": self.follower.statistics,
        }

    def children(self) -> list[ChildSpec]:
        """The tasks, in the order in which they start."""
        return [
            ChildSpec("router", self.router.run, budget=BUDGET),
            ChildSpec("replies", self.replies.run, budget=BUDGET),
            ChildSpec("carrier", self.carrier.run, budget=BUDGET),
            ChildSpec("light side", self.light_side.run, budget=BUDGET),
            ChildSpec("follower", self.follower.run, budget=BUDGET),
            ChildSpec("inbox", self.inbox.run, budget=BUDGET),
            ChildSpec("bells", self.bells.run, budget=BUDGET),
        ]

    # ---------------------------------------------------------------- shards come and go

    def shown(self, shard: str) -> Position | None:
        """Up to where the board shows a shard of others; None where it is not known."""
        return self.follower.position(shard)

    def is_confirmed(self, shard: str) -> bool:
        """Whether the lights of a shard are shown only as replicas have them: they are ours."""
        return shard not in self._unread and not self.follower.follows(shard)

    def taking(self, shard: str) -> None:
        """This process owns the shard: what others stored of it is not shown over ours."""
        self._unread.add(shard)
        self.follower.drop(shard)

    async def show(
        self, shard: str, lease: Lease, devices: Sequence[Device], odd: Iterable[str]
    ) -> None:
        """These are all its lights as they were stored under this lease, and the DevEUIs of odd
        records. What else is shown of it may be what a failover took. Raises StoreError."""
        self._unread.discard(shard)  # what follows was read after a commit of ours
        lights: dict[str, str | None] = dict.fromkeys(odd)
        lights |= {one.dev_eui: self._feed_board.show_light(one) for one in devices}
        doubtful = self._feed_board.keep_only(shard, lights)
        found = await stored_since(self._ports.engine, shard, doubtful, lease)
        for command_id, record in zip(doubtful, found, strict=True):
            self._feed_board.show_command(command_id, record)

    def taken(self, shard: str, lease: Lease) -> None:
        """Its actors run here: read what waits for them."""
        self.inbox.take(shard, lease.inbox_mark)

    async def leave(self, shard: str) -> None:
        """Read nothing more for it, and wait until what was read is dealt with."""
        await self.inbox.leave(shard)

    def forget(self, shard: str, at: Position | None = None) -> None:
        """Its actors do not run here any more; everything up to `at` is on the board."""
        self.inbox.forget(shard)
        self._unread.discard(shard)
        self.follower.follow([shard], at)

    def stepped_back(self, shards: Iterable[str]) -> None:
        """The engine forgot something: entries that were read may come under other ids."""
        self.inbox.step_back(shards)

    def looking(self) -> None:
        """The leases are about to be asked for."""
        self.follower.looking()

    def looked(self, leases: Mapping[str, Lease]) -> None:
        """The leases, as they were since `looking`."""
        self.follower.looked(leases)
        for shard, lease in leases.items():
            position = (lease.epoch, lease.seq)
            if position < self._seen.get(shard, position):
                self.inbox.step_back([shard])
            self._seen[shard] = position

    def fleet_here(self, side: FleetSide, desk: ConfirmedDesk) -> None:
        """What runs once for the fleet runs here; to be called before `taken` for its shard, and
        after `follower.wait_fresh`: the desk hands over what the board shows."""
        self._fleet_side, self._desk = side, desk
        self.hand_over_anew()

    def fleet_gone(self) -> None:
        """It does not run here any more."""
        self._fleet_side = self._desk = None

    # ---------------------------------------------------------------- what is told

    def showing(self, subject: Subject) -> None:
        """The board shows this from now on."""
        desk = self._desk
        if desk is None:
            return
        if isinstance(subject, Device):
            desk.changed(subject)
        elif isinstance(subject, DeviceRemoved):
            desk.removed(subject.dev_eui)

    def hand_over_anew(self) -> None:
        """The dispatcher is new, or lost what it was given."""
        if self._desk is not None:
            self._desk.start(self._ports.board.devices.values())

    async def known(self, shard: str, command_ids: Sequence[str]) -> set[str]:
        """Of these commands those that their lights have dealt with. Raises StoreUnavailable.

        One whose record says no more than that it was accepted may be its light's open command:
        the light itself knows that.
        """
        board = self._ports.board
        known = set()
        asked = []
        for command_id in command_ids:
            command = board.command(command_id)
            if command is not None and _pursued(command):
                known.add(command_id)
            else:
                asked.append(command_id)
        found = await self._ports.engine.get([(shard, Table.COMMAND, one) for one in asked])
        for command_id, record in zip(asked, found, strict=True):
            try:
                if record is not None and _pursued(read_command(record)):
                    known.add(command_id)
            except msgspec.MsgspecError:
                known.add(command_id)  # a newer program's: it is not ours to begin anew
        await trio.lowlevel.checkpoint()
        return known

    # ---------------------------------------------------------------- how

    def _take(self, message: Message, place: Place) -> Taken:
        if isinstance(message, ForLight | LightGone | FailoverTook) and (
            message.asker and self._before.again(message.asker, message.ask, place.id)
        ):
            return Taken.DONE
        if place.shard != FLEET:
            return self.light_side.take(message, place)
        return Taken.DONE if self._fleet_side is None else self._fleet_side.take(message, place)

    def _to_light(self, message: Message) -> Offer | None:
        return self.light_side.offer(message)

    def _to_fleet(self, message: Message) -> None:
        if self._fleet_side is not None:
            self._fleet_side.offer(message)

    def fleet_event(self, event: Event, past: bool = False) -> None:
        """To what runs once for the fleet, if that is here."""
        if self._fleet_side is not None:
            self._fleet_side.network(event, past=past)


def _pursued(command: Command) -> bool:
    return command.status.final or len(command.timeline) > 1 or command.steps_omitted > 0
