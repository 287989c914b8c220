"""The book of alerts: from findings to who must be told what, and when.

The rule it keeps: pure and patient. A person is told once that something began, hourly that it
lasts, once that it is over, and never of a flapping thing's every flap.

Theory. Of each (kind, subject) the book knows a track, in one of four states:

    pending    the condition holds, but not yet long enough; nobody knows of it
    open       it was announced; repeated while it lasts
    reopened   it came back soon after closing: the alert is open again, but not yet announced
    closed     it is over; remembered for `reopen_s`, then forgotten

    pending --lasted--> open --over--> closed --holds again--> reopened --lasted--> open
       `--over--> (forgotten)             ^------over, quietly------'
"""

import heapq
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec

from actors.alerts.rules import AlertKind, AlertPolicy, Finding
from actors.board.changes import AlertView

replace = msgspec.structs.replace

Key = tuple[str, str]
"""Kind and subject of an alert."""
STALE_SLACK = 64
"""Entries of the heap that are out of date may outnumber the tracks by this many."""


class Act(Enum):
    """What happened to an alert."""

    OPENED = "opened"
    REPEATED = "repeated"
    CLOSED = "closed"
    REOPENED = "reopened"
    """Quietly: nobody is told yet."""
    CLOSED_QUIETLY = "closed quietly"
    ACKNOWLEDGED = "acknowledged"
    """Somebody knows: it is not repeated any more."""
    CHANGED = "changed"
    """It lasts, and something else is to be said of it: shown and stored, nobody is told."""
    KEPT = "kept"
    """Stored anew, so that retention does not take it: nobody is told."""

    @property
    def told(self) -> bool:
        """Whether a person is told."""
        return self in {Act.OPENED, Act.REPEATED, Act.CLOSED}


class StoredAlert(msgspec.Struct, frozen=True):
    """An alert as the store keeps it. `announced` is False while it is reopened quietly."""

    view: AlertView
    announced: bool = True
    reopened_at: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """An alert as it is now, and what happened to it."""

    act: Act
    stored: StoredAlert

    @property
    def view(self) -> AlertView:
        """As the board shows it."""
        return self.stored.view


@dataclass(slots=True)
class _Condition:
    kind: AlertKind
    due_at: float
    """When the book must look at it again."""
    finding: Finding | None = None
    """The newest that held."""
    stored: StoredAlert | None = None
    """None while pending."""
    unconfirmed: bool = False
    """Restored from the store, and nothing has been found about it since."""


def _told(view: AlertView, condition: _Condition) -> AlertView:
    """The view with what was found last; a restored one that nothing confirmed stays as it is."""
    found = condition.finding
    if found is None:
        return view
    return replace(
        view,
        summary=found.text,
        since=found.since,
        lights=found.lights,
        lights_total=found.lights_total,
    )


