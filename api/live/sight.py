"""What one live client is told: what it asked for, as far as it may see it.

To a client whose sight is limited a light appears when its record comes into sight (a tag was set,
say) and is told as removed when it goes out of it. For that the lights which it was shown are
remembered: some 40 bytes each, 2 MB for a sight of 50,000. What was shown before is not known after
a reconnection, so such a client begins with a snapshot each time.
"""

from typing import assert_never

from actors.board.board import Board
from actors.board.changes import (
    ActorView,
    AlertView,
    DeviceRemoved,
    GatewayView,
    Subject,
)
from actors.board.plan import PlanHead, PlanRemoved
from actors.board.rollout import Rollout
from actors.board.seen import Seen
from actors.board.sight import EVERYTHING, Sight
from actors.device.command import Command
from actors.device.model import Device
from api.live.protocol import Filter

OUT_OF_SIGHT = "it may not be seen any more"


class LiveSight:
    """One for each client; `name` is who that is."""

    def __init__(
        self, wanted: Filter, board: Board, sight: Sight = EVERYTHING, name: str = ""
    ) -> None:
        self._wanted = wanted
        self._board = board
        self._seen = Seen(sight, board)
        self._name = name
        self._shown: set[str] = set()

    def told(self, what: Subject) -> Subject | None:
        """What the client is told of this; None for nothing. Calls are in the order of changes."""
        if self._seen.limited:
            seen = self._as_seen(what)
            if seen is None:
                return None
            what = seen
        return what if self._wanted.admits(what, self._board.devices) else None

    def _as_seen(self, what: Subject) -> Subject | None:
        match what:
            case Device():
                return self._device(what)
            case DeviceRemoved():
                return self._gone(what)
            case Command():
                return what if what.dev_eui in self._shown else None
            case GatewayView():
                return self._seen.of_gateway(what)
            case AlertView():
                return self._seen.alert(what)
            case ActorView():
                return what if self._seen.actor(what) else None
            case Rollout():
                # how many of its lights are seen only the owner of its lights' list knows
                return what if what.by == self._name else None
            case PlanHead() | PlanRemoved():
                return what  # without its places
            case _:
                assert_never(what)

    def _device(self, device: Device) -> Subject | None:
        if self._seen.sight.sees(device):
            self._shown.add(device.dev_eui)
            return device
        # its name may tell what it has become
        return self._gone(DeviceRemoved(device.dev_eui, "", OUT_OF_SIGHT))

    def _gone(self, removed: DeviceRemoved) -> DeviceRemoved | None:
        if removed.dev_eui not in self._shown:
            return None
        self._shown.discard(removed.dev_eui)
        return removed
