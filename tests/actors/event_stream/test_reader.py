"""The reader: what a stuck light, a lost stream and a crash of its own cost."""

import pytest
import trio
from trio.testing import MockClock

from actors.event_stream.low_water import SETTLE_S, LowWater
from actors.event_stream.reader import QUIET_S, EventStream
from lorawan.stream.entries import BEGINNING, EntryId
from lorawan.stream.errors import StreamUnavailable
from tests.bench.fleet import dev_eui
from tests.support.stream_bench import StreamBench

SETTLED_S = SETTLE_S + 2.0


async def taken(bench: StreamBench, told: int) -> None:
    """Ten events of light 1, a minute apart: all are told."""
    for _ in range(10):
        bench.add(1)
        await bench.pass_s(60.0)
    assert len(set(bench.light(1).told)) == told


@pytest.fixture
async def bench(autojump_clock: MockClock) -> StreamBench:
    return StreamBench()


async def catch_up(
    bench: StreamBench, stream: EventStream, number: int, mark: EntryId | None
) -> list[str]:
    """One light joins, with this mark; tells once it is dealt with."""
    done: list[str] = []
    name = dev_eui(number)
    stream.catch_up(name, bench.audience(lambda one: one == name), mark, lambda: done.append(name))
    await bench.pass_s(SETTLED_S)
    return done


async def test_one_stuck_light_ends_the_reading_for_no_other(
    bench: StreamBench,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LowWater, "BATCHES_MOST", 5)
    stream = bench.stream()
    await nursery.start(stream.run)
    bench.light(0).stuck = True
    bench.add(0)
    await bench.pass_s(SETTLED_S)
    mark = stream.mark
    for _ in range(20):
        bench.add(1)
        await bench.pass_s(0.5)
    assert len(bench.light(1).told) == 20
    assert stream.statistics().unfinished == 5
    assert stream.mark == mark
    bench.light(0).stuck = False
    await bench.pass_s(SETTLED_S)
    assert stream.statistics().unfinished == 0
    assert stream.mark == bench.streams.newest


async def test_a_store_that_fails_as_a_whole_is_given_no_more_than_a_bound(
    bench: StreamBench,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LowWater, "BATCHES_MOST", 5)
    await nursery.start(bench.stream().run)
    bench.stopped = True
    bench.light(0).stuck = True
    bench.add(0)
    for _ in range(20):
        await bench.pass_s(0.5)
        bench.add(1)
    assert len(bench.light(1).told) < 7
    bench.stopped = bench.light(0).stuck = False
    await bench.pass_s(SETTLED_S)
    assert len(bench.light(1).told) == 20


