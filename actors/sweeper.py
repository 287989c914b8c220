"""The sweep every five minutes: each light is looked at, old records go, stuck items are found.

It must not disturb other work. Lights are reached one by one over the whole period, the store is
pruned in small steps, ChirpStack is asked about few lights at a time; and a queue is flushed only
when all that is in it is ours, long expired and not in flight, for a flush takes everything and a
flushed frame in flight makes the next one be dropped as a replay.

It deletes from the store beside the store writer, the only writer: what it deletes nobody reads any
more, so the order between the two does not matter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import structlog
import trio

from actors.clocks.clock import Clock
from actors.device.events import DeviceEvent, Swept
from actors.device.model import Device, Phase, Stage
from actors.messaging.mailbox import Offer
from actors.storage import audit
from actors.storage.event_lines import LineKind
from actors.storage.history import line
from lorawan.kuando.frames import F_PORT
from lorawan.network import NetworkError, NetworkServer, NetworkUnavailable, QueueItem
from store.errors import StoreUnavailable
from store.port import Store, Streams, Table, Write

log = structlog.get_logger()

PRUNED: tuple[Table, ...] = (Table.COMMAND, Table.IDEMPOTENCY, Table.ALERT)
"""Open commands are part of their light's record, and open alerts are stored anew each hour: what
is old in these tables is over."""

AUDIT, NOT_AUDIT = Streams(only=(audit.STREAM,)), Streams(but=(audit.STREAM,))
"""It is kept longer than all other streams."""

FLUSH_S = 4.0
"""For one flush; below the 5 s in which this actor has to stop."""


@dataclass(frozen=True, slots=True)
class SweepPolicy:
    """The numbers of the sweeper."""

    period_s: float = 300.0
    """One round: within it each light is nudged once."""
    slice_s: float = 1.0
    """Lights are nudged in slices: 20,000 in 300 s are 67 each second."""
    retention_s: float = 7 * 86_400.0
    """History, ended commands, verdicts and closed alerts are deleted after this."""
    audit_s: float = 90 * 86_400.0
    """Who did what is deleted after this."""
    prune_step: int = 1_000
    """Rows deleted in one commit: some 10 ms in SQLite."""
    prune_steps_most: int = 100
    """In one round: 100,000 rows each five minutes, 330 a second, is more than a busy fleet
    writes."""
    chores_timeout_s: float = 120.0
    """For pruning the store and reading queues in one round; what is left waits for the next."""
    queues_most: int = 100
    """Lights whose queue is read in one round, one after another at some 10 ms each."""
    stuck_after_s: float = 60.0
    """Past an item's expiry: the server drops it at its next run, 6 s at the latest."""
    strangers_most: int = 1_000
    """Foreign queue items remembered, so that each is logged once."""


class QueueState(Enum):
    """What a light's queue at the server looks like."""

    CLEAN = "clean"
    FLUSH = "flush"
    """Everything in it is ours, long expired and not pending."""
    FOREIGN = "foreign"
    """Something in it is not ours."""
    BUSY = "busy"
    """Something of ours may still be on its way."""


@dataclass(frozen=True, slots=True)
class SweeperStatistics:
    """Counted since the start; `last_round_s` is how long the newest round of chores took."""

    rounds: int
    nudged: int
    not_taken: int
    pruned: int
    queues_read: int
    flushed: int
    foreign: int
    failures: int
    last_round_s: float


def judge(items: Sequence[QueueItem], now: float, stuck_after_s: float) -> QueueState:
    """Whether a queue may be flushed. Pure, and in doubt it may not."""
    if not items:
        return QueueState.CLEAN
    if any(item.f_port != F_PORT or item.expires_at is None for item in items):
        return QueueState.FOREIGN
    stuck = all(
        not item.is_pending
        and item.expires_at is not None
        and item.expires_at + stuck_after_s < now
        for item in items
    )
    return QueueState.FLUSH if stuck else QueueState.BUSY


