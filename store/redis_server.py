"""The connection to a Redis server, and how durable its configuration makes a commit."""

from collections.abc import Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# Idle connections are checked after this long, before a command is sent over them.
HEALTH_CHECK_S = 15


def client_of(url: str, timeout_s: float) -> Any:
    """A client; untyped, because redis-py types each command for its asyncio client as well."""
    tcp_only = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        **tcp_only,
        protocol=2,  # no handshake that an older server would refuse
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=HEALTH_CHECK_S,
        # The pool replaces a connection that the server has closed (a restart) before it is used.
        # Beyond that whoever called repeats, with a delay that does not hold up this thread, and
        # under conditions that make it harmless (redis_guard.py); left to itself, redis-py repeats
        # ten times in silence.
        retry=Retry(NoBackoff(), 0),
    )


def durability_warnings(client: Any) -> Iterator[str]:
    """What in the server's configuration may lose a commit, for the operator."""
    try:
        settings: dict[str, str] = client.config_get("*")
    except redis.ResponseError as error:
        yield f"redis: CONFIG is not permitted, so its durability is unknown: {error}"
        return
    if settings.get("appendonly") != "yes":
        yield "redis: appendonly is off: a crash of the server loses what its snapshot lacks"
    elif settings.get("appendfsync") != "always":
        yield (
            f"redis: appendfsync is {settings.get('appendfsync')}: a crash of the server's machine "
            "loses the newest commits; `always` keeps them"
        )
    if settings.get("maxmemory", "0") != "0" and settings.get("maxmemory-policy") != "noeviction":
        yield f"redis: maxmemory-policy is {settings.get('maxmemory-policy')}: records may vanish"
