"""One light under watch: what it was when it was looked at last, and what is remembered of it."""

from typing import NamedTuple

import msgspec

from actors.device.model import Device
from actors.link.loss_counters import GAP_MOST
from actors.quality.light_past import DAYS_KEPT, LightPast, StoredPast
from actors.quality.model import Rule
from actors.quality.rules import Standing


class News(NamedTuple):
    """What is new of a light since it was looked at last. An uplink that came late, or of a session
    that is over, is in none of these numbers."""

    sent: int
    heard: int
    joins: int
    received: int


class StoredLight(msgspec.Struct, frozen=True, omit_defaults=True):
    """`WatchedLight` in the store, without what the light's own record has."""

    past: StoredPast
    standing: dict[str, Standing] = {}
    pending: dict[str, float] = {}
    """When it was warned of what is not judged yet."""
    day: int = 0
    """Number of the day that is today's in `past`."""
    silent: bool = False


class WatchedLight:
    """Bound: see `light_past.py`; beside it some 150 bytes."""

    __slots__ = (
        "_f_cnt",
        "_joins",
        "_received",
        "_session",
        "_uplinks",
        "chance",
        "day",
        "past",
        "shard",
        "silent",
        "standing",
    )

    def __init__(
        self, device: Device, stored: StoredLight | None, *, shard: int, day: int, silent: bool
    ) -> None:
        self.past = LightPast(None if stored is None else stored.past)
        self.shard = shard
        self.day = day if stored is None else stored.day
        self.standing: dict[Rule, Standing] = {}
        """The rules that hold."""
        if stored is not None:
            known = {rule.value for rule in Rule}
            told = stored.standing.items()
            self.standing = {Rule(name): one for name, one in told if name in known}
        self.chance: float | None = None
        """Of the next command, as it was when it was looked at last."""
        self.silent = silent or (stored is not None and stored.silent)
        """It fell silent, and was not heard since."""
        self._remember(device)

    def days_over(self, day: int) -> None:
        """It is this day now."""
        for _ in range(min(day - self.day, DAYS_KEPT)):
            self.past.day_over()
        self.day = day

    def news(self, device: Device) -> News | None:
        """What is new of it; None if nothing is."""
        uplinks, joins = device.uplinks - self._uplinks, device.joins - self._joins
        if not uplinks and not joins:
            return None
        session, report = device.session, device.session_report
        same = session is not None and session.number == self._session
        f_cnt = -1 if session is None else session.f_cnt
        passed = f_cnt - self._f_cnt - uplinks if same and self._f_cnt >= 0 else 0
        # of a longer gap nobody listened: that is not the light's loss, nor a gateway's
        lost = passed if 0 < passed <= GAP_MOST else 0
        received = 0 if report is None else report.downlinks_received
        arrived = received - (self._received if same else 0)
        self._remember(device)
        return News(uplinks + lost, uplinks, joins, max(0, arrived))

    def _remember(self, device: Device) -> None:
        session, report = device.session, device.session_report
        self._uplinks, self._joins = device.uplinks, device.joins
        self._session = -1 if session is None else session.number
        self._f_cnt = -1 if session is None else session.f_cnt
        self._received = 0 if report is None else report.downlinks_received
