"""ChirpStack's times as ours, and what they tell of its clock: the one place where the two meet.

Only what ChirpStack wrote by its own clock may come here: a txack, the log of an item in its queue,
the server's time of an uplink, when it last saw a gateway. Never what a gateway's clock wrote.
"""

from collections.abc import Callable

import msgspec

from actors.clocks.clock import Clock
from actors.clocks.server_clock import ClockDifference, ServerClock
from lorawan.events import Event, Log, TxAck, Uplink

CORRECTED_S = 1.0
"""A difference below this is not corrected: delays and rounding are of that size."""


class ServerDates:
    """Shared by all that hear from ChirpStack. `asked_at` gives the steady time at which a queue
    item was asked for, None where that is not known."""

    def __init__(
        self, clock: Clock, asked_at: Callable[[str], float | None] = lambda item: None
    ) -> None:
        self._clock = clock
        self._asked_at = asked_at
        self._server = ServerClock()

    def replayed(self, event: Event) -> Event:
        """An event that ChirpStack was asked for, with our date in place of its own."""
        return self._dated(event, live=False)

    def event(self, event: Event) -> Event:
        """An event that a webhook told, with our date in place of ChirpStack's."""
        return self._dated(event, live=True)

    def _dated(self, event: Event, *, live: bool) -> Event:
        match event:
            case TxAck():
                self.told(event.at, live=live)
                asked_at = self._asked_at(event.queue_item_id)
                if asked_at is not None:
                    self._server.caused(event.at, asked_at)
            case Uplink() if event.at is not None:
                self.told(event.at, live=live)
            case Log() if event.queue_item_id is not None:
                self.told(event.at, live=live)
            case _:
                pass
        off_s = self._off_s()
        if not off_s or event.at is None:
            return event
        return msgspec.structs.replace(event, at=event.at - off_s)

    def told(self, server_at: float, *, live: bool = False) -> None:
        """ChirpStack told a moment by its own clock (Unix seconds)."""
        self._server.told(server_at, self._clock.steady(), live=live)

    def ahead_s(self) -> float:
        """Whole seconds by which ChirpStack's clock is ahead of our steady time."""
        return self._server.ahead_s(self._clock.steady(), self._clock.stepped_s)

    def slack_s(self, proven_s: float) -> float:
        """How far its clock may be behind that: `proven_s` where a txack told, else more."""
        return proven_s + self._server.unproven_s(self._clock.steady())

    def earliest(self) -> float:
        """What ChirpStack's clock shows now, at the earliest (Unix seconds); minus infinity while
        nothing is known of it."""
        steady = self._clock.steady()
        return steady + self._server.at_least(steady)

    def difference(self) -> ClockDifference:
        """How far ChirpStack's clock is ahead of the machine's date: bounds and estimate."""
        return self._server.difference(self._clock.steady(), self._clock.stepped_s)

    def _off_s(self) -> float:
        used_s = self._server.used_s(self._clock.steady(), self._clock.stepped_s)
        return used_s if abs(used_s) >= CORRECTED_S else 0.0
