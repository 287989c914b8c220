"""Attempts, hearings and a dispatcher in a service of its own, for the dispatcher's tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import trio

from actors.clocks.clock import RunClock
from actors.device.events import (
    AttemptHeld,
    AttemptQueued,
    AttemptRefused,
    DeviceEvent,
)
from actors.device.model import Attempt, Hearing, Obstacle
from actors.downlink import Dispatcher, DispatchPolicy, WaitingAttempt
from actors.reasons import text_of
from lorawan.kuando import LightState, SetLight
from lorawan.network import NetworkError
from tests.support.scripted_network import ScriptedNetwork

START = 1_800_000_000.0
POLICY = DispatchPolicy(rx2_dr=3)  # SF9


def attempt(
    number: int = 1,
    *,
    at: float = START,
    retry: bool = False,
    not_before: float = 0.0,
    marker_us: int = 123_456,
    red: int = 255,
) -> Attempt:
    frame = SetLight(LightState(red, 0, 0), reply=True)
    return Attempt(number, frame, marker_us, at, not_before, retry)


def hearing(
    gateway_id: str = "gw-a", margin_db: float = 15.0, *, latest: bool = True, sf: int = 9
) -> Hearing:
    needed_db = -7.5 - 2.5 * (sf - 7)
    return Hearing(
        gateway_id,
        START - 60.0,
        -90,
        needed_db + margin_db,
        margin_db,
        latest,
        spreading_factor=sf,
    )


def hearings(*gateway_ids: str) -> tuple[Hearing, ...]:
    return tuple(hearing(gateway_id) for gateway_id in gateway_ids or ("gw-a",))


@dataclass
class RunningDispatcher:
    """A dispatcher that runs, the network it talks to, and what the lights were told."""

    clock: RunClock
    network: ScriptedNetwork
    dispatcher: Dispatcher = field(init=False)
    told: list[tuple[float, str, DeviceEvent]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    key_refused: bool = False
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    def post(self, dev_eui: str, event: DeviceEvent) -> None:
        self.told.append((self.clock.now(), dev_eui, event))

    def news(self, dev_eui: str = "light-1") -> list[DeviceEvent]:
        return [event for _, to, event in self.told if to == dev_eui]

    def words(self, waiting: WaitingAttempt) -> str:
        return text_of(waiting.reason, self.clock.now())

    def held(self, dev_eui: str = "light-1") -> list[str]:
        return [event.reason for event in self.news(dev_eui) if isinstance(event, AttemptHeld)]

    def obstacles(self, dev_eui: str = "light-1") -> list[Obstacle]:
        """What a person has to remove, as told."""
        return [
            event.obstacle
            for event in self.news(dev_eui)
            if isinstance(event, AttemptHeld) and event.obstacle is not None
        ]

    def queued(self, dev_eui: str = "light-1") -> list[AttemptQueued]:
        return [event for event in self.news(dev_eui) if isinstance(event, AttemptQueued)]

    def refused(self, dev_eui: str = "light-1") -> list[str]:
        return [event.reason for event in self.news(dev_eui) if isinstance(event, AttemptRefused)]

    def enqueued(self, dev_eui: str | None = None) -> list[float]:
        """When items were put into the queue, seconds since the start."""
        return [
            at - START
            for at, to, _ in self.network.server.enqueued
            if dev_eui is None or to == dev_eui
        ]

    async def restart(self, nursery: trio.Nursery) -> None:
        """Cancel the incarnation and start another one on the same object."""
        self.scope.cancel(reason="test")
        await trio.testing.wait_all_tasks_blocked()
        self.scope = trio.CancelScope()
        await nursery.start(self.serve)

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with self.scope:
            await self.dispatcher.run(task_status)


@asynccontextmanager
async def application(
    policy: DispatchPolicy = POLICY,
    *,
    seed: int = 1,
    ticking: bool = True,
    latency_s: float = 0.01,
    on_unproven: Callable[[str, bool], None] = lambda gateway_id, unproven: None,
) -> AsyncIterator[tuple[RunningDispatcher, trio.Nursery]]:
    """A running dispatcher; leaving ends it. Use with a mock clock."""
    clock = RunClock(START)
    network = ScriptedNetwork(clock, Random(seed), latency_s=latency_s)
    built = RunningDispatcher(clock, network)
    dispatcher = built.dispatcher = Dispatcher(
        network,
        built.post,
        clock,
        Random(seed + 1),
        policy,
        on_started=lambda: built.starts.append(clock.now()),
        key_refused=lambda: built.key_refused,
        on_unproven=on_unproven,
    )

    network.on_txack = dispatcher.transmitted
    async with trio.open_nursery() as nursery:
        await nursery.start(built.serve)
        if ticking:
            nursery.start_soon(network.run_scheduler)
        yield built, nursery
        nursery.cancel_scope.cancel(reason="the test is over")


def fails(
    *calls: str, error: Callable[[], NetworkError], times: int = 10_000, dev_eui: str | None = None
) -> Callable[[str, str], NetworkError | None]:
    left = [times]

    def script(call: str, to: str) -> NetworkError | None:
        if call not in calls or left[0] == 0 or dev_eui not in {None, to}:
            return None
        left[0] -= 1
        return error()

    return script


def submit(it: RunningDispatcher, *lights: str) -> None:
    for dev_eui in lights or ("light-1",):
        it.network.server.add(dev_eui, "gw-a")
        it.dispatcher.submit(dev_eui, attempt(), hearings())
