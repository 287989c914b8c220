"""What about a server may break the promise, judged from what it says of itself."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from store.engine.redis.errors import Untrusted
from store.engine.redis.target import Kind, Target
from store.engine.redis.weights import Finding, Weight
from store.errors import StoreError

VERSION_LEAST = (7, 0)
"""Scripts that say what they need before they run, XADD with a given first part of an id."""
NODE_TIMEOUT_MOST_MS = 5_000
LAG_MOST_S = 5
FULL_PART = 0.9
SENTINELS_LEAST = 3


class Facts(msgspec.Struct, frozen=True):
    """What a node says of itself; `config` is None where it may not be read."""

    name: str
    info: Mapping[str, str]
    config: Mapping[str, str] | None


CONFIG = (
    "appendonly",
    "appendfsync",
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "cluster-node-timeout",
    "cluster-require-full-coverage",
    "cluster-replica-no-failover",
)
"""What of a node's configuration is looked at."""


def about_master(facts: Facts, target: Target) -> Iterator[Finding]:
    """Everything about a node that is written to."""
    name, info = facts.name, facts.info
    if not info:
        yield Finding(
            Weight.UNKNOWN,
            f"{name}: INFO is renamed or not permitted, so what it is cannot be seen",
            "permit INFO to the user, by its own name",
        )
        return
    if is_sentinel(info):
        yield about_sentinel(name)
        return
    version = info.get("redis_version", "")
    if _version(version) < VERSION_LEAST:
        yield Finding(
            Weight.REFUSED,
            f"{name}: version {version or 'unknown'} is too old; 7.0 is the oldest that will do",
            "use Valkey, or Redis 7.0 or later",
        )
        return  # it does not understand how the rest is asked for
    if info.get("role") == "slave":
        yield Finding(
            Weight.REFUSED,
            f"{name}: the server is a read-only replica",
            "name the master, or the sentinels: redis+sentinel://host:26379/name",
        )
    is_cluster = info.get("cluster_enabled") == "1"
    if is_cluster and target.kind is not Kind.CLUSTER:
        yield Finding(
            Weight.REFUSED,
            f"{name}: it is a node of a cluster",
            "write the URL as redis+cluster://host:port,host:port",
        )
    yield from _about_durability(facts)
    yield from _about_room(facts)
    yield from _about_replicas(facts, target)


def about_replica(facts: Facts) -> Iterator[Finding]:
    """A replica confirms a commit when it has it; only with `always` it has it on its disk."""
    yield from _about_durability(facts)


def about_promotion(master: str, replicas: Sequence[Facts], target: Target) -> Iterator[Finding]:
    """Replicas of which so many as must confirm may do so, and another one is promoted: Sentinel
    goes by priority, and only among equal ones by who has most."""
    if target.kind is Kind.CLUSTER:
        setting = "cluster-replica-no-failover"
        later = [each.name for each in replicas if (each.config or {}).get(setting) == "yes"]
        remedy = f"set `{setting} no`"
    else:
        priorities = {each.name: int(each.info.get("slave_priority", "100")) for each in replicas}
        first = min(filter(None, priorities.values()), default=-1)  # 0: never
        later = [name for name, priority in priorities.items() if priority != first]
        remedy = "give all replicas the same `replica-priority`, above 0"
    if later and len(later) >= target.need and target.kind is not Kind.SERVER:
        yield Finding(
            Weight.AT_RISK,
            f"{master}: {', '.join(later)} may be the only one to confirm a commit, and is "
            "promoted after others or never: a fail-over may lose acknowledged commands",
            remedy,
        )


def is_sentinel(info: Mapping[str, str]) -> bool:
    """Whether it watches servers, by the word of Redis or of Valkey, and keeps nothing."""
    return "sentinel" in {info.get("redis_mode"), info.get("server_mode")}


def about_sentinel(name: str) -> Finding:
    """One that was named where a server should be."""
    return Finding(
        Weight.REFUSED,
        f"{name}: it is a Sentinel",
        "write the URL as redis+sentinel://host:26379,host:26379/name",
    )


def about_refusal(name: str, error: StoreError, target: Target) -> Finding:
    """A replica that refuses us, or that we do not trust: where we would follow a fail-over to it,
    nothing could be done there."""
    return Finding(
        Weight.ADVICE if target.kind is Kind.SERVER else Weight.AT_RISK,
        f"{name}: {str(error).removeprefix('redis: ')}",
        "see to its certificate, or to those of store.url"
        if isinstance(error, Untrusted)
        else "make it as its master is: users and their rights are not replicated",
    )


def about_sentinels(facts: Mapping[str, str], target: Target) -> Iterator[Finding]:
    """What the sentinels say of the master that they watch."""
    if len(target.addresses) < SENTINELS_LEAST:
        yield Finding(
            Weight.ADVICE,
            f"{len(target.addresses)} sentinel(s) are named: where these are down, no master is "
            "found",
            "run three sentinels on three machines, and name all of them",
        )
    down_after = int(facts.get("down-after-milliseconds", "0"))
    if down_after > NODE_TIMEOUT_MOST_MS:
        yield Finding(
            Weight.ADVICE,
            f"Sentinel waits {down_after / 1_000:g} s before it calls a master dead: nothing is "
            "acknowledged meanwhile",
            "set down-after-milliseconds to 2000 to 5000",
        )


