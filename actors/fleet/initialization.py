"""Giving one light or all of them their settings again, some at a time, with progress to look at.

It only asks: each light's own actor does the work and stores it. A run is kept in memory only: when
the process or this actor restarts, the run ends where it stood, and what each light had begun goes
on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec
import structlog
import trio

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.device.events import DeviceEvent, InitializeRequested
from actors.device.model import Device, Phase
from actors.messaging.mailbox import Mailbox, Offer
from actors.messaging.reply import ActorError, Reply
from actors.refusal import Refusal

log = structlog.get_logger()

RUNS_KEPT = 20
RUNS_WAITING_MOST = 20
"""Runs asked for and not yet begun, each a list of DevEUIs of at most the fleet's size."""


@dataclass(frozen=True, slots=True)
class InitializationPolicy:
    """The numbers of a run."""

    under_way_most: int = 50
    """Over all runs: each light needs two or three frames, and a gateway sends about four a minute
    at SF12, so fifty lights keep a dozen gateways busy and leave room for commands."""
    reply_timeout_s: float = 10.0
    """For a light's actor to take the order; then it counts as failed."""
    light_timeout_s: float = 900.0
    """Three rounds of three frames, with their windows and backoffs, take 5 min unhindered."""


class LightResult(Enum):
    """How it ended for one light."""

    DONE = "done"
    SKIPPED = "skipped"
    """It had its settings already."""
    FAILED = "failed"
    """It is unknown, was never heard, cannot be reached, did not take them, or took too long."""


class _Order(msgspec.Struct, frozen=True):
    run_id: str
    dev_euis: tuple[str, ...]
    force: bool
    by: str = ""


class InitializationRun(msgspec.Struct, frozen=True):
    """Progress of an initialisation of one or all lights; running while `ended_at` is None."""

    id: str
    started_at: float
    total: int
    started: int
    """Lights asked to take their settings."""
    done: int
    """Lights that have them."""
    skipped: int
    """Lights whose session had them already."""
    failed: int
    """Lights that did not take them, or could not be asked."""
    ended_at: float | None = None
    by: str = ""
    """Who asked for it."""


