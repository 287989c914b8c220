from collections.abc import Callable

import msgspec
import pytest
import trio

from actors.board.board import Board
from actors.clocks.clock import RunClock
from actors.device.events import DeviceEvent, InitializeRequested
from actors.device.model import Device, Hearing, Phase, Session, Setup
from actors.fleet.initialization import (
    RUNS_KEPT,
    InitializationPolicy,
    InitializationRun,
    Initializer,
)
from actors.messaging.mailbox import Offer
from actors.messaging.reply import ActorCrashed
from actors.refusal import Refusal

START = 1_700_000_000.0
replace = msgspec.structs.replace

Behaviour = Callable[["Street", Device, InitializeRequested], None]


class Street:
    """Lights that answer initialisations by a script, on a board."""

    def __init__(self, policy: InitializationPolicy | None = None) -> None:
        self.clock = RunClock(START)
        self.board = Board(self.clock, "boot")
        self.nursery: trio.Nursery
        self.behaviour: Behaviour = takes(5.0)
        self.under_way = self.most_under_way = 0
        self.asked: list[str] = []
        self.ids = iter(range(1_000))
        self.initializer = Initializer(
            self.board,
            self._post,
            self.clock,
            new_id=lambda: f"run{next(self.ids)}",
            is_ours=lambda device: "kuando" in device.profile_name,
            policy=policy,
        )

    def _post(self, dev_eui: str, event: DeviceEvent) -> Offer:
        assert isinstance(event, InitializeRequested)
        self.asked.append(dev_eui)
        self.behaviour(self, self.board.devices[dev_eui], event)
        return Offer.ACCEPTED

    async def open(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        await nursery.start(self.initializer.run)

    def begin(self, *dev_euis: str, force: bool = False) -> str:
        run = self.initializer.start(dev_euis or None, force=force)
        assert run is not None
        return run.id

    def progress(self, run_id: str) -> InitializationRun:
        run = self.initializer.progress(run_id)
        assert run is not None
        return run


def takes(seconds: float, ends: Phase = Phase.IDLE) -> Behaviour:
    """A light that works for a while and then has its settings, or fails."""

    def behave(street: Street, device: Device, event: InitializeRequested) -> None:
        street.nursery.start_soon(work, street, device, event)

    async def work(street: Street, device: Device, event: InitializeRequested) -> None:
        street.under_way += 1
        street.most_under_way = max(street.most_under_way, street.under_way)
        begun = replace(device, setup=Setup(), phase=Phase.INITIALIZING)
        street.board.publish(begun)
        assert event.reply is not None
        event.reply.resolve("started")
        await trio.sleep(seconds)
        if ends is Phase.IDLE:
            assert begun.session is not None
            session = replace(begun.session, set_up=True)
            street.board.publish(replace(begun, setup=None, phase=ends, session=session))
        else:
            street.board.publish(replace(begun, phase=ends))
        street.under_way -= 1

    return behave


def light(dev_eui: str, *, set_up: bool = False, heard: bool = True) -> Device:
    session = Session("00aabbcc", START, f_cnt=0 if heard else -1, set_up=set_up)
    return Device(dev_eui=dev_eui, profile_name="kuando busylight", session=session)


async def test_all_lights_are_initialised_a_few_at_a_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street(InitializationPolicy(under_way_most=5))
    for number in range(23):
        street.board.publish(light(f"d{number}"))
    street.board.publish(Device(dev_eui="thermometer", profile_name="other"))
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        run_id = street.begin()
        await trio.sleep(7)
        halfway = street.progress(run_id)
        assert (halfway.total, halfway.started, halfway.done) == (23, 10, 5)
        assert halfway.ended_at is None
        await trio.sleep(60)
        end = street.progress(run_id)
        assert (end.started, end.done, end.skipped, end.failed) == (23, 23, 0, 0)
        assert end.ended_at == pytest.approx(START + 25)
        assert street.most_under_way == 5
        nursery.cancel_scope.cancel()


async def test_lights_with_settings_are_skipped_unless_forced(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    street.board.publish(light("d1", set_up=True))
    street.board.publish(light("d2"))
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        run_id = street.begin()
        await trio.sleep(20)
        assert (street.progress(run_id).done, street.progress(run_id).skipped) == (1, 1)
        forced = street.begin("d1", force=True)
        await trio.sleep(1)
        assert street.progress(forced).done == 0
        await trio.sleep(20)
        assert street.progress(forced).done == 1
        assert street.asked == ["d2", "d1"]
        nursery.cancel_scope.cancel()


async def test_lights_that_cannot_be_reached_take_no_place(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street(InitializationPolicy(under_way_most=1))
    deaf = Hearing("g1", START, -90, 5.0, 10.0, latest=True, online=False)
    street.board.publish(replace(light("d1"), hearings=(deaf,)))
    street.board.publish(light("d2", heard=False))
    street.board.publish(Device(dev_eui="d3"))
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        run_id = street.begin("d1", "d2", "d3", "nobody", "d1")
        await trio.sleep(1)
        end = street.progress(run_id)
        assert (end.total, end.failed) == (4, 4)
        assert end.ended_at == pytest.approx(START)
        nursery.cancel_scope.cancel()


async def test_failures_of_every_kind_are_counted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()

    def crash(_street: Street, _device: Device, event: InitializeRequested) -> None:
        assert event.reply is not None
        event.reply.fail(ActorCrashed("device d1", "boom"))

    def silence(_street: Street, _device: Device, _event: InitializeRequested) -> None:
        pass

    scripts: list[tuple[Behaviour, float]] = [
        (crash, 0),
        (silence, 10),
        (takes(3, ends=Phase.FAILED), 3),
        (takes(5_000), 900),
    ]
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        for behaviour, lasts_s in scripts:
            street.board.publish(light("d1"))
            street.behaviour = behaviour
            began = street.clock.now()
            run_id = street.begin("d1")
            await trio.sleep(1_000)
            end = street.progress(run_id)
            assert (end.failed, end.done) == (1, 0)
            assert end.ended_at == pytest.approx(began + lasts_s)
        nursery.cancel_scope.cancel()


async def test_runs_go_on_side_by_side(autojump_clock: trio.testing.MockClock) -> None:
    street = Street(InitializationPolicy(under_way_most=4))
    for number in range(100):
        street.board.publish(light(f"d{number}"))
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        street.begin()
        await trio.sleep(1)
        single = street.begin("d99")
        await trio.sleep(15)
        assert street.progress(single).done == 1
        nursery.cancel_scope.cancel()


async def test_a_restart_ends_the_run_where_it_stood(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    street.board.publish(light("d1"))
    async with trio.open_nursery() as lights:
        street.nursery = lights
        async with trio.open_nursery() as nursery:
            await nursery.start(street.initializer.run)
            run_id = street.begin("d1")
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        assert street.progress(run_id).ended_at is None
        async with trio.open_nursery() as nursery:
            await nursery.start(street.initializer.run)
            ended = street.progress(run_id)
            assert (ended.started, ended.done) == (1, 0)
            assert ended.ended_at is not None
            await trio.sleep(10)
            session = street.board.devices["d1"].session
            assert session is not None
            assert session.set_up  # the light itself went on
            nursery.cancel_scope.cancel()


async def test_runs_are_bounded_and_the_newest_kept(
    autojump_clock: trio.testing.MockClock,
) -> None:
    street = Street()
    assert street.initializer.progress() is None
    for _ in range(RUNS_KEPT):
        street.begin("nobody")
    assert street.initializer.start(["nobody"], force=False) is Refusal.MAILBOX_FULL
    async with trio.open_nursery() as nursery:
        await street.open(nursery)
        await trio.sleep(1)
        newest = [street.begin("nobody") for _ in range(5)][-1]
        await trio.sleep(1)
        assert street.initializer.progress("run0") is None
        latest = street.initializer.progress()
        assert latest is not None
        assert latest.id == newest
        nursery.cancel_scope.cancel()
