"""What each gateway has sent in the sliding hour, and what it may still have to send.

No gateway ever sends more than its budget in any window, even if one that never acknowledges sends
an item again and again until it expires. So the worst case is set aside before an enqueue, on every
gateway that ChirpStack may choose, and given back when the txack tells.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lorawan.airtime import AirtimeLedger

RESIDUE_S = 1e-9
"""What floating point may leave of a sum that is back at nothing."""


class AirtimeCharge(NamedTuple):
    """What a gateway sent for us, or may have sent."""

    gateway_id: str
    at: float
    """In the time of whoever holds it: steady in the planner, Unix seconds outside."""
    airtime_s: float


class AirtimeBudget:
    """The ledgers of all gateways. Bound: one for each gateway that ever sent for us."""

    __slots__ = ("_duty_cycle", "_ledgers", "_reserved", "_reserved_s", "_window_s", "charges")

    def __init__(self, duty_cycle: float | None, window_s: float) -> None:
        self.charges: list[AirtimeCharge] = []
        """What was charged since they were taken last, to be stored."""
        self._duty_cycle = duty_cycle
        self._window_s = window_s
        self._ledgers: dict[str, AirtimeLedger] = {}
        self._reserved: dict[int, tuple[frozenset[str], float]] = {}
        self._reserved_s: dict[str, float] = {}

    @property
    def budget_s(self) -> float | None:
        """Seconds of airtime per window; None without a limit."""
        return None if self._duty_cycle is None else self._duty_cycle * self._window_s

    def room_at(self, gateways: Iterable[str], seconds: float, now: float) -> float:
        """When all of these have room for so much (Unix seconds), by what was really sent; `now`
        when they have. An item longer than the budget counts as the whole budget."""
        budget_s = self.budget_s
        if budget_s is None:
            return now
        ledgers = [self._ledgers[one] for one in gateways if one in self._ledgers]
        return max((ledger.room_at(now, min(seconds, budget_s)) for ledger in ledgers), default=now)

    def fits(self, gateways: Iterable[str], seconds: float, now: float) -> bool:
        """Whether there is room now beside all that is set aside."""
        budget_s = self.budget_s
        if budget_s is None:
            return True
        for one in gateways:
            aside_s = self._reserved_s.get(one, 0.0)
            if self.spent(one, now) + aside_s + min(seconds, budget_s) > budget_s:
                return False
        return True

    def reserve(self, token: int, gateways: frozenset[str], seconds: float) -> None:
        """Set aside the worst case of an item, on each of these."""
        if seconds <= 0.0:
            return  # it is charged already
        self._reserved[token] = (gateways, seconds)
        for one in gateways:
            self._reserved_s[one] = self._reserved_s.get(one, 0.0) + seconds

    def release(self, token: int) -> None:
        """Give back what was set aside."""
        gateways, seconds = self._reserved.pop(token, (frozenset[str](), 0.0))
        for one in gateways:
            self._reserved_s[one] -= seconds
            if self._reserved_s[one] < RESIDUE_S:
                del self._reserved_s[one]

    def conclude(self, now: float) -> None:
        """Whatever is set aside counts as sent: what became of it will not be known."""
        for token, (gateways, seconds) in list(self._reserved.items()):
            self.release(token)
            self.charge(dict.fromkeys(gateways, seconds), now)

    def charge(self, seconds: Mapping[str, float], now: float) -> None:
        """These gateways send, or may have sent, for so long, up to now or from now on."""
        sent = [(one, sent_s) for one, sent_s in sorted(seconds.items()) if sent_s > 0.0]
        self.charges.extend(AirtimeCharge(one, now, sent_s) for one, sent_s in sent)
        self.restore(seconds, now)

    def restore(self, seconds: Mapping[str, float], now: float) -> None:
        """The same, of an earlier run: it is stored already."""
        for one, sent_s in seconds.items():
            ledger = self._ledgers.get(one)
            if ledger is None:
                ledger = AirtimeLedger(self._duty_cycle, window_s=self._window_s)
                self._ledgers[one] = ledger
            ledger.charge(now, sent_s)

    def spent(self, gateway_id: str, now: float) -> float:
        """Seconds that count against the gateway's budget now."""
        ledger = self._ledgers.get(gateway_id)
        return 0.0 if ledger is None else ledger.spent(now)
