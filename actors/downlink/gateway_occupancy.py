"""One frame at a time per gateway, and none while an overlapping gateway sends.

A frame occupies every gateway that ChirpStack may choose for it, from the enqueue until its txack
says which one it was; that one stays occupied until the end of the transmission and the answer, so
that a gateway never sends while it should hear. An item that no gateway took is sent again at known
times: until the next of them its gateways are free.
"""

from collections.abc import Iterable


class GatewayOccupancy:
    """Who occupies which gateway from when until when (Unix seconds), and which overlap."""

    def __init__(self, *, serialise: bool, kept_s: float) -> None:
        self._serialise = serialise
        self._kept_s = kept_s
        self._occupants: dict[str, dict[int, tuple[float, float]]] = {}
        self._overlaps: dict[str, dict[str, float]] = {}

    def overlap(self, gateways: Iterable[str], now: float) -> None:
        """These gateways hear one light. At most 8 a light; forgotten a day after the last."""
        if not self._serialise:
            return
        together = tuple(gateways)
        for one in together:
            others = self._overlaps.setdefault(one, {})
            for other in together:
                if other != one:
                    others[other] = now

    def around(self, gateways: Iterable[str], now: float) -> frozenset[str]:
        """These gateways and all that overlap with one of them."""
        found = set(gateways)
        for one in tuple(found):
            others = self._overlaps.get(one, {})
            for other in [other for other, at in others.items() if now - at > self._kept_s]:
                del others[other]
            found.update(others)
        return frozenset(found)

    def occupy(
        self, token: int, gateways: Iterable[str], until: float, *, since: float = float("-inf")
    ) -> None:
        """A frame may go out through any of these until then, not before `since`. In place of what
        was said of this token before."""
        for one in gateways:
            self._occupants.setdefault(one, {})[token] = (since, until)

    def release(self, token: int) -> None:
        """The frame is done with, wherever it was."""
        for one in [one for one, tokens in self._occupants.items() if token in tokens]:
            del self._occupants[one][token]
            if not self._occupants[one]:
                del self._occupants[one]

    def free_at(
        self,
        gateways: Iterable[str],
        now: float,
        span_s: float = 0.0,
        *,
        besides: frozenset[int] = frozenset(),
    ) -> float:
        """From when on all of these are free for `span_s` (Unix seconds); not later than `now` when
        they are. The frames `besides` do not count."""
        windows: list[tuple[float, float]] = []
        for one in gateways:
            tokens = self._occupants.get(one)
            if tokens is None:
                continue
            for token in [token for token, (_, until) in tokens.items() if until <= now]:
                del tokens[token]
            if not tokens:
                del self._occupants[one]
                continue
            if besides:
                windows.extend(span for token, span in tokens.items() if token not in besides)
            else:
                windows.extend(tokens.values())
        free_at = now
        for since, until in sorted(windows):
            if since < free_at + span_s or since <= free_at:
                free_at = max(free_at, until)
        return free_at

    def occupied(self, now: float) -> int:
        """How many gateways are occupied."""
        return len(self.occupied_now(now))

    def occupied_now(self, now: float) -> set[str]:
        """The gateways that are occupied."""
        return {
            name
            for name, tokens in self._occupants.items()
            if any(since <= now < until for since, until in tokens.values())
        }
