"""What is learned of the air, joined: who tells it, whom it tells, and where it is kept."""

from collections.abc import Callable, Sequence

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.device.firmware import Taught
from actors.fleet.link_census import LinkCensus
from actors.link.judgement import AttemptJudged
from actors.link.learner import Learner
from actors.link.rounds import LearnerPorts, LearnerRounds
from actors.storage.store_writer import StoreWriter
from store.port import Record

Listener = Callable[[str, AttemptJudged], None]
"""Told what became of an attempt for a light; neither waits nor raises."""


class Learning:
    """The learner with its rounds and its listeners. `taught` is what the lights go by."""

    def __init__(
        self,
        board: Board,
        store_writer: StoreWriter,
        clock: Clock,
        *,
        heartbeat_s: float,
        taught: Taught,
    ) -> None:
        self.learner = Learner()
        self.taught = taught
        census = LinkCensus(lambda: board.devices, clock, heartbeat_s=heartbeat_s)
        ports = LearnerPorts(count=census.count, learned=self.taught.learned)
        self.rounds = LearnerRounds(self.learner, store_writer, clock, ports)
        self.listeners: list[Listener] = [self.rounds.judged]
        """Everybody who learns from what became of attempts."""

    def judged(self, dev_eui: str, judgement: AttemptJudged) -> None:
        """A light tells what became of an attempt."""
        for listener in self.listeners:
            listener(dev_eui, judgement)

    def restore(self, records: Sequence[Record]) -> list[tuple[str, Exception]]:
        """What was stored of it, before a light runs; those that cannot be read are returned."""
        unreadable = self.learner.restore(records)
        self.taught.learned(self.learner.knowledge)
        return unreadable
