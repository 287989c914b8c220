"""The names of topics, both ways."""

from api.mqtt.topics import GatewayLeaf, Kind, LightLeaf, Topics

EUI = "2020203907290902"


def test_each_of_our_topics_is_read_as_what_it_was_made_of() -> None:
    topics = Topics("site/lamps", "homeassistant")
    made = {
        topics.light(EUI, LightLeaf.STATE): (Kind.LIGHT, EUI, "state"),
        topics.set(EUI): (Kind.LIGHT, EUI, "set"),
        topics.gateway(EUI, GatewayLeaf.ATTRIBUTES): (Kind.GATEWAY, EUI, "attributes"),
        topics.index: (Kind.BRIDGE, "", "index"),
        topics.config(Kind.LIGHT, EUI): (Kind.LIGHT, EUI, "config"),
        topics.config(Kind.BRIDGE): (Kind.BRIDGE, "", "config"),
    }
    assert {topic: topics.read(topic) for topic in made} == made


def test_foreign_topics_mean_nothing() -> None:
    topics = Topics()
    for foreign in ("", "lamplighter", "lamplighter/light/zz/set", f"other/light/{EUI}/set"):
        assert topics.read(foreign) is None


def test_a_prefix_with_slashes_is_one_word_in_home_assistant() -> None:
    config = Topics("site/lamps").config(Kind.LIGHT, EUI)
    assert config == f"homeassistant/device/site_lamps/light_{EUI}/config"


def test_without_discovery_home_assistant_is_told_nothing() -> None:
    topics = Topics("lamplighter", "")
    every = [*topics.of_light(EUI), *topics.of_gateway(EUI), *topics.of_bridge()]
    assert all(topic.startswith("lamplighter/") for topic in every)
