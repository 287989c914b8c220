"""What keeps a process of a cluster from the others, in words."""

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec

from actors.cluster.keeper.view import ClusterView
from store.engine.shards import ALL_SHARDS

SILENT_S = 5.0
BEHIND_S = 5.0
"""A process that sees less of the others is not to be asked; others are there."""


class Apart(msgspec.Struct, frozen=True):
    """What keeps this process from the others that serve the fleet with it, in words.

    Of `problems` each is a reason to ask another process; a warning is none, for the others are no
    better off: a part of what they share is away for all of them.
    """

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Followed(Protocol):
    """What is shown of the shards that others own."""

    def complete(self) -> bool:
        """Whether each was read at least once."""
        ...

    def late(self, limit_s: float) -> Sequence[str]:
        """Those of which what is shown may be older than this."""
        ...

    def follows_any_but(self, shards: Sequence[str]) -> bool:
        """Whether there are others than these."""
        ...


def apart(view: ClusterView, now: float, followed: Followed) -> Apart:
    """At `now`, in Unix seconds."""
    if view.leaving:
        return Apart(("this process gives its lights to the others, and stops",))
    silent_s = math.inf if view.looked_at is None else now - view.looked_at
    if silent_s > SILENT_S:
        return Apart(("the engine that the processes share does not answer",))
    if not followed.complete():
        return Apart(("what other processes store was not read yet",))
    late = followed.late(BEHIND_S)
    if not late:
        return Apart()
    if not followed.follows_any_but(late):
        return Apart(("what other processes store is shown too late",))
    words = f"of {len(late)} of {len(ALL_SHARDS)} parts of the fleet changes are shown too late"
    return Apart(warnings=(words,))
