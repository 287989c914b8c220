"""What operating the service needs to see: actors, dead letters, history, metrics, health."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from actors.clocks.timekeeper import ClockStatistics
from actors.messaging.dead_letters import DeadLetter
from actors.metrics.downlinks import DownlinkMetrics
from actors.replace import replace
from actors.storage.history import HistoryEntry
from actors.supervision import ChildReport, ChildState
from api.models.actors import ActorState, MailboxView

# A message can be as large as a decoded event, some 10 kB; the first 500 characters tell which.
MESSAGE_CHARS = 500


class ActorNode(msgspec.Struct, frozen=True):
    """One actor and those below it, the troubled first, as many as were asked for."""

    id: str
    state: ActorState
    since: float
    restarts: int
    last_error: str | None
    last_crash_at: float | None
    mailbox: MailboxView | None
    children_total: int
    """Directly below it, shown or not."""
    children_by_state: dict[str, int]
    children: "list[ActorNode]"

    @classmethod
    def of(cls, report: ChildReport, *, most: int) -> "ActorNode":
        """The view of a report, with at most `most` children at every level."""
        ranked = sorted(
            report.children,
            key=lambda c: (c.state is ChildState.RUNNING, not c.children, -c.restarts, c.id),
        )
        return cls(
            id=report.id,
            state=ActorState.of(report.state),
            since=report.since,
            restarts=report.restarts,
            last_error=report.last_error,
            last_crash_at=report.last_crash_at,
            mailbox=MailboxView.of(report.mailbox),
            children_total=len(report.children),
            children_by_state=dict(
                Counter(ActorState.of(child.state).value for child in report.children)
            ),
            children=[cls.of(child, most=most) for child in ranked[:most]],
        )

    def with_child(self, child: "ActorNode", *, most: int) -> "ActorNode":
        """The same with one more below it, which runs in another process."""
        ranked = sorted(
            [*self.children, child],
            key=lambda c: (
                c.state is ActorState.RUNNING,
                c.children_total == 0,
                -c.restarts,
                c.id,
            ),
        )
        counts = Counter(self.children_by_state) + Counter([child.state.value])
        return replace(
            self,
            children_total=self.children_total + 1,
            children_by_state=dict(counts),
            children=ranked[:most],
        )


class DeadLetterView(msgspec.Struct, frozen=True):
    """A message that nobody will handle any more."""

    actor_id: str
    kind: str
    """The kind of message."""
    message: str
    error: str
    """The crash that it met."""
    at: float

    @classmethod
    def of(cls, letter: DeadLetter) -> "DeadLetterView":
        """The view of a dead letter."""
        return cls(
            actor_id=letter.actor_id,
            kind=type(letter.message).__name__,
            message=repr(letter.message)[:MESSAGE_CHARS],
            error=letter.error,
            at=letter.at,
        )


class SupervisorView(msgspec.Struct, frozen=True):
    """The tree of actors, and the newest dead letters."""

    root: ActorNode
    dead_letters: list[DeadLetterView]


class HistoryPage(msgspec.Struct, frozen=True):
    """History, newest first. `until` of the next request, null when there is no more."""

    dev_eui: str
    events: Sequence[HistoryEntry]
    next_until: float | None


class MetricsView(msgspec.Struct, frozen=True):
    """Success of downlinks; `time_to_verify` from acceptance to proof. Null where too few ended
    to tell: a median rests on 2 verified commands at least, p95 on 20, p99 on 100."""

    dev_eui: str | None
    hours: float
    """Over how many the figures are."""
    commands: int
    """Ended in this time, and open now."""
    open: int
    verified: int
    superseded: int
    expired: int
    rejected: int
    withdrawn: int
    judged: int
    """Ended otherwise than superseded or withdrawn: `success_rate` rests on these, the times and
    the rate of first attempts on `verified`."""
    success_rate: float | None
    """Verified of the judged ones, 0 to 1."""
    first_attempt_rate: float | None
    """Verified by the first frame, of the verified ones, 0 to 1."""
    frames: int
    """Frames that gateways took, of all ended commands."""
    frames_per_verified: float | None
    time_to_verify_p50_s: float | None
    time_to_verify_p95_s: float | None
    time_to_verify_p99_s: float | None

    @classmethod
    def of(cls, dev_eui: str | None, metrics: DownlinkMetrics) -> "MetricsView":
        """The view of metrics, of the fleet where `dev_eui` is None."""
        return cls(dev_eui=dev_eui, **msgspec.structs.asdict(metrics))


class StatusAsked(msgspec.Struct, frozen=True):
    """What came of asking a light to speak."""

    dev_eui: str
    outcome: Literal["asked", "busy"]
    """`asked`: a frame is on its way. `busy`: a command, settings or a frame are under way already,
    or the light has not reported since it joined."""


class ReadinessView(msgspec.Struct, frozen=True):
    """Whether the service can do its work. `problems` and `warnings` are shown to a viewer only."""

    ready: bool
    problems: list[str]
    warnings: list[str]
    """Troubles outside that nobody cures by sending callers elsewhere: it stays ready."""


class ClockView(msgspec.Struct, frozen=True):
    """The service's clock, and ChirpStack's against it. Dates are Unix seconds, the rest seconds.

    `now` follows the machine's clock; `set_s` is the sum of all `steps` of it since the start.
    ChirpStack's clock is ahead of ours by at least and at most so much (null where that is not
    known); `server_ahead_s` is what is reckoned with: of all differences between those two the one
    nearest to zero.
    """

    now: float
    steps: int
    """How often the machine's clock was set."""
    set_s: float
    last_set_s: float | None
    last_set_at: float | None
    sleeps: int
    """How often the machine slept."""
    last_slept_s: float | None
    last_slept_at: float | None
    server_ahead_s: float
    server_ahead_at_least_s: float | None
    server_ahead_at_most_s: float | None

    @classmethod
    def of(cls, now: float, clock: ClockStatistics) -> "ClockView":
        """The view of the clocks."""
        return cls(now=now, **dataclasses.asdict(clock))
