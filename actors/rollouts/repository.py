"""The rollouts that are known, each with its lights, and how they lie in the store.

What can be seen is durable: a change is decided on copies, committed, and taken over after the
commit, one change of a rollout at a time.

A rollout is a small record of its own, and its lights lie in pieces; a change of one light rewrites
the small record and one piece, some 6 kB, however many lights there are, both in one commit:

    {id}           the rollout with its counts
    {id}/{piece}   50 of its lights, in their order
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog
import trio

from actors.board.rollout import Rollout, State
from actors.clocks.clock import Clock
from actors.rollouts import decisions
from actors.rollouts.model import Part, PartState, RolloutInspection
from actors.storage.commits import Commits
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table, Write

log = structlog.get_logger()

ENDED_MOST = 100
"""Rollouts kept beside the active ones: the list shows as many."""
PIECE = 50
"""Lights in one record: about 8 kB."""
LATER_S = 0.001
"""Between the dates of two rollouts."""

_encoder = msgspec.json.Encoder()
_rollouts = msgspec.json.Decoder(Rollout)
_parts = msgspec.json.Decoder(list[Part])

Version = tuple[Rollout, float]
"""A rollout as stored, and how far the machine's clock had been set by then (`Clock.stepped_s`)."""


class RolloutWriter(Commits, Protocol):
    """What is needed of the store writer."""

    async def scan(self, table: Table) -> Sequence[Record]:
        """All records of a table, after all that was handed in before is durable."""
        ...


class StoredRollout:
    """One rollout. `parts` has its lights in order, `index` their places."""

    __slots__ = ("_clock", "_pursued", "_stored", "changed", "index", "lock", "parts")

    def __init__(self, version: Version, parts: Sequence[Part], clock: Clock) -> None:
        self._stored = version
        self._clock = clock
        self.parts = list(parts)
        self.index = {part.dev_eui: number for number, part in enumerate(parts)}
        self.lock = trio.Lock()
        self.changed = trio.Event()
        """Set with every change; whoever waits for one takes the event that stands here now."""
        self._pursued: bool | None = None  # as it was last found, None since a change

    @property
    def rollout(self) -> Rollout:
        """As it is now: while it is not over its dates move with the machine's clock, so that the
        order of wishes and the pace stay what they were. They are stored with the next change."""
        rollout, dated_s = self._stored
        by_s = self._clock.stepped_s - dated_s
        return decisions.redated(rollout, by_s) if by_s and not rollout.state.over else rollout

    @property
    def stored(self) -> Version:
        """As it lies in the store."""
        return self._stored

    @property
    def pursued(self) -> bool:
        """Whether it gives commands, or one of its commands may yet become something else."""
        if self._pursued is None:
            self._pursued = self._stored[0].state.active or any(
                part.command_id is not None and not part.settled for part in self.parts
            )
        return self._pursued

    def take_over(self, version: Version, parts: list[Part]) -> None:
        """This is stored now; whoever waits for a change is woken."""
        self._stored, self.parts, self._pursued = version, parts, None
        self.changed.set()
        self.changed = trio.Event()

    def next_waiting(self, start: int = 0) -> int | None:
        """The first light that waits, from this place on."""
        numbers = range(start, len(self.parts))
        waits = PartState.WAITING
        return next((n for n in numbers if self.parts[n].state is waits), None)


