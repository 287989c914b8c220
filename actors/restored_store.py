"""After the store was set back (restored from a copy, or a fail-over that lost commits): ask first.

What was wanted before the restore is not sent again until a person decides. The hold stands between
the lights and the dispatcher: an attempt for a colour that was wanted before is held here, with the
reason; settings, questions and every newer command pass. Two decisions end it: `resume` sends what
was wanted, `keep_shown` commands each light to keep what it shows, once it was heard.

To keep what is shown is an ordinary command with that colour: it supersedes the old one, has a
timeline and a verdict, and costs one frame, which also proves that nothing else came in between.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
import structlog
import trio

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.commands import CommandOrder
from actors.device.actor import DispatcherPort
from actors.device.events import AttemptHeld, DeviceEvent
from actors.device.model import Attempt, Device, Hearing, Report, Stage
from actors.messaging.reply import ActorError, Reply
from actors.reasons import Reason, ReasonCode, text_of
from actors.refusal import Refusal
from actors.storage.commits import Commits
from lorawan.kuando.frames import SetLight
from lorawan.kuando.light_state import LightState
from store.mark import MARK_KEY, SetBackMark, mark_put, read_mark
from store.port import Delete, Record, Table

log = structlog.get_logger()

LOOK_S = 5.0
"""While lights are waited for, to keep what they show: a status comes every some minutes."""
STORE_S = 10.0


class MarkWriter(Commits, Protocol):
    """What is needed of the store writer."""

    async def read(self, table: Table, key: str) -> Record | None:
        """One record, after all that was handed in before is durable."""
        ...


class RestoredStoreDevice(msgspec.Struct, frozen=True):
    """A light that an older wish would be sent to. `shown` is None where that is not known."""

    dev_eui: str
    name: str
    wanted: LightState
    shown: LightState | None
    heard_since: bool
    """A status came since, so that `shown` is no memory of the copy's."""


class RestoredStore(msgspec.Struct, frozen=True):
    """The store is older than what was done, and somebody has to decide. Times: Unix seconds."""

    at: float
    cause: str
    """In words, to follow "the store"."""
    copied_at: float | None
    keep_shown: bool
    """It was decided to keep what is shown; lights not heard since are waited for."""
    lights: list[RestoredStoreDevice]


