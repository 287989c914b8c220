"""What the keeper asks of the rest of the process, and tells it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from store.engine.port import Lease


@dataclass(frozen=True, slots=True)
class KeeperPorts:
    """Each is called for one shard at a time in order; those of several shards run side by side."""

    taken: Callable[[str, Lease], Awaitable[None]]
    """The shard is ours under this lease: own it in the store, read it, and start its actors.

    Returns when they run. StoreUnavailable: it is called again, after `fenced`. Any other error:
    this process cannot serve the shard, which is given to others (`fenced` is called before).
    Cancelled when the shard is lost meanwhile.
    """
    set_back: Callable[[str], Awaitable[None]]
    """The engine shows an older lease than ours: a failover forgot that the shard is ours.

    What we know is newer than what is stored. The store is to look, take the shard again and send
    what is missing (`ShardStore.announce`), and to tell what came of it (`Keeper.told_retaken`,
    `Keeper.told_fenced`). May come while `taken` or `leave` is under way. StoreUnavailable: it is
    called again.
    """
    leave: Callable[[str], Awaitable[None]]
    """About to be given: begin nothing new, drain, stop its actors, write the rest, and disown it.

    Cancelled after `drain_s`; then `fenced` is called.
    """
    fenced: Callable[[str], Awaitable[None]]
    """Another process owns it, or its actors must go: stop them at once and disown it; nothing of
    theirs may go out any more. Raises nothing; is called for a shard that is half started, too."""
    sees_network: Callable[[], bool]
    """Whether ChirpStack answers this process; true where that is not known yet."""
    can_serve: Callable[[], bool]
    """Whether what must work here does, the journal before all: false for longer than a lease, and
    the leases are not renewed any more."""
    looking: Callable[[], None] = lambda: None
    """The engine is about to be asked for them. Neither waits nor raises."""
    looked: Callable[[Mapping[str, Lease]], None] = lambda leases: None
    """The leases as the engine had them since `looking`. Neither waits nor raises."""
    failed: Callable[[], None] = lambda: None
    """The engine did not answer: a failover, perhaps. Neither waits nor raises."""
