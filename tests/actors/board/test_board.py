import msgspec
import pytest
import trio

from actors.board.board import Board
from actors.board.changes import ActorView, AlertView, DeviceRemoved, GatewayView
from actors.clocks.clock import RunClock
from actors.device.command import Command, CommandStatus
from actors.device.model import Device
from actors.supervision import ChildState
from lorawan.kuando.light_state import LightState
from store.engine.shards import FLEET, LIGHT_SHARDS, shard_of

START = 1_700_000_000.0
RED = LightState(255, 0, 0)


def board_now(**more: int) -> Board:
    return Board(RunClock(START), "boot-1", **more)


def command(command_id: str, status: CommandStatus = CommandStatus.ACCEPTED) -> Command:
    return Command(command_id, "d1", RED, True, START, START + 60, status)


def verified(one: Command) -> bool:
    return one.status is CommandStatus.VERIFIED


async def test_views_are_the_published_objects() -> None:
    board = board_now()
    device, gateway = Device(dev_eui="d1"), GatewayView("g1")
    board.publish(device)
    board.publish(gateway)
    assert board.devices["d1"] is device
    assert board.gateways == {"g1": gateway}
    assert board.number == 2
    with pytest.raises(TypeError):
        board.devices["d2"] = device  # type: ignore[index]


async def test_open_commands_are_kept_and_ended_ones_in_a_ring() -> None:
    board = board_now(commands_kept=3)
    board.publish(command("open"))
    for number in range(5):
        board.publish(command(f"c{number}"))
        board.publish(command(f"c{number}", CommandStatus.VERIFIED))
    assert board.command("open") is not None
    assert set(board.open_commands) == {"open"}
    assert board.command("c1") is None
    assert [board.command(f"c{number}") is not None for number in (2, 3, 4)] == [True] * 3


async def test_alerts_show_newest_first_and_forget_old_closed_ones() -> None:
    board = board_now(alerts_kept=2)
    for number in range(4):
        board.publish(AlertView(f"a{number}", "k", f"s{number}", "", START + number, START))
    assert [alert.id for alert in board.alerts()] == ["a3", "a2", "a1", "a0"]
    for number in range(3):
        board.publish(
            AlertView(f"a{number}", "k", f"s{number}", "", START + number, START, 0, START + 9)
        )
    assert [alert.id for alert in board.alerts()] == ["a3", "a2", "a1"]
    assert board.statistics().alerts_open == 1
    board.publish(AlertView("a2", "k", "s2", "", START + 2, START))
    assert board.statistics().alerts_open == 2


async def test_a_snapshot_shows_only_actors_that_are_unwell() -> None:
    board = board_now()
    board.publish(ActorView("device d1", ChildState.PARKED, 5, "boom"))
    board.publish(ActorView("device d2", ChildState.BACKING_OFF, 1))
    board.publish(ActorView("device d2", ChildState.RUNNING, 1))
    assert [actor.id for actor in board.snapshot().actors] == ["device d1"]


async def test_waiting_for_a_command_is_woken_by_its_change(
    autojump_clock: trio.testing.MockClock,
) -> None:
    board = board_now()
    found: list[Command | None] = []

    async def wait() -> None:
        found.append(await board.wait_command("c1", verified, 60))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(10)
        board.publish(command("c1"))
        board.publish(command("c2", CommandStatus.VERIFIED))
        await trio.testing.wait_all_tasks_blocked()
        assert found == []
        board.publish(command("c1", CommandStatus.VERIFIED))
    assert found == [command("c1", CommandStatus.VERIFIED)]
    assert trio.current_time() == pytest.approx(10)
    assert board.statistics().waiters == 0


async def test_waiting_catches_a_state_that_lasted_an_instant(
    autojump_clock: trio.testing.MockClock,
) -> None:
    board = board_now()
    found: list[Command | None] = []

    async def wait() -> None:
        found.append(
            await board.wait_command("c1", lambda one: one.status is CommandStatus.HELD, 60)
        )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        board.publish(command("c1", CommandStatus.HELD))
        board.publish(command("c1", CommandStatus.QUEUED))
    assert found == [command("c1", CommandStatus.HELD)]


async def test_waiting_ends_with_what_is_known(autojump_clock: trio.testing.MockClock) -> None:
    board = board_now()
    assert await board.wait_command("none", verified, 5) is None
    board.publish(command("c1"))
    assert await board.wait_command("c1", verified, 5) == command("c1")
    assert await board.wait_command("c1", lambda one: not verified(one), 5) == command("c1")
    assert trio.current_time() == pytest.approx(10)
    assert board.statistics().waiters == 0


async def test_a_condition_that_raises_hurts_its_waiter_only(
    autojump_clock: trio.testing.MockClock,
) -> None:
    board = board_now()

    def broken(_one: Device) -> bool:
        raise KeyError("broken condition")

    async def wait() -> None:
        with pytest.raises(KeyError):
            await board.wait_device("d1", broken, 60)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        board.publish(Device(dev_eui="d1"))
    assert "d1" in board.devices


async def test_waiting_for_a_device(autojump_clock: trio.testing.MockClock) -> None:
    board = board_now()
    async with trio.open_nursery() as nursery:

        async def change() -> None:
            await trio.sleep(3)
            board.publish(msgspec.structs.replace(Device(dev_eui="d1"), uplinks=1))

        nursery.start_soon(change)
        found = await board.wait_device("d1", lambda one: one.uplinks == 1, 60)
    assert found is not None
    assert trio.current_time() == pytest.approx(3)


async def test_a_removed_light_is_told_and_known_no_longer() -> None:
    board = board_now()
    board.publish(Device(dev_eui="01", name="desk"))
    with board.subscribe() as reader:
        board.publish(DeviceRemoved("01", "desk", "by hand"))
        [change] = await anext(reader)
    assert change.what == DeviceRemoved("01", "desk", "by hand")
    assert board.devices == {}
    assert board.snapshot().devices == ()
    assert sum(board.reachability_counts().values()) == 0


async def test_the_lights_of_one_shard_are_told_in_the_order_in_which_they_came() -> None:
    board = board_now()
    names = [f"{number:016x}" for number in range(300)]
    for name in names:
        board.publish(Device(dev_eui=name))
    board.publish(Device(dev_eui=names[7], name="again"))
    board.publish(DeviceRemoved(names[8], "", "why"))
    board.publish(DeviceRemoved("0b0b0b0b0b0b0b0b", "", "never known"))
    left = [name for name in names if name != names[8]]
    for shard in LIGHT_SHARDS:
        assert list(board.lights_in(shard)) == [one for one in left if shard_of(one) == shard]
    assert board.lights_in(FLEET) == ()
    board.publish(Device(dev_eui=names[8]))
    assert board.lights_in(shard_of(names[8]))[-1] == names[8]


async def test_a_hook_is_told_of_a_change_before_anybody_can_see_it() -> None:
    seen: list[tuple[object, bool]] = []
    board = Board(
        RunClock(START),
        "boot-1",
        publishing=lambda what: seen.append((what, "01" in board.devices)),
    )
    desk = Device(dev_eui="01")
    board.publish(desk)
    assert seen == [(desk, False)]
    assert board.devices["01"] is desk
