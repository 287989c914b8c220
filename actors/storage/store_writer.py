"""The store's writer: many actors hand in writes, one transaction makes them durable together.

`commit` returns only when the writes are durable, and no write is lost while the process lives: a
store that is away is tried again with the same writes (they are idempotent), and meanwhile it is
shown that it is away.

The store answers for each request by itself. A store in several parts may have one that is away:
its requests wait here, in order and before any newer ones, while the others go on. A request of a
part that another process has taken over fails, and with it nobody else's.

Theory. No timer gathers a batch: while one commit is on its way the next batch gathers by itself.
With one caller a commit is as quick as the store; with many, its cost is shared by up to 512.
"""

import math
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

import structlog
import trio

from actors.clocks.clock import Clock
from actors.messaging.mailbox import Mailbox, MailboxFull, Offer
from actors.messaging.reply import Reply
from actors.storage.store_health import HealthListener, StoreHealth
from actors.storage.store_writer_statistics import StoreWriterStatistics
from actors.storage.waiting_requests import Request, WaitingRequests
from actors.supervision import Backoff
from store.errors import StoreError, StoreUnavailable
from store.port import Record, Store, Table, Write

log = structlog.get_logger()

T = TypeVar("T")

# A request is a device record, a command and some history lines: 3 to 6 kB. 512 of them are 3 MB
# and some 2,000 rows, which SQLite writes in about 20 ms.
BATCH_REQUESTS = 512
# Eight batches wait at most, 25 MB. A caller has one request at a time, so only a fleet beyond
# 4,000 busy lights ever waits for room, and that is the back-pressure wanted.
MAILBOX_REQUESTS = 8 * BATCH_REQUESTS
# How often a caller that still waits for room says so in the log.
PATIENCE_S = 60.0
# At shutdown: nine batches of 20 ms are 0.2 s; the rest is for a slow disk. The `shutdown_s` in
# the store writer's ChildSpec must be longer.
DRAIN_S = 8.0
# A commit takes milliseconds; with a slow disk a second. One that takes longer is told of, for it
# may never end.
SLOW_S = 5.0
RETRY = Backoff(first_s=0.1, factor=2.0, most_s=5.0, jitter=0.2)
SHARED_RETRY = Backoff(first_s=0.05, factor=2.0, most_s=1.0, jitter=0.2)
"""Where other processes may take over what this one does not write: a lease lives 6 s."""

_BEHIND = StoreUnavailable("what came before waits")

Observer = Callable[[int, float], None]
"""Told of each commit: how many requests it carried, and how long it took in seconds."""


