"""What becomes of an alert: the alert as it is now, and whether a person is told of the change."""

from dataclasses import dataclass
from enum import Enum

import msgspec

from actors.board.changes import AlertView


class Act(Enum):
    """What happened to an alert."""

    OPENED = "opened"
    REPEATED = "repeated"
    CLOSED = "closed"
    REOPENED = "reopened"
    """It came back soon after it was over; people are told if it lasts."""
    CLOSED_QUIETLY = "closed quietly"
    ACKNOWLEDGED = "acknowledged"
    """A person knows of it: it is not repeated any more."""
    CHANGED = "changed"
    """It lasts, and its text or its lights are others: shown and stored, without a notice."""
    KEPT = "kept"
    """Stored anew, so that retention does not remove it, without a notice."""

    @property
    def notifies(self) -> bool:
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
