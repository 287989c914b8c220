"""Commands are accepted many at a time, and nobody waits for a caller that left."""

from collections.abc import Sequence

import pytest
import trio

from store.engine.port import Accept, Accepted, AcceptResult
from store.errors import StoreClosed, StoreError, StoreUnavailable
from store.shards.acceptor import ACCEPTS_AT_ONCE, Acceptor

CALL_S = 1.0


class SlowEngine:
    """Takes a second for each call, and notes what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.failure: Exception | None = None

    async def accept(self, accepts: Sequence[Accept]) -> Sequence[AcceptResult | StoreError]:
        self.calls.append([one.command_id for one in accepts])
        await trio.sleep(CALL_S)
        if self.failure is not None:
            raise self.failure
        return [AcceptResult(Accepted.STORED, one.command_id) for one in accepts]


def command(number: int) -> Accept:
    return Accept("07", "light", f"c{number}", b"{}", b"", 1.0)


class Callers:
    """Callers of one acceptor, and when each of them went on."""

    def __init__(self) -> None:
        self.engine = SlowEngine()
        self.acceptor = Acceptor(self.engine, trio.current_time)  # type: ignore[arg-type]
        self.went_on: dict[int, float] = {}
        self.failures: dict[int, StoreError] = {}
        self.some = trio.Event()
        """More than one of them went on."""

    async def call(self, number: int) -> None:
        try:
            answer = await self.acceptor.accept(command(number))
        except StoreError as error:
            self.failures[number] = error
        else:
            assert answer.command_id == f"c{number}"
        self.went_on[number] = trio.current_time()
        if len(self.went_on) == 2:
            self.some.set()


async def test_what_gathers_while_a_call_is_on_its_way_goes_together(
    autojump_clock: object,
) -> None:
    callers = Callers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(callers.call, 0)
        await trio.sleep(0.1)
        for number in range(1, ACCEPTS_AT_ONCE + 2):
            nursery.start_soon(callers.call, number)
    assert [len(call) for call in callers.engine.calls] == [1, ACCEPTS_AT_ONCE, 1]
    asked = [one for call in callers.engine.calls for one in call]
    assert sorted(asked) == sorted(f"c{number}" for number in range(ACCEPTS_AT_ONCE + 2))
    assert len(callers.went_on) == ACCEPTS_AT_ONCE + 2


async def test_all_whose_answer_is_there_go_on_together(autojump_clock: object) -> None:
    """One after the other they would be a hundred rounds of the loop, with all else between."""
    callers = Callers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(callers.call, 0)
        await trio.sleep(0.1)
        for number in range(1, 101):
            nursery.start_soon(callers.call, number)
        await callers.some.wait()
        rounds = 0
        while len(callers.went_on) < 101:
            rounds += 1
            await trio.lowlevel.checkpoint()
    assert rounds <= 3


async def test_one_who_leaves_while_asking_leaves_that_to_the_next(
    autojump_clock: object,
) -> None:
    callers = Callers()
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.5):
            nursery.start_soon(_later, callers)
            await callers.call(0)
    assert set(callers.went_on) == {1}
    assert callers.engine.calls == [["c0"], ["c1"]]


async def _later(callers: Callers) -> None:
    await trio.sleep(0.1)
    await callers.call(1)


async def test_one_who_leaves_as_its_turn_comes_holds_up_nobody(autojump_clock: object) -> None:
    callers = Callers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(callers.call, 0)
        await trio.sleep(0.1)
        with trio.move_on_after(CALL_S - 0.1):  # in the instant in which the first is answered
            await callers.acceptor.accept(command(1))
        with trio.fail_after(3 * CALL_S):
            await callers.call(2)
    assert set(callers.went_on) >= {0, 2}


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), StoreClosed("closed")])
async def test_a_failure_reaches_everybody(failure: StoreError, autojump_clock: object) -> None:
    callers = Callers()
    callers.engine.failure = failure
    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(callers.call, number)
    assert len(callers.failures) == 3
    callers.engine.failure = None
    await callers.call(9)
    assert 9 in callers.went_on
    assert 9 not in callers.failures
