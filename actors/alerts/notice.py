"""What a person is sent: one short text about one alert, or about many of a kind at once.

When a gateway takes 500 lights down with it, that is one message, not 500. Names and reasons, which
come from outside, become one line of plain text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from actors.alerts.decision import Act, Decision
from actors.plain_text import NAME_MOST, one_line

DIGEST_OVER = 5
"""More than so many of one kind at once become one notice."""
NAMED = 5
"""So many of them are named in that notice."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to a person. `act` is opened, repeated or closed; `at` is Unix seconds UTC."""

    act: str
    kind: str
    title: str
    body: str
    at: float
    alert_ids: tuple[str, ...] = ()

    @property
    def good_news(self) -> bool:
        """True when it says that something is over."""
        return self.act == Act.CLOSED.value


def notices(decisions: Sequence[Decision], now: float) -> list[Notice]:
    """The messages for decisions that were gathered, in order; quiet ones make none."""
    groups: dict[tuple[Act, str], list[Decision]] = {}
    for decision in decisions:
        if decision.act.notifies:
            groups.setdefault((decision.act, decision.view.kind), []).append(decision)
    made: list[Notice] = []
    for (act, kind), group in groups.items():
        if len(group) > DIGEST_OVER:
            made.append(_digest(act, kind, group, now))
        else:
            made.extend(_single(one, now) for one in group)
    return made


def _single(decision: Decision, now: float) -> Notice:
    act, view = decision.act, decision.view
    title = f"{view.kind.replace('_', ' ')}: {one_line(view.subject, NAME_MOST)}"
    if act is Act.CLOSED:
        title = f"over: {title}"
    body = _text(decision)
    if act is Act.REPEATED:
        title = f"still {title}"
        body = f"{body} (for {(now - view.opened_at) / 3600:.1f} h)"
    elif act is Act.OPENED and view.since is not None:
        body = f"{body} (since {_utc(view.since)}, {(now - view.since) / 60:.0f} min ago)"
    return Notice(act.value, view.kind, title, body, now, (view.id,))


def _digest(act: Act, kind: str, group: Sequence[Decision], now: float) -> Notice:
    prefix = {Act.CLOSED: "over: ", Act.REPEATED: "still "}.get(act, "")
    title = f"{prefix}{len(group)} x {kind.replace('_', ' ')}"
    lines = [_text(decision) for decision in group[:NAMED]]
    left = len(group) - NAMED
    body = "\n".join([*lines, f"and {left} more"] if left > 0 else lines)
    return Notice(act.value, kind, title, body, now, tuple(one.view.id for one in group))


def _text(decision: Decision) -> str:
    view = decision.view
    reason = view.close_reason if decision.act is Act.CLOSED else None
    return one_line(reason or view.summary)


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
