"""What ends where a shard that was set back is taken again is shown as it is stored."""

import msgspec
import trio

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.cluster.lost_ends import LostEnds
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Device, Newest
from actors.device.records import command_record, device_put
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.port import Lease
from store.port import Append, Put, Table, Write
from store.shards import ShardStore
from tests.actors.cluster.cluster_kit import RED, START, dev_euis
from tests.store.shards.house import House

SHARD = "07"
[LIGHT] = dev_euis(SHARD, 1)
OPEN = Command(
    id="c1",
    dev_eui=LIGHT,
    light=RED,
    keep=True,
    accepted_at=START,
    expires_at=START + 600.0,
    timeline=(Step(START, StepKind.ACCEPTED),),
)


def ended(status: CommandStatus, kind: StepKind) -> Command:
    at = START + 1.0
    steps = (*OPEN.timeline, Step(at, kind))
    return msgspec.structs.replace(OPEN, status=status, ended_at=at, timeline=steps)


def stored(command: Command) -> Put:
    return Put(Table.COMMAND, command.id, command_record(command), START)


class Taken:
    """A shard that `before` owned with an open command, and `one` took; the take is in no replica.
    The board of `one` has the light as it was told of a newer command."""

    def __init__(self) -> None:
        self.servers = MemoryServers(replicas=1)
        engines = [MemoryEngine(self.servers) for _ in range(2)]
        self.before, self.one = (
            House(engine, ShardStore(engine, name))
            for engine, name in zip(engines, ("before", "one"), strict=True)
        )
        clock = RunClock(START)
        self.board = Board(clock, "one")
        self.light = Device(dev_eui=LIGHT, newest=Newest("c2", ""))
        store = self.one.store
        self.ends = LostEnds(
            self.one.engine, self.board, clock, lambda _: True, store.announce, store.read
        )

        async def lost_ends(shard: str, found: Lease) -> list[Write]:
            return list(await self.ends.of(shard, found))

        store.listen(lost_ends=lost_ends, records=lambda _: [device_put(self.light, START)])

    async def take(self) -> None:
        await self.before.take(SHARD)
        light = msgspec.structs.replace(self.light, command=OPEN)
        await self.before.store.commit([device_put(light, START), stored(OPEN)])
        await trio.sleep(1.0)
        [master] = self.servers.masters
        assert master is not None
        master.replicas[0].held = True
        await self.one.take(SHARD)
        self.board.publish(self.light)

    async def set_back(self) -> None:
        """Until `one` has taken it again, and written on."""
        self.servers.fail_over()
        await self.one.until_written([Append(LIGHT, "e", START, b"")])
        await self.ends.show(SHARD)

    async def in_engine(self) -> Put:
        [record] = await self.one.store.read(SHARD, Table.COMMAND, ["c1"])
        assert record is not None
        return Put(Table.COMMAND, record.key, record.value, record.at)


async def test_an_end_that_only_the_light_tells_is_stored_and_shown(autojump_clock: object) -> None:
    taken = Taken()
    await taken.take()
    await taken.set_back()
    shown = taken.board.command("c1")
    assert shown is not None
    assert (shown.status, shown.superseded_by) == (CommandStatus.SUPERSEDED, "c2")
    assert (await taken.in_engine()).value == stored(shown).value


async def test_an_end_that_was_stored_and_not_shown_is_shown_as_it_was_stored(
    autojump_clock: object,
) -> None:
    """Its light's actor crashed between the two. Found by the simulation (crashes, seed 75)."""
    taken = Taken()
    await taken.take()
    end = ended(CommandStatus.EXPIRED, StepKind.EXPIRED)
    await taken.one.store.commit([device_put(taken.light, START), stored(end)])
    await taken.set_back()
    assert taken.board.command("c1") == end
    assert (await taken.in_engine()).value == stored(end).value
