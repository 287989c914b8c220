"""Each process knows whether ChirpStack answers it, asked for something or not."""

import trio
from trio.testing import MockClock

from actors.cluster.network_sight import EVERY_S, NetworkSight
from lorawan.network import NetworkUnavailable
from tests.support.small_network import SmallNetwork


async def test_it_asks_by_itself_where_nobody_else_of_this_process_does(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    network = SmallNetwork()
    sight = NetworkSight(network, lambda: None)
    assert sight.sees
    await nursery.start(sight.run)
    await trio.sleep(1)
    assert sight.sees
    network.failure = NetworkUnavailable("away")
    await trio.sleep(EVERY_S)
    assert not sight.sees
    network.failure = None
    await trio.sleep(EVERY_S)
    assert sight.sees


async def test_the_gateway_watcher_of_this_process_knows_better(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    network = SmallNetwork()
    network.failure = AssertionError("it was asked")
    seen = True
    sight = NetworkSight(network, lambda: seen)
    await nursery.start(sight.run)
    await trio.sleep(3 * EVERY_S)
    assert sight.sees
    seen = False
    assert not sight.sees
