"""The life of every alert: from findings to who must be told what, and when.

A pure state machine. A person is told once that something began, hourly that it lasts, and once
that it is over, but not of every change of a condition that comes and goes.

Theory. For each key (kind and subject) there is one entry, in one of four states:

    pending    the condition holds, but not yet for long enough; nobody has been told
    open       it was announced; repeated while it lasts
    reopened   it came back soon after closing: the alert is open again, but not yet announced
    closed     it is over; remembered for `reopen_s`, then forgotten

    pending --lasted--> open --over--> closed --holds again--> reopened --lasted--> open
       `--over--> (forgotten)             ^------over, quietly------'
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from actors.alerts.decision import Act, Decision, StoredAlert
from actors.alerts.finding import AlertKey, AlertKind, Finding
from actors.alerts.policy import AlertPolicy
from actors.board.changes import AlertView
from actors.clocks.due_times import DueTimes
from actors.replace import replace


@dataclass(slots=True)
class _AlertEntry:
    kind: AlertKind
    due_at: float
    """When it must be looked at again."""
    finding: Finding | None = None
    """The newest that held."""
    stored: StoredAlert | None = None
    """None while pending."""
    unconfirmed: bool = False
    """Restored from the store, and nothing has been found about it since."""


def _with_finding(view: AlertView, entry: _AlertEntry) -> AlertView:
    """The view with what was found last; a restored one that nothing confirmed stays as it is."""
    found = entry.finding
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
    """All alerts by key. Bound: one entry for each condition that holds or ended lately."""

    def __init__(self, policy: AlertPolicy, new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._new_id = new_id
        self._entries: dict[AlertKey, _AlertEntry] = {}
        self._due: DueTimes[AlertKey] = DueTimes()

    def restore(self, alerts: Iterable[StoredAlert], now: float) -> list[AlertView]:
        """Take in what the store kept; returns the views to be shown, oldest first.

        No notice follows from it: open alerts stay open, and repeat when their time comes.
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
                entry = _AlertEntry(kind, due_at, None, stored, unconfirmed=True)
            elif view.closed_at + self._policy.reopen_s > now:
                entry = _AlertEntry(kind, view.closed_at + self._policy.reopen_s, None, stored)
            else:
                continue
            key = AlertKey(view.kind, view.subject)
            self._entries[key] = entry
            self._schedule(key, entry, entry.due_at)
        return views

    def knows(self, finding: Finding) -> bool:
        """Whether there is anything that a finding of this kind and subject may change or end."""
        return finding.key in self._entries

    def observe(self, finding: Finding, now: float) -> list[Decision]:
        """A condition was looked at."""
        entry = self._entries.get(finding.key)
        if entry is None:
            return self._begin(finding, now) if finding.holds else []
        if entry.unconfirmed:
            entry.unconfirmed = False
            self._schedule(finding.key, entry, self._due_at(entry, now))
        if entry.stored is None:
            return self._pending(entry, finding, now)
        if entry.stored.view.closed_at is not None:
            return self._reopen(entry, finding, now) if finding.holds else []
        if finding.holds:
            return self._change(entry, finding, now)
        return [self._close(finding.key, entry, finding.text, now)]

    def due(
        self, now: float, most: int = 1_000, *, unsure: Collection[AlertKind] = ()
    ) -> list[Decision]:
        """Carry on with what is due, at most `most` entries at once; see `next_at` for the rest.

        Of the kinds in `unsure` it is not known yet whether they hold: restored alerts of these go
        on waiting to be confirmed.
        """
        keys: list[AlertKey] = []
        while len(keys) < most and (due := self._due.take(now)) is not None:
            keys.append(due)
        decisions = []
        for key in keys:
            entry = self._entries[key]
            if entry.stored is None:
                decisions.append(self._open(key, entry, now))
            elif entry.stored.view.closed_at is not None:
                del self._entries[key]
            elif entry.unconfirmed and entry.kind in unsure:
                self._schedule(key, entry, now + self._policy.confirm_s)
            elif entry.unconfirmed:
                decisions.append(self._close(key, entry, "not seen again since the restart", now))
            elif not entry.stored.announced:
                decisions.append(self._announce(key, entry, now))
            else:
                decisions.append(self._repeat(key, entry, now))
        return decisions

    def acknowledge(self, alert_id: str, by: str | None, now: float) -> Decision | None:
        """Note that a person knows of this open alert; None when it is not open (or not known).

        People are told when it is over, and again when it comes back.
        """
        for key, entry in self._entries.items():
            stored = entry.stored
            if stored is None or stored.view.id != alert_id or stored.view.closed_at is not None:
                continue
            view = replace(stored.view, acknowledged_at=now, acknowledged_by=by)
            return self._keep(key, entry, Act.ACKNOWLEDGED, replace(stored, view=view), now)
        return None

    def next_at(self) -> float | None:
        """When `due` has something to do, unless something is found before."""
        return self._due.next_at()

    def open_count(self) -> int:
        """Alerts that are open now."""
        return sum(
            entry.stored is not None and entry.stored.view.closed_at is None
            for entry in self._entries.values()
        )

    def moved(self, by_s: float) -> None:
        """The machine's clock was set: what is due comes as much later, or sooner."""
        for entry in self._entries.values():
            entry.due_at += by_s
        self._due.moved(by_s)

    def open_keys(self) -> list[AlertKey]:
        """Kind and subject of every alert that is open now."""
        return [
            key
            for key, entry in self._entries.items()
            if entry.stored is not None and entry.stored.view.closed_at is None
        ]

    def _begin(self, finding: Finding, now: float) -> list[Decision]:
        due_at = now + self._policy.settles_s(finding.kind)
        entry = _AlertEntry(finding.kind, due_at, finding)
        self._entries[finding.key] = entry
        self._schedule(finding.key, entry, due_at)
        return [self._open(finding.key, entry, now)] if due_at <= now else []

    def _pending(self, entry: _AlertEntry, finding: Finding, now: float) -> list[Decision]:
        if not finding.holds:
            del self._entries[finding.key]
            self._due.forget(finding.key)
            return []
        entry.finding = finding
        return [self._open(finding.key, entry, now)] if entry.due_at <= now else []

    def _open(self, key: AlertKey, entry: _AlertEntry, now: float) -> Decision:
        kind, subject = key
        view = _with_finding(AlertView(self._new_id(), kind, subject, "", now, now), entry)
        return self._keep(key, entry, Act.OPENED, StoredAlert(view), now)

    def _announce(self, key: AlertKey, entry: _AlertEntry, now: float) -> Decision:
        assert entry.stored is not None  # noqa: S101 - only what is open is announced
        view = _with_finding(replace(entry.stored.view, repeated_at=now), entry)
        return self._keep(key, entry, Act.OPENED, StoredAlert(view), now)

    def _repeat(self, key: AlertKey, entry: _AlertEntry, now: float) -> Decision:
        assert entry.stored is not None  # noqa: S101 - only what is open repeats
        before = entry.stored.view
        if before.acknowledged_at is not None:
            return self._keep(key, entry, Act.KEPT, entry.stored, now)
        view = _with_finding(replace(before, repeated_at=now, repeats=before.repeats + 1), entry)
        return self._keep(key, entry, Act.REPEATED, StoredAlert(view), now)

    def _reopen(self, entry: _AlertEntry, finding: Finding, now: float) -> list[Decision]:
        assert entry.stored is not None  # noqa: S101 - only what was closed reopens
        entry.finding = finding
        view = replace(
            entry.stored.view,
            closed_at=None,
            close_reason=None,
            acknowledged_at=None,
            acknowledged_by=None,
        )
        stored = StoredAlert(_with_finding(view, entry), announced=False, reopened_at=now)
        return [self._keep(finding.key, entry, Act.REOPENED, stored, now)]

    def _change(self, entry: _AlertEntry, finding: Finding, now: float) -> list[Decision]:
        """It still holds; what is shown of it stays true."""
        assert entry.stored is not None  # noqa: S101 - only what is open lasts
        entry.finding = finding
        view = _with_finding(entry.stored.view, entry)
        if view == entry.stored.view:
            return []
        stored = replace(entry.stored, view=view)
        return [self._keep(finding.key, entry, Act.CHANGED, stored, now)]

    def _close(self, key: AlertKey, entry: _AlertEntry, reason: str, now: float) -> Decision:
        assert entry.stored is not None  # noqa: S101 - only what is open closes
        act = Act.CLOSED if entry.stored.announced else Act.CLOSED_QUIETLY
        view = replace(entry.stored.view, closed_at=now, close_reason=reason)
        entry.unconfirmed = False
        return self._keep(key, entry, act, StoredAlert(view), now)

    def _keep(
        self, key: AlertKey, entry: _AlertEntry, act: Act, stored: StoredAlert, now: float
    ) -> Decision:
        entry.stored = stored
        self._schedule(key, entry, self._due_at(entry, now))
        return Decision(act, stored)

    def _schedule(self, key: AlertKey, entry: _AlertEntry, due_at: float) -> None:
        entry.due_at = due_at
        self._due.plan(key, due_at)

    def _due_at(self, entry: _AlertEntry, now: float) -> float:
        policy, stored = self._policy, entry.stored
        if stored is None:
            return entry.due_at
        if stored.view.closed_at is not None:
            return stored.view.closed_at + policy.reopen_s
        if not stored.announced:
            lasted_s = max(policy.lasted_s, policy.settles_s(entry.kind))
            return (stored.reopened_at or now) + lasted_s
        if stored.view.acknowledged_at is not None:
            return now + policy.repeat_s
        return stored.view.repeated_at + policy.repeat_s
