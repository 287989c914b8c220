"""The waiting room: one attempt a light, order by line, and heaps that do not grow for ever."""

import msgspec

from actors.device.model import Attempt
from actors.downlink.pending import PendingAttempt, PendingAttempts, QueuePlace
from actors.downlink.queue_check import Mark
from actors.downlink.route import Route
from tests.support.dispatcher_kit import START, attempt

A = Route(frozenset({"a"}), frozenset({"a"}))
AB = Route(frozenset({"a", "b"}), frozenset({"a", "b"}))


def waiting(
    stamp: int, route: Route = A, dev_eui: str | None = None, made: Attempt | None = None
) -> PendingAttempt:
    return PendingAttempt(
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
    pending = PendingAttempts()
    for one in (
        waiting(1, A, made=attempt(at=START, retry=True)),
        waiting(2, A, made=attempt(at=START + 9.0)),
        waiting(3, AB, made=attempt(at=START + 5.0)),
    ):
        pending.add(one)
        pending.line_up(one, START)
    assert [head.stamp for head, _ in pending.lines()] == [3, 2]
    assert (pending.pending("a"), pending.pending("b"), pending.pending("c")) == (3, 1, 0)
    pending.remove("light-2")
    assert [head.stamp for head, _ in pending.lines()] == [3, 1]
    pending.remove("light-3")
    assert (pending.pending("a"), pending.pending("b")) == (1, 0)


def test_those_that_come_later_are_told_and_nobody_twice() -> None:
    pending = PendingAttempts()
    first, second = waiting(1), waiting(2)
    pending.add(first)
    pending.line_up(first, START)
    [(_, line)] = pending.lines()
    assert list(line.untold(("why",))) == [first]
    pending.add(second)
    pending.line_up(second, START)
    assert list(line.untold(("why",))) == [second]
    assert list(line.untold(("why",))) == []
    assert list(line.untold(("another",))) == [first, second]
    line.moving()
    assert list(line.untold(("why",))) == [first, second]


def test_only_the_newest_time_counts() -> None:
    pending = PendingAttempts()
    one = waiting(1)
    pending.add(one)
    pending.later(one, 5.0)
    pending.later(one, 9.0)
    assert pending.take_due(8.0) == []
    assert pending.take_due(9.0) == [one]
    assert pending.next_at() is None


def test_an_attempt_replaced_ten_thousand_times_leaves_no_rubbish() -> None:
    pending = PendingAttempts()
    for stamp in range(10_000):
        one = waiting(stamp, dev_eui="light")
        pending.add(one)
        pending.line_up(one, START)
        pending.move(one, QueuePlace.BLOCKED)
        pending.later(one, START + stamp)
        if stamp % 2:
            pending.line_up(one, START)
    assert len(pending) == 1
    assert len(pending._later) <= 70
    assert sum(len(line.heap) for line in pending._lines.values()) <= 70
    assert len(pending.lines()) == 1


def test_a_retry_of_a_command_goes_first_and_what_nobody_waits_for_last() -> None:
    pending = PendingAttempts()
    background = attempt(at=START - 60.0, retry=True)
    first = attempt(at=START)
    retry = msgspec.structs.replace(attempt(at=START + 30.0, retry=True), expires_at=START + 9e4)
    for stamp, made in enumerate((background, first, retry), 1):
        pending.add(waiting(stamp, A, made=made))
    for one in pending:
        pending.line_up(one, START)
    order = []
    while pending:
        [(head, _)] = pending.lines()
        order.append(head.stamp)
        pending.remove(head.dev_eui)
    assert order == [3, 2, 1]
