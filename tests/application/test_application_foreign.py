"""Another program sends to a light of ours: it is brought back each time, and people are told."""

import trio
from trio.testing import MockClock

from lorawan.kuando import LightState
from lorawan.kuando.downlink import encode
from lorawan.kuando.frames import F_PORT, SetLight
from tests.support.running_application import RunningApplication, make_world, running_application

RED, GREEN = LightState(255, 0, 0), LightState(0, 255, 0)


def told(home: RunningApplication) -> list[tuple[str, str]]:
    opened = [one for one in home.board.alerts() if one.closed_at is None]
    return [(one.subject, one.summary) for one in opened if one.kind == "foreign_sender"]


async def test_a_foreign_sender_is_told_of_at_its_second_change_and_an_hour_long(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    world = make_world(lights=2)
    await nursery.start(world.run)
    async with running_application(world) as home:
        await home.settled()
        ours, other = sorted(world.stations)
        for dev_eui in (ours, other):
            await home.final((await home.command(dev_eui, RED)).id)
        for number in range(2):
            assert told(home) == []
            await trio.sleep(300)
            world.network.inject(ours, encode(SetLight(GREEN, reply=True)), f_port=F_PORT)
            await trio.sleep(120)
            assert home.devices[ours].reported == RED, "brought back"
            assert len(home.devices[ours].foreign) == number + 1
        ((subject, text),) = told(home)
        assert subject == ours
        assert "somebody else sends to this light: it showed 0,255,0" in text
        assert "somebody else" in (home.devices[ours].last_error or "")
        await trio.sleep(3_300)
        assert len(told(home)) == 1
        await trio.sleep(600)
        assert told(home) == []
