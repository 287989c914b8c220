"""The learner's only task: all lights are counted now and then, and what was learned is stored.

Nothing depends on it in time: what it did not get to store is learned again within a day.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
import trio

from actors.clocks.clock import Clock
from actors.link.fleet_rates import Census
from actors.link.judgement import AttemptJudged
from actors.link.knowledge import Knowledge
from actors.link.learner import Learner
from actors.storage.store_writer import StoreWriter

log = structlog.get_logger()

STORE_S = 60.0
"""How often it is looked whether something is worth storing."""
COUNT_S = 600.0
"""How often all lights are counted: 20,000 take 50 ms, in slices."""


@dataclass(frozen=True, slots=True)
class LearnerPorts:
    """What the rounds need of others."""

    count: Callable[[], Awaitable[Census]]
    """Counts all lights, with checkpoints."""
    learned: Callable[[Knowledge], None]
    """Told of each new snapshot; must not wait."""


class LearnerRounds:
    """One actor around the learner."""

    def __init__(
        self, learner: Learner, store_writer: StoreWriter, clock: Clock, ports: LearnerPorts
    ) -> None:
        self._learner = learner
        self._store_writer = store_writer
        self._clock = clock
        self._ports = ports

    def judged(self, dev_eui: str, judgement: AttemptJudged) -> None:
        """What became of an attempt of some light."""
        if self._learner.judged(judgement):
            self._tell()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Round after round, until cancelled; what is not stored then is handed in."""
        task_status.started()
        clock, counted_at = self._clock, self._clock.steady()
        await self._ports.count()  # from here on silences are counted
        try:
            while True:
                await trio.sleep(STORE_S)
                passed_s = clock.steady() - counted_at
                if passed_s >= COUNT_S:
                    counted_at += passed_s
                    if self._learner.counted(await self._ports.count(), passed_s):
                        self._tell()
                writes = self._learner.writes(clock.steady(), clock.now())
                await self._store_writer.commit(writes)
        finally:
            rest = self._learner.writes(clock.steady(), clock.now(), all_of_it=True)
            self._store_writer.offer(rest)

    def _tell(self) -> None:
        known = self._learner.knowledge
        self._ports.learned(known)
        log.info(
            "learned of the air",
            answer_waits_s={rev: round(one, 2) for rev, one in known.answer_waits_s.items()},
            spacing_proven=sorted(known.spacing_proven),
            uplink_loss=round(known.uplink_loss, 3),
            downlink_loss=round(known.downlink_loss, 3),
            dark_per_s=known.dark_per_s,
        )
