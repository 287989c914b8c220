"""A verdict that a failover took may be another one later only where nobody can bring it back."""

import pytest
import trio

from actors.device.command import Command, CommandStatus
from actors.device.records import command_record
from actors.replace import replace
from lorawan.kuando import LightState
from simulation.harness.build import build_world
from simulation.harness.cluster.houses import SETTLE_S, Houses
from simulation.harness.cluster.oracle import ClusterOracle
from simulation.harness.scenarios import scenario
from simulation.harness.trace import Trace
from store.engine.memory import MemoryServers
from store.engine.port import Accept, Accepted, AcceptResult, Commit
from store.engine.shards import shard_of
from store.port import Put, Table, outcome

RED = LightState(255, 0, 0)


class Story:
    """One light, an engine with a replica, and the oracle that looks on."""

    def __init__(self, need: int = 1) -> None:
        world = build_world(scenario(1, "cluster", devices=1, gateways=1, hours=0.1))
        self.servers = MemoryServers(replicas=1)
        self.oracle = ClusterOracle(world, Trace(), self.servers, need)
        [self.light] = world.stations
        self.shard = shard_of(self.light)
        self.command = Command("c1", self.light, RED, True, 1.0, 600.0)
        self.ended = replace(self.command, status=CommandStatus.REJECTED, ended_at=2.0)

    def store(self, command: Command) -> None:
        [master] = self.servers.masters
        assert master is not None
        put = Put(Table.COMMAND, command.id, command_record(command), 1.0)
        master.run([lambda data, now_ms, ring: data.shard(self.shard).disk.apply([put])])
        self.oracle.carried_out(master, Commit(self.shard, "1.a", 1, outcome([put])))

    def fail_over_after(self, lost: Command) -> None:
        [master] = self.servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True
        self.store(lost)
        self.servers.fail_over()
        self.oracle.set_back(self.light)


def superseded(story: Story) -> Command:
    newer = replace(story.command, id="c2")
    story.store(newer)
    status = CommandStatus.SUPERSEDED
    return replace(story.command, status=status, superseded_by=newer.id, ended_at=3.0)


@pytest.mark.parametrize("knower_is_away", [True, False])
async def test_a_lost_verdict_may_be_another_one_where_whoever_knew_it_is_away(
    autojump_clock: object, knower_is_away: bool
) -> None:
    story = Story()
    story.store(story.command)
    await trio.sleep(1)
    story.fail_over_after(story.ended)
    if knower_is_away:
        story.oracle.excuse(story.light)
    story.store(superseded(story))
    assert (story.oracle.violation is None) is knower_is_away


async def test_a_lost_verdict_comes_back_step_by_step_as_it_was(autojump_clock: object) -> None:
    story = Story()
    story.store(story.command)
    await trio.sleep(1)
    story.fail_over_after(story.ended)
    story.store(story.command)
    story.store(story.ended)
    assert story.oracle.violation is None
    story.store(superseded(story))
    assert story.oracle.violation is not None, "it is final again"


async def test_nobody_goes_back_behind_a_verdict_that_no_failover_took(
    autojump_clock: object,
) -> None:
    story = Story()
    story.store(story.command)
    story.store(story.ended)
    assert story.oracle.violation is None
    story.store(story.command)
    assert story.oracle.violation is not None


async def test_a_command_is_as_old_as_it_was_asked_for_of_any_master(
    autojump_clock: object,
) -> None:
    """What an old master alone had comes to the new one behind what is newer, and gives way."""
    story = Story()
    await trio.sleep(1)
    old = story.servers.fail_over(old_lives=True)
    [new] = story.servers.masters
    assert new is not None
    for master, command_id in ((old, "c1"), (new, "c2")):
        record = command_record(replace(story.command, id=command_id))
        asked = Accept(story.shard, story.light, command_id, record, b"", 1.0)
        story.oracle.accepted_by(master, asked, AcceptResult(Accepted.STORED, command_id))
        await trio.sleep(1)
    story.store(story.command)
    status = CommandStatus.SUPERSEDED
    story.store(replace(story.command, status=status, superseded_by="c2", ended_at=3.0))
    assert story.oracle.violation is None


async def test_what_is_missing_is_looked_at_once_all_that_can_come_back_has_come(
    autojump_clock: object,
) -> None:
    """A run may be quiet sooner; until then a command that was lost with whoever had accepted it
    was taken for lost by the service."""
    story = Story()
    houses = object.__new__(Houses)
    houses._oracle, houses._healed_s = story.oracle, trio.current_time()
    [master] = story.servers.masters
    assert master is not None
    master.replicas[0].held = True
    story.store(story.command)
    story.servers.fail_over()
    story.oracle.excuse(story.light)
    assert story.oracle.missing(story.light) is not None
    since = trio.current_time()
    await houses.settled()
    assert trio.current_time() - since == SETTLE_S
    assert story.oracle.missing(story.light) is None


@pytest.mark.parametrize(("need", "is_lost"), [(0, True), (0, False), (1, True)])
async def test_one_key_makes_two_commands_only_where_a_failover_took_the_first_and_need_is_0(
    autojump_clock: object, need: int, is_lost: bool
) -> None:
    story = Story(need)
    await trio.sleep(1)
    if is_lost:
        story.fail_over_after(story.command)
    else:
        story.store(story.command)
    story.oracle.by_one_key(story.light, {story.command.id, "c2"})
    assert (story.oracle.violation is None) is (is_lost and not need)


async def test_the_oracle_knows_who_accepted_what_a_failover_took(autojump_clock: object) -> None:
    story = Story(need=0)
    [master] = story.servers.masters
    assert master is not None
    record = command_record(story.command)
    accept = Accept(story.shard, story.light, "c1", record, b"", 1.0, by="a1")
    story.oracle.accepted_by(master, accept, AcceptResult(Accepted.STORED, "c1"))
    assert story.oracle.who_accepted_what_is_lost(story.light) == {"a1"}
    story.store(story.command)
    assert story.oracle.who_accepted_what_is_lost(story.light) == set()


@pytest.mark.parametrize("was_acknowledged", [True, False])
async def test_a_lost_command_is_awaited_where_somebody_was_told_of_it(
    autojump_clock: object, was_acknowledged: bool
) -> None:
    story = Story()
    await trio.sleep(1)
    story.fail_over_after(story.command)
    if was_acknowledged:
        story.oracle.accepted(story.command)
    story.oracle.settle()
    assert bool(story.oracle.lights[story.light].commands) is was_acknowledged
