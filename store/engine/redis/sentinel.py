"""The master that sentinels know.

They are asked for each new connection, so a fail-over needs no other notice than the end of the
old one: a lost connection, a short count of replicas, a master that has become read-only.
"""

import threading
from collections.abc import Hashable, Mapping

import redis

from store.engine.redis.errors import (
    Misfit,
    error_of,
    is_distrust,
    is_refusal,
    is_unknown_command,
    words_of,
)
from store.engine.redis.node import Connection
from store.engine.redis.target import Address, Target
from store.errors import StoreError, StoreUnavailable

_DOWN = {"s_down", "o_down"}
_REPLACING = "failover_in_progress"


class BySentinel:
    """Asks a majority of the sentinels that are named, and believes the newest configuration: one
    that is cut off still names the old master."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._sentinels = target.addresses
        """Whoever did not answer comes last."""
        self._epoch = 0
        """The newest configuration that was told of."""
        self._dialling = threading.Lock()
        self._dialled: Address | None = None
        self._era = 0

    def node_of(self, tag: str) -> Hashable:
        """The master."""
        return self._target.master

    def nodes(self) -> list[Hashable]:
        """The master."""
        return [self._target.master]

    def dial(self, node: Hashable) -> Connection:
        """A connection to whoever is the master now."""
        address = self.master()
        [role] = self._target.asked(address, ("ROLE",))
        if role[0] != b"master":
            raise StoreUnavailable(
                f"redis: {_text(address)} is not the master any more, or not yet"
            )
        connection = self._target.connected(address)
        with self._dialling:
            if address != self._dialled:
                self._dialled = address
                self._era += 1
        return connection

    def master(self) -> Address:
        """Its address. Raises StoreUnavailable where no sentinel answers or it is down, and
        Misfit where none knows it or is asked rightly."""
        told = self.told()
        address = (told["ip"], int(told["port"]))
        if _is_down(told):
            raise StoreUnavailable(f"redis: the master {_text(address)} is down, says Sentinel")
        return address

    def told(self) -> dict[str, str]:
        """What the sentinels say of the master, the newest of a majority. Raises likewise.

        A majority may know less than one that answered before: who promotes a replica tells the
        others afterwards. Only all of them together say that a newer configuration is gone.
        """
        votes: list[dict[str, str]] = []
        failures: dict[Address, Exception] = {}
        majority = len(self._target.addresses) // 2 + 1
        for sentinel in self._sentinels:
            if len(votes) >= majority and max(map(_epoch_of, votes)) >= self._epoch:
                break
            try:
                votes.append(self._asked(sentinel))
            except (redis.RedisError, OSError) as error:
                failures[sentinel] = error
                others = tuple(each for each in self._sentinels if each != sentinel)
                self._sentinels = (*others, sentinel)
        if not votes:
            raise self._failure(failures)
        # Of the same age one that reaches it: what a single sentinel does not reach is not down.
        newest = max(votes, key=lambda vote: (_epoch_of(vote), not _is_down(vote)))
        if _epoch_of(newest) < self._epoch and len(votes) < len(self._target.addresses):
            raise StoreUnavailable("redis: the sentinels that answer know an older master only")
        self._epoch = _epoch_of(newest)
        return newest

    def lost(self, node: Hashable, error: Exception) -> None:
        """The next connection asks the sentinels."""

    def era(self) -> int:
        """How often another server than before was found to be the master."""
        return self._era

    def open(self) -> None:
        """Whether a sentinel knows the master. Raises StoreUnavailable, Misfit."""
        self.master()

    def close(self) -> None:
        """Nothing runs."""

    def _asked(self, sentinel: Address) -> dict[str, str]:
        asked = ("SENTINEL", "MASTER", self._target.master)
        [flat] = self._target.asked(sentinel, asked, to_sentinel=True)
        told = {
            key.decode(): value.decode() for key, value in zip(flat[::2], flat[1::2], strict=True)
        }
        if _REPLACING in told.get("flags", "").split(","):
            # Until every replica follows the new master, whoever replaces the old one shows that,
            # though under the epoch of the new one, which it names only if it is asked like this.
            asked = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._target.master)
            [(host, port)] = self._target.asked(sentinel, asked, to_sentinel=True)
            address = {"ip": host.decode(), "port": port.decode()}
            if told | address != told:
                told |= {**address, "flags": "master"}
        return told

    def _failure(self, failures: Mapping[Address, Exception]) -> StoreError:
        """A Misfit, not a refusal: those that are asked rightly may only be away."""
        for sentinel, error in failures.items():
            if "No such master" in str(error):
                return Misfit(
                    f"redis: the sentinels at {self._target.name} know no master named "
                    f"{self._target.master!r}"
                )
            if is_unknown_command(error):
                return Misfit(
                    f"redis: {_text(sentinel)} is no Sentinel: name the Sentinels; a server alone "
                    "is redis://host:6379"
                )
            if is_refusal(error):
                words = str(error_of(error)).removeprefix("redis: ")
                return Misfit(
                    f"redis: Sentinel {_text(sentinel)}: {words}; its own are sentinel_username "
                    "and sentinel_password"
                )
            if is_distrust(error):
                return error_of(error)
        first = next(iter(failures.values()), None)
        words = "none is named" if first is None else words_of(first)
        return StoreUnavailable(f"redis: no sentinel of {self._target.name} answers: {words}")


def _epoch_of(told: Mapping[str, str]) -> int:
    return int(told.get("config-epoch", "0"))


def _is_down(told: Mapping[str, str]) -> bool:
    return bool(_DOWN & set(told.get("flags", "").split(",")))


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
