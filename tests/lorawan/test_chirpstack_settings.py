"""The settings refuse what cannot work, and never show the key."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import chirpstack_api.api.device_pb2
import chirpstack_api.api.device_pb2_grpc
import pytest

from lorawan.chirpstack import ChirpStackSettings
from lorawan.chirpstack.channel import channel_options

ROOT = Path(__file__).parents[2]


def test_the_key_is_not_in_the_repr() -> None:
    settings = ChirpStackSettings(target="localhost:8080", api_key="very-secret")
    assert "very-secret" not in repr(settings)
    assert "localhost:8080" in repr(settings)


@pytest.mark.parametrize("target", ["localhost", ":8080", "http://localhost:8080", "a:b", ""])
def test_a_target_is_host_and_port(target: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        ChirpStackSettings(target=target, api_key="k")


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel", "tab\t"])
def test_a_key_that_grpc_would_print_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        ChirpStackSettings(target="h:1", api_key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"ca_file": "ca.pem"}, {"page_size": 0}, {"page_size": 1001}])
def test_settings_that_contradict_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"ca_file|page_size"):
        ChirpStackSettings(target="h:1", api_key="k", **wrong)  # type: ignore[arg-type]


def test_keepalive_and_reconnection_are_set_explicitly() -> None:
    settings = ChirpStackSettings(target="h:1", api_key="k", keepalive_s=7, reconnect_most_s=3)
    options = dict(channel_options(settings))
    assert options["grpc.keepalive_time_ms"] == 7000
    assert options["grpc.keepalive_permit_without_calls"] == 1
    assert options["grpc.max_reconnect_backoff_ms"] == 3000


def test_our_floors_are_not_below_what_the_generated_code_demands_at_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    floors = {
        match[1]: _parts(match[2])
        for match in (re.match(r"([\w-]+)>=([\d.]+)", line) for line in project["dependencies"])
        if match
    }
    grpc_floor = chirpstack_api.api.device_pb2_grpc.GRPC_GENERATED_VERSION
    source = Path(chirpstack_api.api.device_pb2.__file__).read_text()
    protobuf_floor = re.search(r"Protobuf Python Version: ([\d.]+)", source)
    assert protobuf_floor is not None
    assert floors["grpcio"] >= _parts(grpc_floor)
    assert floors["protobuf"] >= _parts(protobuf_floor[1])
    assert _parts(version("chirpstack-api")) >= floors["chirpstack-api"]


def _parts(text: str) -> tuple[int, ...]:
    parts = [int(part) for part in text.split(".")]
    return tuple((*parts, 0, 0)[:3])
