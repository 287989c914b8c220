"""How often something unknown was probed for by itself, and when it may be again.

Kept in the store before the first frame of a run goes out, so that no crash and no restart makes
the service probe more often than it may.
"""

from collections.abc import Iterable

import msgspec
import structlog

from actors.calibration.model import CalibrationPolicy, Need
from actors.storage.record_version import checked, stamped
from store.port import Put, Record, Table

log = structlog.get_logger()

KEY = "calibration:"
"""Begins the keys of the records in `Table.META`."""


class TriesRecord(msgspec.Struct, frozen=True):
    """When runs began (Unix seconds), the newest last."""

    tried_at: tuple[float, ...] = ()


class Tries:
    """By need. Bound: one for each gateway and software revision that was ever unknown."""

    def __init__(self, policy: CalibrationPolicy) -> None:
        self._policy = policy
        self._tried: dict[str, tuple[float, ...]] = {}

    def of(self, need: Need, now: float) -> int:
        """How many count now."""
        return len(self._recent(need, now))

    def next_at(self, need: Need, now: float) -> float | None:
        """When it may be tried again (Unix seconds, perhaps past); None where not any more."""
        recent = self._recent(need, now)
        if not recent:
            return 0.0
        pauses_s = self._policy.pauses_s
        return None if len(recent) > len(pauses_s) else recent[-1] + pauses_s[len(recent) - 1]

    def begin(self, need: Need, now: float) -> Put:
        """One more; what is to be durable before anything is sent."""
        self._tried[need.key] = tried_at = (*self._recent(need, now), now)
        record = stamped(msgspec.json.encode(TriesRecord(tried_at)))
        return Put(Table.META, f"{KEY}{need.key}", record, now)

    def restore(self, records: Iterable[Record]) -> None:
        """Take in what was stored, of all records of `Table.META`. One that cannot be read counts
        as spent: rather no probe than one too many."""
        for record in records:
            if not record.key.startswith(KEY):
                continue
            key = record.key.removeprefix(KEY)
            try:
                found = msgspec.json.decode(checked(record.value), type=TriesRecord)
                self._tried[key] = found.tried_at
            except msgspec.MsgspecError as error:
                log.warning("stored tries are unreadable", key=key, error=str(error))
                spent = len(self._policy.pauses_s) + 1
                self._tried[key] = (record.at,) * spent

    def _recent(self, need: Need, now: float) -> tuple[float, ...]:
        """A date in our future is of a clock that was ahead: it counts from now on."""
        kept_s = self._policy.tries_kept_s
        tried = self._tried.get(need.key, ())
        return tuple(min(at, now) for at in tried if now - at < kept_s)
