"""The `[mqtt]` table: what it may say, what is told to be wrong, and that no secret shows."""

from pathlib import Path

import pytest

from actors.board.sight import EVERYTHING, Sight
from api.settings.file import SettingsError, load_mqtt, load_settings
from api.settings.mqtt import MqttSection
from api.settings.source import UnreadableFile

BASE = {"LAMPLIGHTER_CHIRPSTACK__TARGET": "cs:8080", "LAMPLIGHTER_CHIRPSTACK__API_KEY": "k"}


def mqtt(**settings: str) -> MqttSection:
    over = {f"LAMPLIGHTER_MQTT__{name.upper()}": value for name, value in settings.items()}
    return load_settings(None, {**BASE, **over}).mqtt


def wrong(**settings: str) -> str:
    with pytest.raises(SettingsError) as caught:
        mqtt(**settings)
    return str(caught.value)


def test_without_a_url_nothing_is_bridged() -> None:
    assert mqtt().url is None


def test_the_port_follows_from_the_scheme() -> None:
    assert mqtt(url="mqtt://broker").where() == ("broker", 1883)
    assert mqtt(url="mqtts://broker").where() == ("broker", 8883)
    assert mqtt(url="mqtt://[::1]:1884/").where() == ("::1", 1884)


def test_user_and_password_come_from_the_url_the_settings_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\nsecond line\n")
    assert mqtt(url="mqtt://me:a%20b@broker").credentials() == ("me", "a b")
    assert mqtt(url="mqtt://b", username="u", password="p").credentials() == ("u", "p")
    named = mqtt(url="mqtt://b", username="u", password_file=str(file))
    assert named.credentials() == ("u", "from the file")
    file.unlink()
    with pytest.raises(UnreadableFile):
        named.credentials()


@pytest.mark.parametrize(
    "url", ["broker", "http://broker", "mqtt://", "mqtt://b:0", "mqtt://b:x", "mqtt://b/topic"]
)
def test_a_url_that_is_none_is_told(url: str) -> None:
    assert "mqtt.url: " in wrong(url=url)


def test_what_cannot_work_together_is_told(tmp_path: Path) -> None:
    assert "belong together" in wrong(url="mqtts://b", cert_file="/nowhere.pem")
    assert "protects nothing" in wrong(url="mqtt://b", ca_file="/nowhere.pem")
    assert "not both" in wrong(url="mqtt://b", password="p", password_file="f")
    missing = wrong(url="mqtt://b", password_file=str(tmp_path / "none"))
    assert "mqtt.password_file: cannot be read" in missing


@pytest.mark.parametrize("prefix", ["a/+/b", "#", "a//b", "/a", "a b", "$SYS", ""])
def test_a_prefix_that_is_no_topic_is_told(prefix: str) -> None:
    assert "mqtt.prefix: " in wrong(url="mqtt://b", prefix=prefix)


def test_discovery_may_be_switched_off() -> None:
    assert mqtt(url="mqtt://b", discovery_prefix="").discovery_prefix == ""


def test_which_lights_are_bridged_may_be_limited() -> None:
    assert mqtt(url="mqtt://b").sight() == EVERYTHING
    limited = mqtt(url="mqtt://b", applications="Office, 7", dev_euis="2020203907290902".upper())
    assert limited.sight() == Sight(("Office", "7"), (), ("2020203907290902",))


def test_two_prefixes_are_two_clients() -> None:
    assert mqtt(url="mqtt://b", prefix="a/b").client != mqtt(url="mqtt://b", prefix="a").client


def test_no_secret_shows() -> None:
    shown = repr(mqtt(url="mqtt://me:hidden@b", password="hidden too"))
    assert "hidden" not in shown


def test_a_bridge_of_its_own_reads_its_table_alone(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[mqtt]\nurl = "mqtt://a"\nprefix = "p"\n[chirpstack]\nodd = 1\n')
    section = load_mqtt(file, {"LAMPLIGHTER_MQTT__BY": "bridge"}, "mqtt://b")
    assert (section.where()[0], section.prefix, section.by) == ("b", "p", "bridge")
    with pytest.raises(SettingsError):
        load_mqtt(file, {"LAMPLIGHTER_MQTT__PREFIX": "#"}, None)
