"""Every write finds the shard in which it is read again."""

import pytest

from store.engine.shards import ALL_SHARDS, FLEET, LIGHT_SHARDS, shard_of
from store.port import Append, Delete, Put, Table
from store.shards import Misrouted, shard_of_request, shards_of_key, shards_of_stream
from tests.store.shards.house import IN_A, A, B, light


def put(table: Table, key: str) -> Put:
    return Put(table, key, b"v", 1.0)


@pytest.mark.parametrize(
    "write",
    [
        light(A),
        light(A.upper()),
        Delete(Table.DEVICE, A),
        Append(A, "e", 1.0, b"line"),
        Append(f"verdicts:{A}", "e", 1.0, b"verdict"),
        put(Table.IDEMPOTENCY, f"{A}:a key: with\nanything in it"),
    ],
)
def test_what_names_a_light_lies_in_its_shard(write: Put | Delete | Append) -> None:
    assert shard_of_request([write]) == IN_A


@pytest.mark.parametrize(
    "write",
    [
        put(Table.META, "air/0016c001f1500812"),
        put(Table.ALERT, "a1"),
        put(Table.ROLLOUT, "r1"),
        put(Table.IDEMPOTENCY, "rollout:a key"),
        Append("gateway:0016c001f1500812", "e", 1.0, b"online"),
        Append("air", "e", 1.0, b"sent"),
        Append("gateways:watched", "e", 1.0, b"1"),
    ],
)
def test_what_names_no_light_is_the_fleet_s(write: Put | Append) -> None:
    assert shard_of_request([write]) == FLEET


def test_a_command_and_the_fleet_s_verdicts_lie_with_their_light() -> None:
    siblings = [Append("verdicts", "c1", 1.0, b"v"), put(Table.COMMAND, "c1"), light(A)]
    assert shard_of_request(siblings) == IN_A


def test_a_command_without_its_light_is_a_mistake() -> None:
    with pytest.raises(Misrouted, match="without anything of its light"):
        shard_of_request([put(Table.COMMAND, "c1")])


@pytest.mark.parametrize("other", [light(B), put(Table.META, "mark")])
def test_a_request_for_two_shards_is_a_mistake(other: Put) -> None:
    with pytest.raises(Misrouted, match="several shards"):
        shard_of_request([light(A), other])


def test_a_command_is_looked_for_in_every_shard_of_lights() -> None:
    assert shards_of_key(Table.COMMAND, "c1") == LIGHT_SHARDS


def test_what_was_written_is_looked_for_where_it_lies() -> None:
    for number in range(500):
        dev_eui = f"{number:016x}"
        assert shards_of_key(Table.DEVICE, dev_eui) == (shard_of(dev_eui),)
        assert shards_of_stream(dev_eui) == (shard_of(dev_eui),)
        assert shards_of_stream(f"verdicts:{dev_eui}") == (shard_of(dev_eui),)
        assert shards_of_key(Table.IDEMPOTENCY, f"{dev_eui}:k") == (shard_of(dev_eui),)


@pytest.mark.parametrize("stream", ["verdicts", "gateway:0016c001f1500812"])
def test_a_stream_of_the_fleet_may_lie_in_every_shard(stream: str) -> None:
    assert shards_of_stream(stream) == ALL_SHARDS


@pytest.mark.parametrize("stream", ["fleet:routes", "air"])
def test_a_stream_that_one_shard_alone_holds_is_read_there(stream: str) -> None:
    assert shards_of_stream(stream) == (FLEET,)
