"""No item of a command outlives the command."""

import msgspec
import trio

from tests.support.dispatcher_kit import POLICY, START, application, attempt, hearings

Clock = trio.testing.MockClock


async def test_an_item_ends_with_its_command(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        ends_at = START + 12.5
        one = msgspec.structs.replace(attempt(), expires_at=ends_at)
        it.dispatcher.submit("light-1", one, hearings())
        await trio.sleep(3.0)
        [queued] = it.queued()
        assert START < queued.expires_at <= ends_at


async def test_an_item_of_a_long_command_lives_as_long_as_any(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        one = msgspec.structs.replace(attempt(), expires_at=START + 86_400.0)
        it.dispatcher.submit("light-1", one, hearings())
        await trio.sleep(3.0)
        [queued] = it.queued()
        assert queued.expires_at >= START + POLICY.item_ttl_s


async def test_what_would_end_before_it_could_leave_is_not_queued(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        one = msgspec.structs.replace(attempt(), expires_at=START + 0.01)
        it.dispatcher.submit("light-1", one, hearings())
        await trio.sleep(60.0)
        assert it.queued() == []
        it.dispatcher.submit("light-1", attempt(2), hearings())
        await trio.sleep(10.0)
        assert len(it.queued()) == 1, "the next one goes as ever"
