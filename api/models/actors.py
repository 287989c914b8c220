"""What is shown of an actor, over HTTP and the websocket."""

from enum import StrEnum

import msgspec

from actors.board.changes import ActorView
from actors.supervision import ChildState


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


ActorState.__name__ = "ChildState"  # in the description of the API, and so in generated clients


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
