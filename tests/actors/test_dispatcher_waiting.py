"""The waiting room: one attempt a light, order by line, and heaps that do not grow for ever."""

from actors.device.model import Attempt
from actors.dispatcher.judgement import Mark
from actors.dispatcher.route import Route
from actors.dispatcher.waiting import Place, Waiting, WaitingRoom
from tests.support.dispatcher_kit import START, attempt

A = Route(frozenset({"a"}), frozenset({"a"}))
AB = Route(frozenset({"a", "b"}), frozenset({"a", "b"}))


def waiting(
    stamp: int, route: Route = A, dev_eui: str | None = None, made: Attempt | None = None
) -> Waiting:
    return Waiting(
        stamp=stamp,
        dev_eui=dev_eui or f"light-{stamp}",
        attempt=made if made is not None else attempt(),
        mark=Mark(1, b""),
        route=route,
        airtime_s=1.0,
        answer_s=1.0,
        heard_at=None,
    )


def test_heads_come_in_order_first_attempts_before_retries() -> None:
    room = WaitingRoom()
    for one in (
        waiting(1, A, made=attempt(at=START, retry=True)),
        waiting(2, A, made=attempt(at=START + 9.0)),
        waiting(3, AB, made=attempt(at=START + 5.0)),
    ):
        room.add(one)
        room.line_up(one, START)
    assert [head.stamp for head, _ in room.lines()] == [3, 2]
    assert (room.pending("a"), room.pending("b"), room.pending("c")) == (3, 1, 0)
    room.remove("light-2")
    assert [head.stamp for head, _ in room.lines()] == [3, 1]
    room.remove("light-3")
    assert (room.pending("a"), room.pending("b")) == (1, 0)


def test_those_that_come_later_are_told_and_nobody_twice() -> None:
    room = WaitingRoom()
    first, second = waiting(1), waiting(2)
    room.add(first)
    room.line_up(first, START)
    [(_, line)] = room.lines()
    assert list(line.untold(("why",))) == [first]
    room.add(second)
    room.line_up(second, START)
    assert list(line.untold(("why",))) == [second]
    assert list(line.untold(("why",))) == []
    assert list(line.untold(("another",))) == [first, second]
    line.moving()
    assert list(line.untold(("why",))) == [first, second]


def test_only_the_newest_time_counts() -> None:
    room = WaitingRoom()
    one = waiting(1)
    room.add(one)
    room.later(one, 5.0)
    room.later(one, 9.0)
    assert room.take_due(8.0) == []
    assert room.take_due(9.0) == [one]
    assert room.next_at() is None


def test_an_attempt_replaced_ten_thousand_times_leaves_no_rubbish() -> None:
    room = WaitingRoom()
    for stamp in range(10_000):
        one = waiting(stamp, dev_eui="light")
        room.add(one)
        room.line_up(one, START)
        room.move(one, Place.BLOCKED)
        room.later(one, START + stamp)
        if stamp % 2:
            room.line_up(one, START)
    assert len(room) == 1
    assert len(room._later) <= 70
    assert sum(len(line.heap) for line in room._lines.values()) <= 70
    assert len(room.lines()) == 1
