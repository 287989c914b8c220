"""The words for an actor's state that clients of 0.1.0 know."""

import msgspec

from actors.board.changes import ActorView
from actors.supervision import ChildReport, ChildState
from api.models.actors import ActorShown, ActorState
from api.models.operation import ActorNode


def test_every_state_keeps_the_word_it_was_shown_by() -> None:
    assert {state.name: ActorState.of(state).value for state in ChildState} == {
        "STARTING": "starting",
        "RUNNING": "running",
        "BACKING_OFF": "backing_off",
        "PARKED": "crashed",
        "STOPPED": "stopped",
        "FINISHED": "finished",
    }


def test_a_parked_actor_is_shown_as_crashed_in_the_tree_and_on_the_websocket() -> None:
    report = ChildReport("device d1", ChildState.PARKED, 1.0, 5, "KeyError: x")
    tree = msgspec.to_builtins(ActorNode.of(report, most=10))
    assert tree["state"] == "crashed"
    view = ActorView("device d1", ChildState.PARKED, 5, "KeyError: x")
    assert msgspec.to_builtins(ActorShown.of(view)) == {
        "id": "device d1",
        "state": "crashed",
        "restarts": 5,
        "last_error": "KeyError: x",
    }
