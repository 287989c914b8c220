"""How a bug is planted: patched in for the time of a `with`, and looked for in scenes that suit."""

import contextlib
from collections.abc import Callable, Iterator

Plant = Callable[[], contextlib.AbstractContextManager[object]]
PLANTED: dict[str, Plant] = {}
IN_A_RUSH: set[str] = set()
"""Those that are looked for in the rush instead of in the swarm."""


def planted(name: str) -> Callable[[Callable[[], Iterator[None]]], Plant]:
    """Register a bug under the name that the table shows."""

    def keep(make: Callable[[], Iterator[None]]) -> Plant:
        plant = contextlib.contextmanager(make)
        PLANTED[name] = plant
        return plant

    return keep


def planted_in_a_rush(name: str) -> Callable[[Callable[[], Iterator[None]]], Plant]:
    """Likewise, for a bug of the pace."""
    IN_A_RUSH.add(name)
    return planted(name)


IN_A_LEDGER: set[str] = set()
"""Those that are looked for where only leases, shards and commits are looked at."""
IN_A_CLUSTER: set[str] = set()
"""Those that are looked for in whole houses."""


def planted_in_a_ledger(name: str) -> Callable[[Callable[[], Iterator[None]]], Plant]:
    """Likewise, for a bug of leases and commits."""
    IN_A_LEDGER.add(name)
    return planted(name)


def planted_in_a_cluster(name: str) -> Callable[[Callable[[], Iterator[None]]], Plant]:
    """Likewise, for a bug of what goes between processes."""
    IN_A_CLUSTER.add(name)
    return planted(name)
