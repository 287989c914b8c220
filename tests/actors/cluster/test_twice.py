"""A question that lies in an inbox twice is asked once."""

import pytest
import trio

from actors.cluster import twice as module
from actors.cluster.router import KEPT_S
from actors.cluster.twice import AskedBefore


async def test_a_question_is_known_again_by_who_asked_and_its_number(
    autojump_clock: object,
) -> None:
    before = AskedBefore()
    assert not before.again("a", 1)
    assert before.again("a", 1)
    assert not before.again("b", 1)
    assert not before.again("a", 2)


async def test_the_same_entry_is_offered_as_often_as_its_light_has_no_room(
    autojump_clock: object,
) -> None:
    before = AskedBefore()
    assert [before.again("a", 1, "1-0") for _ in range(3)] == [False] * 3
    assert before.again("a", 1, "2-0")
    assert not before.again("a", 1, "1-0")


async def test_it_is_remembered_for_longer_than_it_is_sent_again(autojump_clock: object) -> None:
    before = AskedBefore()
    before.again("a", 1)
    await trio.sleep(KEPT_S + 5.0)
    assert before.again("a", 1)
    await trio.sleep(module.REMEMBERED_S)
    assert not before.again("a", 1)


async def test_the_oldest_give_way(autojump_clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MOST", 3)
    before = AskedBefore()
    for ask in range(5):
        assert not before.again("a", ask)
    assert [before.again("a", ask) for ask in (2, 3, 4)] == [True] * 3
    assert not before.again("a", 0)
