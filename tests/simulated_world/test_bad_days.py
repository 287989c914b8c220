"""Bad days of the pretend server: it stands still, is locked, or others answer in its place."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import trio
import trio.testing
from one_light import GATEWAY, LIGHT, RED, SHOWN, Bench

from lorawan.events.model import Modulation, Uplink
from lorawan.network import (
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkTimeout,
)
from simulation.world.profile import CALM


@pytest.fixture
async def bench(nursery: trio.Nursery) -> AsyncIterator[Bench]:
    bench = Bench()
    await nursery.start(bench.world.run)
    yield bench
    nursery.cancel_scope.cancel()


async def test_what_waited_for_a_server_that_stood_still_is_worked_off_in_order(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network, freezer = bench.world.network, bench.world.freezer
    began_at = bench.world.kernel.now_at
    freezer.freeze()
    began_s = trio.current_time()
    for life_s in (20.0, 3_600.0):
        with pytest.raises(NetworkTimeout):
            await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=began_at + life_s)
    assert trio.current_time() - began_s == pytest.approx(10.0)
    with pytest.raises(NetworkTimeout):
        await network.queue(LIGHT)
    bench.station.restart()
    await trio.sleep(60.0)
    assert bench.events == []
    assert len(bench.device.queue) == 0
    before = bench.device.dev_addr
    freezer.thaw()
    assert len(bench.device.queue) == 2
    await trio.sleep(60.0)
    assert bench.device.dev_addr != before, "its join waited as well"
    assert bench.of(Uplink)


async def test_a_server_that_stands_still_for_a_second_answers_in_time(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network, freezer = bench.world.network, bench.world.freezer
    freezer.freeze()
    bench.world.kernel.after(1.0, freezer.thaw)
    item_id = await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
    assert item_id
    await trio.sleep(5.0)
    assert bench.station.light.shown == SHOWN[RED]


async def test_a_caller_that_gives_up_takes_nothing_back(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    bench.world.stop_gateway(GATEWAY)
    bench.world.freezer.freeze()
    with trio.move_on_after(0.0001):
        await bench.world.network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
    assert len(bench.device.queue) == 0
    bench.world.freezer.thaw()
    assert len(bench.device.queue) == 1


@pytest.mark.parametrize(
    ("spell", "error"), [("locked", NetworkFault), ("proxied", NetworkIntermediary)]
)
async def test_of_the_calls_that_fail_in_a_spell_some_took_effect(
    autojump_clock: trio.testing.MockClock, bench: Bench, spell: str, error: type[Exception]
) -> None:
    network = bench.world.network
    bench.world.stop_gateway(GATEWAY)
    setattr(network.faults, spell, True)
    failed, taken = 0, 0
    for _ in range(60):
        before = len(bench.device.queue)
        try:
            await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
        except error:
            failed += 1
            taken += len(bench.device.queue) - before
    assert 0 < taken < failed
    assert (failed == 60) is (spell == "proxied")
    network.faults.clear()
    await network.queue(LIGHT)


async def test_no_right_to_one_light_is_said_of_that_one_only(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    network.faults.unknown.add(LIGHT)
    with pytest.raises(NetworkForbidden):
        await network.activation(LIGHT)
    assert await network.gateways()
    assert await network.devices("kuando")
    network.faults.unknown.discard(LIGHT)
    assert await network.activation(LIGHT) is not None


def test_every_bad_day_comes_by_chance_and_ends_with_healing() -> None:
    profile = msgspec.structs.replace(
        CALM,
        locked_every_s=50.0,
        frozen_every_s=50.0,
        proxy_every_s=50.0,
        no_right_every_s=50.0,
        disabled_every_s=50.0,
    )
    bench = Bench()
    world, faults = bench.world, bench.world.network.faults
    world.set_profile(profile)
    seen: set[str] = set()
    for _ in range(4_000):
        world.advance(1.0)
        now = {
            "locked": faults.locked,
            "proxied": faults.proxied,
            "no right": bool(faults.unknown),
            "frozen": world.freezer.frozen,
            "disabled": bench.device.disabled,
        }
        seen |= {what for what, true in now.items() if true}
        if seen == set(now) and now["disabled"] and now["frozen"]:
            break
    assert seen == set(now)
    assert seen <= set(world.trouble)
    world.heal()
    left = [faults.locked, faults.proxied, world.freezer.frozen, bench.device.disabled]
    assert not any([*left, *faults.unknown])


def test_an_answer_about_rx2_is_to_what_was_asked_whatever_was_configured_since() -> None:
    bench = Bench()
    world, before = bench.world, bench.world.rules.rx2
    other = Modulation(12 if before.spreading_factor == 9 else 9, 125_000)
    world.set_rx2(other)
    bench.station.send_status()
    world.advance(5.0)
    assert bench.station.rx2 == other
    world.set_rx2(before)
    bench.station.send_status()
    world.advance(0.5)
    assert bench.device.rx2 == other, "the light hears at that rate, not at the one set since"