class Initializer:
    """One actor for all runs; the lights of several runs take turns for the same few places."""

    def __init__(
        self,
        board: Board,
        post: Callable[[str, DeviceEvent], Offer | None],
        clock: Clock,
        *,
        new_id: Callable[[], str],
        is_ours: Callable[[Device], bool] = lambda device: True,
        store_healthy: Callable[[], bool] = lambda: True,
        policy: InitializationPolicy | None = None,
    ) -> None:
        self.mailbox: Mailbox[_Order] = Mailbox("initializer", RUNS_WAITING_MOST)
        self._board = board
        self._post = post
        self._clock = clock
        self._new_id = new_id
        self._is_ours = is_ours
        self._store_healthy = store_healthy
        self._policy = policy or InitializationPolicy()
        self._runs: dict[str, InitializationRun] = {}  # oldest first
        self._under_way: set[str] = set()  # runs that an incarnation has begun

    def start(
        self, dev_euis: Sequence[str] | None, *, force: bool, by: str = ""
    ) -> InitializationRun | Refusal:
        """Begin a run over these lights, or over all of ours.

        Unless `force`, lights that have their settings in this session are skipped.
        """
        if not self._store_healthy():
            return Refusal.STORE_FAILING
        if dev_euis is None:
            chosen = tuple(
                dev_eui for dev_eui, one in self._board.devices.items() if self._is_ours(one)
            )
        else:
            chosen = tuple(dict.fromkeys(dev_euis))
        run = InitializationRun(
            id=self._new_id(),
            started_at=self._clock.now(),
            total=len(chosen),
            started=0,
            done=0,
            skipped=0,
            failed=0,
            by=by,
        )
        if self.mailbox.offer(_Order(run.id, chosen, force, by)) is not Offer.ACCEPTED:
            return Refusal.MAILBOX_FULL
        self._runs[run.id] = run
        self._forget_old_runs()
        return run

    def progress(
        self, run_id: str | None = None, by: str | None = None
    ) -> InitializationRun | None:
        """A run by id, or the newest; of ended ones the last twenty are kept. With `by` only among
        those that this one asked for."""
        runs = (
            run
            for run in reversed(self._runs.values())
            if run_id in (None, run.id) and by in (None, run.by)
        )
        return next(runs, None)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        for run_id in list(self._under_way):
            log.warning("initialisation cut short by a restart", run=run_id)
            self._end(run_id)
        places = trio.CapacityLimiter(self._policy.under_way_most)
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                order = await self.mailbox.take()
                self._under_way.add(order.run_id)
                nursery.start_soon(self._carry_out, order, places)
                self.mailbox.handled()

    async def _carry_out(self, order: _Order, places: trio.CapacityLimiter) -> None:
        # Each of a few tasks takes the next light: a task per light would cost 2 kB for each.
        lights = iter(order.dev_euis)
        async with trio.open_nursery() as nursery:
            for _ in range(min(self._policy.under_way_most, len(order.dev_euis))):
                nursery.start_soon(self._one_after_another, order, lights, places)
        self._end(order.run_id)

    async def _one_after_another(
        self, order: _Order, lights: Iterator[str], places: trio.CapacityLimiter
    ) -> None:
        for dev_eui in lights:
            async with places:
                self._count(order.run_id, "started")
                result = await self._initialize(dev_eui, order)
            self._count(order.run_id, result.value)

    async def _initialize(self, dev_eui: str, order: _Order) -> LightResult:
        """Ask one light's actor, and watch the board until it has its settings."""
        device = self._board.devices.get(dev_eui)
        if device is None:
            return LightResult.FAILED
        if not order.force and is_set_up(device):
            return LightResult.SKIPPED
        if not is_reachable(device):
            # Its place is for others; it gets its settings when it is back.
            return LightResult.FAILED
        reply: Reply[str] = Reply()
        asked = InitializeRequested(force=order.force, reply=reply, by=order.by)
        if self._post(dev_eui, asked) is not Offer.ACCEPTED:
            return LightResult.FAILED
        try:
            await reply.wait(self._policy.reply_timeout_s)
        except ActorError:
            return LightResult.FAILED
        ended = await self._board.wait_device(dev_eui, has_ended, self._policy.light_timeout_s)
        done = ended is not None and is_set_up(ended)
        return LightResult.DONE if done else LightResult.FAILED

    def _count(self, run_id: str, field: str) -> None:
        run = self._runs.get(run_id)
        if run is not None:
            fields = {field: getattr(run, field) + 1}
            self._runs[run_id] = msgspec.structs.replace(run, **fields)

    def _end(self, run_id: str) -> None:
        self._under_way.discard(run_id)
        run = self._runs.get(run_id)
        if run is not None:
            self._runs[run_id] = msgspec.structs.replace(run, ended_at=self._clock.now())

    def _forget_old_runs(self) -> None:
        ended = [run.id for run in self._runs.values() if run.ended_at is not None]
        for run_id in ended[: max(0, len(self._runs) - RUNS_KEPT)]:
            del self._runs[run_id]


def is_set_up(device: Device) -> bool:
    """It has its settings in this session, and is not being given them again."""
    return device.session is not None and device.session.set_up and device.setup is None


def is_reachable(device: Device) -> bool:
    """It was heard in this session, and some gateway that hears it is online."""
    return device.session is not None and device.session.heard and not device.unreachable


def has_ended(device: Device) -> bool:
    """The setup is over: carried out, given up for now, or cut off by a join."""
    if is_set_up(device) or device.phase in {Phase.FAILED, Phase.UNINITIALIZED}:
        return True
    return device.setup is None and device.phase is not Phase.INITIALIZING
