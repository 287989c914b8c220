"""The actor of scenes and schedules: keeps them, and applies what is due as a rollout.

Nothing is shown that is not stored. A time of a schedule is begun under an idempotency key of its
own, and its mark is stored after: see `due.py`.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
import trio

from actors.alerts.finding import AlertKind, Finding
from actors.board.board import Board
from actors.board.rollout import Rollout
from actors.clocks.clock import Clock
from actors.clocks.server_clock import ClockDifference
from actors.messaging.ask import ask
from actors.messaging.mailbox import Mailbox
from actors.messaging.reply import Reply
from actors.refusal import Refusal
from actors.replace import replace
from actors.rollouts.model import Order
from actors.scenes import due, edits, repository
from actors.scenes.edits import Kit, Refused
from actors.scenes.model import Came, Part, Run, Scene, Schedule
from actors.scenes.resolve import Resolved, most_frequent, resolved
from actors.storage.commits import Commits
from actors.supervision.patience import started_at_last
from store.port import Record, Table, Write

log = structlog.get_logger()

MAILBOX_REQUESTS = 64
"""People's changes; one with 13,000 lights (a body of 256 kB) is 1 MB: 64 MB at the worst."""
REPLY_TIMEOUT_S = 10.0
LOOK_S = 1.0
"""The date is looked at so often, a comparison for each schedule: a clock that was set is noticed
within this."""
AGAIN_S = 10.0
"""Before a rollout that could not be begun (20 run already) is tried again."""


class RecordWriter(Commits, Protocol):
    """What is needed of the store writer."""

    async def scan(self, table: Table) -> Sequence[Record]:
        """All records of a table, after all that was handed in before is durable."""
        ...


@dataclass(frozen=True, slots=True)
class ScenePorts:
    """Whom the actor asks. `time_zone` is the site's; `difference` ChirpStack's clock against the
    date; `applied` is told of each rollout that a schedule began, and must not wait."""

    board: Board
    store_writer: RecordWriter
    clock: Clock
    begin: Callable[[Order], Awaitable[Rollout | Refusal]]
    difference: Callable[[], ClockDifference]
    time_zone: str
    new_id: Callable[[], str]
    dealt_with: Callable[[Schedule, Run], object] = lambda schedule, run: None


@dataclass(frozen=True, slots=True)
class _Save:
    asked: Scene | Schedule
    revision: int | None
    reply: Reply[Scene | Schedule | Refused]


@dataclass(frozen=True, slots=True)
class _Remove:
    kind: type[Scene] | type[Schedule]
    id: str
    revision: int | None
    reply: Reply[Scene | Schedule | Refused]


