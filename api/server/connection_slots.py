"""Which connection is closed when there are too many.

A client with a valid token never waits for clients without: a new connection is never refused
while one without a token is open; that one is closed. When a connection is accepted nothing is
known but its address, and an address says little: an attacker and the operator may be behind the
same proxy. So nothing is reserved for addresses; what is protected is a connection on which a valid
token was seen.

Pure: it decides, and the accept loop closes.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum


class Rank(IntEnum):
    """How readily a connection is closed: the lowest first, and the last one never."""

    UNAUTHENTICATED = 0
    """No valid token seen. Whether a request is under way makes no difference: a new connection has
    not even sent one yet, and a body that is sent slowly is under way for long."""
    IDLE = 1
    """A valid token seen, and idle; every HTTP client opens a new connection by itself."""
    ACTIVE = 2
    """A valid token seen, and a request or a websocket under way."""


class ConnectionSlot:
    """One connection, as far as it matters here."""

    __slots__ = ("_move", "abort", "address", "authenticated", "busy", "rank")

    def __init__(self, address: str, move: Callable[["ConnectionSlot"], None]) -> None:
        self.address = address
        self.authenticated = False
        self.busy = False
        self.rank = Rank.UNAUTHENTICATED
        self.abort: Callable[[], None] = _nothing
        """Closes the connection; set by the connection itself."""
        self._move = move

    def begin_request(self) -> None:
        """A request is under way."""
        self.busy = True
        self._move(self)

    def end_request(self) -> None:
        """The request is answered."""
        self.busy = False
        self._move(self)

    def authenticate(self) -> None:
        """A valid token was seen."""
        if not self.authenticated:
            self.authenticated = True
            self._move(self)


class ConnectionSlots:
    """All connections: at most `most`, and `most_unauthenticated` of one address without a token.

    Each step takes constant time, so that a flood of connections costs no more than accepting it.
    """

    def __init__(self, most: int, most_unauthenticated: int) -> None:
        self.most = most
        self._most_unauthenticated = most_unauthenticated
        self._all: dict[ConnectionSlot, None] = {}
        self._ranks: dict[Rank, dict[ConnectionSlot, None]] = {rank: {} for rank in Rank}
        self._unauthenticated: dict[str, dict[ConnectionSlot, None]] = {}
        self.evicted = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[ConnectionSlot]:
        return iter(tuple(self._all))

    def admit(
        self, address: str, *, shared: bool = False
    ) -> tuple[ConnectionSlot | None, ConnectionSlot | None]:
        """A connection came: its slot, and the one to be closed for it, if one has to be.

        `shared` tells that many people are behind the address: a trusted proxy's. No slot means
        that all connections are of people with tokens who are being served.
        """
        evicted: ConnectionSlot | None = None
        same = self._unauthenticated.get(address, {})
        if len(same) >= self._most_unauthenticated and not shared:
            evicted = next(iter(same))
        elif len(self._all) >= self.most:
            evicted = self.next_to_evict()
            if evicted is None:
                self.refused += 1
                return None, None
        if evicted is not None:
            self.evicted += 1
            self.release(evicted)
        slot = ConnectionSlot(address, self._move)
        self._all[slot] = None
        self._add(slot)
        return slot, evicted

    def next_to_evict(self) -> ConnectionSlot | None:
        """The one to be closed first: in the lowest rank, the one that changed longest ago."""
        for rank in (Rank.UNAUTHENTICATED, Rank.IDLE):
            if self._ranks[rank]:
                return next(iter(self._ranks[rank]))
        return None

    def release(self, slot: ConnectionSlot) -> None:
        """A connection is gone; a second call does nothing."""
        if slot in self._all:
            del self._all[slot]
            self._remove(slot)

    def _move(self, slot: ConnectionSlot) -> None:
        if slot in self._all:
            self._remove(slot)
            self._add(slot)

    def _add(self, slot: ConnectionSlot) -> None:
        slot.rank = Rank(slot.authenticated * (1 + slot.busy))
        self._ranks[slot.rank][slot] = None
        if not slot.authenticated:
            self._unauthenticated.setdefault(slot.address, {})[slot] = None

    def _remove(self, slot: ConnectionSlot) -> None:
        del self._ranks[slot.rank][slot]
        if slot.rank is Rank.UNAUTHENTICATED:
            same = self._unauthenticated[slot.address]
            del same[slot]
            if not same:
                del self._unauthenticated[slot.address]


def _nothing() -> None:
    """Before the connection has said how to close it."""
