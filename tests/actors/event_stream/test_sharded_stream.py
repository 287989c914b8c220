"""The mark that is stored of a shard: never ahead of what its lights are to be told."""

import random
from collections.abc import Container

import pytest
import trio
from trio.testing import MockClock

from actors.event_stream.low_water import SETTLE_S
from actors.event_stream.sharded import ShardedPorts, ShardedStream
from actors.fleet.event_memory import EventMemory
from lorawan.events.model import Event, TxAck
from lorawan.stream.entries import BEGINNING
from simulation.world.bodies import protobuf_body
from store.engine.shards import ALL_SHARDS, FLEET, shard_of
from tests.bench import fleet
from tests.support.stream_bench import StreamBench

SETTLED_S = SETTLE_S + 2.0
SHARD, OTHER = shard_of(fleet.dev_eui(0)), shard_of(fleet.dev_eui(1))


class Process:
    """Has the lights of the shards that it owns."""

    def __init__(self, bench: StreamBench, ours: Container[str] | None = None) -> None:
        self.owned: set[str] = set()
        self.fleet: list[Event] = []
        ports = ShardedPorts(
            here=self.owned.__contains__,
            is_ours=lambda dev_eui, profile: ours is None or dev_eui in ours,
            actors=lambda: {
                one: light for one, light in bench.lights.items() if shard_of(one) in self.owned
            },
            light=bench.deliver,
            fleet=lambda event, past: self.fleet.append(event),
            memory=EventMemory(bench.clock.steady),
            stopped=lambda: False,
        )
        self.sharded = ShardedStream(bench.source, ports, bench.clock, random.Random(1))

    def take(self, *shards: str, mark: str = "") -> None:
        for shard in shards:
            self.sharded.taking(shard, mark)
            self.owned.add(shard)
            self.sharded.taken(shard)

    async def give(self, bench: StreamBench, shard: str) -> str:
        """With the mark that is stored last."""
        self.sharded.leave(shard)
        self.owned.discard(shard)
        await bench.pass_s(SETTLED_S)
        return self.sharded.mark(shard)


@pytest.fixture
async def bench(autojump_clock: MockClock) -> StreamBench:
    return StreamBench()


