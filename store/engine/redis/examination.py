"""Asks the nodes what they are, and tries whether the user may do all that is to be done.

Everything blocks and belongs in a thread.
"""

from collections.abc import Hashable, Sequence
from contextlib import suppress
from functools import partial

from store.engine.redis.errors import Untrusted, error_of
from store.engine.redis.findings import (
    CONFIG,
    Facts,
    Finding,
    about_distrust,
    about_master,
    about_replica,
    about_sentinels,
)
from store.engine.redis.node import Node, only
from store.engine.redis.places import Places
from store.engine.redis.rights import try_rights
from store.engine.redis.sentinel import BySentinel
from store.engine.redis.target import Address, Target
from store.engine.redis.tls_or_not import other_way, refused_certificate
from store.engine.shards import ALL_SHARDS
from store.errors import StoreError, StoreRefused, StoreUnavailable


def look_around(target: Target, places: Places) -> list[Finding]:
    """Find the nodes, and examine them. Raises StoreUnavailable, and StoreRefused also where the
    two ends do not agree on TLS, or on whether to speak it: what a process that runs waits for, a
    start does not."""
    target.check_files()
    try:
        places.open()
        return examine(target, places)
    except Untrusted as error:
        raise StoreRefused(str(error)) from error
    except StoreUnavailable as error:
        asked = _places_asked(target, places)
        wrong = other_way(asked, target.scheme)
        if wrong is not None:
            raise StoreRefused(f"redis: {wrong}") from error
        if target.tls and (refusal := refused_certificate(asked, target.tls_files)):
            raise StoreRefused(str(error_of(refusal))) from error
        raise


def _places_asked(target: Target, places: Places) -> list[Address]:
    found = list(target.addresses)
    if isinstance(places, BySentinel):
        with suppress(StoreError):
            found.append(places.master())
    return found


def examine(target: Target, places: Places) -> list[Finding]:
    """What is to be said of every node. Raises StoreUnavailable, StoreRefused.

    Replicas that cannot be reached from here are left out: theirs may be addresses of another
    network, and whether they confirm is seen from the master.
    """
    found: list[Finding] = []
    if isinstance(places, BySentinel):
        found += about_sentinels(places.told(), target)
    for place in places.nodes():
        node = Node(partial(places.dial, place), partial(places.lost, place))
        try:
            facts, replicas = _asked(node, str_of(place))
        finally:
            node.drop()
        found += about_master(facts, target)
        if target.need:
            for host, port in replicas:
                name = f"replica {host}:{port}"
                replica = Node(partial(target.connected, (host, port)), _ignore)
                try:
                    found += about_replica(_asked(replica, name)[0])
                except Untrusted as error:
                    found.append(about_distrust(name, error))
                except StoreUnavailable:
                    pass
                finally:
                    replica.drop()
    return list(dict.fromkeys(found))


def try_all(target: Target, places: Places) -> None:
    """Whether everything may be done, in every master. Raises StoreRefused, StoreUnavailable."""
    for place in places.nodes():
        shard = next(each for each in ALL_SHARDS if places.node_of(each) == place)
        node = Node(partial(places.dial, place), partial(places.lost, place))
        try:
            try_rights(node, target.prefix, shard, target.need)
        finally:
            node.drop()


def _ignore(_error: Exception) -> None:
    """What a replica says finds no other node."""


def _asked(node: Node, name: str) -> tuple[Facts, list[tuple[str, int]]]:
    info, config, role = node.ask([("INFO",), ("CONFIG", "GET", *CONFIG), ("ROLE",)])
    if isinstance(info, StoreRefused):
        info = b""
    settings = None if isinstance(config, StoreError) else _pairs(config)
    replicas: list[tuple[str, int]] = []
    if not isinstance(role, StoreError) and role[0] == b"master":
        replicas = [(host.decode(), int(port)) for host, port, _ in role[2]]
    return Facts(name, _lines(only([info])), settings), replicas


def str_of(place: Hashable) -> str:
    """For people."""
    return f"{place[0]}:{place[1]}" if isinstance(place, tuple) else str(place)


def _pairs(flat: Sequence[bytes]) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in zip(flat[::2], flat[1::2], strict=True)}


def _lines(text: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in text.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in lines if colon}
