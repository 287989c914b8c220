"""The inbox of news: one value for each key, the newest, in its predecessor's place."""

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.messaging.latest_per_key import LatestPerKey


def test_a_newer_value_takes_the_place_of_the_one_that_waits() -> None:
    inbox: LatestPerKey[str, int] = LatestPerKey()
    for key, value in (("a", 1), ("b", 2), ("a", 3)):
        inbox.put(key, value)
    assert len(inbox) == 2
    assert inbox.take_all() == [("a", 3), ("b", 2)]
    assert len(inbox) == 0
    assert inbox.take_all() == []


def test_an_older_value_gives_way_to_what_waits() -> None:
    inbox: LatestPerKey[str, bool] = LatestPerKey()
    inbox.put("a", True)
    inbox.put_older("a", False)
    inbox.put_older("b", False)
    assert inbox.take_all() == [("a", True), ("b", False)]


def test_what_was_replaced_while_it_was_dealt_with_goes_on_waiting() -> None:
    inbox: LatestPerKey[str, tuple[int]] = LatestPerKey()
    inbox.put("a", (1,))
    first = inbox.first()
    assert first is not None
    assert inbox.is_newest(*first)
    inbox.put("a", (2,))
    assert not inbox.is_newest(*first)
    inbox.remove(*first)
    assert inbox.first() == ("a", (2,))
    inbox.remove("a", (3,))
    assert len(inbox) == 1
    second = inbox.first()
    assert second is not None
    inbox.remove(*second)
    assert inbox.first() is None


async def test_takers_wait_and_each_value_goes_to_one_of_them(nursery: trio.Nursery) -> None:
    inbox: LatestPerKey[str, int] = LatestPerKey()
    taken: list[tuple[str, int]] = []

    async def taker() -> None:
        taken.append(await inbox.take())

    for _ in range(3):
        nursery.start_soon(taker)
    await wait_all_tasks_blocked()
    inbox.put("a", 1)
    inbox.put("b", 2)
    await wait_all_tasks_blocked()
    assert sorted(taken) == [("a", 1), ("b", 2)]
    inbox.put("c", 3)
    await wait_all_tasks_blocked()
    assert sorted(taken) == [("a", 1), ("b", 2), ("c", 3)]


async def test_a_value_that_was_replaced_wakes_one_taker_and_is_there_once(
    nursery: trio.Nursery,
) -> None:
    inbox: LatestPerKey[str, int] = LatestPerKey()
    taken: list[tuple[str, int]] = []

    async def taker() -> None:
        taken.append(await inbox.take())

    for _ in range(2):
        nursery.start_soon(taker)
    await wait_all_tasks_blocked()
    inbox.put("a", 1)
    inbox.put("a", 2)  # both are woken, and one waits again
    await wait_all_tasks_blocked()
    assert taken == [("a", 2)]
    inbox.put("b", 3)
    await wait_all_tasks_blocked()
    assert taken == [("a", 2), ("b", 3)]


async def test_a_cancelled_taker_takes_nothing(autojump_clock: MockClock) -> None:
    inbox: LatestPerKey[str, int] = LatestPerKey()
    with trio.move_on_after(1.0):
        await inbox.take()
    inbox.put("a", 1)
    with trio.CancelScope() as scope:
        scope.cancel(reason="test")
        await inbox.take()
    assert await inbox.take() == ("a", 1)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers())))
def test_what_is_taken_is_what_was_put_last(puts: list[tuple[str, int]]) -> None:
    inbox: LatestPerKey[str, int] = LatestPerKey()
    for key, value in puts:
        inbox.put(key, value)
    assert inbox.take_all() == list(dict(puts).items())
