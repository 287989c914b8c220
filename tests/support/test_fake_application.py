"""The parts that the tests of the edge ask have the doors of the real ones, and no others."""

import inspect

import pytest

from actors.alerts import Alerter
from actors.application import Application
from actors.board.board import Board
from actors.clocks.timekeeper import Timekeeper
from actors.commands import Commands
from actors.fleet import Fleet
from actors.fleet.initialization import Initializer
from actors.fleet.queue_flush import Flusher
from actors.fleet.removal import Removals
from actors.messaging.dead_letters import DeadLetters
from actors.metrics import Metrics
from actors.quality.quality import Quality
from actors.queries import Queries
from actors.readiness import ReadinessCheck
from actors.restored_store import RestoredStoreHold
from actors.rollouts.actor import Rollouts
from actors.rollouts.repository import RolloutRepository
from actors.storage.unreadable_records import UnreadableRecords
from actors.supervision.tree import ActorTree
from tests.support import fake_application as fake

PAIRS = [
    (fake.FakeApplication, Application),
    (fake.FakeBoard, Board),
    (fake.FakeFleet, Fleet),
    (fake.FakeCommands, Commands),
    (fake.FakeRollouts, Rollouts),
    (fake.FakeRolloutRepository, RolloutRepository),
    (fake.FakeInitializer, Initializer),
    (fake.FakeRemovals, Removals),
    (fake.FakeFlusher, Flusher),
    (fake.FakeAlerter, Alerter),
    (fake.FakeRestoredStore, RestoredStoreHold),
    (fake.FakeTimekeeper, Timekeeper),
    (fake.FakeMetrics, Metrics),
    (fake.FakeUnreadable, UnreadableRecords),
    (fake.FakeDeadLetters, DeadLetters),
    (fake.FakeTree, ActorTree),
    (fake.FakeQueries, Queries),
    (fake.FakeReadiness, ReadinessCheck),
    (fake.FakeQuality, Quality),
]
LEVERS = {"break_down", "step"}
"""By these the tests make things happen."""


@pytest.mark.parametrize(("played", "real"), PAIRS, ids=lambda one: one.__name__)
def test_a_fake_part_is_asked_as_the_real_one_is(played: type, real: type) -> None:
    doors = {name for name in vars(played) if not name.startswith("_")} - LEVERS
    for name in doors:
        ours, theirs = getattr(played, name), getattr(real, name, None)
        if not callable(ours):
            continue
        assert theirs is not None, f"{real.__name__} has no {name}"
        assert inspect.signature(ours) == inspect.signature(theirs), name
