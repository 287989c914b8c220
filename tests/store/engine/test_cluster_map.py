"""How a cluster's nodes are reached, by what they say. Real ones: test_redis_engine_examined."""

from typing import Any

import pytest
import redis

from store.engine.redis.cluster import SLOTS, InCluster
from store.engine.redis.target import Address, Kind, Target
from store.errors import StoreUnavailable

ASKED = ("10.0.0.1", 7_001)


class Told(Target, frozen=True, kw_only=True):
    """One node answers, with these slots."""

    slots: list[Any]

    def asked(
        self, address: Address | None, *_commands: tuple[str, ...], to_sentinel: bool = False
    ) -> list[Any]:
        if address != ASKED:
            raise redis.ConnectionError("away")
        return [b"cluster_state:ok", self.slots]


def places(slots: list[Any]) -> InCluster:
    found = InCluster(Told(kind=Kind.CLUSTER, addresses=(ASKED,), slots=slots))
    try:
        found.open()
    finally:
        found.close()
    return found


@pytest.mark.parametrize(
    ("node", "host"),
    [
        ([b"10.0.0.2", 7_002, b"id", []], "10.0.0.2"),
        ([b"two.example", 7_002, b"id", [b"ip", b"10.0.0.2"]], "two.example"),
        ([b"?", 7_002, b"id", [b"ip", b"10.0.0.2"]], "10.0.0.2"),  # it has no host name
        ([None, 7_002, b"id", [b"ip", b"10.0.0.2"]], "10.0.0.1"),  # behind one address
        ([b"", 7_002, b"id"], "10.0.0.1"),  # it does not know its own
    ],
)
def test_a_node_is_reached_by_what_is_said_of_it(node: list[Any], host: str) -> None:
    assert places([[0, SLOTS - 1, node]]).node_of("07") == (host, 7_002)


def test_a_node_that_knows_nobody_with_slots_is_not_believed() -> None:
    with pytest.raises(StoreUnavailable, match="knows nobody who has slots"):
        places([])
