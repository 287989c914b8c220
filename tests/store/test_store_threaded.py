"""One thread at a time, in order, and nobody waits for one that hangs."""

import threading
from contextlib import suppress
from functools import partial

import pytest
import trio
import trio.testing

from store.errors import StoreClosed, StoreUnavailable
from store.threaded import Worker


class Gate:
    """A blocking call that the test lets begin and end."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.entered = trio.Event()
        self._open = threading.Event()

    def call(self, name: str) -> str:
        with suppress(trio.Cancelled):
            trio.from_thread.run_sync(self.entered.set)
        assert self._open.wait(20)
        self.calls.append(name)
        return name

    def open(self) -> None:
        self._open.set()


async def test_results_and_errors_come_back() -> None:
    worker = Worker("worker")
    assert await worker.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await worker.run(divmod, 7, 0)
    assert await worker.run(divmod, 7, 3) == (2, 1)


async def test_calls_happen_one_at_a_time_in_order() -> None:
    worker, gate = Worker("worker"), Gate()
    async with trio.open_nursery() as nursery:
        for name in "abcdef":
            nursery.start_soon(worker.run, gate.call, name)
            await trio.testing.wait_all_tasks_blocked()
        assert gate.calls == []
        gate.open()
    assert gate.calls == list("abcdef")


async def test_cancelled_before_its_turn_a_call_never_happens() -> None:
    worker, gate = Worker("worker"), Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, gate.call, "first")
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as cancelled:
            cancelled.start_soon(worker.run, gate.call, "second")
            await trio.testing.wait_all_tasks_blocked()
            cancelled.cancel_scope.cancel()
        gate.open()
    assert gate.calls == ["first"]


async def test_cancelled_on_its_way_a_call_goes_on_and_none_overtakes_it() -> None:
    worker, gate = Worker("worker"), Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, gate.call, "left behind")
        await gate.entered.wait()
        nursery.cancel_scope.cancel()
    assert gate.calls == []  # its caller did not wait for it
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, gate.calls.append, "later")
        await trio.testing.wait_all_tasks_blocked()
        assert gate.calls == []
        gate.open()
    assert gate.calls == ["left behind", "later"]


async def test_what_hangs_is_unavailable_in_time_and_keeps_its_turn() -> None:
    worker, gate = Worker("worker", answer_s=0.01, close_s=0.01), Gate()
    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.01 s"):
        await worker.run(gate.call, "hangs")
    with pytest.raises(StoreUnavailable, match="no answer"):
        await worker.run(gate.call, "never begins")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(worker.run, gate.call, "waits", answer_s=20))
        await trio.testing.wait_all_tasks_blocked()
        gate.open()
    assert gate.calls == ["hangs", "waits"]


async def test_a_call_that_hangs_does_not_keep_the_closing() -> None:
    worker, gate = Worker("worker", answer_s=0.01, close_s=0.01), Gate()
    with pytest.raises(StoreUnavailable):
        await worker.run(gate.call, "hangs")
    with pytest.raises(StoreUnavailable, match="a call hangs"):
        await worker.close(lambda: None)
    gate.open()


async def test_close_lets_the_running_call_end_and_refuses_those_that_wait() -> None:
    worker, gate = Worker("worker"), Gate()
    refused: list[str] = []

    async def late() -> None:
        with pytest.raises(StoreClosed):
            await worker.run(gate.call, "waits")
        refused.append("waits")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, gate.call, "runs")
        await gate.entered.wait()
        nursery.start_soon(late)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(worker.close, lambda: gate.calls.append("released"))
        await trio.testing.wait_all_tasks_blocked()
        gate.open()
    assert gate.calls == ["runs", "released"]
    assert refused == ["waits"]
    await worker.close(lambda: gate.calls.append("released twice"))
    assert gate.calls == ["runs", "released"]


async def test_close_releases_also_while_being_cancelled() -> None:
    worker, released = Worker("worker"), threading.Event()
    with trio.CancelScope() as scope:
        scope.cancel()
        await worker.close(released.set)
    assert released.is_set()