class AlertLifecycle:
    """Tracks by (kind, subject). At most one track per condition that holds or ended lately."""

    def __init__(self, policy: AlertPolicy, new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._new_id = new_id
        self._tracks: dict[Key, _Condition] = {}
        # When to look at which track, soonest first: a thousand lights may fail in one second, and
        # each asks when the next is due. Entries that are out of date are skipped.
        self._agenda: list[tuple[float, Key]] = []

    def restore(self, alerts: Iterable[StoredAlert], now: float) -> list[AlertView]:
        """Take in what the store kept; returns the views to be shown, oldest first.

        Nobody is told again: open alerts stay open and repeat when their time comes.
        """
        views = []
        for stored in sorted(alerts, key=lambda one: one.view.opened_at):
            view = stored.view
            views.append(view)
            try:
                kind = AlertKind(view.kind)
            except ValueError:
                continue  # of a version that had other kinds: shown, never touched
            if view.closed_at is None:
                due_at = now + self._policy.confirm_s
                condition = _Condition(kind, due_at, None, stored, unconfirmed=True)
            elif view.closed_at + self._policy.reopen_s > now:
                condition = _Condition(kind, view.closed_at + self._policy.reopen_s, None, stored)
            else:
                continue
            self._tracks[view.kind, view.subject] = condition
            self._schedule((view.kind, view.subject), condition, condition.due_at)
        return views

    def observe(self, finding: Finding, now: float) -> list[Decision]:
        """A condition was looked at."""
        condition = self._tracks.get(finding.key)
        if condition is None:
            return self._begin(finding, now) if finding.holds else []
        if condition.unconfirmed:
            condition.unconfirmed = False
            self._schedule(finding.key, condition, self._due_at(condition, now))
        if condition.stored is None:
            return self._pending(condition, finding, now)
        if condition.stored.view.closed_at is not None:
            return self._reopen(condition, finding, now) if finding.holds else []
        if finding.holds:
            return self._change(condition, finding, now)
        return [self._close(finding.key, condition, finding.text, now)]

    def due(
        self, now: float, most: int = 1_000, *, unsure: Collection[AlertKind] = ()
    ) -> list[Decision]:
        """Carry on with what is due, at most so many tracks at once; see `next_at` for the rest.

        Of the kinds in `unsure` nobody can tell yet whether they hold: restored alerts of these
        wait on for somebody who confirms them.
        """
        keys: list[Key] = []
        while len(keys) < most and (next_at := self.next_at()) is not None and next_at <= now:
            keys.append(heapq.heappop(self._agenda)[1])
        decisions = []
        for key in dict.fromkeys(keys):
            condition = self._tracks[key]
            if condition.stored is None:
                decisions.append(self._open(key, condition, now))
            elif condition.stored.view.closed_at is not None:
                del self._tracks[key]
            elif condition.unconfirmed and condition.kind in unsure:
                self._schedule(key, condition, now + self._policy.confirm_s)
            elif condition.unconfirmed:
                decisions.append(
                    self._close(key, condition, "not seen again since the restart", now)
                )
            elif not condition.stored.announced:
                decisions.append(self._announce(key, condition, now))
            else:
                decisions.append(self._repeat(key, condition, now))
        return decisions

    def acknowledge(self, alert_id: str, by: str | None, now: float) -> Decision | None:
        """Somebody knows of this open alert; None when it is not open (or not known).

        It is told when it is over, and again when it comes back.
        """
        for key, condition in self._tracks.items():
            stored = condition.stored
            if stored is None or stored.view.id != alert_id or stored.view.closed_at is not None:
                continue
            view = replace(stored.view, acknowledged_at=now, acknowledged_by=by)
            return self._keep(key, condition, Act.ACKNOWLEDGED, replace(stored, view=view), now)
        return None

    def next_at(self) -> float | None:
        """When `due` has something to do, unless something is found before."""
        while self._agenda:
            due_at, key = self._agenda[0]
            condition = self._tracks.get(key)
            if condition is not None and condition.due_at == due_at:
                return due_at
            heapq.heappop(self._agenda)
        return None

    def open_count(self) -> int:
        """Alerts that are open now."""
        return sum(
            condition.stored is not None and condition.stored.view.closed_at is None
            for condition in self._tracks.values()
        )

    def moved(self, by_s: float) -> None:
        """The machine's clock was set: what is due comes as much later, or sooner."""
        for condition in self._tracks.values():
            condition.due_at += by_s
        self._agenda = [(condition.due_at, key) for key, condition in self._tracks.items()]
        heapq.heapify(self._agenda)

    def open_keys(self) -> list[Key]:
        """Kind and subject of every alert that is open now."""
        return [
            key
            for key, condition in self._tracks.items()
            if condition.stored is not None and condition.stored.view.closed_at is None
        ]

    def _begin(self, finding: Finding, now: float) -> list[Decision]:
        due_at = now + self._policy.settles_s(finding.kind)
        condition = _Condition(finding.kind, due_at, finding)
        self._tracks[finding.key] = condition
        self._schedule(finding.key, condition, due_at)
        return [self._open(finding.key, condition, now)] if due_at <= now else []

    def _pending(self, condition: _Condition, finding: Finding, now: float) -> list[Decision]:
        if not finding.holds:
            del self._tracks[finding.key]
            return []
        condition.finding = finding
        return [self._open(finding.key, condition, now)] if condition.due_at <= now else []

    def _open(self, key: Key, condition: _Condition, now: float) -> Decision:
        kind, subject = key
        view = _told(AlertView(self._new_id(), kind, subject, "", now, now), condition)
        return self._keep(key, condition, Act.OPENED, StoredAlert(view), now)

    def _announce(self, key: Key, condition: _Condition, now: float) -> Decision:
        assert condition.stored is not None  # noqa: S101 - only what is open is announced
        view = _told(replace(condition.stored.view, repeated_at=now), condition)
        return self._keep(key, condition, Act.OPENED, StoredAlert(view), now)

    def _repeat(self, key: Key, condition: _Condition, now: float) -> Decision:
        assert condition.stored is not None  # noqa: S101 - only what is open repeats
        before = condition.stored.view
        if before.acknowledged_at is not None:
            return self._keep(key, condition, Act.KEPT, condition.stored, now)
        view = _told(replace(before, repeated_at=now, repeats=before.repeats + 1), condition)
        return self._keep(key, condition, Act.REPEATED, StoredAlert(view), now)

    def _reopen(self, condition: _Condition, finding: Finding, now: float) -> list[Decision]:
        assert condition.stored is not None  # noqa: S101 - only what was closed reopens
        condition.finding = finding
        view = replace(
            condition.stored.view,
            closed_at=None,
            close_reason=None,
            acknowledged_at=None,
            acknowledged_by=None,
        )
        stored = StoredAlert(_told(view, condition), announced=False, reopened_at=now)
        return [self._keep(finding.key, condition, Act.REOPENED, stored, now)]

    def _change(self, condition: _Condition, finding: Finding, now: float) -> list[Decision]:
        """It still holds; what is shown of it stays true."""
        assert condition.stored is not None  # noqa: S101 - only what is open lasts
        condition.finding = finding
        view = _told(condition.stored.view, condition)
        if view == condition.stored.view:
            return []
        stored = replace(condition.stored, view=view)
        return [self._keep(finding.key, condition, Act.CHANGED, stored, now)]

    def _close(self, key: Key, condition: _Condition, reason: str, now: float) -> Decision:
        assert condition.stored is not None  # noqa: S101 - only what is open closes
        act = Act.CLOSED if condition.stored.announced else Act.CLOSED_QUIETLY
        view = replace(condition.stored.view, closed_at=now, close_reason=reason)
        condition.unconfirmed = False
        return self._keep(key, condition, act, StoredAlert(view), now)

    def _keep(
        self, key: Key, condition: _Condition, act: Act, stored: StoredAlert, now: float
    ) -> Decision:
        condition.stored = stored
        self._schedule(key, condition, self._due_at(condition, now))
        return Decision(act, stored)

    def _schedule(self, key: Key, condition: _Condition, due_at: float) -> None:
        condition.due_at = due_at
        heapq.heappush(self._agenda, (due_at, key))
        if len(self._agenda) > 2 * len(self._tracks) + STALE_SLACK:
            self._agenda = [(condition.due_at, key) for key, condition in self._tracks.items()]
            heapq.heapify(self._agenda)

    def _due_at(self, condition: _Condition, now: float) -> float:
        policy, stored = self._policy, condition.stored
        if stored is None:
            return condition.due_at
        if stored.view.closed_at is not None:
            return stored.view.closed_at + policy.reopen_s
        if not stored.announced:
            lasted_s = max(policy.lasted_s, policy.settles_s(condition.kind))
            return (stored.reopened_at or now) + lasted_s
        if stored.view.acknowledged_at is not None:
            return now + policy.repeat_s
        return stored.view.repeated_at + policy.repeat_s
