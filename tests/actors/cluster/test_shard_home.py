"""What is at rest, and in which order, before the lease of a shard is given."""

from collections.abc import Sequence
from typing import Any

import trio

from actors.cluster.shard_home import FleetwidePart, ShardHome
from actors.storage.unreadable_records import UnreadableRecords
from store.engine.shards import FLEET, shard_of

DEV_EUI = "0018b200000000a1"
SHARD = shard_of(DEV_EUI)


class Around:
    """Everything that a shard's home asks, with the order of what was asked."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.actors = [DEV_EUI, "0018b200000000b2"]
        self.home = ShardHome(
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            UnreadableRecords(lambda *_: None),
            FleetwidePart(begin=self._begin, rest=self._rest, end=self._end),
            odd=lambda: None,
            began=lambda lights: None,
        )

    async def _begin(self, _snapshot: Any) -> None:
        raise AssertionError("nothing is taken here")

    async def _rest(self) -> None:
        await trio.sleep(2.0)  # calls that are under way
        self.did.append("calls have ended")

    async def _end(self) -> None:
        self.did.append("parts have ended")

    async def leave(self, _shard: str) -> None:
        self.did.append("nothing is read any more")

    async def let_go(self, lights: Sequence[str], *, drain_s: float) -> None:
        await trio.sleep(drain_s)
        self.did.append(f"lights have ended: {len(lights)}")

    async def flush(self, part: str | None = None) -> None:
        await trio.sleep(0.5)
        self.did.append("all is written")

    def statistics(self) -> Any:
        return type("Statistics", (), {"shards": {}})

    def disown(self, _shard: str) -> None:
        self.did.append("disowned")

    def forget(self, _shard: str, _at: object) -> None:
        self.did.append("followed")


async def test_a_shard_of_lights_is_at_rest_and_written_before_it_is_left(
    autojump_clock: object,
) -> None:
    around = Around()
    await around.home.leave(SHARD)
    assert around.did == [
        "nothing is read any more",
        "lights have ended: 1",
        "all is written",
        "disowned",
        "followed",
    ]


async def test_the_calls_of_the_fleet_have_ended_before_it_is_left(autojump_clock: object) -> None:
    around = Around()
    await around.home.leave(FLEET)
    assert around.did == [
        "calls have ended",
        "nothing is read any more",
        "parts have ended",
        "all is written",
        "disowned",
        "followed",
    ]
