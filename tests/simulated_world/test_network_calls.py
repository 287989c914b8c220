"""The calls of the pretend server: effects, failures on order, and answers to bad requests."""

from collections.abc import AsyncIterator, Callable

import pytest
import trio
import trio.testing
from msgspec import structs
from one_light import BLUE, GATEWAY, LIGHT, RED, SHOWN, Bench

from lorawan.events.model import Join, TxAck, Uplink
from lorawan.network import (
    Activation,
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)
from simulation.world.device import ServerSettings
from simulation.world.faults import WITH_EFFECT, CallFault
from simulation.world.profile import CALM


@pytest.fixture
async def bench(nursery: trio.Nursery) -> AsyncIterator[Bench]:
    bench = Bench()
    await nursery.start(bench.world.run)
    yield bench
    nursery.cancel_scope.cancel()


async def test_enqueue_works_and_keeps_microseconds(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    expires_at = bench.world.kernel.now_at + 30.1234567
    item_id = await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=expires_at)
    (item,) = await network.queue(LIGHT)
    assert (item.id, item.data, item.f_port, item.confirmed) == (item_id, RED, 15, False)
    assert item.expires_at == round(expires_at, 6)
    await trio.sleep(2.0)
    assert await network.queue(LIGHT) == ()
    assert bench.station.light.shown == SHOWN[RED]
    activation = await network.activation(LIGHT)
    assert activation == Activation(dev_addr=bench.device.dev_addr, f_cnt_up=1, f_cnt_down=2)
    assert [type(event) for event in await network.replay(LIGHT)] == [Join, Uplink, TxAck]


async def test_lists_of_gateways_and_devices(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    (gateway,) = await network.gateways()
    assert gateway.gateway_id == GATEWAY
    assert gateway.last_seen_at is not None
    (device,) = await network.devices("kUaNdO")
    assert device.dev_eui == LIGHT
    assert await network.devices("thermometer") == ()


async def test_flush_takes_everything(autojump_clock: trio.testing.MockClock, bench: Bench) -> None:
    network = bench.world.network
    bench.world.stop_gateway(GATEWAY)
    for data in (RED, BLUE):
        await network.enqueue(LIGHT, f_port=15, data=data, expires_at=2e9)
    assert len(await network.queue(LIGHT)) == 2
    await network.flush(LIGHT)
    assert await network.queue(LIGHT) == ()


async def test_bad_requests_get_the_originals_answers(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    unknown = "2020204100ffffff"
    with pytest.raises(NetworkFault):
        await network.enqueue(unknown, f_port=15, data=RED, expires_at=2e9)
    with pytest.raises(NetworkUnknown):
        await network.activation(unknown)
    assert await network.queue(unknown) == ()
    await network.flush(unknown)
    for f_port in (0, 256):
        with pytest.raises(NetworkInvalid):
            await network.enqueue(LIGHT, f_port=f_port, data=RED, expires_at=2e9)
    with pytest.raises(NetworkFault):
        await network.queue("not an eui")
    await network.enqueue(LIGHT.upper(), f_port=271, data=RED, expires_at=2e9)
    (item,) = await network.queue(LIGHT)
    assert item.f_port == 15


async def test_a_tenant_key_is_refused_for_unknown_devices(
    autojump_clock: trio.testing.MockClock,
) -> None:
    network = Bench(settings=ServerSettings(tenant_key=True), joined=False).world.network
    with pytest.raises(NetworkRefused):
        await network.activation("2020204100ffffff")
    with pytest.raises(NetworkRefused):
        await network.enqueue("2020204100ffffff", f_port=15, data=RED, expires_at=2e9)
    assert await network.activation(LIGHT) is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CallFault.UNAVAILABLE, NetworkUnavailable),
        (CallFault.TIMEOUT, NetworkTimeout),
        (CallFault.REPLY_LOST, NetworkTimeout),
        (CallFault.REFUSED, NetworkRefused),
        (CallFault.UNKNOWN, NetworkUnknown),
        (CallFault.INVALID, NetworkInvalid),
        (CallFault.FAULT, NetworkFault),
        (CallFault.LOCKED, NetworkFault),
        (CallFault.LOCKED_AFTER, NetworkFault),
        (CallFault.NO_RIGHT, NetworkForbidden),
        (CallFault.PROXY, NetworkIntermediary),
        (CallFault.PROXY_AFTER, NetworkIntermediary),
    ],
)
async def test_every_failure_can_be_ordered(
    autojump_clock: trio.testing.MockClock,
    bench: Bench,
    fault: CallFault,
    error: type[NetworkError],
) -> None:
    network = bench.world.network
    bench.world.stop_gateway(GATEWAY)
    network.faults.order(fault, method="enqueue")
    assert await network.queue(LIGHT) == ()
    started_s = trio.current_time()
    with pytest.raises(error) as caught:
        await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
    assert type(caught.value) is error
    waited_s = trio.current_time() - started_s
    assert waited_s == pytest.approx(5.0) if error is NetworkTimeout else waited_s < 0.1
    assert len(await network.queue(LIGHT)) == (1 if fault in WITH_EFFECT else 0)


async def test_a_server_that_is_down_has_no_effect(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    network.faults.down = True
    calls: list[Callable[[], object]] = [network.gateways, lambda: network.queue(LIGHT)]
    for call in calls:
        with pytest.raises(NetworkUnavailable):
            await call()  # type: ignore[misc]
    network.faults.clear()
    assert await network.queue(LIGHT) == ()


async def test_events_may_come_before_the_reply(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    network.faults.profile = structs.replace(CALM, call_slow_s=(3.0, 4.0))
    network.faults.order(CallFault.SLOW)
    item_id = await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
    (txack,) = bench.of(TxAck)
    assert isinstance(txack, TxAck)
    assert txack.queue_item_id == item_id


async def test_a_call_that_its_caller_gave_up_arrives_all_the_same(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    network = bench.world.network
    bench.world.stop_gateway(GATEWAY)
    with trio.move_on_after(0.0):
        await network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
    assert [item.data for item in await network.queue(LIGHT)] == [RED]
    network.faults.order(CallFault.SLOW)
    with trio.move_on_after(0.5):
        await network.enqueue(LIGHT, f_port=15, data=BLUE, expires_at=2e9)
    assert [item.data for item in await network.queue(LIGHT)] == [RED, BLUE]


async def test_statistics_count_calls_and_queued_items(
    autojump_clock: trio.testing.MockClock, bench: Bench
) -> None:
    bench.world.stop_gateway(GATEWAY)
    await bench.world.network.enqueue(LIGHT, f_port=15, data=RED, expires_at=2e9)
    statistics = bench.world.network.statistics()
    assert statistics.calls == {"enqueue": 1}
    assert statistics.queued == 1
    with pytest.raises(ValueError, match="1000"):
        bench.world.network.faults.order(CallFault.SLOW, calls=1001)
