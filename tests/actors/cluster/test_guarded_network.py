"""Nothing is handed to ChirpStack but in a lease that holds; what is only read passes always."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.cluster.guarded_network import LASTS_S, GuardedNetwork
from lorawan.network import NetworkTimeout, NetworkUnavailable
from tests.support.small_network import LIGHT, SmallNetwork


class SlowNetwork(SmallNetwork):
    """Takes its time to enqueue and to flush."""

    takes_s = 0.0

    async def enqueue(self, dev_eui: str, *, f_port: int, data: bytes, expires_at: float) -> str:
        await trio.sleep(self.takes_s)
        return await super().enqueue(dev_eui, f_port=f_port, data=data, expires_at=expires_at)

    async def flush(self, dev_eui: str) -> None:
        await trio.sleep(self.takes_s)
        await super().flush(dev_eui)


async def enqueue(network: GuardedNetwork) -> str:
    return await network.enqueue(LIGHT, f_port=15, data=b"a", expires_at=1e10)


async def test_without_a_valid_lease_nothing_is_handed_over() -> None:
    inner = SlowNetwork()
    network = GuardedNetwork(inner, lambda: False)
    with pytest.raises(NetworkUnavailable):
        await enqueue(network)
    with pytest.raises(NetworkUnavailable):
        await network.flush(LIGHT)
    assert inner.items[LIGHT] == []
    assert await network.queue(LIGHT) == []
    assert await network.activation(LIGHT) is None


async def test_in_a_valid_lease_everything_is() -> None:
    inner = SlowNetwork()
    network = GuardedNetwork(inner, lambda: True)
    await enqueue(network)
    assert len(inner.items[LIGHT]) == 1
    await network.flush(LIGHT)
    assert inner.items[LIGHT] == []


async def test_a_call_that_lasts_longer_than_the_lease_surely_holds_is_given_up(
    autojump_clock: MockClock,
) -> None:
    inner = SlowNetwork()
    inner.takes_s = LASTS_S + 1
    network = GuardedNetwork(inner, lambda: True)
    for call in (lambda: enqueue(network), lambda: network.flush(LIGHT)):
        began = trio.current_time()
        with pytest.raises(NetworkTimeout):
            await call()
        assert trio.current_time() - began == pytest.approx(LASTS_S)


async def test_at_rest_it_waits_for_calls_under_way_and_begins_none(
    autojump_clock: MockClock,
) -> None:
    inner = SlowNetwork()
    inner.takes_s = 2.0
    network = GuardedNetwork(inner, lambda: True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(enqueue, network)
        nursery.start_soon(network.flush, LIGHT)
        await wait_all_tasks_blocked()
        began = trio.current_time()
        nursery.start_soon(network.rest)  # two may wait for the same
        await network.rest()
        assert trio.current_time() - began == pytest.approx(2.0)
        with pytest.raises(NetworkUnavailable):
            await enqueue(network)