class RolloutRepository:
    """Every rollout by id, oldest first."""

    def __init__(
        self, store_writer: RolloutWriter, clock: Clock, show: Callable[[Rollout], None]
    ) -> None:
        self._store_writer = store_writer
        self._clock = clock
        self._show = show
        self._kept: dict[str, StoredRollout] = {}
        # Handed in and not known to be stored: one for each rollout that is being changed.
        self._handed_in: dict[str, Version] = {}

    @property
    def kept(self) -> Mapping[str, StoredRollout]:
        """Every rollout: a live view."""
        return self._kept

    def active(self) -> int:
        """Rollouts that run or pause."""
        return sum(kept.rollout.state.active for kept in self._kept.values())

    def pursued(self) -> bool:
        """Whether anything that happens to a command may be of interest here."""
        return any(kept.pursued for kept in self._kept.values())

    def listed(self, most: int) -> list[Rollout]:
        """The newest first."""
        return [kept.rollout for kept in reversed(self._kept.values())][:most]

    def inspect(self, rollout_id: str) -> RolloutInspection | None:
        """One with its lights."""
        kept = self._kept.get(rollout_id)
        return None if kept is None else RolloutInspection(kept.rollout, tuple(kept.parts))

    async def restore(self) -> list[str]:
        """Take in what the store has, in place of all that was known; returns what is gone.

        A crash may have left open whether a change was stored: the store knows.
        """
        before, kept = self._kept, {}
        for rollout, parts in read_rollouts(await self._store_writer.scan(Table.ROLLOUT)):
            version = (rollout, self._dated_s(rollout))
            kept[rollout.id] = StoredRollout(version, parts, self._clock)
        self._kept = kept
        self._handed_in.clear()
        for one in kept.values():
            self._show(one.rollout)
        return [rollout_id for rollout_id in before if rollout_id not in kept]

    async def add(
        self, rollout: Rollout, parts: Sequence[Part], more: Sequence[Write]
    ) -> StoredRollout:
        """A new one; `more` goes into the same commit."""
        version = await self._store(rollout, parts, range(len(parts)), more)
        kept = self._kept[rollout.id] = StoredRollout(version, parts, self._clock)
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
        kept.take_over(await self._store(rollout, parts, lights), parts)
        self._show(rollout)

    async def _store(
        self,
        rollout: Rollout,
        parts: Sequence[Part],
        numbers: Iterable[int],
        more: Sequence[Write] = (),
    ) -> Version:
        version = self._handed_in[rollout.id] = (rollout, self._clock.stepped_s)
        pieces = piece_puts(rollout, parts, numbers)
        await self._store_writer.commit([rollout_put(rollout), *pieces, *more])
        del self._handed_in[rollout.id]
        return version

    def _dated_s(self, rollout: Rollout) -> float:
        """How far the clock had been set when this was stored; of another process's it is now."""
        versions = [self._handed_in.get(rollout.id)]
        if rollout.id in self._kept:
            versions.append(self._kept[rollout.id].stored)
        return next(
            (one[1] for one in versions if one and one[0] == rollout), self._clock.stepped_s
        )

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
                    await self._store_writer.commit(rollout_deletes(kept.rollout))
                    del self._kept[kept.rollout.id]
        return [kept.rollout.id for kept in gone if kept.rollout.id not in self._kept]

    def made_at(self, command_id: str) -> float | None:
        """When the rollout was made that a command is of; None for a command by itself."""
        kept = self._kept.get(decisions.rollout_id_of(command_id))
        return None if kept is None else kept.rollout.created_at

    def later_than_all(self, now: float) -> float:
        """A date for a new rollout: which of two is newer is told by these, and another process,
        whose clock may be ahead, may have made the one before."""
        newest = max((one.rollout.created_at for one in self._kept.values()), default=-math.inf)
        return max(now, newest + LATER_S)

    def running(self) -> list[StoredRollout]:
        """Those that command lights."""
        return [one for one in self._kept.values() if one.rollout.state is State.RUNNING]


def rollout_put(rollout: Rollout) -> Put:
    """The write for the rollout alone."""
    return Put(Table.ROLLOUT, rollout.id, stamped(_encoder.encode(rollout)), rollout.changed_at)


def piece_puts(rollout: Rollout, parts: Sequence[Part], indices: Iterable[int]) -> list[Write]:
    """The writes for the pieces in which these lights stand."""
    return [
        Put(
            Table.ROLLOUT,
            _key(rollout.id, number),
            _encoder.encode(parts[number * PIECE : (number + 1) * PIECE]),
            rollout.changed_at,
        )
        for number in sorted({index // PIECE for index in indices})
    ]


def rollout_deletes(rollout: Rollout) -> list[Write]:
    """The writes that make it forgotten."""
    numbers = range(-(-rollout.total // PIECE))
    keys = [rollout.id, *(_key(rollout.id, number) for number in numbers)]
    return [Delete(Table.ROLLOUT, key) for key in keys]


def read_rollout(record: Record | Put) -> Rollout | None:
    """A rollout without its lights; None for a piece of these. Raises msgspec.MsgspecError."""
    return None if "/" in record.key else _rollouts.decode(checked(record.value))


def read_rollouts(records: Iterable[Record]) -> list[tuple[Rollout, list[Part]]]:
    """Every whole rollout among these records, oldest first; what is odd is told and left."""
    heads: list[Rollout] = []
    found: dict[str, bytes] = {}
    for record in records:
        if "/" in record.key:
            found[record.key] = record.value
            continue
        try:
            heads.append(_rollouts.decode(checked(record.value)))
        except msgspec.MsgspecError as error:
            log.warning("stored rollout is unreadable", rollout=record.key, error=str(error))
    whole = []
    for rollout in sorted(heads, key=lambda one: (one.created_at, one.id)):
        parts: list[Part] = []
        try:
            for number in range(-(-rollout.total // PIECE)):
                parts += _parts.decode(found[_key(rollout.id, number)])
        except (KeyError, msgspec.MsgspecError) as error:
            log.warning("stored rollout lacks lights", rollout=rollout.id, error=str(error))
            continue
        whole.append((rollout, parts))
    return whole


def _key(rollout_id: str, number: int) -> str:
    return f"{rollout_id}/{number:05d}"
