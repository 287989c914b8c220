"""What all attempts and all lights taught, and the snapshot that the lights go by.

A plain object: it is told, it says what is known, it hands out what is worth storing; who tells it
and who stores is joined elsewhere. A new snapshot is made only when a value changed so much that a
light would act otherwise.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from actors.link.answer_times import AnswerTimes, AnswerTimesRecord
from actors.link.fleet_rates import Census, FleetRates, FleetRecord
from actors.link.judgement import AttemptJudged
from actors.link.knowledge import DAY_S, NOTHING_KNOWN, Knowledge
from actors.link.spacing import Spacing, SpacingRecord
from actors.replace import replace
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table, Write

REVISIONS_MOST = 16
"""Software revisions at a time; a fleet has one or two. Of more the one whose lights answered
longest ago is forgotten, and is learned anew in 20 answers. A revision takes 5 kB: 80 kB in all."""
KEY = "learned:"
"""Begins the keys of its records in `Table.META`."""
FLEET_KEY = f"{KEY}fleet"
REVISION_KEY = f"{KEY}revision:"
STORE_EACH_S = 600.0
"""What changed a little is stored so often at most: some 3 kB a revision."""
STORE_AT_SAMPLES = 20
"""So many new answers are stored at the next occasion."""
NOTICEABLE = 0.05
"""Of a share, a rate or a wait: less changes no decision."""


class RevisionRecord(msgspec.Struct, frozen=True, gc=False):
    """What is stored of one software revision."""

    times: AnswerTimesRecord = AnswerTimesRecord()
    spacing: SpacingRecord = SpacingRecord()


@dataclass(frozen=True, slots=True)
class RevisionStatistics:
    """What is known of one software revision; seconds are None while unknown."""

    samples: int
    wait_s: float | None
    median_s: float | None
    late_share: float
    """Of the answers: in a second hump that nobody waits for."""
    over_5s_share: float | None
    """Of the answers: over, with the receive window after them, 5 s after the frame."""
    spacing_proven: bool
    spacing_taken_back: int


@dataclass(frozen=True, slots=True)
class LearnerStatistics:
    """What is known now, and what it rests on since the start."""

    judged: int
    late: int
    ambiguous: int
    """Proven attempts of which it is not clear which frame was answered: they teach no time."""
    forgotten: int
    snapshots: int
    uplink_loss: float
    downlink_loss: float
    dark_per_day: float
    light_days: float
    revisions: Mapping[int, RevisionStatistics]


class _Revision:
    """One software revision, and what of it is not stored yet."""

    __slots__ = ("changed", "since_stored", "spacing", "stored_at", "times")

    def __init__(self, record: RevisionRecord | None = None) -> None:
        stored = record or RevisionRecord()
        self.times = AnswerTimes.restored(stored.times)
        self.spacing = Spacing(stored.spacing)
        self.changed = False
        self.since_stored = 0
        self.stored_at = -math.inf

    def due(self, now: float, *, all_of_it: bool) -> bool:
        waited = now - self.stored_at >= STORE_EACH_S or self.since_stored >= STORE_AT_SAMPLES
        return self.changed and (waited or all_of_it)


class Learner:
    """Everything that is learned of the air. Times are steady seconds where they are asked for."""

    def __init__(self) -> None:
        self.knowledge: Knowledge = NOTHING_KNOWN
        """What the lights go by now."""
        self._revisions: dict[int, _Revision] = {}  # the one that answered last at the end
        self._fleet = FleetRates()
        self._fleet_stored: FleetRecord | None = None
        self._fleet_stored_at = -math.inf
        self._kept: set[str] = set()
        self._gone: list[str] = []
        self._judged = self._late = self._ambiguous = self._forgotten = self._snapshots = 0

    # ------------------------------------------------------------------ what it is told

    def judged(self, told: AttemptJudged) -> bool:
        """What became of an attempt. True when `knowledge` is another now."""
        self._judged += 1
        self._late += told.late
        proven = told.answered or told.late
        self._ambiguous += proven and told.answer_s is None
        if told.sw_rev is None:
            return False
        if told.answer_s is None and told.server_delay_s is None and told.gap_s is None:
            return False
        revision = self._revision(told.sw_rev)
        if told.answer_s is not None and revision.times.answered(told.answer_s):
            revision.since_stored += 1
            if not revision.times.in_hump(told.answer_s):  # who holds it back that long listens
                revision.spacing.answer(told.answer_s, told.spreading_factor)
        if told.server_delay_s is not None:
            revision.times.delayed(told.server_delay_s, told.gateway_id)
        if told.gap_s is not None and told.late:
            revision.spacing.tried_late(told.gap_s)
        elif told.gap_s is not None:
            revision.spacing.tried(told.gap_s, told.expected, answered=told.answered)
        revision.changed = True
        return self._look()

    def counted(self, census: Census, passed_s: float) -> bool:
        """A round over all lights, so many seconds after the last. True as above."""
        self._fleet.counted(census, passed_s)
        return self._look()

    # ------------------------------------------------------------------ what it says

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        """See `AirFacts`."""
        revision = None if sw_rev is None else self._revisions.get(sw_rev)
        return () if revision is None else revision.times.delays_s(gateway_id)

    def statistics(self) -> LearnerStatistics:
        """What is known, now."""
        return LearnerStatistics(
            judged=self._judged,
            late=self._late,
            ambiguous=self._ambiguous,
            forgotten=self._forgotten,
            snapshots=self._snapshots,
            uplink_loss=self._fleet.uplink_loss,
            downlink_loss=self._fleet.downlink_loss,
            dark_per_day=self._fleet.dark_per_s * DAY_S,
            light_days=self._fleet.light_days,
            revisions={rev: _statistics(one) for rev, one in sorted(self._revisions.items())},
        )

    # ------------------------------------------------------------------ the store

    def restore(self, records: Iterable[Record]) -> list[tuple[str, Exception]]:
        """Take in what was stored, of all records of `Table.META`.

        Those that cannot be read are returned, and never written over: a newer program's, perhaps.
        """
        unreadable: list[tuple[str, Exception]] = []
        for record in sorted(records, key=lambda one: one.at):
            try:
                self._restore(record)
            except (msgspec.MsgspecError, ValueError) as error:
                self._kept.add(record.key)
                unreadable.append((record.key, error))
        self._look()
        return unreadable

    def writes(self, steady: float, now: float, *, all_of_it: bool = False) -> list[Write]:
        """What is worth storing; it counts as stored. `now` (Unix seconds) dates the records."""
        writes: list[Write] = [Delete(Table.META, key) for key in self._gone]
        self._gone.clear()
        for number, revision in self._revisions.items():
            key = f"{REVISION_KEY}{number}"
            if key in self._kept or not revision.due(steady, all_of_it=all_of_it):
                continue
            record = RevisionRecord(revision.times.record(), revision.spacing.record())
            writes.append(Put(Table.META, key, stamped(msgspec.json.encode(record)), now))
            revision.changed, revision.since_stored, revision.stored_at = False, 0, steady
        fleet = self._fleet.record()
        waited = steady - self._fleet_stored_at >= STORE_EACH_S or all_of_it
        if FLEET_KEY not in self._kept and waited and fleet != self._fleet_stored:
            writes.append(Put(Table.META, FLEET_KEY, stamped(msgspec.json.encode(fleet)), now))
            self._fleet_stored, self._fleet_stored_at = fleet, steady
        return writes

    # ------------------------------------------------------------------ inside

    def _restore(self, record: Record) -> None:
        if record.key == FLEET_KEY:
            stored = msgspec.json.decode(checked(record.value), type=FleetRecord)
            self._fleet, self._fleet_stored = FleetRates(stored), stored
        elif record.key.startswith(REVISION_KEY):
            number = int(record.key.removeprefix(REVISION_KEY))
            found = msgspec.json.decode(checked(record.value), type=RevisionRecord)
            self._revisions[number] = _Revision(found)
            self._forget()

    def _revision(self, number: int) -> _Revision:
        """Its account, as the one that answered last."""
        revision = self._revisions.pop(number, None) or _Revision()
        self._revisions[number] = revision
        self._forget()
        return revision

    def _forget(self) -> None:
        while len(self._revisions) > REVISIONS_MOST:
            oldest = next(iter(self._revisions))
            del self._revisions[oldest]
            self._forgotten += 1
            key = f"{REVISION_KEY}{oldest}"
            if key not in self._kept:
                self._gone.append(key)

    def _look(self) -> bool:
        """Whether a light would act otherwise; then there is a new snapshot."""
        known, fleet = self.knowledge, self._fleet
        waits = {
            number: wait_s
            for number, one in self._revisions.items()
            if (wait_s := one.times.wait_s) is not None
        }
        proven = frozenset(number for number, one in self._revisions.items() if one.spacing.proven)
        same_waits = waits.keys() == known.answer_waits_s.keys() and all(
            _alike(wait_s, known.answer_waits_s[number]) for number, wait_s in waits.items()
        )
        alike = (
            same_waits
            and proven == known.spacing_proven
            and _alike(fleet.uplink_loss, known.uplink_loss)
            and _alike(fleet.downlink_loss, known.downlink_loss)
            and _alike(fleet.dark_per_s, known.dark_per_s)
        )
        if alike:
            return False
        self._snapshots += 1
        self.knowledge = replace(
            known,
            answer_waits_s=MappingProxyType(waits),
            spacing_proven=proven,
            uplink_loss=fleet.uplink_loss,
            downlink_loss=fleet.downlink_loss,
            dark_per_s=fleet.dark_per_s,
        )
        return True


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= NOTICEABLE * other


def _statistics(revision: _Revision) -> RevisionStatistics:
    times, spacing = revision.times, revision.spacing
    return RevisionStatistics(
        samples=times.samples,
        wait_s=times.wait_s,
        median_s=times.median_s,
        late_share=times.late_share,
        over_5s_share=spacing.over_share,
        spacing_proven=spacing.proven,
        spacing_taken_back=spacing.taken_back,
    )
