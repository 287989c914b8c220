"""Our clock was set back between two runs: what was to happen soon must not wait for that long.

The rule it keeps: within a run the clock never goes back, so only a waking light looks. The newest
step of its record cannot lie ahead; if it does, every deadline is moved back by as much, as if no
time had passed while the service was down. Times of ChirpStack's clock are left alone.
"""

from typing import Any

from actors.device.effects import CommandChanged
from actors.device.turn import Turn, replace


def undo(turn: Turn) -> None:
    """Move what our clock had promised, where that clock was ahead of today's."""
    device = turn.device
    ahead_s = device.stepped_at - turn.now
    if ahead_s <= 0.0:
        return
    turn.change(
        since=device.since - ahead_s,
        last_frame_at=_back(device.last_frame_at, ahead_s),
        inquired_at=_back(device.inquired_at, ahead_s),
        attempt=_moved(
            device.attempt,
            ahead_s,
            "not_before",
            "due_at",
            "item_expires_at",
            "expires_at",
            "air_until",
        ),
        pursuit=_moved(device.pursuit, ahead_s, "next_at"),
        setup=_moved(device.setup, ahead_s, "next_at"),
        command=_moved(device.command, ahead_s, "expires_at"),
    )
    if turn.device.command is not None:
        turn.emit(CommandChanged(turn.device.command))


def _moved(value: Any, ahead_s: float, *names: str) -> Any:
    if value is None:
        return None
    return replace(value, **{name: _back(getattr(value, name), ahead_s) for name in names})


def _back(at: float | None, ahead_s: float) -> float | None:
    return None if at is None else at - ahead_s
