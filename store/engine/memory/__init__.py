"""An engine without a server, in virtual time: for tests, and for the simulation of a cluster."""

from store.engine.memory.engine import MemoryEngine
from store.engine.memory.servers import Master, MemoryServers, Replica
from store.engine.memory.way import Fate, Request

__all__ = ["Fate", "Master", "MemoryEngine", "MemoryServers", "Replica", "Request"]
