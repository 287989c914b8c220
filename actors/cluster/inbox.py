"""Reads the inboxes of the shards that this process owns, and knows how far they are dealt with.

An entry is dealt with once what it changed is stored. Everything up to the *mark* of a shard is;
the mark is stored with the shard's commits, and whoever owns the shard next reads on from there.

Entries are handed on in the order of the inbox (`inbox_handing.py`).

Theory. What was read before may be read again, and be dealt with already: after a take, and after
an engine that was set back, which may have lost entries and may give their ids, or older ones, to
new ones. A command is then looked for in the store: its record tells whether its light has it.
Entries whose id and content were read before by this process are left out.

Where replicas must confirm, a command is handed on once they have it (`unconfirmed.py`).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
import trio

from actors.clocks.clock import Clock
from actors.cluster.inbox_counts import InboxStatistics
from actors.cluster.inbox_handing import InboxHanding
from actors.cluster.inbox_shard import InboxShard, Place, Taken, Waiting
from actors.cluster.messages import CommandTaken, Message, decode, placed
from actors.cluster.unconfirmed import Confirm, InboxEngine, Unconfirmed
from actors.cluster.watermark import Watermark
from actors.messaging.dead_letters import DeadLetters
from store.engine.places import place_of
from store.engine.port import Accept, Accepted, AcceptResult, InboxEntry
from store.errors import StoreUnavailable

log = structlog.get_logger()

READ_MOST = 500
"""Entries of a shard in one call, 0.5 MB."""
POLL_S = 1.0
"""Bells may be lost."""
AGAIN_S = 0.1
"""Before a light without room is offered its command again; an entry dealt with is sooner."""


@dataclass(frozen=True, slots=True)
class InboxPorts:
    """Who deals with entries. `take` never waits; an entry over which it raises is poisoned."""

    take: Callable[[Message, Place], Taken]
    known: Callable[[str, Sequence[str]], Awaitable[set[str]]]
    """Of these commands of a shard those whose lights have them. Raises StoreUnavailable."""


class InboxReader:
    """One for each process; `run` is its task. Bounds: an inbox has 4,096 entries at most, and is
    trimmed up to the mark only."""

    def __init__(
        self,
        engine: InboxEngine,
        ports: InboxPorts,
        clock: Clock,
        dead_letters: DeadLetters,
        *,
        confirm: Confirm | None = None,
    ) -> None:
        """Without `confirm` no replica is asked for."""
        self._engine = engine
        self._unconfirmed = Unconfirmed(engine, confirm)
        self._ports = ports
        self._shards: dict[str, InboxShard] = {}
        self._rung: set[str] = set()
        self._silent: set[str] = set()
        """Shards that could not be read when they were asked for last. They are read apart: a
        server that does not even refuse holds up a call for seconds."""
        self._wake = trio.Event()
        self._progress = trio.Event()
        self._handing = InboxHanding(
            ports.take, clock, dead_letters, is_read=self._is_read, moved=self._moved
        )

    # ---------------------------------------------------------------- which shards

    def take(self, shard: str, mark: str) -> None:
        """This process owns the shard, and its actors run: read after this mark."""
        self._shards[shard] = InboxShard(shard, Watermark(mark), mark)
        self.ring(shard)

    async def leave(self, shard: str) -> None:
        """Read no more of it, and wait until its lights have dealt with what was read; what waits
        for room stays for the next owner."""
        state = self._shards.get(shard)
        if state is None:
            return
        state.leaving = True
        while len(state.watermark) > state.waiting:
            if self._progress.is_set():  # else somebody waits for this one
                self._progress = trio.Event()
            await self._progress.wait()

    def forget(self, shard: str) -> None:
        """It is not this process's any more."""
        self._shards.pop(shard, None)

    def step_back(self, shards: Iterable[str] | None = None) -> None:
        """The engine was set back, perhaps: look again at what was read before."""
        for shard in list(self._shards) if shards is None else shards:
            if (state := self._shards.get(shard)) is not None:
                state.step_back()
                self.ring(shard)

    def accepted(self, accept: Accept, answer: AcceptResult) -> None:
        """This process had a command accepted: where the shard is ours its light has it at once, if
        nothing unread lies before it in the inbox. Else it is read in its turn."""
        state = self._shards.get(accept.shard)
        if state is None or state.leaving:
            return  # read by the next owner, or by us once the lights run
        if answer.accepted is Accepted.STORED and state.comes_next(answer.entry, answer.before):
            entry = InboxEntry(answer.entry, accept.message, answer.line)
            message = self._read_one(state, entry)
            state.after, state.line = entry.id, entry.line or state.line
            state.note_seen(entry)
            if message is not None:
                now = trio.current_time()
                self._handing.begin(state, Waiting(entry.id, message, since=now, line=entry.line))
        elif answer.accepted in {Accepted.STORED, Accepted.KNOWN}:
            entry = InboxEntry(answer.entry, accept.message, answer.line)
            if answer.entry and (
                state.was_another(answer.entry, answer.before) or state.went_past(entry)
            ):
                state.step_back()
            self.ring(accept.shard)

    def reads(self, shard: str) -> bool:
        """Whether it is read here: then its actors run in this process."""
        state = self._shards.get(shard)
        return state is not None and not state.leaving

    def mark(self, shard: str) -> str:
        """Every entry up to this one is dealt with."""
        state = self._shards.get(shard)
        return "0-0" if state is None else state.watermark.mark

    def place(self, shard: str) -> str:
        """The mark with its line of history, to be stored with the next commit; `0-0` as long as it
        is the one that was stored already."""
        state = self._shards.get(shard)
        if state is None or state.watermark.mark == state.taken_at:
            return "0-0"
        mark = state.watermark
        return place_of(mark.line, mark.mark) or mark.mark

    # ---------------------------------------------------------------- its life

    def ring(self, shard: str) -> None:
        """Something came, perhaps."""
        if shard in self._shards:
            self._rung.add(shard)
            self._wake.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read and hand on, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look_for_silent)
            task_status.started()
            await self._read_on()

    async def _look_for_silent(self) -> None:
        while True:
            await trio.sleep(POLL_S)
            await self._read_of(self._silent)

    async def _read_on(self) -> None:
        poll_at = trio.current_time()
        while True:
            waits = any(state.lines for state in self._shards.values())
            until = min(poll_at, trio.current_time() + AGAIN_S) if waits else poll_at
            with trio.move_on_at(until):
                await self._wake.wait()
            self._wake = trio.Event()
            for state in list(self._shards.values()):
                if not state.leaving:  # its lights may be gone: the next owner offers it to them
                    self._handing.offer_again(state)
            if trio.current_time() >= poll_at:
                poll_at = trio.current_time() + POLL_S
                self._rung.update(self._shards)
            rung, self._rung = self._rung - self._silent, self._rung & self._silent
            await self._read_of(rung)

    def statistics(self) -> InboxStatistics:
        """Counters, now."""
        return self._handing.counts.told(self._shards.values(), trio.current_time())

    # ---------------------------------------------------------------- how

    async def _read_of(self, shards: Iterable[str]) -> None:
        reading = {
            shard: state
            for shard in sorted(shards)
            if (state := self._shards.get(shard)) is not None and not state.leaving
        }
        if not reading:
            await trio.lowlevel.checkpoint()
            return
        after = {shard: state.after for shard, state in reading.items()}
        begun_at = {shard: state.place for shard, state in reading.items()}
        try:
            found = await self._engine.read_inboxes(after, READ_MOST)
        except StoreUnavailable as error:
            self._not_read(set(reading), str(error))
            return
        silent = reading.keys() - found.keys()

        async def take(shard: str) -> None:
            state = reading[shard]
            if not self._is_read(state) or state.place != begun_at[shard]:
                self.ring(shard)  # what came after it
                return
            try:
                await self._take_in(state, found[shard])
            except StoreUnavailable:
                silent.add(shard)

        unsure = await self._unconfirmed.among(found, after, READ_MOST, self._is_new, take)
        silent |= unsure
        self._silent &= self._shards.keys() - (reading.keys() - silent)
        if self._rung - self._silent:
            self._wake.set()
        self._not_read(silent, "a part of the engine is away, or its replicas are")

    def _not_read(self, silent: set[str], why: str) -> None:
        """These are looked at again each second, and no sooner. When they fall silent all others
        are, at once: a failover, perhaps, that set back those as well."""
        if silent and not self._silent:
            log.warning("inboxes cannot be read", shards=len(silent), why=why)
        if silent <= self._silent:
            for shard in silent & self._shards.keys():
                self._shards[shard].step_back()
        else:
            self._silent |= silent
            self.step_back()

    async def _take_in(self, state: InboxShard, entries: Sequence[InboxEntry]) -> None:
        if state.went_over(entries):
            state.step_back()
            self.ring(state.name)
            return
        begun_at, checked = state.place, state.checking
        now = trio.current_time()
        fresh = [
            Waiting(one.id, message, since=now, line=one.line)
            for one in entries
            if (message := self._read_one(state, one))
        ]
        known = await self._known(state, fresh)
        if not self._is_read(state) or state.leaving or state.place != begun_at:
            self.ring(state.name)  # given away, stepped back or went on, while the store was asked
            return
        if entries:
            state.after = entries[-1].id
        for one in entries:
            state.note_seen(one)
        for waiting in fresh:
            self._handing.begin(state, waiting, known)
        if len(entries) == READ_MOST:
            self.ring(state.name)
        elif checked:
            state.checking = False

    async def _known(self, state: InboxShard, entries: Sequence[Waiting]) -> set[str]:
        """The commands among these that their lights have already."""
        asked = [
            one.message.request.command_id
            for one in entries
            if isinstance(one.message, CommandTaken)
            and (state.checking or one.message.request.again)
        ]
        return await self._ports.known(state.name, asked) if asked else set()

    def _read_one(self, state: InboxShard, entry: InboxEntry) -> Message | None:
        if state.was_seen(entry):
            self._handing.counts.repeated += 1
            return None
        try:
            return placed(decode(entry.message), entry)
        except msgspec.MsgspecError as error:
            self._handing.unreadable(entry, error)
            return None

    def _moved(self, state: InboxShard) -> None:
        """Something of it was dealt with, or waits again."""
        self._progress.set()
        if state.lines:
            self._wake.set()

    def _is_new(self, shard: str, entry: InboxEntry) -> bool:
        state = self._shards.get(shard)
        return state is not None and not state.was_seen(entry)

    def _is_read(self, state: InboxShard) -> bool:
        return self._shards.get(state.name) is state
