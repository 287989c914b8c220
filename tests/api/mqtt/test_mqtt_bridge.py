"""The bridge with a real mosquitto: what is retained, what becomes of orders, and what is lost."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import trio

from actors.alerts.finding import AlertKind
from actors.board.changes import DeviceRemoved, GatewayView
from actors.board.sight import Sight
from actors.device.command import CommandStatus
from actors.device.model import Device, Wanted
from actors.refusal import Refusal
from api.mqtt.order_desk import mark_of
from api.mqtt.topics import Topics
from lorawan.kuando.light_state import LightState
from tests.support.bridge_kit import bridging, connected, until
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import MqttPeer, retained_at

LIGHT = f"lamplighter/light/{DEV_EUI}"
SET, RESULT = f"{LIGHT}/set", f"{LIGHT}/result"
CONFIG = f"homeassistant/device/lamplighter/light_{DEV_EUI}/config"
ONLINE = "lamplighter/bridge/availability"
RED = {"state": "ON", "color": {"r": 255, "g": 0, "b": 0}}


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


def showing(red: int, green: int = 0, blue: int = 0, **changes: Any) -> Device:
    """The light of the tests, which reports this colour."""
    light = a_light()
    assert light.report is not None
    report = msgspec.structs.replace(light.report, light=LightState(red, green, blue))
    return msgspec.structs.replace(light, report=report, **changes)


async def test_what_a_light_shows_is_retained_and_never_the_wish(broker: Mosquitto) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            wish = Wanted(LightState(255, 0, 0), "cmd-9", NOW, by="alice")
            application.board.publish(a_light(wanted=wish))
            topic = f"{LIGHT}/attributes"
            await until(
                lambda: json.loads(peer.retained.get(topic, b"{}")).get("ordered_by") == "alice"
            )
            attributes = json.loads(peer.retained[topic])
            assert attributes["wanted"]["red"] == 255
            assert attributes["rssi_dbm"] == -97
            assert json.loads(peer.retained[f"{LIGHT}/state"])["color"] == {
                "r": 0,
                "g": 255,
                "b": 0,
            }
            assert peer.retained[f"{LIGHT}/availability"] == b"online"
            assert peer.retained[f"lamplighter/gateway/{GATEWAY}/state"] == b"ON"
            application.board.publish(showing(255, wanted=wish))
            state = b'{"state":"ON","color_mode":"rgb","color":{"r":255,"g":0,"b":0}'
            state += b',"brightness":255,"effect":"solid"}'
            await peer.until_retained(f"{LIGHT}/state", state)


async def test_a_light_that_nobody_can_reach_is_unavailable(broker: Mosquitto) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            gone = msgspec.structs.replace(application.board.gateways[GATEWAY], online=False)
            application.board.publish(gone)
            await peer.until_retained(f"{LIGHT}/availability", b"offline")
            await peer.until_retained(f"lamplighter/gateway/{GATEWAY}/state", b"OFF")


async def test_an_order_is_stored_answered_and_followed_to_its_end(broker: Mosquitto) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            await peer.say(SET, {**RED, "id": "mine"})
            taken = await peer.until_heard(RESULT, id="mine", status="accepted")
            command = application.commands.given[taken["command_id"]]
            assert command.light == LightState(255, 0, 0)
            assert command.by == "mqtt"
            assert [entry.by for entry in application.audited] == ["mqtt"]
            application.commands.step(command.id, CommandStatus.VERIFIED)
            await peer.until_heard(RESULT, id="mine", status="verified", command_id=command.id)


async def test_an_order_that_is_none_is_told_why(broker: Mosquitto) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            await peer.say(SET, {"state": "ON", "flash": "long", "id": "f"})
            told = await peer.until_heard(RESULT, id="f", status="refused")
            assert told["detail"] == "flash is not supported: give the effect blink"
            await peer.say("lamplighter/light/0000000000000000/set", RED)
            told = await peer.until_heard("lamplighter/light/0000000000000000/result")
            assert told["type"] == "unknown-device"
            assert application.commands.given == {}


async def test_an_order_that_cannot_be_taken_just_now_is_tried_again(broker: Mosquitto) -> None:
    application = FakeApplication()
    application.refusal = Refusal.MAILBOX_FULL
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            await peer.say(SET, RED)
            await trio.sleep(0.3)
            assert bridge.statistics().orders_waiting == 1
            application.refusal = None
            await peer.until_heard(RESULT, status="accepted")


async def test_an_order_that_nobody_can_deal_with_is_told_and_stops_no_other(
    broker: Mosquitto,
) -> None:
    application = FakeApplication()
    give = application.commands.give

    async def breaks(order: Any) -> Any:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("a bug")

    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            application.commands.give = breaks  # type: ignore[method-assign]
            await peer.say(SET, {**RED, "id": "poison"})
            await peer.until_heard(RESULT, type="internal")
            application.commands.give = give  # type: ignore[method-assign]
            await peer.say(SET, RED)
            await peer.until_heard(RESULT, status="accepted")


async def test_orders_that_come_while_the_bridge_is_down_are_kept_by_the_broker(
    broker: Mosquitto,
) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
        await peer.until_retained(ONLINE, b"offline")
        await peer.say(SET, RED)
        assert application.commands.given == {}
        async with bridging(application, broker.port):
            await peer.until_heard(RESULT, status="accepted")
        assert [one.light for one in application.commands.given.values()] == [LightState(255, 0, 0)]


async def test_an_order_that_is_delivered_again_is_given_once(broker: Mosquitto) -> None:
    """The bridge dies when the order is stored, and before the broker has its acknowledgement."""
    application = FakeApplication()
    give = application.commands.give

    async def stores_and_hangs(order: Any) -> Any:
        await give(order)
        await trio.sleep_forever()

    with MqttPeer(broker.port) as peer:
        application.commands.give = stores_and_hangs  # type: ignore[method-assign]
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            await peer.say(SET, RED)
            await until(lambda: bool(application.commands.given))
        application.commands.give = give  # type: ignore[method-assign]
        async with bridging(application, broker.port) as bridge:
            await until(lambda: bridge.statistics().orders_repeated > 0)
            assert len(application.commands.given) == 1
            # the same once more, as a new message, is a new order
            await peer.say(SET, RED)
            await until(lambda: len(application.commands.given) == 2)


async def test_an_order_that_was_not_stored_before_is_given_when_delivered_again(
    broker: Mosquitto,
) -> None:
    application = FakeApplication()
    give = application.commands.give

    async def hangs(order: Any) -> Any:
        hung.set()
        await trio.sleep_forever()

    hung = trio.Event()
    with MqttPeer(broker.port) as peer:
        application.commands.give = hangs  # type: ignore[method-assign]
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            await peer.say(SET, RED)
            with trio.fail_after(10):
                await hung.wait()
        application.commands.give = give  # type: ignore[method-assign]
        async with bridging(application, broker.port):
            await peer.until_heard(RESULT, status="accepted")
        assert len(application.commands.given) == 1


async def test_a_retained_order_is_not_followed_at_each_connection(broker: Mosquitto) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        await peer.say(SET, RED, retain=True)
        async with bridging(application, broker.port) as bridge:
            told = await peer.until_heard(RESULT, status="refused")
            assert told["type"] == "retained-order"
            await connected(bridge)
        assert application.commands.given == {}


async def test_a_light_that_was_removed_while_the_bridge_was_down_leaves_no_ghost(
    broker: Mosquitto,
) -> None:
    application = FakeApplication(3)
    async with bridging(application, broker.port) as bridge:
        await connected(bridge)
    before = await trio.to_thread.run_sync(retained_at, broker.port)
    assert sum("20202000" in topic for topic in before) == 8
    async with bridging(FakeApplication(1), broker.port) as bridge:
        await connected(bridge)
    after = await trio.to_thread.run_sync(retained_at, broker.port)
    assert [topic for topic in after if "20202000" in topic] == []
    index = json.loads(after["lamplighter/bridge/index"])
    assert index == {"lights": [DEV_EUI], "gateways": [GATEWAY]}
    assert CONFIG in after


async def test_a_light_that_is_removed_is_emptied_at_once(broker: Mosquitto) -> None:
    application = FakeApplication(2)
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port) as bridge:
            await connected(bridge)
            application.board.publish(DeviceRemoved(DEV_EUI, "Desk", "by hand"))
            for topic in Topics().of_light(DEV_EUI):
                await peer.until_retained(topic, None)
            await until(lambda: DEV_EUI.encode() not in peer.retained["lamplighter/bridge/index"])


async def test_a_broker_that_is_restarted_three_times_has_the_truth(broker: Mosquitto) -> None:
    application = FakeApplication(20)
    async with bridging(application, broker.port) as bridge:
        await connected(bridge)
        for number in range(3):
            application.board.publish(showing(10 + number))
            (broker.kill if number % 2 else broker.stop)()
            application.board.publish(showing(20 + number))
            await until(lambda: not bridge.statistics().connected)
            for file in broker.folder.glob("mosquitto.db"):
                file.unlink()  # it forgot everything
            broker.start()
            await until(lambda: bridge.statistics().connected)
            await connected(bridge)
        found = await trio.to_thread.run_sync(retained_at, broker.port)
        assert found[ONLINE] == b"online"
        assert json.loads(found[f"{LIGHT}/state"])["brightness"] == 22
        assert sum(topic.endswith("/state") for topic in found) == 21
        assert bridge.statistics().lost >= 3


async def test_a_broker_that_is_away_is_found_until_it_is_back(broker: Mosquitto) -> None:
    application = FakeApplication()
    broker.stop()
    async with bridging(application, broker.port) as bridge:
        [unmet] = bridge.findings()
        assert (unmet.kind, unmet.subject, unmet.holds) == (AlertKind.BROKER_AWAY, "mqtt", True)
        assert unmet.since == application.clock.now()
        await until(lambda: "Connection refused" in next(bridge.findings()).text)
        broker.start()
        await connected(bridge)
        [met] = bridge.findings()
        assert (met.holds, met.since) == (False, None)
        assert met.text == f"the MQTT broker at 127.0.0.1:{broker.port} is connected"
        broker.kill()
        await until(lambda: next(bridge.findings()).holds)
        since = next(bridge.findings()).since
        await until(lambda: bridge.statistics().lost >= 4)
        assert next(bridge.findings()).since == since, "one absence, however often it is looked for"


async def test_home_assistant_is_told_everything_when_it_starts(broker: Mosquitto) -> None:
    with MqttPeer(broker.port) as peer:
        async with bridging(FakeApplication(), broker.port) as bridge:
            await connected(bridge)
            told = len(peer.all_of(CONFIG))
            await peer.say("homeassistant/status", b"online")
            await until(lambda: len(peer.all_of(CONFIG)) > told)


async def test_the_will_says_that_nobody_speaks_for_the_lights(broker: Mosquitto) -> None:
    with MqttPeer(broker.port) as peer:
        async with bridging(FakeApplication(), broker.port):
            await peer.until_retained(ONLINE, b"online")
        await peer.until_retained(ONLINE, b"offline")


async def test_a_will_that_is_told_late_is_corrected(broker: Mosquitto) -> None:
    with MqttPeer(broker.port) as peer:
        async with bridging(FakeApplication(), broker.port) as bridge:
            await connected(bridge)
            await peer.say(ONLINE, b"offline", retain=True)
            await peer.until_retained(ONLINE, b"online")


async def test_only_lights_that_may_be_seen_are_there_and_can_be_ordered(
    broker: Mosquitto,
) -> None:
    application = FakeApplication(2)
    sight = Sight(dev_euis=(DEV_EUI,))
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port, sight=sight) as bridge:
            await connected(bridge)
            assert [topic for topic in peer.retained if "20202000" in topic] == []
            await peer.say("lamplighter/light/2020200000000001/set", RED)
            told = await peer.until_heard("lamplighter/light/2020200000000001/result")
            assert told["type"] == "unknown-device"
            application.board.publish(GatewayView("00000000000000aa", known=False))
            await connected(bridge)
            assert [topic for topic in peer.retained if "00000000000000aa" in topic] == []


async def test_an_older_broker_is_spoken_to_in_its_version(broker: Mosquitto) -> None:
    application = FakeApplication()
    with MqttPeer(broker.port) as peer:
        async with bridging(application, broker.port, version="3.1.1") as bridge:
            await connected(bridge)
            await peer.say(SET, RED)
            await peer.until_heard(RESULT, status="accepted")
        await peer.say(SET, {**RED, "id": "kept"})
        async with bridging(application, broker.port, version="3.1.1"):
            await peer.until_heard(RESULT, status="accepted", id="kept")


def test_an_orders_mark_names_its_number_and_its_content() -> None:
    assert mark_of(7, b"a") != mark_of(8, b"a") != mark_of(8, b"b")
    assert mark_of(7, b"a") == mark_of(7, b"a")