async def test_a_stream_lost_with_the_clock_set_back_is_read_on_at_once_and_after_a_move(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    stream = bench.stream()
    await nursery.start(stream.run)
    bench.add(0)
    lost = bench.streams.newest
    await bench.pass_s(SETTLED_S)
    bench.streams.lose_all()
    bench.clock_set_s = -600.0
    await bench.pass_s(2.0)
    second = bench.add(0)
    await bench.pass_s(SETTLED_S)
    assert bench.light(0).told == [1, second]
    assert stream.mark == bench.streams.newest  # so that a stop loses none either
    assert stream.statistics().gaps == 1
    assert await catch_up(bench, stream, 0, lost) == [dev_eui(0)]
    assert set(bench.light(0).told[2:]) == {second}  # its own stream tells it, too


async def test_where_nothing_was_written_since_a_stream_was_lost_a_move_finds_no_gap(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    stream = bench.stream()
    await nursery.start(stream.run)
    bench.add(0)
    await bench.pass_s(SETTLED_S)
    bench.streams.lose_all()
    await bench.pass_s(600.0)
    again = bench.stream()
    await nursery.start(again.run)
    await catch_up(bench, again, 0, stream.mark)
    assert (stream.mark, again.mark) == (BEGINNING, BEGINNING)
    assert (stream.statistics().gaps, again.statistics().gaps) == (1, 0)


async def test_a_gap_is_counted_once_and_filled_once_single_streams_can_be_read(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    bench = StreamBench(history=5)
    stream = bench.stream()
    await nursery.start(stream.run)
    await bench.pass_s(1.0)
    bench.streams.away = "for a while"
    await bench.pass_s(1.0)
    for _ in range(3):
        bench.add(0)
    bench.streams.away = None
    await bench.pass_s(SETTLED_S)
    bench.streams.away = "again"
    await bench.pass_s(1.0)
    for _ in range(20):
        bench.add(0)
    bench.source.fails["of_devices"] = [StreamUnavailable("refused") for _ in range(3)]
    bench.streams.away = None
    await bench.pass_s(60.0)
    assert sorted(set(bench.light(0).told)) == list(range(1, 24))
    assert stream.statistics().gaps == 1


async def test_what_the_stream_forgot_of_those_who_join_is_counted_once_for_all_of_them(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    bench = StreamBench(history=5)
    marks = []
    for _ in range(10):
        bench.add(0)
        bench.add(1)
        marks.append(bench.streams.newest)
    stream = bench.stream()
    await nursery.start(stream.run)
    await bench.pass_s(1.0)
    for number in (0, 1, 0):
        bench.source.fails["of_devices"] = [StreamUnavailable("refused")]
        assert await catch_up(bench, stream, number, marks[number]) == [dev_eui(number)]
    assert (stream.statistics().gaps, next(stream.findings()).holds) == (1, False)
    assert set(range(1, 21, 2)) <= set(bench.light(0).told)
    mark = bench.streams.newest
    assert await catch_up(bench, stream, 0, mark) == [dev_eui(0)]
    assert stream.statistics().gaps == 1
    for _ in range(10):
        bench.add(0)
        await bench.pass_s(0.5)
    assert await catch_up(bench, stream, 0, mark) == [dev_eui(0)]
    assert stream.statistics().gaps == 2


async def test_where_nothing_is_written_a_move_finds_no_gap(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A mark is an entry, or there was none: else it is not found in the stream."""
    for written in (False, True):
        if written:
            bench.add(0)
            await bench.pass_s(600.0)
        for _ in range(2):
            stream = bench.stream()
            await nursery.start(stream.run)
            await bench.pass_s(SETTLED_S)
            await catch_up(bench, stream, 0, None)
            mark = stream.mark
            assert mark == (bench.streams.newest or BEGINNING)
            await catch_up(bench, stream, 1, mark)
            assert stream.mark == mark
            assert stream.statistics().gaps == 0


async def test_what_came_after_an_empty_stream_is_told_to_those_who_join(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    for _ in range(3):
        bench.add(0)
        await bench.pass_s(600.0)
    stream = bench.stream()
    await nursery.start(stream.run)
    await catch_up(bench, stream, 0, BEGINNING)
    assert bench.light(0).told == [1, 2, 3]
    assert stream.statistics().gaps == 0


async def test_a_crash_of_the_reader_forgets_nobody_who_is_caught_up(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    bench.add(0)
    stream = bench.stream()
    done: list[str] = []
    stream.catch_up("shard", bench.audience(), BEGINNING, lambda: done.append("shard"))
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="poison")):
        async with trio.open_nursery() as crashing:
            await crashing.start(stream.run)
            await bench.pass_s(2.0)
            bench.source.fails["read"] = [RuntimeError("poison")]
            await bench.pass_s(2.0)
    assert bench.light(0).told != []
    assert done == []
    await nursery.start(stream.run)
    await bench.pass_s(SETTLED_S)
    assert done == ["shard"]
    await bench.pass_s(SETTLED_S)
    assert done == ["shard"]


async def test_who_left_or_joined_anew_is_not_taken_for_caught_up(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    bench.add(0)
    stream = bench.stream()
    done: list[str] = []
    await nursery.start(stream.run)
    for name in ("left", "anew"):
        stream.catch_up(name, bench.audience(), BEGINNING, lambda name=name: done.append(name))
    await bench.pass_s(SETTLE_S - 2.0)
    stream.leave("left")
    stream.catch_up("anew", bench.audience(), BEGINNING, lambda: done.append("anew again"))
    await bench.pass_s(3.0)
    assert done == []
    await bench.pass_s(SETTLE_S)
    assert done == ["anew again"]


async def test_a_light_whose_own_stream_cannot_be_read_holds_up_no_other(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """As where one node of a Cluster is away, and not that of the stream of all."""
    bench = StreamBench(3)
    stream = bench.stream()
    await nursery.start(stream.run)
    bench.add(1)
    await bench.pass_s(1.0)
    for number in (0, 2):
        bench.light(number).mailbox.close()
        bench.add(number)
    bench.streams.unread.add(dev_eui(0))
    await bench.pass_s(2.0)
    bench.light(0).mailbox.reopen()
    bench.light(2).mailbox.reopen()
    await taken(bench, 11)
    assert stream.problem is None
    assert (bench.light(0).told, bench.light(2).told) == ([], [3])
    assert set(stream.owed()) == {dev_eui(0)}
    bench.streams.unread.clear()
    await bench.pass_s(20.0)
    assert bench.light(0).told == [2]
    assert stream.owed() == {}


async def test_a_gap_that_cannot_be_filled_for_one_light_holds_up_no_other(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    bench = StreamBench(3, history=5)
    stream = bench.stream()
    await nursery.start(stream.run)
    bench.add(1)
    await bench.pass_s(1.0)
    bench.streams.unread.add(dev_eui(0))
    for _ in range(8):
        bench.add(0)
        bench.add(2)
    await taken(bench, 11)
    assert set(bench.light(2).told) == set(range(3, 18, 2))
    assert set(stream.owed()) == {dev_eui(0)}
    bench.streams.unread.clear()
    await bench.pass_s(30.0)
    assert set(bench.light(0).told) == set(range(2, 17, 2))
    assert (stream.statistics().gaps, stream.owed()) == (1, {})


async def test_a_gap_that_cannot_be_filled_for_too_many_lights_waits_and_loses_none(
    autojump_clock: MockClock, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.event_stream.handing_out.OWED_MOST", 1)
    bench = StreamBench(3, history=5)
    stream = bench.stream()
    await nursery.start(stream.run)
    bench.add(1)
    await bench.pass_s(1.0)
    bench.streams.unread = {dev_eui(0), dev_eui(2)}
    for _ in range(8):
        bench.add(0)
        bench.add(2)
    await bench.pass_s(60.0)
    assert "too many lights" in str(stream.problem)
    bench.streams.unread.clear()
    await bench.pass_s(30.0)
    told = bench.light(0).told + bench.light(2).told
    assert set(told) == set(range(2, 18))


async def test_a_stream_that_is_written_no_more_is_not_trusted_also_by_the_next_run(
    bench: StreamBench, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    stream = bench.stream()
    await nursery.start(stream.run)
    await bench.pass_s(1.0)
    assert not stream.trustworthy  # nothing was ever written
    bench.add(0)
    await bench.pass_s(QUIET_S / 2)
    assert stream.trustworthy
    await trio.sleep(QUIET_S)
    assert not stream.trustworthy
    again = bench.stream()
    await nursery.start(again.run)
    await catch_up(bench, again, 0, stream.mark)
    assert not again.trustworthy
    bench.add(0)
    await bench.pass_s(1.0)
    assert stream.trustworthy
    assert again.trustworthy
