"""A day of two lights that may be killed at any commit: the scenario of the crash matrix.

Callers and world live on while the service is dead, as they do outside. A caller repeats a request
with its idempotency key until it is told, and what it was told is held against the service for ever
after.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import msgspec
import trio

from actors.commands import Accepted, CommandOrder
from actors.device.command import Command, CommandStatus
from actors.device.model import Phase
from actors.downlink import airtime_log
from lorawan.kuando import LightState
from simulation.harness import determinism
from simulation.world.device import ServerDevice
from simulation.world.faults import CallFault
from simulation.world.queue import QueueEntry
from simulation.world.world import World
from store.memory import MemoryDisk, MemoryStore
from store.port import Put, Table, Write
from tests.support.oracle import Oracle
from tests.support.running_application import RunningApplication, running_application

A, B = "2020204100000000", "2020204100000001"
DOWN_S = 2.0
"""How long the service is dead; what ChirpStack tells meanwhile is lost."""
LOOK_S = 1.0
PATIENCE_S = 1_800.0
"""Virtual seconds for anything to come true; retries on evidence alone take some minutes."""


class Moment(Enum):
    """Where the service is killed, as seen from one commit."""

    BEFORE = "before"
    """It never reached the disk."""
    AFTER = "after"
    """It is on the disk, and nobody was told."""


def make_two_lights() -> World:
    """Two gateways that hear two lights of new firmware."""
    world = World(1)
    for number in range(2):
        world.add_gateway(f"0016c001f110{number:04x}", f"Roof {number}")
    for dev_eui in (A, B):
        world.add_light(dev_eui).plug()
    return world


@dataclass
class Day:
    """One run of the scenario, killed at commit `kill_at` (counted from 1), or never."""

    kill_at: int | None = None
    moment: Moment = Moment.BEFORE
    world: World = field(default_factory=make_two_lights)
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    commits: list[Sequence[Write]] = field(default_factory=list)
    told: list[Command] = field(default_factory=list)
    colours: dict[str, list[LightState]] = field(default_factory=lambda: defaultdict(list))
    killed: bool = False
    _home: RunningApplication | None = None
    _kill: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """The whole day and its checks. Raises AssertionError, or what went wrong."""
        self._watch_queues()
        async with trio.open_nursery() as outer:
            await outer.start(self.world.run)
            outer.start_soon(self._live)
            with trio.fail_after(3 * PATIENCE_S):
                await self._story()
                await self._check_the_end()
            outer.cancel_scope.cancel(reason="the day is over")

    # ------------------------------------------------------------ the service, one life or two

    async def _live(self) -> None:
        await self._life(7)
        assert self.killed, "a service that nobody kills lives on"
        await trio.sleep(DOWN_S)
        await self._life(8)

    async def _life(self, seed: int) -> None:
        store = MemoryStore(
            self.disk, before_commit=self._before_commit, after_commit=self._after_commit
        )
        with trio.CancelScope() as scope:
            self._kill = lambda: scope.cancel(reason="killed")
            try:
                async with (
                    running_application(self.world, seed=seed, store=store) as home,
                    trio.open_nursery() as nursery,
                ):
                    self._check_airtime(home)
                    await nursery.start(Oracle(home, self.world, {}).run)
                    self._home = home
                    await trio.sleep_forever()
            finally:
                self._home = None

    async def _before_commit(self, writes: Sequence[Write]) -> None:
        self.commits.append(writes)
        await self._perhaps_die(Moment.BEFORE)

    async def _after_commit(self, writes: Sequence[Write]) -> None:
        await self._perhaps_die(Moment.AFTER)

    async def _perhaps_die(self, moment: Moment) -> None:
        if self.killed or len(self.commits) != self.kill_at or moment is not self.moment:
            return
        self.killed = True
        self.disk.take(None)  # whatever the dead still try to write is refused
        self.world.delivery.sink = None
        self._home = None
        self._kill()
        await trio.sleep_forever()

    def _check_airtime(self, home: RunningApplication) -> None:
        """What the disk knows of the sent frames, the dispatcher knows again."""
        kept: dict[str, float] = dict.fromkeys(self.world.gateways, 0.0)
        for record in self.disk.records(Table.META):
            if record.key.startswith(airtime_log.KEY):
                stored = msgspec.json.decode(record.value, type=airtime_log.AirtimeRecord)
                gateway_id = record.key.removeprefix(airtime_log.KEY)
                kept[gateway_id] += sum(spent_ms for _, spent_ms in stored.spent_ms) / 1_000.0
        for gateway_id, airtime_s in kept.items():
            used_s = home.parts.fleetwide.dispatcher.airtime(gateway_id, home.now())[0]
            assert abs(used_s - airtime_s) < 0.2, f"{gateway_id}: {used_s} s, not {airtime_s} s"

    def _watch_queues(self) -> None:
        """At most one item of ours for a light: looked at whenever one is added."""
        rules = self.world.rules
        enqueue = rules.enqueue

        def watched(device: ServerDevice, entry: QueueEntry) -> None:
            enqueue(device, entry)
            assert len(device.queue) == 1, f"{device.info.dev_eui}: {device.queue.items()}"

        rules.enqueue = watched  # type: ignore[method-assign]

    # ------------------------------------------------------------ callers

    async def _living(self) -> RunningApplication:
        while self._home is None:  # noqa: ASYNC110 nobody tells of a life
            await trio.sleep(0.1)
        return self._home

    async def order(self, dev_eui: str, *colour: int) -> Command:
        """A caller's command, repeated until it is told that it was accepted."""
        light = LightState(*colour)
        self.colours[dev_eui].append(light)
        key = f"{dev_eui} {light}"
        while True:
            home = await self._living()
            outcome = await home.application.commands.give(
                CommandOrder(
                    dev_eui=dev_eui, light=light, keep=True, idempotency_key=key, fingerprint=key
                )
            )
            if isinstance(outcome, Accepted):
                self.told.append(outcome.command)
                return outcome.command
            await trio.sleep(0.1)

    async def until(self, what: str, true: Callable[[RunningApplication], Awaitable[bool]]) -> None:
        with trio.move_on_after(PATIENCE_S):
            while not await true(await self._living()):  # noqa: ASYNC110 over two lives
                await trio.sleep(LOOK_S)
            return
        raise AssertionError(f"never: {what}")

    async def verified(self, command: Command) -> None:
        async def true(home: RunningApplication) -> bool:
            found = await home.application.commands.find(command.id)
            assert found is not None, f"{command.id} was told and is lost"
            return found.status is CommandStatus.VERIFIED

        await self.until(f"{command.light} verified", true)

    async def idle(self) -> None:
        async def true(home: RunningApplication) -> bool:
            devices = home.devices
            return len(devices) == 2 and all(d.phase is Phase.IDLE for d in devices.values())

        await self.until("all lights idle", true)

    # ------------------------------------------------------------ the story

    async def _story(self) -> None:
        world = self.world
        await self.idle()  # joined, settings sent and proven
        await self.verified(await self.order(A, 255, 0, 0))
        async with trio.open_nursery() as nursery:  # two lights in one commit
            nursery.start_soon(self.order, A, 0, 255, 0)
            nursery.start_soon(self.order, B, 0, 255, 0)
        newer = await self.order(A, 0, 0, 255)  # the green before is superseded on its way
        await self.verified(newer)
        await self.idle()

        world.set_loss(downlink=1.0, dev_eui=A)
        lost = await self.order(A, 255, 255, 0)
        world.network.faults.order(CallFault.REPLY_LOST, method="enqueue")
        unanswered = await self.order(B, 0, 0, 255)

        async def transmitted(home: RunningApplication) -> bool:
            found = await home.application.commands.find(lost.id)
            return found is not None and found.status is CommandStatus.TRANSMITTED

        await self.until("the frame is in the air", transmitted)
        await trio.sleep(5)
        world.set_loss(downlink=0.0, dev_eui=A)
        await self.verified(unanswered)
        await self.verified(lost)

        for gateway_id in world.gateways:
            world.stop_gateway(gateway_id)
        await self.until("gateways offline", _all_offline)
        held = await self.order(A, 0, 255, 255)
        await trio.sleep(15)
        for gateway_id in world.gateways:
            world.start_gateway(gateway_id)
        await self.verified(held)

        world.restart_light(B)
        await trio.sleep(5)

        async def restored(home: RunningApplication) -> bool:
            return world.showing(B) == unanswered.light

        await self.until("restored after the rejoin", restored)
        await self.idle()
        await trio.sleep(45)  # an item or a frame of an older colour would show by now

    async def _check_the_end(self) -> None:
        home = await self._living()
        await self.idle()
        ids = {command.id for command in self.told}
        newest = {command.dev_eui: command for command in self.told}
        for command in self.told:
            found = await home.application.commands.find(command.id)
            assert found is not None, f"{command.id} was told and is lost"
            assert found.light == command.light
            if found.status is CommandStatus.SUPERSEDED:
                assert found.superseded_by in ids
                assert newest[command.dev_eui].id != command.id
            else:
                assert found.status is CommandStatus.VERIFIED, found
        for dev_eui, command in newest.items():
            assert self.world.showing(dev_eui) == command.light
            assert home.devices[dev_eui].reported == command.light
            self._check_order(dev_eui)

    def _check_order(self, dev_eui: str) -> None:
        """No older colour came after a newer one; each command has a colour of its own."""
        order = self.colours[dev_eui]
        shown = [s.light for s in self.world.stations[dev_eui].light.truth]
        numbers = [order.index(light) for light in shown if light in order]
        assert numbers == sorted(numbers), f"{dev_eui} showed the commands in order {numbers}"


def lived(kill_at: int | None = None, moment: Moment = Moment.BEFORE) -> Day:
    """A day to its end. Raises what went wrong, with the commit at which it was killed."""
    day = Day(kill_at, moment)
    try:
        determinism.run(day.run, seed=1)
    except BaseException as error:
        error.add_note(f"killed {moment.value} commit {kill_at}: {_words(day, kill_at)}")
        raise
    return day


def _words(day: Day, number: int | None) -> object:
    return None if number is None or number > len(day.commits) else day.commits[number - 1]


def kill_at_every_commit() -> str:
    """The whole matrix: at each commit of the day, in both moments. Raises AssertionError."""
    steps = len(lived().commits)
    for number in range(1, steps + 1):
        for moment in Moment:
            assert lived(number, moment).killed, f"commit {number} was never reached"
    return f"{steps} commits of a day, killed before and after each, nothing told is lost or false"


async def _all_offline(home: RunningApplication) -> bool:
    gateways = home.board.gateways
    return len(gateways) == 2 and not any(view.online for view in gateways.values())


def lights_in(writes: Sequence[Write]) -> int:
    """How many lights' records one commit holds."""
    return len({w.key for w in writes if isinstance(w, Put) and w.table is Table.DEVICE})
