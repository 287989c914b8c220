"""The same seed and code give the same trace: again, in another process, with another hash seed."""

import json
import os
import subprocess
import sys

import pytest

from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from simulation.harness.swarm import swarm

SEEDS = (
    ("storm", 5),
    ("swarm", 7),
    ("swarm", 19),
    ("swarm", 36),
    ("leases", 1000),
    ("cluster", 103),
)
"""The last swarm with a locked database, a server that stands still and disabled devices."""


def hash_in_another_process(faults: str, seed: int) -> str:
    command = ["-m", "api.cli", "simulate", "--json", "--faults", faults, "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=True,
        timeout=55,
    )
    said: dict[str, dict[str, str]] = json.loads(done.stdout)
    return said["result"]["hash"]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("faults", "seed"), SEEDS)
def test_one_seed_is_one_trace_wherever_it_runs(faults: str, seed: int) -> None:
    """Our own process has a hash seed of its own and, mostly, has simulated something before."""
    there = hash_in_another_process(faults, seed)
    here = simulate(scenario(seed, faults))
    assert there == here.hash
    assert here.violation is None, here.last_events
    if faults == "cluster":
        assert here.counts["verified"] > 0
        assert here.lives >= 2


@pytest.mark.parametrize(("faults", "seed"), [("storm", 5), ("leases", 1000)])
def test_what_ran_before_leaves_nothing_behind(faults: str, seed: int) -> None:
    first = simulate(scenario(seed, faults)).hash
    assert simulate(scenario(seed, faults)).hash == first


def test_another_seed_is_another_trace() -> None:
    hashes = {simulate(scenario(seed, "city", hours=0.2)).hash for seed in range(3)}
    assert len(hashes) == 3


def test_a_swarm_is_drawn_from_its_seed_alone_and_is_as_mixed_as_promised() -> None:
    assert swarm(11) == swarm(11)
    drawn = [swarm(seed) for seed in range(300)]
    for name in ("uplink_loss", "event_late", "call_reply_lost", "restart_every_s", "tx_error"):
        present = sum(getattr(one.world, name) > 0 for one in drawn)
        assert 60 < present < 240, name
    for name in ("kill_every_s", "light_crash", "part_crash", "store_fails_every_s"):
        present = sum(getattr(one.service, name) > 0 for one in drawn)
        assert 30 < present < 240, name
    for name in ("locked", "frozen", "proxy", "no_right", "disabled"):
        present = sum(getattr(one.world, f"{name}_every_s") > 0 for one in drawn)
        assert 30 < present < 120, name
    assert {one.wire for one in drawn} == {"event", "json", "protobuf"}
    assert {one.devices for one in drawn} == {1, 2, 3, 4, 5}
