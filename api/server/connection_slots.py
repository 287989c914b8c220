"""Which connection is closed when there are too many.

Nobody who shows a valid token waits for those who show none: a new connection is never refused
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

    UNPROVEN = 0
    """No valid token seen. Whether a request is under way makes no difference: a new connection has
    not even sent one yet, and a body that is sent slowly is under way for long."""
    RESTING = 1
    """A valid token seen, and idle; every HTTP client opens a new connection by itself."""
    SERVED = 2
    """A valid token seen, and a request or a websocket under way."""


class ConnectionSlot:
    """One connection, as far as it matters here."""

    __slots__ = ("_move", "address", "busy", "leave", "proven", "rank")

    def __init__(self, address: str, move: Callable[["ConnectionSlot"], None]) -> None:
        self.address = address
        self.proven = False
        self.busy = False
        self.rank = Rank.UNPROVEN
        self.leave: Callable[[], None] = _nothing
        """Closes the connection; set by the connection itself."""
        self._move = move

    def work(self) -> None:
        """A request is under way."""
        self.busy = True
        self._move(self)

    def rest(self) -> None:
        """The request is answered."""
        self.busy = False
        self._move(self)

    def prove(self) -> None:
        """A valid token was seen."""
        if not self.proven:
            self.proven = True
            self._move(self)


class ConnectionSlots:
    """All connections, at most `most`; of one address at most `most_unproven` without a token.

    Each step takes constant time, so that a flood of connections costs no more than accepting it.
    """

    def __init__(self, most: int, most_unproven: int) -> None:
        self.most = most
        self._most_unproven = most_unproven
        self._all: dict[ConnectionSlot, None] = {}
        self._ranks: dict[Rank, dict[ConnectionSlot, None]] = {rank: {} for rank in Rank}
        self._unproven: dict[str, dict[ConnectionSlot, None]] = {}
        self.evicted = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[ConnectionSlot]:
        return iter(tuple(self._all))

    def enter(
        self, address: str, *, shared: bool = False
    ) -> tuple[ConnectionSlot | None, ConnectionSlot | None]:
        """A connection came: its slot, and the one to be closed for it, if one has to be.

        `shared` tells that many people are behind the address: a trusted proxy's. No slot means
        that all connections are of people with tokens who are being served.
        """
        going: ConnectionSlot | None = None
        same = self._unproven.get(address, {})
        if len(same) >= self._most_unproven and not shared:
            going = next(iter(same))
        elif len(self._all) >= self.most:
            going = self.least()
            if going is None:
                self.refused += 1
                return None, None
        if going is not None:
            self.evicted += 1
            self.release(going)
        place = ConnectionSlot(address, self._move)
        self._all[place] = None
        self._add(place)
        return place, going

    def least(self) -> ConnectionSlot | None:
        """The one to be closed first: in the lowest rank, the one that changed longest ago."""
        for rank in (Rank.UNPROVEN, Rank.RESTING):
            if self._ranks[rank]:
                return next(iter(self._ranks[rank]))
        return None

    def release(self, place: ConnectionSlot) -> None:
        """A connection is gone; a second call does nothing."""
        if place in self._all:
            del self._all[place]
            self._remove(place)

    def _move(self, place: ConnectionSlot) -> None:
        if place in self._all:
            self._remove(place)
            self._add(place)

    def _add(self, place: ConnectionSlot) -> None:
        place.rank = Rank(place.proven * (1 + place.busy))
        self._ranks[place.rank][place] = None
        if not place.proven:
            self._unproven.setdefault(place.address, {})[place] = None

    def _remove(self, place: ConnectionSlot) -> None:
        del self._ranks[place.rank][place]
        if place.rank is Rank.UNPROVEN:
            same = self._unproven[place.address]
            del same[place]
            if not same:
                del self._unproven[place.address]


def _nothing() -> None:
    """Before the connection has said how to close it."""