class Scenes:
    """One actor for all of them; each incarnation reads them from the store."""

    def __init__(self, ports: ScenePorts) -> None:
        self.mailbox: Mailbox[_Save | _Remove] = Mailbox("scenes", MAILBOX_REQUESTS)
        self._ports = ports
        self._kit = Kit()
        self._next: dict[str, float | None] = {}
        """When each schedule is looked at next; one for each."""

    # ---------------------------------------------------------------- what is asked of it

    @property
    def scenes(self) -> Mapping[str, Scene]:
        """By id, in the order of their names."""
        return self._kit.scenes

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """Likewise."""
        return self._kit.schedules

    @property
    def time_zone(self) -> str:
        """The site's, for schedules without one of their own."""
        return self._ports.time_zone

    @property
    def date(self) -> float:
        """By which schedules go (Unix seconds): see `due.right_date`."""
        clock = self._ports.clock
        return due.right_date(clock.now(), clock.stepped_s, self._ports.difference())

    def new_id(self) -> str:
        """For a new scene or schedule."""
        return self._ports.new_id()

    def resolve(self, parts: Sequence[Part]) -> Resolved:
        """Which light gets which colour now."""
        return resolved(parts, self._ports.board.devices)

    async def save(
        self, asked: Scene | Schedule, revision: int | None
    ) -> Scene | Schedule | Refused | Refusal:
        """Keep it, as a new one or in place of the one with this revision; returns after it is
        stored."""
        reply: Reply[Scene | Schedule | Refused] = Reply()
        return await ask(self.mailbox, _Save(asked, revision, reply), reply, REPLY_TIMEOUT_S)

    async def remove(
        self, kind: type[Scene] | type[Schedule], id_: str, revision: int | None
    ) -> Scene | Schedule | Refused | Refusal:
        """Forget it, whatever its revision where that is None."""
        reply: Reply[Scene | Schedule | Refused] = Reply()
        return await ask(self.mailbox, _Remove(kind, id_, revision, reply), reply, REPLY_TIMEOUT_S)

    def findings(self) -> Iterator[Finding]:
        """Schedules whose last time came to nothing."""
        for one in self._kit.schedules.values():
            last = one.last
            holds = one.enabled and last is not None and last.came is not Came.APPLIED
            text = f"schedule {one.name} goes by its times"
            if holds and last is not None:
                when = datetime.fromtimestamp(last.due_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
                text = f"schedule {one.name} was not applied at {when}: {last.reason}"
            since = last.at if holds and last is not None else None
            yield Finding(AlertKind.SCHEDULE_MISSED, one.id, holds, text, since)

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. The store is read by each incarnation, and waited for.

        Raises StoreError when it cannot be read.
        """
        async with started_at_last(task_status):
            await self._restore()
        while True:
            message = None
            with trio.move_on_after(self._wait_s()):  # the waiting only
                message = await self.mailbox.take()
            if message is not None:
                if isinstance(message, _Save):
                    message.reply.resolve(await self._save(message))
                else:
                    message.reply.resolve(await self._remove(message))
                self.mailbox.handled()
            await self._look()

    async def _restore(self) -> None:
        self._kit = repository.read(await self._ports.store_writer.scan(Table.META))
        self._next.clear()

    def _wait_s(self) -> float:
        return LOOK_S if any(one.enabled for one in self._kit.schedules.values()) else float("inf")

    async def _save(self, message: _Save) -> Scene | Schedule | Refused:
        asked = message.asked
        made: Scene | Schedule | Refused
        if isinstance(asked, Scene):
            made = edits.scene_saved(self._kit, asked, message.revision)
        else:
            made = edits.schedule_saved(self._kit, asked, message.revision, self.date)
        if not isinstance(made, Refused):
            await self._keep(made)
        return made

    async def _remove(self, message: _Remove) -> Scene | Schedule | Refused:
        gone: Scene | Schedule | Refused
        if message.kind is Scene:
            gone = edits.scene_removed(self._kit, message.id, message.revision)
        else:
            gone = edits.schedule_removed(self._kit, message.id, message.revision)
        if not isinstance(gone, Refused):
            await self._ports.store_writer.commit([repository.delete(gone)])
            self._kit = Kit(
                {id_: one for id_, one in self._kit.scenes.items() if one is not gone},
                {id_: one for id_, one in self._kit.schedules.items() if one is not gone},
            )
            self._next.pop(gone.id, None)
        return gone

    async def _keep(self, kept: Scene | Schedule) -> None:
        writes: list[Write] = [repository.put(kept, self._ports.clock.now())]
        await self._ports.store_writer.commit(writes)
        scenes, schedules = dict(self._kit.scenes), dict(self._kit.schedules)
        if isinstance(kept, Scene):
            scenes[kept.id] = kept
        else:
            schedules[kept.id] = kept
            self._next.pop(kept.id, None)
        self._kit = Kit(
            dict(sorted(scenes.items(), key=lambda each: each[1].name.casefold())),
            dict(sorted(schedules.items(), key=lambda each: each[1].name.casefold())),
        )

    # ---------------------------------------------------------------- what is due

    async def _look(self) -> None:
        date = self.date
        for schedule in list(self._kit.schedules.values()):
            at = self._next.get(schedule.id, date)
            ahead = schedule.mark > date + due.AHEAD_MOST_S
            if ahead or (at is not None and at <= date):
                await self._look_at(schedule, date)

    async def _look_at(self, schedule: Schedule, date: float) -> None:
        sure = due.agreed(self._ports.difference())
        decision = due.decide(schedule, self.time_zone, date, sure=sure)
        match decision:
            case due.Wait(until):
                self._next[schedule.id] = until
            case due.Remark():
                log.warning("a schedule's mark was of a wrong clock", schedule=schedule.name)
                await self._keep(replace(schedule, mark=date))
            case due.Missed(due_at, count):
                why = f"it was over for longer than {schedule.late_most_s / 60:g} min"
                run = Run(due_at=due_at, at=date, came=Came.MISSED, reason=why, skipped=count - 1)
                await self._dealt_with(schedule, run)
            case due.Apply():
                run_or_none = await self._apply(schedule, decision, date)
                if run_or_none is None:
                    self._next[schedule.id] = date + AGAIN_S
                else:
                    await self._dealt_with(schedule, run_or_none)

    async def _apply(self, schedule: Schedule, now_due: due.Apply, date: float) -> Run | None:
        """Begin it; None where that is to be tried again."""
        scene = None if schedule.scene_id is None else self._kit.scenes.get(schedule.scene_id)
        parts = scene.parts if scene is not None else ()
        if schedule.part is not None:
            parts = (schedule.part,)
        meant = self.resolve(parts)
        run = Run(
            due_at=now_due.due_at,
            at=date,
            came=Came.EMPTY,
            reason="it names no light that is known",
            missing=len(meant.missing),
            skipped=now_due.skipped,
        )
        if not meant.colours:
            return run
        order = order_of(
            meant,
            keep=schedule.keep if scene is None else scene.keep,
            name=schedule.name,
            scene=None if scene is None else scene.name,
            pace_per_min=schedule.pace_per_min,
            failures_most=schedule.failures_most,
            by=schedule.name,
        )
        key = f"schedule {schedule.id} {now_due.due_at:.0f}"
        made = await self._ports.begin(replace(order, idempotency_key=key, fingerprint=key))
        if isinstance(made, Refusal):
            log.warning("a schedule waits", schedule=schedule.name, reason=made.value)
            return None
        return replace(run, came=Came.APPLIED, reason=None, rollout_id=made.id)

    async def _dealt_with(self, schedule: Schedule, run: Run) -> None:
        after = replace(schedule, mark=max(schedule.mark, run.at), last=run)
        await self._keep(after)
        log.info(
            "schedule", schedule=schedule.name, came=run.came.value, rollout=run.rollout_id or ""
        )
        self._ports.dealt_with(after, run)


def order_of(
    meant: Resolved,
    *,
    keep: bool,
    name: str,
    scene: str | None,
    pace_per_min: float,
    failures_most: int,
    by: str,
) -> Order:
    """The rollout that gives each light its colour; there must be one."""
    light = most_frequent(meant.colours)
    return Order(
        dev_euis=tuple(meant.colours),
        light=light,
        keep=keep,
        ttl_s=None,
        name=name,
        pace_per_min=pace_per_min,
        failures_most=failures_most,
        colours={eui: own for eui, own in meant.colours.items() if own != light},
        scene=scene,
        by=by,
    )
