"""A long run ends what it started, also where a signal ends it."""

import os
import signal

import pytest
import trio

from tests.support.ended_by_signal import to_its_end


async def test_a_signal_ends_it_in_order() -> None:
    ended = []

    async def run() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await trio.sleep(60.0)
        finally:
            ended.append("servers")

    with trio.fail_after(30.0), pytest.raises(SystemExit, match="ended by SIGTERM"):
        await to_its_end(run)
    assert ended == ["servers"]


async def test_what_it_raises_is_raised_and_its_end_is_no_exit() -> None:
    await to_its_end(trio.lowlevel.checkpoint)

    async def run() -> None:
        await trio.lowlevel.checkpoint()
        raise AssertionError("lost")

    with pytest.RaisesGroup(pytest.RaisesExc(AssertionError, match="lost")):
        await to_its_end(run)
