"""Ports of loopback for servers that tests start, kill and start again."""

import random
import socket
from pathlib import Path

GIVEN_TO_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 10_000
ATTEMPTS = 100


def free_port() -> int:
    """A port of loopback that nobody listens on now, and that no outgoing connection is given.

    While a server is dead, any connection that is made could be given its port, if it is of those
    that the system gives to clients; then the server could not be started again. Where the system
    does not say which these are, it is one that nobody uses now.
    """
    if not GIVEN_TO_CLIENTS.exists():
        return _bound(0)
    most = int(GIVEN_TO_CLIENTS.read_text().split()[0])
    chance = random.SystemRandom()  # other workers look for ports at the same time
    for _ in range(ATTEMPTS if most > LOWEST else 0):
        try:
            return _bound(chance.randrange(LOWEST, most))
        except OSError:
            continue  # somebody listens there
    return _bound(0)


def _bound(port: int) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        bound: int = probe.getsockname()[1]
        return bound