def suspect(device: Device, now: float, stuck_after_s: float) -> bool:
    """Whether something of ours may be stuck in the server's queue of this light."""
    sent = device.attempt
    if sent is not None:
        expires_at = sent.item_expires_at
        return expires_at is not None and expires_at + stuck_after_s < now
    unsent = max(
        device.pursuit.unsent if device.pursuit is not None else 0,
        device.setup.unsent if device.setup is not None else 0,
    )
    return unsent > 0 or device.phase is Phase.FAILED


class Sweeper:
    """One actor. `post` and `note` must not wait.

    `server_date` is what ChirpStack's clock shows now, at the earliest. Nothing is flushed and
    nothing deleted that is old by our clock alone: that may be a year ahead. Where many processes
    serve a fleet, each `nudges` its own lights and prunes its own part of the store, and one
    `reads_queues`.
    """

    def __init__(
        self,
        devices: Callable[[], Mapping[str, Device]],
        post: Callable[[str, DeviceEvent], Offer | None],
        note: Callable[[Sequence[Write]], object],
        store: Store,
        network: NetworkServer,
        clock: Clock,
        policy: SweepPolicy | None = None,
        *,
        server_date: Callable[[], float] | None = None,
        nudges: bool = True,
        reads_queues: bool = True,
    ) -> None:
        self._pruned_tables = PRUNED
        self._devices = devices
        self._post = post
        self._note = note
        self._store = store
        self._network = network
        self._clock = clock
        self._policy = policy or SweepPolicy()
        self._server_date = server_date or clock.now
        self._nudges = nudges
        self._reads_queues = reads_queues
        self._asked_up_to = ""  # DevEUI: suspects are asked about in turns
        # Items not ours, by id: seen in an earlier round, and whether that was told. Oldest first.
        self._strangers: dict[str, bool] = {}
        self._rounds = self._nudged = self._not_taken = self._pruned = 0
        self._queues_read = self._flushed = self._foreign = self._failures = 0
        self._last_round_s = 0.0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Round after round, until cancelled. Raises StoreError when the store is beyond waiting.

        The first round begins a period after the start, when the fleet has settled.
        """
        task_status.started()
        began = self._clock.steady()
        while True:
            await self._nudge_all(began)
            began = max(self._clock.steady(), began + self._policy.period_s)
            with trio.move_on_after(self._policy.chores_timeout_s) as limit:
                if self._nudges:
                    await self.prune()
                if self._reads_queues:
                    await self.look_for_stuck_items()
            if limit.cancelled_caught:
                self._failures += 1
                log.warning("sweep took too long", limit_s=self._policy.chores_timeout_s)
            self._rounds += 1
            self._last_round_s = self._clock.steady() - began

    def spare(self, table: Table) -> None:
        """Keep what is old in this table: some of it belongs to records that cannot be read."""
        self._pruned_tables = tuple(one for one in self._pruned_tables if one is not table)

    async def prune(self) -> int:
        """Drop what is past its retention, in steps; how many records and lines went."""
        now, before = min(self._clock.now(), self._server_date()), self._pruned
        try:
            await self._prune(self._pruned_tables, now - self._policy.retention_s, NOT_AUDIT)
            await self._prune((), now - self._policy.audit_s, AUDIT)
        except StoreUnavailable as error:
            self._failures += 1
            log.warning("pruning put off", error=str(error))
        return self._pruned - before

    async def _prune(self, tables: Sequence[Table], before: float, which: Streams) -> None:
        policy = self._policy
        for _ in range(policy.prune_steps_most):
            step = await self._store.prune(
                tables=tables, before=before, most=policy.prune_step, which=which
            )
            self._pruned += step
            if step < policy.prune_step:
                break

    async def look_for_stuck_items(self) -> None:
        """Read the queues of lights that may have a stuck item, as many as a round allows."""
        for dev_eui in self._next_suspects():
            try:
                await self._look_at(dev_eui)
            except NetworkUnavailable as error:
                self._failures += 1
                log.warning("queues not read", error=str(error))
                return
            except (NetworkError, trio.TooSlowError) as error:
                self._failures += 1
                log.warning("queue not read", dev_eui=dev_eui, error=str(error) or "timeout")

    def statistics(self) -> SweeperStatistics:
        """Counters, now."""
        return SweeperStatistics(
            rounds=self._rounds,
            nudged=self._nudged,
            not_taken=self._not_taken,
            pruned=self._pruned,
            queues_read=self._queues_read,
            flushed=self._flushed,
            foreign=self._foreign,
            failures=self._failures,
            last_round_s=self._last_round_s,
        )

    async def _nudge_all(self, began: float) -> None:
        """Post Swept to every light, evenly over what is left of the period."""
        policy = self._policy
        lights = list(self._devices()) if self._nudges else []
        left_s = began + policy.period_s - self._clock.steady()
        slices = max(1, min(len(lights), int(left_s / policy.slice_s)))
        for number in range(slices):
            first, end = (len(lights) * part // slices for part in (number, number + 1))
            for dev_eui in lights[first:end]:
                if self._post(dev_eui, Swept()) is Offer.ACCEPTED:
                    self._nudged += 1
                else:  # full: it is lively enough; parked or gone: nobody there
                    self._not_taken += 1
            due_at = began + policy.period_s * (number + 1) / slices
            await trio.sleep(max(0.0, due_at - self._clock.steady()))

    def _next_suspects(self) -> list[str]:
        now, policy = self._clock.now(), self._policy
        suspects = sorted(
            dev_eui
            for dev_eui, device in self._devices().items()
            if suspect(device, now, policy.stuck_after_s)
        )
        later = [dev_eui for dev_eui in suspects if dev_eui > self._asked_up_to]
        chosen = (later + suspects[: len(suspects) - len(later)])[: policy.queues_most]
        if chosen:
            self._asked_up_to = chosen[-1]
        return chosen

    async def _look_at(self, dev_eui: str) -> None:
        items = await self._network.queue(dev_eui)
        self._queues_read += 1
        match judge(items, self._server_date(), self._policy.stuck_after_s):
            case QueueState.FLUSH:
                if self._nothing_of_ours_is_out(dev_eui):
                    await self._flush(dev_eui, items)
            case QueueState.FOREIGN:
                self._look_at_strangers(dev_eui, items)
            case QueueState.CLEAN | QueueState.BUSY:
                pass

    async def _flush(self, dev_eui: str, items: Sequence[QueueItem]) -> None:
        """The end of the round's time cuts no flush off from what is told of it."""
        with trio.fail_after(FLUSH_S, shield=True):
            await self._network.flush(dev_eui)
        self._flushed += 1
        log.info("stuck items flushed", dev_eui=dev_eui, items=len(items))
        self._tell(dev_eui, f"flush-{items[0].id}", flushed=len(items))

    def _nothing_of_ours_is_out(self, dev_eui: str) -> bool:
        """Judged without a checkpoint before the flush: the dispatcher may be about to enqueue."""
        device = self._devices().get(dev_eui)
        if device is None or device.attempt is None:
            return True
        return device.attempt.stage is Stage.QUEUED and suspect(
            device, self._clock.now(), self._policy.stuck_after_s
        )

    def _look_at_strangers(self, dev_eui: str, items: Sequence[QueueItem]) -> None:
        """A foreign item seen in two rounds is stuck, and everything of ours behind it too."""
        for item in items:
            if item.f_port == F_PORT and item.expires_at is not None:
                continue
            told = self._strangers.pop(item.id, None)
            if told is False:
                self._foreign += 1
                log.warning("foreign item is stuck", dev_eui=dev_eui, item=item.id)
                self._tell(
                    dev_eui, f"foreign-{item.id}", item=item.id, f_port=item.f_port, stuck="yes"
                )
            self._strangers[item.id] = told is not None
            if len(self._strangers) > self._policy.strangers_most:
                del self._strangers[next(iter(self._strangers))]

    def _tell(self, dev_eui: str, entry: str, **detail: str | float | None) -> None:
        self._note([line(dev_eui, entry, self._clock.now(), LineKind.QUEUE, detail)])
