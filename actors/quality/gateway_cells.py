"""What was seen of each gateway, summed over three hours at a time, for eight days.

Memory: 65 cells of some 700 bytes with their two histograms, 45 kB for each gateway that the board
shows; a fleet has a handful of them, and at 100 it is 4.5 MB. In the store a gateway takes 10 kB,
written once an hour.
"""

from collections.abc import Iterator

import msgspec

CELL_S = 10_800.0
DAY_CELLS = 8
"""24 h; up to three hours more, for the newest cell is not full."""
CELLS_MOST = 65
LEAD_STEP_S = 0.1
LEAD_BUCKETS_MOST = 100
"""A lead of 10 s or more is in the last."""


class GatewayCell(msgspec.Struct, omit_defaults=True):
    """Sums over three hours from `at` (Unix seconds)."""

    at: float
    frames: float = 0.0
    """Frames of ours that it took, was to take, or refused; one that several gateways might have
    taken counts in part for each."""
    at_once: float = 0.0
    """Of these, taken at the first try."""
    faults: float = 0.0
    """Refused for its power or frequency: its settings are wrong."""
    attempts: int = 0
    """First attempts through it that are judged."""
    promised: float = 0.0
    """Sum of the chances that these would be answered."""
    answered: int = 0
    variance: float = 0.0
    leads: dict[int, int] = {}
    """Orders to its txacks by tenths of a second."""
    sent: float = 0.0
    """Uplinks that lights within its reach sent."""
    heard: float = 0.0
    noise_db: float = 0.0
    """Sum of RSSI - SNR of uplinks below 0 dB SNR."""
    noises: int = 0
    watched_s: float = 0.0
    away_s: float = 0.0
    outages: int = 0
    airtime: float = 0.0
    """Highest share of the sliding hour's airtime that was used."""
    held: int = 0
    """Looks at which frames waited for airtime."""


class GatewayPast:
    """The cells of one gateway, oldest first."""

    __slots__ = ("cells", "since")

    def __init__(self, cells: list[GatewayCell] | None = None) -> None:
        self.cells = [] if cells is None else cells[-CELLS_MOST:]
        self.since: float | None = None
        """`GatewayView.since` when it was looked at last."""

    def now(self, now: float) -> GatewayCell:
        """The cell of this time."""
        if not self.cells or now >= self.cells[-1].at + CELL_S:
            self.cells.append(GatewayCell(now - now % CELL_S))
            del self.cells[:-CELLS_MOST]
        return self.cells[-1]

    def day(self, now: float) -> Iterator[GatewayCell]:
        """The cells of the last 24 h."""
        return (cell for cell in self.cells if cell.at > now - (DAY_CELLS + 1) * CELL_S)

    def week(self, now: float) -> Iterator[GatewayCell]:
        """The cells of the seven days before."""
        return (cell for cell in self.cells if cell.at <= now - (DAY_CELLS + 1) * CELL_S)

    def moved(self, by_s: float) -> None:
        """The machine's clock was set."""
        for cell in self.cells:
            cell.at += by_s
        if self.since is not None:
            self.since += by_s


def lead_bucket(lead_s: float) -> int:
    """Of the histogram of leads."""
    return min(LEAD_BUCKETS_MOST - 1, max(0, int(lead_s / LEAD_STEP_S)))


def lead_at(leads: dict[int, int], share: float) -> float:
    """The lead that at least `share` of these do not exceed, seconds."""
    total, below = sum(leads.values()), 0
    for bucket in sorted(leads):
        below += leads[bucket]
        if below >= share * total:
            return (bucket + 1) * LEAD_STEP_S
    raise ValueError("no leads")
