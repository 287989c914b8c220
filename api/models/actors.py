"""What is shown of an actor, over HTTP and the websocket."""

from enum import StrEnum

import msgspec

from actors.board.changes import ActorView
from actors.messaging.mailbox import MailboxStatistics
from actors.supervision import ChildReport, ChildState


class ActorState(StrEnum):
    """Where an actor is in its life.

    A parked actor is called `crashed` here: so it was in 0.1.0, and clients look for that word.
    """

    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    PARKED = "crashed"
    STOPPED = "stopped"
    FINISHED = "finished"

    @classmethod
    def of(cls, state: ChildState) -> "ActorState":
        """The word for what the supervisor says."""
        return cls[state.name]


class ActorShown(msgspec.Struct, frozen=True):
    """A change of an actor's life."""

    id: str
    state: ActorState
    restarts: int
    last_error: str | None

    @classmethod
    def of(cls, view: ActorView) -> "ActorShown":
        """The view of what is on the board."""
        return cls(view.id, ActorState.of(view.state), view.restarts, view.last_error)


class MailboxView(msgspec.Struct, frozen=True):
    """The queue in front of an actor."""

    depth: int
    """Messages that wait now."""
    capacity: int
    peak: int
    """The most that ever waited."""
    refused: int
    """Messages refused because it was full."""

    @classmethod
    def of(cls, mailbox: MailboxStatistics | None) -> "MailboxView | None":
        """The view of a mailbox, for an actor that has one."""
        if mailbox is None:
            return None
        return cls(mailbox.depth, mailbox.capacity, mailbox.peak, mailbox.refused)


class DeviceActorView(msgspec.Struct, frozen=True):
    """The device's actor."""

    state: ActorState
    since: float
    restarts: int
    """Since the service started."""
    last_error: str | None
    last_crash_at: float | None
    mailbox: MailboxView | None

    @classmethod
    def of(cls, actor: ChildReport | None) -> "DeviceActorView | None":
        """The view of an actor, if it has been started."""
        if actor is None:
            return None
        return cls(
            state=ActorState.of(actor.state),
            since=actor.since,
            restarts=actor.restarts,
            last_error=actor.last_error,
            last_crash_at=actor.last_crash_at,
            mailbox=MailboxView.of(actor.mailbox),
        )
