"""The rollouts that are known, each with its lights: stored first, and shown only then.

The rule it keeps: what can be seen is durable. A change is decided on copies, committed, and taken
over after the commit; one change of a rollout at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import trio

from actors.rollouts import decisions, records
from actors.rollouts.model import Part, PartState, Rollout, RolloutInspection, State
from store.port import Record, Write

ENDED_MOST = 100
"""Rollouts kept beside the active ones: the list shows as many."""


class Commits(Protocol):
    """What is needed of the store writer."""

    async def commit(self, writes: Sequence[Write]) -> None:
        """Return when the writes are durable."""
        ...


class StoredRollout:
    """One rollout. `parts` has its lights in order, `index` their places."""

    __slots__ = ("changed", "index", "lock", "parts", "rollout")

    def __init__(self, rollout: Rollout, parts: Sequence[Part]) -> None:
        self.rollout = rollout
        self.parts = list(parts)
        self.index = {part.dev_eui: number for number, part in enumerate(parts)}
        self.lock = trio.Lock()
        self.changed = trio.Event()
        """Set with every change; whoever waits for one takes the event that stands here now."""

    def next_waiting(self, start: int = 0) -> int | None:
        """The first light that waits, from this place on."""
        numbers = range(start, len(self.parts))
        waits = PartState.WAITING
        return next((n for n in numbers if self.parts[n].state is waits), None)


class RolloutRepository:
    """Every rollout by id, oldest first."""

    def __init__(self, store_writer: Commits, show: Callable[[Rollout], None]) -> None:
        self._store_writer = store_writer
        self._show = show
        self._kept: dict[str, StoredRollout] = {}

    @property
    def kept(self) -> Mapping[str, StoredRollout]:
        """Every rollout: a live view."""
        return self._kept

    def active(self) -> int:
        """Rollouts that run or pause."""
        return sum(kept.rollout.state.active for kept in self._kept.values())

    def listed(self, most: int) -> list[Rollout]:
        """The newest first."""
        return [kept.rollout for kept in reversed(self._kept.values())][:most]

    def inspect(self, rollout_id: str) -> RolloutInspection | None:
        """One with its lights."""
        kept = self._kept.get(rollout_id)
        return None if kept is None else RolloutInspection(kept.rollout, tuple(kept.parts))

    def restore(self, stored: Sequence[Record]) -> None:
        """Take in what the store kept."""
        for rollout, parts in records.read(stored):
            self._kept[rollout.id] = StoredRollout(rollout, parts)
            self._show(rollout)

    def redate(self, by_s: float) -> None:
        """The machine's clock was set: the dates of those that are not over move along. They are
        stored with their next change."""
        for kept in self._kept.values():
            if not kept.rollout.state.over:
                kept.rollout = decisions.redated(kept.rollout, by_s)

    async def add(
        self, rollout: Rollout, parts: Sequence[Part], more: Sequence[Write]
    ) -> StoredRollout:
        """A new one; `more` goes into the same commit."""
        writes = records.pieces(rollout, parts, range(len(parts)))
        await self._store_writer.commit([records.head(rollout), *writes, *more])
        kept = self._kept[rollout.id] = StoredRollout(rollout, parts)
        self._show(rollout)
        return kept

    async def change(
        self, kept: StoredRollout, rollout: Rollout, lights: Mapping[int, Part]
    ) -> None:
        """Store and show it with these lights changed. The caller holds its lock."""
        parts = kept.parts
        if lights:
            parts = list(parts)
            for number, part in lights.items():
                parts[number] = part
        writes = records.pieces(rollout, parts, lights)
        await self._store_writer.commit([records.head(rollout), *writes])
        kept.rollout, kept.parts = rollout, parts
        kept.changed.set()
        kept.changed = trio.Event()
        self._show(rollout)

    async def prune(self, before: float) -> list[str]:
        """Forget what has ended or stopped and is older, and the oldest beyond the bound."""
        idle = [one for one in self._kept.values() if not one.rollout.state.active]
        beyond = len(idle) - ENDED_MOST
        gone = [
            kept
            for number, kept in enumerate(idle)
            if number < beyond or kept.rollout.changed_at < before
        ]
        for kept in gone:
            async with kept.lock:
                if not kept.rollout.state.active:
                    await self._store_writer.commit(records.removal(kept.rollout))
                    del self._kept[kept.rollout.id]
        return [kept.rollout.id for kept in gone if kept.rollout.id not in self._kept]

    def ordered_at(self, command_id: str, otherwise: float) -> float:
        """When the wish behind a command came up: of a rollout's, when that one was made."""
        kept = self._kept.get(decisions.rollout_id_of(command_id))
        return otherwise if kept is None else kept.rollout.created_at

    def running(self) -> list[StoredRollout]:
        """Those that command lights."""
        return [one for one in self._kept.values() if one.rollout.state is State.RUNNING]
