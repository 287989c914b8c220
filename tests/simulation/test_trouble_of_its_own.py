"""One device's trouble is its own: with a light's crashes removed, the others' traces are the same.

Each light has a gateway of its own, for on a shared one a frame that comes later is felt by all;
and what lights teach each other of answers and pace, which a crash changes, is left out.
"""

from collections.abc import Callable

import msgspec
import pytest

from simulation.harness import determinism
from simulation.harness.build import without_logs
from simulation.harness.run import Simulation
from simulation.harness.scenario import Demand, ServiceFaults
from simulation.harness.scenarios import scenario
from simulation.world.radio import Link
from tests.simulation.extent import MANY

FAULTS = ServiceFaults(light_crash=0.1)
LIGHTS = 4


def run(seed: int, trouble: Callable[[Simulation, str], None]) -> Simulation:
    """A run to its end; `trouble` says what goes wrong with the first light."""
    calm = scenario(seed, "calm", devices=LIGHTS, gateways=LIGHTS, hours=0.5)
    asked = msgspec.structs.replace(
        calm, service=FAULTS, people=Demand(command_every_s=120.0), nothing_shared=True
    )

    async def main() -> Simulation:
        simulation = Simulation(asked)
        stations = simulation.world.stations
        for station, gateway_id in zip(stations.values(), simulation.world.gateways, strict=True):
            station.links = {gateway_id: Link(uplink_rssi_dbm=-90.0, downlink_rssi_dbm=-90.0)}
        trouble(simulation, next(iter(stations)))
        await simulation.run()
        return simulation

    with without_logs():
        done = determinism.run(main, seed=seed)
    assert done.oracle.violation is None
    return done


def times(simulation: Simulation, dev_eui: str) -> list[float]:
    """When the commands of a light were accepted, and when they ended (world seconds)."""
    commands = simulation.oracle.lights[dev_eui].commands
    return [at for one in commands for at in (one.since_s, one.ended_s or 0.0)]


def crashes(simulation: Simulation, dev_eui: str) -> None:
    simulation.process.injector.only = frozenset({dev_eui})


def peace(simulation: Simulation, dev_eui: str) -> None:
    simulation.process.injector.only = frozenset()


@pytest.mark.parametrize("seed", range(1, 9 if MANY else 5))
def test_a_light_that_crashes_changes_nothing_for_the_others(seed: int) -> None:
    quiet, loud = run(seed, peace), run(seed, crashes)
    first, *others = quiet.world.stations
    assert quiet.process.injector.counts["light crash"] == 0
    assert loud.process.injector.counts["light crash"] > 3
    for dev_eui in others:
        assert loud.digests[dev_eui] == quiet.digests[dev_eui]
        assert times(loud, dev_eui) == pytest.approx(times(quiet, dev_eui), abs=1e-3)
        assert len(times(quiet, dev_eui)) > 4
    assert loud.digests[first] != quiet.digests[first]