def _about_durability(facts: Facts) -> Iterator[Finding]:
    name, config = facts.name, facts.config
    if config is None:
        yield Finding(
            Weight.UNKNOWN,
            f"{name}: CONFIG is renamed or not permitted, so whether it keeps what it confirms is "
            "unknown",
            "permit `CONFIG GET` to the user, or see to appendonly yes, appendfsync always",
        )
        return
    if config.get("appendonly", "yes") != "yes":
        yield Finding(
            Weight.UNSAFE,
            f"{name}: appendonly is off: a crash of the server loses what its snapshot lacks",
            "set `appendonly yes` and `appendfsync always`",
        )
    elif config.get("appendfsync", "always") != "always":
        yield Finding(
            Weight.UNSAFE,
            f"{name}: appendfsync is {config['appendfsync']}: a crash of the server's machine "
            "loses the newest commits",
            "set `appendfsync always`",
        )
    policy = config.get("maxmemory-policy", "noeviction")
    if config.get("maxmemory", "0") != "0" and policy != "noeviction":
        yield Finding(
            Weight.UNSAFE,
            f"{name}: maxmemory-policy is {policy}: records may vanish",
            "set `maxmemory-policy noeviction`",
        )
    if facts.info.get("aof_last_write_status", "ok") != "ok":
        yield Finding(
            Weight.REFUSED,
            f"{name}: it cannot write its append only file",
            "see to the disk of the server",
            can_be_read=True,
        )


def _about_room(facts: Facts) -> Iterator[Finding]:
    most, used = (int(facts.info.get(each, "0")) for each in ("maxmemory", "used_memory"))
    if most and used >= most:
        yield Finding(
            Weight.REFUSED,
            f"{facts.name}: its memory is full: it may use {most // 1_000_000} MB",
            "raise maxmemory",
            can_be_read=True,
        )
    elif most and used >= FULL_PART * most:
        yield Finding(
            Weight.ADVICE,
            f"{facts.name}: its memory is nearly full: it may use {most // 1_000_000} MB",
            "raise maxmemory",
        )


def _about_replicas(facts: Facts, target: Target) -> Iterator[Finding]:
    name, config = facts.name, facts.config or {}
    told = facts.info.get("connected_slaves")
    replicas, reading = int(told or 0), _reading_the_whole(facts)
    connected = ("1 replica is" if replicas == 1 else f"{replicas} replicas are") + " connected"
    if reading:
        connected += f", of which {reading} must read the whole copy first,"
    if target.need == 0 and replicas and not target.unsafe:
        yield Finding(
            Weight.ADVICE,
            f"{name}: it has replicas, but none must confirm a commit: one that is promoted may "
            "lack the newest commits",
            "add need=1 to the URL",
        )
    if target.need == 0 and target.kind is not Kind.SERVER:
        yield Finding(
            Weight.UNSAFE,
            f"{name}: no replica must confirm a commit: a fail-over may lose acknowledged commands",
            "add need=1 to the URL",
        )
    if target.need and told is not None and replicas < target.need:
        yield Finding(
            Weight.REFUSED,
            f"{name}: {connected} and {target.need} must confirm: nothing can be acknowledged",
            f"run {target.need + 1} replicas, or see why they do not follow it",
        )
    elif target.need and told is not None and replicas - reading < target.need:
        yield Finding(
            Weight.AT_RISK,
            f"{name}: {connected} and {target.need} must confirm: nothing is acknowledged until "
            "then",
            "it passes by itself; where it comes again, raise `repl-backlog-size`",
        )
    elif target.need and told is not None and replicas - reading == target.need:
        yield Finding(
            Weight.AT_RISK,
            f"{name}: {connected} and {target.need} must confirm: when one is gone, nothing is "
            "acknowledged until it is back",
            f"run {target.need + 1} replicas",
        )
    if target.need and config.get("min-replicas-to-write", "1") == "0":
        yield Finding(
            Weight.ADVICE,
            f"{name}: min-replicas-to-write is 0: a master that is cut off takes writes that never "
            "count",
            f"set `min-replicas-to-write {target.need}`",
        )
    if target.need and int(config.get("min-replicas-max-lag", "0")) > LAG_MOST_S:
        yield Finding(
            Weight.ADVICE,
            f"{name}: min-replicas-max-lag is {config['min-replicas-max-lag']} s",
            f"set `min-replicas-max-lag {LAG_MOST_S}`",
        )
    if target.kind is Kind.CLUSTER:
        yield from _about_cluster(name, config)


def _reading_the_whole(facts: Facts) -> int:
    """How many replicas are sent the whole copy, or wait for it: they confirm nothing meanwhile."""
    lines = (line for name, line in facts.info.items() if re.fullmatch(r"slave\d+", name))
    return sum("state=online" not in line.split(",") for line in lines)


def _about_cluster(name: str, config: Mapping[str, str]) -> Iterator[Finding]:
    timeout_ms = int(config.get("cluster-node-timeout", "0"))
    if timeout_ms > NODE_TIMEOUT_MOST_MS:
        yield Finding(
            Weight.ADVICE,
            f"{name}: cluster-node-timeout is {timeout_ms / 1_000:g} s: so long and some seconds "
            "more nothing is acknowledged for a third of the lights when a master dies",
            "set `cluster-node-timeout` to 2000 to 5000",
        )
    if config.get("cluster-require-full-coverage", "no") == "yes":
        yield Finding(
            Weight.ADVICE,
            f"{name}: cluster-require-full-coverage is on: one part without a master stops all",
            "set `cluster-require-full-coverage no`",
        )


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
