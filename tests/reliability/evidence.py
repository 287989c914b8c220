"""The plan as it is: three timed attempts, then what the light lets be heard; 15 min heartbeats.

A command counts as never verified only when its day is over.
"""

import trio

from actors.device.command import CommandStatus
from simulation.world.world import World
from tests.reliability.site import COLOURS, empty_world, in_virtual_time
from tests.reliability.trials import trials_of
from tests.support.running_application import RunningApplication

LOSSES = (0.01, 0.05, 0.10, 0.20, 0.30)
DAY_S = 86_400.0
HORIZONS_S = {"2 min": 120.0, "20 min": 1_200.0, "60 min": 3_600.0, "24 h": DAY_S}
GOALS = {
    (0.05, "20 min"): 0.9999,
    (0.10, "20 min"): 0.999,
    (0.20, "20 min"): 0.99,
    (0.30, "60 min"): 0.995,
    **{(loss, "24 h"): 1.0 for loss in LOSSES},
}
HEARTBEAT_S = 900.0


def run(loss: float, commands: int, seed: int) -> list[tuple[float | None, int]]:
    """Seconds to the verdict (None: none within a day) and frames, of each command."""
    return in_virtual_time(_run, loss, commands, seed)


async def _run(loss: float, commands: int, seed: int) -> list[tuple[float | None, int]]:
    world = empty_world(seed)
    return await trials_of(world, seed, loss, commands, _command_often)


async def _command_often(
    home: RunningApplication,
    world: World,
    dev_eui: str,
    rounds: int,
    trials: list[tuple[float | None, int]],
) -> None:
    for number in range(rounds):
        # anywhere between two heartbeats
        await trio.sleep(15.0 + world.rng.uniform(0.0, HEARTBEAT_S))
        ordered = await home.command(dev_eui, COLOURS[number % len(COLOURS)])
        done = await home.final(ordered.id, 2 * DAY_S)
        verified = done.status is CommandStatus.VERIFIED
        took_s = done.ended_at - done.accepted_at if verified and done.ended_at else None
        trials.append((took_s, done.attempts))
