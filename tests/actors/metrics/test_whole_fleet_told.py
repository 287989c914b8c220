"""What is told of the fleet as a whole: ages by the clock, and by one process of several."""

from collections.abc import Iterable

import msgspec
import trio
from trio.testing import MockClock

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Session
from actors.metrics import Metrics, Sources
from lorawan.kuando.light_state import LightState
from tests.support.cluster_house import Street
from tests.support.running_application import make_world
from tests.support.samples import samples

START = 1_700_000_000.0
RED = LightState(red=255, blue=0, green=0, on=255, off=0)


def order(number: int, age_s: float, **more: object) -> Command:
    made = Command(f"c{number}", f"d{number}", RED, True, START - age_s, START + 9_000.0)
    return msgspec.structs.replace(made, **more)


def told(board: Board, clock: RunClock) -> dict[tuple[str, tuple[str, ...]], float]:
    metrics = Metrics()
    metrics.watch(Sources(board=board, clock=clock))
    return samples(metrics.render())


async def test_the_oldest_command_is_told_by_what_becomes_of_it(autojump_clock: MockClock) -> None:
    clock = RunClock(START)
    board = Board(clock, "boot")
    name = "lamplighter_commands_oldest_age_seconds"
    assert [told(board, clock)[name, (one,)] for one in ("working", "held", "overdue")] == [0, 0, 0]
    board.publish(order(1, 5.0))
    board.publish(order(2, 70.0, status=CommandStatus.TRANSMITTED))
    board.publish(order(3, 400.0, status=CommandStatus.HELD))
    board.publish(order(4, 9_000.0, status=CommandStatus.TRANSMITTED, overdue=True))
    board.publish(order(5, 90_000.0, status=CommandStatus.VERIFIED))
    await trio.sleep(10.0)
    got = told(board, clock)
    assert got[name, ("working",)] == 80.0
    assert got[name, ("held",)] == 410.0
    assert got[name, ("overdue",)] == 9_010.0
    assert got["lamplighter_commands_open", ()] == 4
    assert got["lamplighter_commands_overdue", ()] == 1


async def test_the_newest_uplink_is_that_of_any_light(autojump_clock: MockClock) -> None:
    clock = RunClock(START)
    board = Board(clock, "boot")
    for number, heard_at in enumerate((START - 900.0, START - 30.0, START - 300.0)):
        session = Session("00aabbcc", START - 1_000.0, f_cnt=3, heard_at=heard_at)
        board.publish(Device(dev_eui=f"d{number}", session=session))
    board.publish(Device(dev_eui="never heard"))
    assert told(board, clock)["lamplighter_uplink_newest_age_seconds", ()] == 30.0


async def test_of_three_processes_one_tells_of_the_fleet_so_that_sums_count_each_light_once(
    autojump_clock: MockClock,
) -> None:
    world = make_world(lights=6)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        street = Street(world)
        houses = await street.open(nursery, "north", "south", "west")
        await trio.sleep(30)  # shards are given until all have a fair share
        await street.owned_by_all()
        await street.settled()
        command = await houses[0].command(next(iter(world.stations)), RED)
        await houses[0].final(command.id)
        await trio.sleep(5)  # shown by all
        each = [samples(house.parts.metrics.render()) for house in houses]
        assert [len(house.parts.board.devices) for house in houses] == [6, 6, 6]
        assert sum(family(each, "lamplighter_devices")) == 6
        assert sum(family(each, "lamplighter_devices_by_reachability")) == 6
        assert sum(family(each, "lamplighter_gateway_online")) == len(world.gateways)
        assert family(each, "lamplighter_commands_open") == [0]
        assert len(family(each, "lamplighter_network_answers")) == 1
        assert sum(family(each, "lamplighter_cluster_fleet_here")) == 1
        assert sum(family(each, "lamplighter_cluster_shards_here")) == 65
        ended = [one.get(("lamplighter_commands_total", ("verified",)), 0.0) for one in each]
        assert sum(ended) == 1
        assert family(each, "lamplighter_ready") == [1, 1, 1]
        nursery.cancel_scope.cancel(reason="the test ends")


def family(each: Iterable[dict[tuple[str, tuple[str, ...]], float]], name: str) -> list[float]:
    """The samples of this name of all processes."""
    return [value for one in each for (called, _), value in one.items() if called == name]
