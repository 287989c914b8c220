"""The bridge as people run it: a part of `lamplighter serve`, and a process of its own."""

import json
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from lorawan.kuando import LightState
from tests.support.bridge_kit import until as until_so
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import MqttPeer
from tests.support.pretend_site import pretend_site, until
from tests.support.processes import Running, run_meanwhile

PROOF_S = 100.0
"""A light has to be given its settings first."""
RED = {"state": "ON", "color": {"r": 255, "g": 0, "b": 0}, "id": "red"}
BLUE = {"red": 0, "green": 0, "blue": 255, "id": "blue"}


def colour(peer: MqttPeer, topic: str) -> Any:
    state = json.loads(peer.retained.get(topic, b"{}"))
    return state.get("color")


@pytest.mark.timeout(300)
async def test_orders_by_mqtt_are_proven_by_the_light_in_both_ways_to_run_the_bridge(
    tmp_path: Path,
) -> None:
    async with pretend_site() as site:
        with Mosquitto() as broker, MqttPeer(broker.port) as peer:
            config = site.config(tmp_path, mqtt={"url": broker.url})
            site.connect()
            first, second = site.world.stations
            with Running(tmp_path, "serve", "--config", str(config)) as service:
                async with httpx2.AsyncClient(base_url=site.url, timeout=30.0) as http:

                    async def ready() -> bool:
                        return (await http.get("/readyz")).status_code == 200

                    await until("ready", ready)
                    topic = f"lamplighter/light/{first}"
                    await peer.until_retained(f"{topic}/availability", b"online")
                    await peer.say(f"{topic}/set", RED)
                    await peer.until_heard(f"{topic}/result", PROOF_S, id="red", status="verified")
                    assert site.world.showing(first) == LightState(255, 0, 0)
                    await until_so(
                        lambda: colour(peer, f"{topic}/state") == {"r": 255, "g": 0, "b": 0}
                    )
                    metrics = (await http.get("/metrics")).text
                    assert "lamplighter_mqtt_connected 1.0" in metrics
                    examined = await run_meanwhile("doctor", "--config", str(config))
                    assert "lets us in, and speaks MQTT 5" in examined.stdout

                words = ("bridge", "mqtt", "--broker", broker.url, "--at", site.url)
                env = {"LAMPLIGHTER_MQTT__PREFIX": "remote"}
                with Running(tmp_path, *words, env=env) as bridge:
                    topic = f"remote/light/{second}"
                    await peer.until_retained(f"{topic}/availability", b"online")
                    await peer.say(f"{topic}/set", BLUE)
                    await peer.until_heard(f"{topic}/result", PROOF_S, id="blue", status="verified")
                    assert site.world.showing(second) == LightState(0, 0, 255)
                    wrong = {"state": "on", "id": "wrong"}
                    await peer.say(f"{topic}/set", wrong)
                    await peer.until_heard(f"{topic}/result", id="wrong", type="invalid")
                    # without the service nobody knows how its lights are
                    service.kill()
                    await peer.until_retained("remote/bridge/availability", b"offline")
                    await peer.until_retained("lamplighter/bridge/availability", b"offline")
                    bridge.send(signal.SIGTERM)
                    assert await bridge.until_ended(10) == 0
                    assert "Traceback" not in bridge.errors


async def test_a_bridge_says_what_is_wrong_with_what_it_was_told() -> None:
    none = await run_meanwhile("bridge", "mqtt")
    assert none.returncode == 2
    assert "--broker" in none.stderr
    wrong = await run_meanwhile("bridge", "mqtt", "--broker", "http://broker")
    assert wrong.returncode == 2
    assert "mqtt.url: must be mqtt://HOST[:PORT], or mqtts:// with TLS" in wrong.stderr
    await trio.lowlevel.checkpoint()
