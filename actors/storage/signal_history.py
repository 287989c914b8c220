"""The signal of a light at every gateway that heard it, read back from its history.

Lines of an older version are read as well; a line that cannot be read gives no point.
"""

import msgspec

from actors.storage import history
from actors.storage.history import HistoryEntry
from store.port import Store

LINES_MOST = 20_000
"""Lines of history looked at for one answer, 4 MB: a light writes some five an hour when all is
well, so a week of it and of twenty like it."""
POINTS_MOST = 5_000
"""In one answer, some 500 kB."""


class SignalPoint(msgspec.Struct, frozen=True, gc=False):
    """How one gateway heard one uplink of a light."""

    at: float
    gateway_id: str
    rssi_dbm: int
    snr_db: float
    f_cnt: int


class Points(msgspec.Struct, frozen=True):
    """Points, oldest first; `complete` is False when there were more before them."""

    points: list[SignalPoint]
    complete: bool


def points_of(line: HistoryEntry) -> list[SignalPoint]:
    """The points of one line of history; of lines before this was noted, the best gateway's."""
    detail = line.detail
    f_cnt = detail.get("f_cnt")
    if line.kind not in {"status", "uplink"} or not isinstance(f_cnt, int):
        return []
    heard = detail.get("heard")
    if not isinstance(heard, str):
        heard = f"{detail.get('gateway')},{detail.get('rssi_dbm')},{detail.get('snr_db')}"
    found = []
    for word in heard.split(";"):
        gateway_id, _, rest = word.partition(",")
        rssi, _, snr = rest.partition(",")
        try:
            found.append(SignalPoint(line.at, gateway_id, int(rssi), float(snr), f_cnt))
        except ValueError:
            continue  # a line of an older version without a signal
    return found


async def read(store: Store, dev_eui: str, *, since: float, until: float) -> Points:
    """The points with since <= at < until, the newest where there are too many.

    Raises StoreError.
    """
    points: list[SignalPoint] = []
    entries = await store.entries(dev_eui, since=since, until=until, most=LINES_MOST)
    complete = len(entries) < LINES_MOST
    for entry in entries:
        points += points_of(history.read_line(entry))
        if len(points) > POINTS_MOST:
            complete = False
            break
    points.reverse()
    return Points(points[-POINTS_MOST:], complete)