async def test_it_stays_at_what_a_light_is_owed_until_that_is_dealt_with(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    assert SHARD != OTHER
    process = Process(bench)
    sharded = process.sharded
    await nursery.start(sharded.stream.run)
    process.take(SHARD, OTHER)
    await bench.pass_s(SETTLED_S)
    bench.light(0).mailbox.close()  # as that of an actor that is parked
    bench.add(0)
    owed = str(bench.streams.newest)
    for _ in range(3):
        await bench.pass_s(60.0)
        bench.add(1)
    await bench.pass_s(SETTLED_S)
    newest = str(bench.streams.newest)
    assert (sharded.mark(SHARD), sharded.mark(OTHER)) == (owed, newest)
    bench.light(0).stuck = True
    bench.light(0).mailbox.reopen()
    await bench.pass_s(SETTLED_S)
    assert bench.light(0).told == [1]
    assert sharded.mark(SHARD) == owed  # told, and not dealt with
    bench.light(0).stuck = False
    await bench.pass_s(SETTLED_S)
    assert sharded.mark(SHARD) == newest


async def test_whoever_takes_the_shard_over_tells_what_was_owed(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    first, second = Process(bench), Process(bench)
    await nursery.start(first.sharded.stream.run)
    first.take(SHARD)
    await bench.pass_s(SETTLED_S)
    bench.light(0).mailbox.close()
    bench.add(0)
    for _ in range(3):
        await bench.pass_s(60.0)
        bench.add(1)
    mark = await first.give(bench, SHARD)
    bench.light(0).mailbox.reopen()  # it is another actor there
    await nursery.start(second.sharded.stream.run)
    second.take(SHARD, mark=mark)
    await bench.pass_s(SETTLED_S)
    assert bench.light(0).told == [1]


async def owed_six(bench: StreamBench, process: Process) -> str:
    """Light 0 is owed six events, and has a mailbox for two of which it takes none; the mark."""
    bench.light(0).mailbox.close()
    bench.add(0)
    owed = str(bench.streams.newest)
    for _ in range(5):
        await bench.pass_s(0.5)
        bench.add(0)
    await bench.pass_s(60.0)
    bench.add(1)
    await bench.pass_s(SETTLED_S)
    bench.light(0).stuck = True
    bench.light(0).mailbox.reopen()
    return owed


async def test_while_a_light_is_told_what_it_was_owed_the_mark_stays_there(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    process = Process(bench)
    await nursery.start(process.sharded.stream.run)
    process.take(SHARD, OTHER)
    await bench.pass_s(SETTLED_S)
    owed = await owed_six(bench, process)
    for _ in range(300):  # waits for room, and finds none
        assert process.sharded.mark(SHARD) == owed
        await trio.sleep(0.01)
    assert len(bench.light(0).told) == 2
    bench.light(0).stuck = False
    await bench.pass_s(2 * SETTLED_S)
    assert set(bench.light(0).told) == {1, 2, 3, 4, 5, 6}
    assert process.sharded.mark(SHARD) == str(bench.streams.newest)


async def test_a_shard_given_while_a_light_is_told_what_it_was_owed_is_told_by_the_next(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    first, second = Process(bench), Process(bench)
    await nursery.start(first.sharded.stream.run)
    first.take(SHARD)
    await bench.pass_s(SETTLED_S)
    await owed_six(bench, first)
    while not bench.light(0).told:  # noqa: ASYNC110 - virtual time
        await trio.sleep(0.01)
    mark = await first.give(bench, SHARD)
    bench.light(0).stuck = False  # it is another actor there
    bench.light(0).told.clear()
    await nursery.start(second.sharded.stream.run)
    second.take(SHARD, mark=mark)
    await bench.pass_s(2 * SETTLED_S)
    assert set(bench.light(0).told) == {1, 2, 3, 4, 5, 6}


async def test_a_shard_lost_and_taken_again_is_behind_until_it_was_read_again(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    process = Process(bench)
    bench.add(0)
    mark = str(bench.streams.newest)
    await bench.pass_s(1.0)
    bench.add(0)
    await nursery.start(process.sharded.stream.run)
    process.take(SHARD, mark=mark)
    await bench.pass_s(SETTLE_S - 1.0)
    process.sharded.taking(SHARD, mark)
    await bench.pass_s(SETTLED_S)
    assert process.sharded.mark(SHARD) == mark
    process.sharded.taken(SHARD)
    await bench.pass_s(SETTLED_S)
    assert process.sharded.mark(SHARD) == str(bench.streams.newest)


async def test_what_is_not_for_the_light_waits_for_no_light(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Whoever takes the fleet's shard over does not read it for a light that is owed events."""
    process = Process(bench)
    await nursery.start(process.sharded.stream.run)
    process.take(SHARD, FLEET)
    bench.light(0).mailbox.close()
    bench.add(0)
    await bench.pass_s(1.0)
    device = fleet.status(0, 1).device
    txack = TxAck(device, bench.clock.now(), "item", "0016c001f1500000", f_cnt_down=1)
    bench.streams.add(fleet.dev_eui(0), *protobuf_body(txack))
    await bench.pass_s(2.0)
    assert [type(event) for event in process.fleet] == [TxAck]


async def test_a_shard_taken_while_there_is_no_connection_is_told_what_was_dropped_as_anothers(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """What is read again after a connection is left out by its id, for whoever listens by then."""
    process = Process(bench)
    await nursery.start(process.sharded.stream.run)
    process.take(OTHER)
    mark, missed = "", []
    for second in range(90):
        bench.add(1)
        if second == 50:
            mark = str(bench.streams.newest)
        if second > 50 and second % 4 == 0:
            missed.append(bench.add(0))
        for _ in range(20):  # other devices: more than a page in the minute that is read again
            kind, body = protobuf_body(fleet.status(2, 1))
            bench.streams.add(fleet.dev_eui(2), kind, body)
        await bench.pass_s(1.0)
    bench.streams.away = "fails over"
    await bench.pass_s(3.0)
    process.take(SHARD, mark=mark)
    bench.streams.away = None
    await bench.pass_s(SETTLED_S)
    assert missed != []
    assert bench.light(0).told == missed
    assert process.sharded.mark(SHARD) == str(bench.streams.newest)


async def test_each_event_counts_in_the_process_of_its_light_alone(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    fleets, lights = Process(bench), Process(bench)
    for process in (fleets, lights):
        await nursery.start(process.sharded.stream.run)
    fleets.take(FLEET)
    lights.take(SHARD, OTHER)
    await bench.pass_s(SETTLED_S)
    for _ in range(10):
        bench.add(0)
        await bench.pass_s(1.0)
    counts = [one.sharded.stream.statistics() for one in (fleets, lights)]
    assert [one.events for one in counts] == [0, 10]
    assert [one.foreign for one in counts] == [10, 0]
    assert len(fleets.fleet) == 10


async def test_what_is_read_again_is_read_once_for_all_the_shards_that_were_taken(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    process = Process(bench, ours=set(bench.lights))
    for number in (0, 2, 2, 1):  # of 2, which is none of ours, two
        bench.add(number)
    bench.streams.add(fleet.dev_eui(0), "up", b"\xff")
    await bench.pass_s(3_600.0)
    bench.add(0)  # where the reading begins, for those who listen from the start
    await nursery.start(process.sharded.stream.run)
    await bench.pass_s(SETTLED_S)
    assert process.sharded.stream.statistics().foreign == 1  # nothing is here yet
    process.take(*ALL_SHARDS, mark=str(BEGINNING))
    await bench.pass_s(SETTLED_S)
    found = process.sharded.stream.statistics()
    assert (found.unreadable, found.foreign, found.events) == (1, 1, 3)
    assert (bench.light(0).told, bench.light(1).told) == ([1, 5], [4])
    assert len(process.fleet) == 3