class RestoredStoreHold:
    """A dispatcher before the dispatcher. `told` hears of each change: the words, or None."""

    def __init__(
        self,
        board: Board,
        dispatcher: DispatcherPort,
        store_writer: MarkWriter,
        post: Callable[[str, DeviceEvent], object],
        clock: Clock,
        *,
        told: Callable[[str | None], None],
    ) -> None:
        self.mark: SetBackMark | None = None
        self.give: Callable[[CommandOrder], Awaitable[object]] | None = None
        """By which the lights are told to keep what they show."""
        self._board = board
        self._dispatcher = dispatcher
        self._store_writer = store_writer
        self._post = post
        self._clock = clock
        self._told = told
        self._held: dict[str, tuple[Attempt, tuple[Hearing, ...]]] = {}  # one per light
        self._before: dict[str, Report | None] = {}
        self._decided = trio.Event()
        self._deciding = trio.Lock()
        self._nursery: trio.Nursery | None = None

    def restore(self, mark: SetBackMark | None, devices: Sequence[Device]) -> None:
        """Begin with what the store says, before any light runs."""
        self.mark = mark
        if mark is not None:
            self._before = {device.dev_eui: device.report for device in devices}
            text = text_of(_reason(mark), self._clock.now())
            log.warning("nothing wanted before is sent", reason=text)
            self._told(text)

    # ---------------------------------------------------------------- what the lights tell it

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        """Pass an attempt on, or hold it."""
        if self.mark is None or not self._holds(dev_eui, attempt, self.mark):
            self._held.pop(dev_eui, None)
            self._dispatcher.submit(dev_eui, attempt, hearings)
            return
        self._dispatcher.withdraw(dev_eui)
        self._held[dev_eui] = (attempt, hearings)
        cause = _reason(self.mark)
        text = text_of(cause, self._clock.now())
        self._post(dev_eui, AttemptHeld(attempt.number, text, cause=cause))

    def holds_back(self, dev_eui: str) -> bool:
        """Whether an attempt for this light waits here for a decision."""
        return dev_eui in self._held

    def withdraw(self, dev_eui: str) -> None:
        """Forget what is held for this light, here and there."""
        self._held.pop(dev_eui, None)
        self._dispatcher.withdraw(dev_eui)

    # ---------------------------------------------------------------- what people ask

    def view(self) -> RestoredStore | None:
        """What would be sent again, light by light; None when nothing is to be decided."""
        mark = self.mark
        if mark is None:
            return None
        lights = [
            RestoredStoreDevice(one.dev_eui, one.name, wish, one.reported, self._heard(one))
            for one in self._board.devices.values()
            if (wish := self._open_wish(one, mark)) is not None
        ]
        return RestoredStore(mark.at, mark.cause, mark.copied_at, mark.keep_shown, lights)

    async def decide(self, *, keep_shown: bool, by: str = "") -> RestoredStore | Refusal | None:
        """Resume, or keep what is shown; what was open before. None when there is nothing to do.

        It is carried out by the actor: whoever asked may leave before the store has answered.
        """
        view = self.view()
        if view is None:
            return None
        if self._nursery is None:
            return Refusal.NO_REPLY
        reply: Reply[None] = Reply()
        self._nursery.start_soon(self._carry_out, keep_shown, by, reply)
        try:
            await reply.wait(STORE_S)
        except ActorError:
            return Refusal.NO_REPLY
        return view

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep what the lights show, one after another as they are heard, until cancelled."""
        await self._look_up()
        try:
            async with trio.open_nursery() as self._nursery:
                task_status.started()
                while True:
                    await self._decided.wait()
                    if self.mark is None or await self._keep(self.mark):
                        self._decided = trio.Event()
                    else:
                        await trio.sleep(LOOK_S)
        finally:
            self._nursery = None

    async def _look_up(self) -> None:
        """A crash may have left open whether a decision was stored: the store knows."""
        if self.mark is None:
            await trio.lowlevel.checkpoint()
            return
        record = await self._store_writer.read(Table.META, MARK_KEY)
        if record is None:
            self._release()
            return
        with suppress(msgspec.MsgspecError):  # it was restored as one that cannot be read
            self.mark = read_mark(record)
        if self.mark.keep_shown:
            self._decided.set()

    async def _carry_out(self, keep_shown: bool, by: str, reply: Reply[None]) -> None:
        async with self._deciding:
            if self.mark is not None and keep_shown:
                kept = msgspec.structs.replace(self.mark, keep_shown=True, by=by)
                await self._store_writer.commit([mark_put(kept)])
                self.mark = kept
                self._decided.set()
            elif self.mark is not None:
                await self._store_writer.commit([Delete(Table.META, MARK_KEY)])
                self._release()
            log.info("decided after a restored store", keep_shown=keep_shown)
        reply.resolve(None)

    async def _keep(self, mark: SetBackMark) -> bool:
        """One round; True when nothing is left to do."""
        left = 0
        for device in list(self._board.devices.values()):
            wish = self._open_wish(device, mark)
            if wish is None:
                continue
            left += 1  # until it was heard, and until its board shows the new wish
            shown = device.reported
            if shown is None or not self._heard(device):
                continue
            assert self.give is not None  # noqa: S101 - joined before anything runs
            await self.give(
                CommandOrder(
                    dev_eui=device.dev_eui,
                    light=shown,
                    keep=True,
                    correlation_id="keep-shown",
                    by=mark.by,
                )
            )
        if left or self._held:
            return False
        async with self._deciding:
            await self._store_writer.commit([Delete(Table.META, MARK_KEY)])
            self._release()
        return True

    def _release(self) -> None:
        self.mark = None
        held, self._held = self._held, {}
        for dev_eui, (attempt, hearings) in held.items():
            self._dispatcher.submit(dev_eui, attempt, hearings)
        self._told(None)

    # ---------------------------------------------------------------- how

    def _holds(self, dev_eui: str, attempt: Attempt, mark: SetBackMark) -> bool:
        """Whether this must not be sent. What ChirpStack has already is only followed."""
        device = self._board.devices.get(dev_eui)
        colour = isinstance(attempt.frame, SetLight) and attempt.stage is not Stage.QUEUED
        return colour and device is not None and self._older(device, mark)

    def _older(self, device: Device, mark: SetBackMark) -> bool:
        """Whether what this light is being brought to was wanted before the restore."""
        if device.command is not None:
            return device.command.accepted_at <= mark.at
        return device.wanted is not None and device.wanted.since <= mark.at

    def _open_wish(self, device: Device, mark: SetBackMark) -> LightState | None:
        """What an older wish would have sent, unless the light was heard to show it."""
        if not self._older(device, mark):
            return None
        if device.command is not None:
            wish = device.command.light
        elif device.wanted is not None and device.wanted.keep:
            wish = device.wanted.light
        else:
            return None
        return None if device.reported == wish and self._heard(device) else wish

    def _heard(self, device: Device) -> bool:
        """Whether a status came since the restore, so that what it shows is known."""
        report = device.report
        if report is None or self.mark is None:
            return False
        return report != self._before.get(device.dev_eui) or report.at > self.mark.at


def _reason(mark: SetBackMark) -> Reason:
    """What the mark says in words, as a copy with its age where it says just that."""
    told = Reason(ReasonCode.STORE_SET_BACK, (mark.cause,))
    copy = Reason(ReasonCode.STORE_RESTORED, (mark.copied_at or "",))
    return copy if text_of(copy, mark.at) == text_of(told, mark.at) else told
