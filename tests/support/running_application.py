"""The application over the pretend world, in process and virtual time: no sockets, no threads.

The actors are the production ones; only store, network and clock are others.
"""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from actors.application import Application
from actors.board.board import Board
from actors.calibration.model import CalibrationPolicy
from actors.clocks.clock import RunClock
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command
from actors.device.model import Device, Phase
from actors.device.policy import Policy
from actors.downlink import DispatchPolicy
from actors.environment import Integration, IntegrationPorts
from actors.gateways import WatchPolicy
from actors.outgoing.ports import NoSender, Sender
from actors.wiring import Environment as Outside
from actors.wiring import Parts, Policies
from lorawan.kuando import LightState
from lorawan.stream.source import EventSource
from simulation.world.layout import FIRMWARE_MIX
from simulation.world.profile import CALM, Profile
from simulation.world.world import DEFAULT_EPOCH_AT, World
from store.memory import MemoryDisk, MemoryStore
from store.port import Store

POLICIES = Policies(
    device=Policy(),
    dispatch=DispatchPolicy(rx2_dr=3),
    watch=WatchPolicy(offline_after_s=90.0),
    calibration=CalibrationPolicy(automatic=False),
)


@dataclass
class RunningApplication:
    """A running application and its world."""

    application: Application
    parts: Parts
    world: World

    @property
    def devices(self) -> dict[str, Device]:
        """Every light on the board."""
        return dict(self.board.devices)

    @property
    def board(self) -> Board:
        """What is known now."""
        return self.parts.board

    def now(self) -> float:
        """Unix seconds by the service's clock."""
        return self.application.clock.now()

    async def command(self, dev_eui: str, light: LightState, **more: object) -> Command:
        """Order a colour; it must be accepted."""
        asked: dict[str, object] = {"keep": True, "correlation_id": "test"}
        order = CommandOrder(dev_eui=dev_eui, light=light, **(asked | more))  # type: ignore[arg-type]
        outcome = await self.application.commands.give(order)
        assert isinstance(outcome, Accepted), outcome
        return outcome.command

    async def final(self, command_id: str, timeout_s: float = 3_600.0) -> Command:
        """Wait until a command is final, through holds."""
        command = await self.parts.board.wait_command(
            command_id, lambda c: c.status.final, timeout_s
        )
        assert command is not None
        return command

    async def settled(self, timeout_s: float = 1_800.0) -> None:
        """Wait until every light has its settings and is idle."""
        with trio.fail_after(timeout_s):
            for dev_eui in self.world.stations:
                device = await self.parts.board.wait_device(
                    dev_eui, lambda d: d.phase is Phase.IDLE, timeout_s
                )
                assert device is not None, f"{dev_eui} is not known"


def make_world(
    *,
    lights: int = 4,
    gateways: int = 2,
    seed: int = 1,
    profile: Profile = CALM,
    heartbeat_s: float | None = None,
    firmware: tuple[tuple[int, float], ...] = FIRMWARE_MIX,
) -> World:
    """A small building whose time is the tests' virtual time."""
    return World.build(
        seed,
        lights=lights,
        gateways=gateways,
        profile=profile,
        heartbeat_s=heartbeat_s,
        firmware=firmware,
        power_on_spread_s=20.0,
    )


@asynccontextmanager
async def running_application(
    world: World,
    disk: MemoryDisk | None = None,
    *,
    seed: int = 7,
    policies: Policies = POLICIES,
    store: Store | None = None,
    clock: RunClock | None = None,
    events: EventSource | None = None,
    webhooks: bool = True,
    sender: Sender | None = None,
    integrations: Mapping[str, Callable[[IntegrationPorts], Integration]] | None = None,
) -> AsyncIterator[RunningApplication]:
    """An application over `world` (which somebody else runs), on a disk that may outlive it.

    `store` may be given instead of the disk, where the test wants to hear of each commit; `clock`
    where the host's clock is not that of the world; `events` is ChirpStack's stream, beside the
    webhooks or without.
    """
    store = store or MemoryStore(disk or MemoryDisk())
    await store.open()
    rng = random.Random(seed)
    outside = Outside(
        store=store,
        network=world.network,
        clock=clock or RunClock(DEFAULT_EPOCH_AT + trio.current_time() - world_began(world)),
        rng=rng,
        boot=f"{rng.getrandbits(32):08x}",
        new_id=lambda: f"{rng.getrandbits(64):016x}",
        events=events,
        events_name="stream",
        sender=sender or NoSender(),
        integrations=integrations or {},
    )
    parts = Parts(outside, policies)
    application = Application(parts)
    async with trio.open_nursery() as nursery:
        world.delivery.sink = application.event_door.deliver if webhooks else None
        await nursery.start(application.run)
        try:
            yield RunningApplication(application, parts, world)
        finally:
            world.delivery.sink = None
            nursery.cancel_scope.cancel(reason="the test ends")
    await store.close()


def world_began(world: World) -> float:
    """Trio's time at world second 0."""
    world.kernel.catch_up()
    return trio.current_time() - world.kernel.now
