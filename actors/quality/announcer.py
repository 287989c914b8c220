"""Has the board show what is expected of each light, where that changed noticeably.

The lights are looked at one after the other, all of them within five minutes: where a gateway
worsens the chances of 10,000 lights at once, their readers are told at a pace that they can follow.
"""

from collections.abc import Callable
from math import ceil

import trio

from actors.board.board import Board
from actors.board.changes import GradeTold
from actors.board.outlook import RiskTold, noticeable
from actors.quality.model import GatewayGrade, Grade, QualityView

ROUND_S = 300.0
"""All lights are looked at within this: warnings come hours and days before what they warn of."""
FIRST_ROUND_S, FIRST_FOR_S = 30.0, 60.0
"""After a start it is quicker: alerts of before wait for a minute to be confirmed."""
LEAST_ROUND_S = 30.0
"""No round is shorter, however small the fleet: what is told changes once a minute."""
EVERY_S = 1.0
LEAST_AT_ONCE = 4
"""A small fleet is through sooner: 100 lights in 25 s."""
MOST_AT_ONCE = 900
"""A reader may be 1,000 changes behind: 50,000 lights take 56 s after a start, and 167 a second
later."""
CHUNK = 250
"""Lights looked at between two checkpoints, up to 10 us each: 2 ms."""


class RiskAnnouncer:
    """The actor. What it showed stands on the board, so a restart of it tells nothing twice.

    `tell` has a risk shown, by the board unless it is given.
    """

    def __init__(
        self,
        board: Board,
        quality: QualityView,
        tell: Callable[[str, RiskTold], None] | None = None,
    ) -> None:
        self._board = board
        self._quality = quality
        self._tell = tell or board.tell_risk
        # The lights of the running round that are still to be looked at, the next one last.
        self._left: list[str] = []

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look at some lights every second, until cancelled."""
        task_status.started()
        first_until = trio.current_time() + FIRST_FOR_S
        round_began = trio.current_time()
        while True:
            first = trio.current_time() < first_until
            if not self._left:
                round_began = trio.current_time()
                self._left = list(self._board.devices)[::-1]
            due = self._next(FIRST_ROUND_S if first else ROUND_S)
            for count, dev_eui in enumerate(due, start=1):
                self.look(dev_eui)
                if count % CHUNK == 0:
                    await trio.lowlevel.checkpoint()
            if self._left:
                await trio.sleep(EVERY_S)
            else:
                await trio.sleep_until(
                    max(trio.current_time() + EVERY_S, round_began + LEAST_ROUND_S)
                )

    def look(self, dev_eui: str) -> None:
        """Show this light's risk, if it is noticeably another."""
        told = self._quality.told(dev_eui)
        if told is not None and noticeable(self._board.risks.get(dev_eui), told):
            self._tell(dev_eui, told)

    def _next(self, round_s: float) -> list[str]:
        count = ceil(len(self._board.devices) * EVERY_S / round_s)
        count = min(max(count, LEAST_AT_ONCE), MOST_AT_ONCE, len(self._left))
        return [self._left.pop() for _ in range(count)]


def grade_told(graded: GatewayGrade | None) -> GradeTold:
    """What travels with the gateway's view; an A needs no reason."""
    if graded is None or graded.grade is None:
        return GradeTold(None, None)
    known = graded.worst is not None and graded.grade is not Grade.A
    return GradeTold(graded.grade.value, str(graded.worst) if known else None)
