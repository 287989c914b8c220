"""Who keeps a connection when there are too many, and who gives way.

The rule it keeps: nobody who shows a valid token waits for those who show none. A newcomer is never
refused while somebody without a token holds a connection: that one is closed. At the moment of
accepting, nothing is known but an address, and an address says little: an attacker and the operator
may sit behind the same proxy. So no room is reserved for addresses; what is protected is a
connection on which a valid token was seen.

Pure: it decides, the server closes.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum


class Rank(IntEnum):
    """How easily a connection gives way: the lowest goes first, and the last one never."""

    UNPROVEN = 0
    """No valid token seen. Whether a request is under way makes no difference: a newcomer has not
    even sent one yet, and a body that drips is under way for long."""
    RESTING = 1
    """A valid token seen, and at rest; every HTTP client opens a new connection without a word."""
    SERVED = 2
    """A valid token seen, and a request or a websocket under way."""


class ConnectionSlot:
    """The place of one connection."""

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
        """A connection came: its place, and the one that gives way to it, if one has to.

        `shared` tells that many people stand behind the address: a trusted proxy's. No place means
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
        """Who gives way first: in the lowest rank, the one whose last step is longest ago."""
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
