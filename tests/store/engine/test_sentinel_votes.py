"""Which of the sentinels' words about the master counts. Real ones: test_redis_engine_failovers."""

import pytest

from store.engine.redis.sentinel import BySentinel
from store.engine.redis.target import Address
from store.engine.redis.url import target_of
from store.errors import StoreUnavailable

URL = "redis+sentinel://a:1,b:2,c:3/fleet"


class Voters(BySentinel):
    """Sentinels that say what they are told to: (epoch, port of the master, flags)."""

    def __init__(self, *votes: tuple[int, int, str]) -> None:
        super().__init__(target_of(URL))
        self._votes = dict(zip(self._target.addresses, votes, strict=True))

    def _asked(self, sentinel: Address) -> dict[str, str]:
        epoch, port, flags = self._votes[sentinel]
        return {"config-epoch": str(epoch), "ip": "m", "port": str(port), "flags": flags}


def test_what_one_sentinel_does_not_reach_is_not_down() -> None:
    down, well = (1, 7, "master,s_down"), (1, 7, "master")
    assert Voters(down, well, well).master() == ("m", 7)
    assert Voters(well, down, well).master() == ("m", 7)


def test_what_a_majority_does_not_reach_is_down() -> None:
    down = (1, 7, "master,s_down,o_down")
    with pytest.raises(StoreUnavailable, match="m:7 is down, says Sentinel"):
        Voters(down, down, (1, 7, "master")).master()


def test_a_newer_configuration_counts_more_than_an_old_master_that_is_well() -> None:
    assert Voters((1, 7, "master"), (2, 8, "master"), (1, 7, "master")).master() == ("m", 8)
    with pytest.raises(StoreUnavailable, match="m:8 is down"):
        Voters((1, 7, "master"), (2, 8, "master,s_down"), (1, 7, "master")).master()
