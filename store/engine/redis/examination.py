"""Asks the nodes what they are, and tries whether the user may do all that is to be done.

Everything blocks and belongs in a thread.
"""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import redis

from store.engine.redis.errors import Misfit, error_of
from store.engine.redis.findings import (
    CONFIG,
    Facts,
    about_master,
    about_promotion,
    about_refusal,
    about_replica,
    about_sentinel,
    about_sentinels,
    is_sentinel,
)
from store.engine.redis.node import Node, only
from store.engine.redis.places import Places
from store.engine.redis.rights import try_rights
from store.engine.redis.sentinel import BySentinel
from store.engine.redis.target import Address, Kind, Target
from store.engine.redis.tls_or_not import other_way, refused_certificate
from store.engine.redis.weights import Finding, about_error
from store.engine.shards import ALL_SHARDS
from store.errors import StoreError, StoreRefused, StoreUnavailable

EVERY_TAG = (*ALL_SHARDS, "meta")
_UNSEEN = StoreUnavailable("it was not seen before")
Examined = dict[Hashable, StoreError | None]
"""What kept each node from being examined; None where nothing did."""


def look_around(
    target: Target, places: Places, each: Examined | None = None, *, is_start: bool = True
) -> list[Finding]:
    """Find the nodes, and examine them. Raises StoreUnavailable, and StoreRefused also where what
    answers is not what the URL says, or does not speak TLS as it does: what a process that runs
    waits for, a start does not.

    With `each` every node is noted there, and one that does not answer is no error, unless it is
    the one that says which layout all have. Where it is no start, nothing that is wrong with one of
    several nodes is an error: what is found at the others would not be told."""
    target.check_files()
    try:
        places.open()
        return examine(target, places, each, is_start=is_start)
    except (Misfit, StoreRefused) as error:
        sentinel = _sentinel_among(target)
        if sentinel is not None:
            return [about_sentinel(str_of(sentinel))]
        raise StoreRefused(str(error)) from error
    except StoreUnavailable as error:
        raise _explained(target, _places_asked(target, places), error) from error


def about_silent(target: Target, each: Examined) -> list[Finding]:
    """Of the nodes that could not be examined, which and why."""
    return [
        about_error(_told_of(place, _explained(target, [place], error)))
        for place, error in each.items()
        if error is not None and isinstance(place, tuple)  # none but those of a cluster are noted
    ]


def _explained(target: Target, asked: Sequence[Address], error: StoreError) -> StoreError:
    """The error, or what of TLS is behind it."""
    wrong = other_way(asked, target.scheme)
    if wrong is not None:
        return StoreRefused(f"redis: {wrong}")
    if target.tls and (refusal := refused_certificate(asked, target.tls_files)):
        return StoreRefused(str(error_of(refusal)))
    return error


def _places_asked(target: Target, places: Places) -> list[Address]:
    found = list(target.addresses)
    if isinstance(places, BySentinel):
        with suppress(StoreError):
            found.append(places.master())
    return found


def _sentinel_among(target: Target) -> Address | None:
    """One where servers are named: it refuses our password, the database, whatever is asked."""
    for address in target.addresses if target.kind is not Kind.SENTINEL else ():
        with suppress(redis.RedisError, OSError):
            [info] = target.asked(address, ("INFO", "server"), to_sentinel=True)
            if is_sentinel(_lines(info)):
                return address
    return None


def examine(
    target: Target, places: Places, each: Examined | None = None, *, is_start: bool = True
) -> list[Finding]:
    """What is to be said of every node. Raises StoreUnavailable, StoreRefused; the rest as above.

    Replicas that cannot be reached from here are left out: theirs may be addresses of another
    network, and whether they confirm is seen from the master.
    """
    found: list[Finding] = []
    if isinstance(places, BySentinel):
        found += about_sentinels(places.told(), target)
    for place, tags in held(places).items():
        with _noted(place, tags, each, is_start=is_start):
            found += examine_one(target, places, place)
    return list(dict.fromkeys(found))


def examine_one(target: Target, places: Places, place: Hashable) -> list[Finding]:
    """Of a master and its replicas. Raises StoreUnavailable, StoreRefused."""
    node = Node(partial(places.dial, place), partial(places.lost, place))
    try:
        with _named(place, StoreRefused, Misfit):
            facts, replicas = _asked(node, str_of(place))
    finally:
        node.drop()
    found = list(about_master(facts, target))
    following: list[Facts] = []
    for host, port in replicas if target.need else ():
        name = f"replica {host}:{port}"
        replica = Node(partial(target.connected, (host, port)), _ignore)
        try:
            following.append(_asked(replica, name)[0])
            found += about_replica(following[-1])
        except (Misfit, StoreRefused) as error:
            found.append(about_refusal(name, error, target))
        except StoreUnavailable:
            pass
        finally:
            replica.drop()
    found += about_promotion(str_of(place), following, target)
    return found


def try_all(target: Target, places: Places, each: Examined | None = None) -> None:
    """Whether everything may be done, in every master; of `each` in those that were examined, one
    of which may be silent by now, or refuse everything, as one that just came back into its cluster
    does for some seconds. Raises as `try_one`."""
    for place, tags in held(places).items():
        if each is None or each.get(place, _UNSEEN) is None:
            with _noted(place, tags, each):
                try_one(target, places, place, tags[0])


def try_one(target: Target, places: Places, place: Hashable, tag: str) -> None:
    """Whether everything may be done in this master, which has `tag`. Raises StoreRefused and
    StoreUnavailable with its name."""
    node = Node(partial(places.dial, place), partial(places.lost, place))
    try:
        with _named(place, StoreError):
            try_rights(node, target.prefix, tag, target.need)
    finally:
        node.drop()


def held(places: Places) -> dict[Hashable, list[str]]:
    """Every node that has a part of the fleet, and which. A cluster may have masters without any:
    they need no replica, and do no harm."""
    found: dict[Hashable, list[str]] = {}
    for tag in EVERY_TAG:
        with suppress(StoreUnavailable):  # nobody has its slot: whoever asks for it is told so
            found.setdefault(places.node_of(tag), []).append(tag)
    return found


@contextmanager
def _noted(
    place: Hashable, tags: Sequence[str], each: Examined | None, *, is_start: bool = True
) -> Iterator[None]:
    """Note a node, also where it does not answer and others are enough: for a start, or to be
    looked at."""
    try:
        yield
        if each is not None:
            each[place] = None
    except StoreError as error:
        if each is None or len(tags) == len(EVERY_TAG):
            raise
        if is_start and (isinstance(error, Misfit) or not isinstance(error, StoreUnavailable)):
            raise
        if is_start and "meta" in tags:
            words = f"redis: {str_of(place)}, which has the layout and the list of members"
            raise StoreUnavailable(f"{words}: {error}") from error
        each[place] = error


@contextmanager
def _named(place: Hashable, *errors: type[StoreError]) -> Iterator[None]:
    """Let these errors say where."""
    try:
        yield
    except errors as error:
        told = _told_of(place, error)
        if told is error:
            raise
        raise told from error


def _told_of(place: Hashable, error: StoreError) -> StoreError:
    name, words = str_of(place), str(error).removeprefix("redis: ")
    return error if name in words else type(error)(f"redis: {name}: {words}")


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
