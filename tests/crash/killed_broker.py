"""The bridge through restarts of its broker, and of itself: no order lost or given twice, no lie.

A peer gives orders all the while, each with a colour of its own, and repeats one until the broker
has acknowledged it. The broker is stopped in an orderly way, for a killed mosquitto loses what it
had acknowledged; every fifth time the bridge is killed as well, at any point of an order's way.
"""

import random
from collections import Counter

import msgspec
import trio

from api.mqtt.bridge import Bridge
from lorawan.kuando.light_state import LightState
from tests.support.bridge_kit import a_bridge, connected, until
from tests.support.fake_application import DEV_EUI, FakeApplication, a_light
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import MqttPeer, retained_at

LIGHTS = 20
PAUSE_S = 0.3


async def restart_broker(restarts: int, seed: int) -> str:
    """So many restarts; what was given and lost, in words. Raises AssertionError."""
    rng = random.Random(seed)
    application = FakeApplication(LIGHTS)
    acknowledged: list[int] = []
    with Mosquitto() as broker:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(application.board.run)
            stop_orders = trio.CancelScope()
            with MqttPeer(broker.port) as peer:
                lives, life = 0, trio.CancelScope()
                bridge = a_bridge(application, broker.port)
                for number in range(restarts):
                    if number % 5 == 0:
                        life.cancel()
                        life = trio.CancelScope()
                        bridge = a_bridge(application, broker.port)
                        await nursery.start(_live, bridge, life)
                        lives += 1
                    await connected(bridge)
                    if number == 0:  # before, the broker has no session to keep orders for
                        nursery.start_soon(_give_orders, peer, acknowledged, stop_orders)
                    _show(application, rng.randrange(1, 256))
                    await trio.sleep(rng.uniform(0, PAUSE_S))
                    await trio.to_thread.run_sync(broker.stop)
                    await trio.to_thread.run_sync(broker.start)
                life.cancel()
                stop_orders.cancel()
                bridge = a_bridge(application, broker.port)
                await nursery.start(bridge.run)
                await connected(bridge)
                given = application.commands.given
                await until(lambda: len(given) >= len(set(acknowledged)), 60.0)
                await until(lambda: bridge.statistics().orders_waiting == 0)
                await trio.sleep(1.0)
                _show(application, 77)
                await connected(bridge)
                retained = await trio.to_thread.run_sync(retained_at, broker.port)
            nursery.cancel_scope.cancel()
    counted = Counter(one.light for one in application.commands.given.values())
    lost = [number for number in acknowledged if counted[_colour(number)] == 0]
    twice = [light for light, times in counted.items() if times > 1]
    assert not lost, f"orders that the broker had acknowledged are lost: {lost}"
    assert not twice, f"orders were given more than once: {twice}"
    state = msgspec.json.decode(retained[f"lamplighter/light/{DEV_EUI}/state"])
    assert state["brightness"] == 77, state
    assert retained["lamplighter/bridge/availability"] == b"online"
    assert sum(topic.endswith("/config") for topic in retained) == LIGHTS + 2
    return (
        f"{restarts} restarts of the broker, {lives} lives of the bridge, "
        f"{len(acknowledged)} orders acknowledged, 0 lost, 0 given twice, no false state"
    )


async def _live(bridge: Bridge, life: trio.CancelScope, task_status: trio.TaskStatus[None]) -> None:
    with life:
        await bridge.run(task_status)


async def _give_orders(peer: MqttPeer, given: list[int], stop: trio.CancelScope) -> None:
    with stop:
        number = 0
        while True:
            number += 1
            light = _colour(number)
            order = msgspec.structs.asdict(light)
            await peer.say(f"lamplighter/light/{DEV_EUI}/set", order)
            given.append(number)
            await trio.sleep(0.05)


def _colour(number: int) -> LightState:
    return LightState(number >> 8 & 255, number & 255, 1)


def _show(application: FakeApplication, brightness: int) -> None:
    light = a_light()
    assert light.report is not None
    report = msgspec.structs.replace(light.report, light=LightState(brightness, 0, 0))
    application.board.publish(msgspec.structs.replace(light, report=report))
