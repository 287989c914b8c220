"""A fleet as it may be: most lights are well, some behind a dead gateway, some without power.

97 % normal (p = 3 %), 2 % in a gateway outage of 30 min, 1 % unpowered up to 14 h; an order comes
at any moment of the trouble. Each kind is measured on its own and then weighted, so that the rare
ones are not a matter of luck.

Frames are counted on the air, by what they carry, settings after a join too.
"""

from dataclasses import dataclass
from functools import partial

import trio

from actors.device.command import CommandStatus
from actors.device.model import Phase
from lorawan.kuando import LightState
from simulation.world.world import World
from tests.reliability.site import COLOUR_BYTES, COLOURS, empty_world, own_gateway
from tests.reliability.trials import trials_of
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication

WEIGHTS = {"normal": 0.97, "gateway outage": 0.02, "unpowered": 0.01}
LOSS = 0.03
OUTAGE_S, UNPOWERED_S, BETWEEN_S = 1_800.0, 14 * 3_600.0, 900.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One command: seconds to its verdict, frames on the air that set colours, and others."""

    verified_s: float | None
    colours: int
    settings: int


def run(kind: str, commands: int, seed: int) -> list[Trial]:
    """So many commands to lights in this kind of trouble."""
    return in_virtual_time(_run, kind, commands, seed)


async def _run(kind: str, commands: int, seed: int) -> list[Trial]:
    world = empty_world(seed)
    return await trials_of(world, seed, LOSS, commands, partial(_command_often, kind))


async def _command_often(
    kind: str,
    home: RunningApplication,
    world: World,
    dev_eui: str,
    rounds: int,
    trials: list[Trial],
) -> None:
    for number in range(rounds):
        await trio.sleep(15.0 + world.rng.uniform(0.0, BETWEEN_S))
        await home.parts.board.wait_device(dev_eui, lambda d: d.phase is Phase.IDLE, DAY_S)
        light = COLOURS[number % len(COLOURS)]
        async with trio.open_nursery() as trouble:
            if kind == "gateway outage":
                await trouble.start(_gateway_away, world, own_gateway(world, dev_eui))
            elif kind == "unpowered":
                await trouble.start(_without_power, world, dev_eui)
            trials.append(await _command(home, world, dev_eui, light))


async def _gateway_away(
    world: World, gateway_id: str, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    world.stop_gateway(gateway_id)
    before_s = world.rng.uniform(0.0, OUTAGE_S)
    await trio.sleep(before_s)
    task_status.started()
    await trio.sleep(OUTAGE_S - before_s)
    world.start_gateway(gateway_id)


async def _without_power(
    world: World, dev_eui: str, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    world.unplug(dev_eui)
    before_s = world.rng.uniform(0.0, UNPOWERED_S)
    await trio.sleep(before_s)
    task_status.started()
    await trio.sleep(UNPOWERED_S - before_s)
    world.plug(dev_eui)


async def _command(
    home: RunningApplication, world: World, dev_eui: str, light: LightState
) -> Trial:
    ledger = world.gateways[own_gateway(world, dev_eui)].ledger
    before = len(ledger)
    ordered = await home.command(dev_eui, light)
    done = await home.final(ordered.id, 2 * DAY_S)
    sent = [frame for frame in list(ledger)[before:] if frame.f_port is not None]
    colours = sum(len(frame.data) in COLOUR_BYTES for frame in sent)
    took_s = None
    if done.status is CommandStatus.VERIFIED and done.ended_at is not None:
        took_s = done.ended_at - done.accepted_at
    return Trial(took_s, colours, len(sent) - colours)
