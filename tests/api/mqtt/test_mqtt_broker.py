"""One connection: TLS and who is let in, brokers that speak otherwise, and what goes wrong."""

import gc
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from api.mqtt.broker import V5, V311, Address, Broker, BrokerError
from api.mqtt.made import options_of
from api.settings.mqtt import MqttSection
from tests.support.bridge_kit import a_bridge, until
from tests.support.certificates import Authority
from tests.support.fake_application import FakeApplication
from tests.support.mosquitto import Mosquitto
from tests.support.programs import server_program

REFUSES_VERSION = b"\x20\x02\x00\x01"
"""CONNACK of MQTT 3.1.1: unacceptable protocol version."""


async def outcome(address: Address, version: Any = V5) -> str:
    """`connected`, or why not."""

    async def leave(broker: Broker) -> None:
        await trio.lowlevel.checkpoint()

    try:
        await Broker(address, version, None, lambda *_: None, lambda *_: None).run(leave)
    except BrokerError as error:
        return str(error)
    return "connected"


def certificates(folder: Path) -> None:
    """An authority, and one certificate of it for localhost, as an operator makes them."""
    pair = Authority(folder, "ca").signed("server")
    pair.certificate.rename(folder / "cert.pem")
    pair.key.rename(folder / "key.pem")


def hash_passwords(file: Path) -> None:
    subprocess.run(
        [server_program("mosquitto_passwd"), "-U", str(file)], check=True, capture_output=True
    )


def address_of(**settings: Any) -> Address:
    return options_of(MqttSection.model_validate(settings)).address


# paho leaves the socket of a failed handshake to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_broker_with_tls_and_certificates_is_spoken_to(tmp_path: Path) -> None:
    certificates(tmp_path)
    with Mosquitto() as plain:
        port = plain.port
    lines = [
        f"listener {port} 127.0.0.1",
        f"cafile {tmp_path}/ca.pem",
        f"certfile {tmp_path}/cert.pem",
        f"keyfile {tmp_path}/key.pem",
        "require_certificate true",
    ]
    files = {
        name: f"{tmp_path}/{file}.pem"
        for name, file in (("cert_file", "cert"), ("key_file", "key"))
    }
    with Mosquitto(*lines, port=port) as broker:
        url = f"mqtts://localhost:{broker.port}"
        ca = {"ca_file": f"{tmp_path}/ca.pem"}
        assert await outcome(address_of(url=url, **ca, **files)) == "connected"
        assert "not trusted" in await outcome(address_of(url=url, **files))
        assert await outcome(address_of(url=url, **ca)) != "connected"
        gone = address_of(url=url, **ca, **files)
        (tmp_path / "key.pem").unlink()
        assert "a file of [mqtt]" in await outcome(gone)
    gc.collect()  # here, where its warning is looked away from


async def test_who_is_not_let_in_is_told_so(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("lamp:right\n")
    hash_passwords(passwords)
    with Mosquitto("allow_anonymous false", f"password_file {passwords}") as broker:
        for version in (V5, V311):
            right = address_of(url=f"mqtt://lamp:right@127.0.0.1:{broker.port}")
            wrong = address_of(url=f"mqtt://lamp:wrong@127.0.0.1:{broker.port}")
            assert await outcome(right, version) == "connected"
            assert "Not authorized" in await outcome(wrong, version)


@contextmanager
def scripted(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers whatever comes first with this, and closes: port, and what came."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    came.append(one.recv(1_000))
                    one.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("answer", [REFUSES_VERSION, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_what_is_no_broker_of_ours_is_told_and_both_versions_are_tried(answer: bytes) -> None:
    with scripted(answer) as (port, came):
        assert await outcome(Address(host="127.0.0.1", port=port)) != "connected"
        bridge = a_bridge(FakeApplication(), port)
        async with trio.open_nursery() as nursery:
            await nursery.start(bridge.run)
            # after the name MQTT comes the level: 5, or 4 for 3.1.1
            await until(lambda: {sent[8:9] for sent in came} >= {b"\x05", b"\x04"})
            nursery.cancel_scope.cancel()
        assert bridge.problem is not None


async def test_an_address_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "refused" in await outcome(Address(host="127.0.0.1", port=port))
    assert "no name" in await outcome(Address(host="nowhere.invalid", port=1))
