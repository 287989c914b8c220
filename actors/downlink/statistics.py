"""What the dispatcher is about now, and what it did since the start: for metrics and people."""

from dataclasses import dataclass

from actors.downlink.state import DispatchState
from actors.reasons import Reason


@dataclass(frozen=True, slots=True)
class DispatchStatistics:
    """Now: `waiting`, `calls`, `in_flight` and the gateways. The rest since the start.

    `trouble` says why nothing goes out, `trouble_since` since when (Unix seconds).
    """

    waiting: int
    calls: int
    in_flight: int
    gateways_occupied: int
    gateways_unproven: int
    trouble: Reason | None
    trouble_since: float | None
    queued: int
    transmitted: int
    expired: int
    adopted: int
    refused: int
    txacks_missed: int
    foreign: int
    behind_foreign: int
    failures: dict[str, int]


def statistics_of(state: DispatchState, now: float) -> DispatchStatistics:
    """Counters, now."""
    trouble, counts = state.breaker.trouble, state.counts
    return DispatchStatistics(
        waiting=len(state.pending),
        calls=state.calls,
        in_flight=len(state.in_flight),
        gateways_occupied=len(state.occupied(now)),
        gateways_unproven=len(state.unproven.unproven),
        trouble=None if trouble is None else trouble.reason,
        trouble_since=None if trouble is None else trouble.since,
        queued=counts.get("queued", 0),
        transmitted=state.in_flight.transmitted,
        expired=state.in_flight.expired,
        adopted=counts.get("adopted", 0),
        refused=counts.get("refused", 0),
        txacks_missed=counts.get("txacks_missed", 0),
        foreign=counts.get("foreign", 0),
        behind_foreign=counts.get("behind_foreign", 0),
        failures={
            name.removeprefix("failed_"): count
            for name, count in counts.items()
            if name.startswith("failed_")
        },
    )
