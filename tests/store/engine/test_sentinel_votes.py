"""Which of the sentinels' words about the master counts. Real ones: test_redis_engine_failovers."""

from typing import Any

import pytest
import redis

from store.engine.redis.sentinel import BySentinel
from store.engine.redis.target import Address, Target
from store.engine.redis.url import target_of
from store.errors import StoreUnavailable

URL = "redis+sentinel://a:1,b:2,c:3/fleet"


class Voters(BySentinel):
    """Sentinels that say what they are told to: (epoch, port of the master, flags)."""

    def __init__(self, *votes: tuple[int, int, str] | None) -> None:
        super().__init__(target_of(URL))
        self.say(*votes)

    def say(self, *votes: tuple[int, int, str] | None) -> None:
        """From now on; None for one that does not answer."""
        self._votes = dict(zip(self._target.addresses, votes, strict=True))

    def _asked(self, sentinel: Address) -> dict[str, str]:
        vote = self._votes[sentinel]
        if vote is None:
            raise redis.ConnectionError("away")
        epoch, port, flags = vote
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


class Answers(Target, frozen=True, kw_only=True):
    """Sentinels whose answers are given: (epoch, port of the master, flags, port that it is reached
    at), of which the last is told only to who asks for the address."""

    said: dict[Address, tuple[int, int, str, int]]

    def asked(
        self, address: Address | None, *commands: tuple[str, ...], to_sentinel: bool = False
    ) -> list[Any]:
        assert address is not None
        assert to_sentinel
        epoch, port, flags, new = self.said[address]
        if commands == (("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "fleet"),):
            return [[b"m", b"%d" % new]]
        assert commands == (("SENTINEL", "MASTER", "fleet"),)
        told = {"config-epoch": str(epoch), "ip": "m", "port": str(port), "flags": flags}
        return [[part.encode() for pair in told.items() for part in pair]]


@pytest.mark.parametrize("state", ["master", "s_down,o_down,master"])
@pytest.mark.parametrize("others", [(1, 7, "master", 7), (2, 8, "master", 8)])
@pytest.mark.parametrize("leader", range(3))
def test_who_replaces_a_master_shows_the_old_one_and_names_the_new_one(
    state: str, others: tuple[int, int, str, int], leader: int
) -> None:
    """Until every replica follows the new one; the others were told, or not yet."""
    named = target_of(URL)
    said = dict.fromkeys(named.addresses, others)
    said[named.addresses[leader]] = (2, 7, f"{state},failover_in_progress", 8)
    target = Answers(kind=named.kind, addresses=named.addresses, master="fleet", said=said)
    sentinels = BySentinel(target)
    if leader < 2 or others[0] == 2:  # one of the majority that is asked knows it
        assert sentinels.master() == ("m", 8)
    else:
        assert sentinels.master() == ("m", 7)


def test_a_master_that_is_being_replaced_is_the_master_until_another_one_is() -> None:
    named = target_of(URL)
    said = dict.fromkeys(named.addresses, (1, 7, "master", 7))
    said[named.addresses[0]] = (1, 7, "master,failover_in_progress,force_failover", 7)
    target = Answers(kind=named.kind, addresses=named.addresses, master="fleet", said=said)
    assert BySentinel(target).master() == ("m", 7)


def test_a_majority_that_was_not_told_of_the_new_master_yet_is_not_believed() -> None:
    old, new = (1, 7, "master"), (2, 8, "master")
    sentinels = Voters(new, old, old)
    assert sentinels.master() == ("m", 8)
    sentinels.say(None, old, old)
    with pytest.raises(StoreUnavailable, match="know an older master only"):
        sentinels.master()
    sentinels.say(old, old, new)
    assert sentinels.master() == ("m", 8)


def test_sentinels_that_were_all_set_up_anew_are_believed() -> None:
    sentinels = Voters(*[(5, 8, "master")] * 3)
    assert sentinels.master() == ("m", 8)
    sentinels.say(*[(0, 7, "master")] * 3)
    assert sentinels.master() == ("m", 7)


@pytest.mark.parametrize(
    "error",
    [
        redis.AuthenticationError("invalid username-password pair"),
        redis.ResponseError("unknown command 'SENTINEL', with args beginning with: 'MASTER'"),
        redis.ResponseError("No such master with that name"),
    ],
)
def test_one_that_is_asked_wrongly_ends_nobody_who_waits_for_the_others(
    error: redis.RedisError,
) -> None:
    """A process that runs ends by a refusal, and tries again where the store is unavailable."""

    class OneIsWrong(Voters):
        def _asked(self, sentinel: Address) -> dict[str, str]:
            if sentinel == ("c", 3):
                raise error
            return super()._asked(sentinel)

    well = (1, 7, "master")
    sentinels = OneIsWrong(well, well, None)
    assert sentinels.master() == ("m", 7)
    sentinels.say(None, None, None)
    with pytest.raises(StoreUnavailable):
        sentinels.master()