class StoreWriter:
    """Hands everybody's writes to the store, in the order in which they came."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rng: random.Random,
        *,
        observe: Observer | None = None,
        on_health: HealthListener | None = None,
        drain_s: float = DRAIN_S,
        capacity: int = MAILBOX_REQUESTS,
    ) -> None:
        self.mailbox: Mailbox[Request] = Mailbox("journal", capacity)
        self._store = store
        self._clock = clock
        self._rng = rng
        self._observe = observe
        self._health = StoreHealth(clock, on_health)
        self._drain_s = drain_s
        self.retry = RETRY
        """The waits between tries of a store that is away."""
        self._hand: list[Request] = []
        self._waiting = WaitingRequests()
        self._begun = trio.Event()
        self._under_way = False
        self._tried_at = self._answered_at = 0.0
        self._commits = self._requests = self._writes = self._batch_most = 0
        self._refused = 0

    @property
    def healthy(self) -> bool:
        """False while the store cannot be written."""
        return self.failing_since is None

    @property
    def failing_since(self) -> float | None:
        """Since when (Unix seconds) the store, or a part of it, cannot be written."""
        return self._health.failing_since

    @property
    def problem(self) -> str | None:
        """Why, in words; None while it can."""
        return self._health.problem

    @property
    def stopped_since(self) -> float | None:
        """Since when (on the steady clock) nothing at all could be written; None where only a part
        of the store is away."""
        return self._health.stopped_since

    async def commit(self, writes: Sequence[Write]) -> None:
        """Return once the writes survive a crash; all of them or none do. Always a checkpoint.

        While the store is away this waits, however long: the caller may cancel, and what was
        handed in is written nevertheless. Raises ActorCrashed or ActorStopped when the store writer
        gave up or went down before it was known to be written, MailboxClosed when it is down, and a
        StoreError that concerns these writes alone: StoreTaken when another process owns the light.
        """
        if not writes:
            await trio.lowlevel.checkpoint()
        else:
            await self._handed_in(writes)

    async def _handed_in(
        self, writes: Sequence[Write], after: Collection[str] | None = None
    ) -> None:
        """Hand writes in (none of them: a mere place in the order, behind what is for the parts
        `after`) and wait for their turn."""
        reply: Reply[None] = Reply()
        request = self._request(writes, reply, after)
        while self._waiting.is_full(request.part) and not self.mailbox.closed:
            with trio.move_on_after(PATIENCE_S) as patience:
                await self._waiting.has_room(request.part)
            if patience.cancelled_caught:
                log.warning("journal has no room for a part of the store", part=request.part)
        accepted = self.mailbox.offer(request) is Offer.ACCEPTED  # cheaper than `put`, by 15 us
        while not accepted:
            try:
                await self.mailbox.put(request, PATIENCE_S)
                accepted = True
            except MailboxFull:
                log.warning("journal has no room", waiting=self.mailbox.statistics().depth)
        # However long it takes: a store that does not answer is told of by `_watch`, once for all.
        await reply.outcome()

    def offer(self, writes: Sequence[Write]) -> Offer:
        """Hand writes in without waiting for anything: for history lines nobody depends on."""
        if not writes:
            return Offer.ACCEPTED
        request = self._request(writes, None, None)
        return Offer.FULL if self._waiting.is_full(request.part) else self.mailbox.offer(request)

    def _request(
        self,
        writes: Sequence[Write],
        reply: Reply[None] | None,
        after: Collection[str] | None,
    ) -> Request:
        handed_in = self._store.handed_in(writes)
        return Request(handed_in, self._store.part_of(handed_in), reply, after)

    async def flush(self, part: str | None = None) -> None:
        """Return once all that was handed in before is written, or failed; raises as `commit`. With
        `part` only what is for that part of the store counts."""
        await self._handed_in((), None if part is None else (part,))

    async def read(self, table: Table, key: str) -> Record | None:
        """One record, as it is once all that was handed in before is written. Always a checkpoint.

        While the part of the store where it lies is away this waits, as `commit` does, and raises
        what `commit` raises.
        """
        parts = self._store.parts_of(table, key)
        return await self._answered(parts, lambda: self._store.get(table, key))

    async def scan(self, table: Table) -> Sequence[Record]:
        """All records of a table; else like `read`."""
        return await self._answered(self._store.parts_of(table), lambda: self._store.scan(table))

    async def _answered(self, parts: Collection[str], ask: Callable[[], Awaitable[T]]) -> T:
        await self._handed_in((), parts)
        tries = 0
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                tries += 1
            await trio.sleep(self._delay_s(tries))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; then write what is already there, for at most `drain_s` seconds.

        Raises StoreRefused, StoreCorrupt and whatever else is no passing failure.
        """
        self._hand = []
        self._answered_at = trio.current_time()
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch)
            task_status.started()
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 raised below, without the nursery's group
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _serve(self) -> None:
        try:
            while True:
                self._hand = await self._next_batch()
                await self._write(self._hand)
        except trio.Cancelled:
            with trio.move_on_after(self._drain_s, shield=True) as drain:
                await self._drain()
            if drain.cancelled_caught:
                log.warning("journal left writes behind", requests=self.mailbox.statistics().depth)
            raise

    def statistics(self) -> StoreWriterStatistics:
        """Counters, now."""
        return StoreWriterStatistics(
            commits=self._commits,
            requests=self._requests,
            writes=self._writes,
            failures=self._health.failures,
            batch_most=self._batch_most,
            failing_since=self.failing_since,
            mailbox=self.mailbox.statistics(),
            waiting=len(self._waiting),
            refused=self._refused,
        )

    async def _next_batch(self) -> list[Request]:
        """What was handed in; after a while of nothing nothing, so that the store is looked after:
        nobody should find out by a command that it is gone. What waits is tried again by then.

        The while is counted from the end of the last try: those who only wait for others write
        nothing.
        """
        wait_s = self._store.check_every_s
        if self._waiting:  # where it is time already, what was handed in is taken nevertheless
            wait_s = max(0.0, self._waiting.again_at - trio.current_time())
            wait_s = None if self.mailbox.waiting else wait_s
        elif wait_s is not None:
            wait_s -= trio.current_time() - self._answered_at
            if wait_s <= 0.0:
                return []
        with trio.move_on_after(math.inf if wait_s is None else wait_s):
            return await self.mailbox.take_batch(BATCH_REQUESTS)
        return []

    def _delay_s(self, tries: int) -> float:
        return self.retry.delay_s(tries, self._rng.random())

    async def _watch(self) -> None:
        """Tell of a store that does not answer long before its own time is out."""
        while True:
            await self._begun.wait()
            self._begun = trio.Event()
            while self._under_way:
                left_s = self._tried_at + SLOW_S - trio.current_time()
                if left_s > 0:
                    await trio.sleep(left_s)
                else:
                    self._health.failed(StoreUnavailable(f"it has not answered for {SLOW_S:g} s"))
                    await self._begun.wait()  # the next try
                    self._begun = trio.Event()

    async def _try(self, requests: Sequence[Request]) -> Sequence[StoreError | None]:
        """One outcome for each; raises where all of them failed."""
        self._tried_at = trio.current_time()
        self._under_way = True
        self._begun.set()
        try:
            if requests:
                return await self._store.commit_each([request.writes for request in requests])
            await self._store.check()
            return ()
        finally:
            self._under_way = False
            self._answered_at = trio.current_time()

    async def _drain(self) -> None:
        if self._hand:
            await self._write(self._hand)
        while self._waiting or self.mailbox.statistics().depth:
            self._hand = await self._next_batch()
            await self._write(self._hand)

    async def _write(self, batch: list[Request]) -> None:
        """Make one batch durable, however often that takes; then tell whoever waits.

        What waits is tried again when it is time, and else left alone with all that comes after it:
        others need not wait for a server that does not answer, nor for thousands of requests.
        """
        again = not batch or trio.current_time() >= self._waiting.again_at
        requests = [*self._waiting, *batch] if again else batch
        tried = [one for one in requests if again or not self._waiting.holds_up(one)]
        idle = not any(request.writes for request in tried)
        outcomes: Sequence[StoreError | None] = (None,) * len(tried)
        tries = 0
        while True:
            began = self._clock.steady()
            try:
                if not idle or not batch:
                    outcomes = await self._try(tried)
                break
            except StoreUnavailable as error:
                tries += 1
                self._health.failed(error)
            await trio.sleep(self._delay_s(tries))
        self._hand = []
        for _ in batch:
            self.mailbox.handled()
        done, writes, trouble = self._settle(requests, tried, outcomes, again=again)
        took_s = self._clock.steady() - began
        if batch and (not tried or (idle and self._waiting)):
            return  # nothing was tried: it comes after what waits, or waits for nobody
        if trouble is None or done or await self._answers():
            self._succeeded(done, writes, took_s, whole=not self._waiting)
            if trouble is not None and trio.current_time() - self._waiting.since > SLOW_S:
                self._health.failed(trouble, whole=False)
        else:
            self._health.failed(trouble)

    async def _answers(self) -> bool:
        """Whether the store can be written, though not the part that was tried just now."""
        try:
            await self._try(())
        except StoreUnavailable:
            return False
        return True

    def _settle(
        self,
        requests: Sequence[Request],
        tried: Sequence[Request],
        outcomes: Sequence[StoreError | None],
        *,
        again: bool,
    ) -> tuple[int, int, StoreUnavailable | None]:
        """Tell whoever waits; keep what is to be tried again. How much is written, and a trouble.

        A request without writes is a place in the order: it waits for those before it.
        """
        kept: list[Request] = []
        kept_parts: set[str | None] = set()
        trouble: StoreUnavailable | None = None
        done = writes = 0
        found = dict(zip(tried, outcomes, strict=True))
        for request in requests:
            failure = found.get(request, _BEHIND)
            behind = not request.writes and request.comes_after(kept_parts)
            if isinstance(failure, StoreUnavailable) or behind:
                kept.append(request)
                kept_parts.add(request.part)
                if isinstance(failure, StoreUnavailable) and failure is not _BEHIND:
                    trouble = failure
            elif failure is not None:
                self._refused += 1
                log.warning("writes refused by the store", why=str(failure))
                if request.reply is not None:
                    request.reply.fail(failure)
            else:
                done += 1
                writes += len(request.writes)
                if request.reply is not None:
                    request.reply.resolve(None)
        self._waiting.keep(kept, trio.current_time(), self._delay_s, again=again)
        return done, writes, trouble

    def _succeeded(self, requests: int, writes: int, took_s: float, *, whole: bool) -> None:
        """Something was written; `whole`: and nothing waits."""
        self._health.works(whole=whole)
        if requests:
            self._commits += 1
            self._requests += requests
            self._writes += writes
            self._batch_most = max(self._batch_most, requests)
            if self._observe is not None:
                self._observe(requests, took_s)
