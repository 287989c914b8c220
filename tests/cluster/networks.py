"""Networks that are cut under load: three servers with a Sentinel each on three machines (network
namespaces, which need Linux and root), and three processes that reach all of them.

Either the master's machine hears nothing of the other two, which promote one of theirs, while the
processes reach the old master as before; or what the master answers to the processes gets lost,
while the Sentinels find it well: what was sent meanwhile is carried out and not answered.
"""

import random
from collections.abc import Callable

from tests.cluster.hurt import Tally, Trial, tried
from tests.support.machines import Machines

SERVERS = 3
LIGHTS = 6


async def cut(cuts: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> Tally:
    """So many cuts of either kind. Raises CalledProcessError where there may be no namespaces."""
    chance = random.Random(f"cuts {seed}")
    with Machines(SERVERS) as machines:

        async def run(trial: Trial) -> None:
            for number in range(cuts):
                kinds = (trial.split_master, trial.lose_master)
                await (chance.choice(kinds) if number > 1 else kinds[number])(machines)

        return await tried(run, seed, lights=LIGHTS, machines=list(machines), tell=tell)
