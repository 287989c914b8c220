"""The actor of all floor plans: one edit after another, or a file of plans as one, stored before it
is shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog
import trio

from actors.board.plan import PlanHead, PlanRemoved
from actors.clocks.clock import Clock
from actors.messaging.ask import ask
from actors.messaging.mailbox import Mailbox
from actors.messaging.reply import Reply
from actors.plans.decisions import decided
from actors.plans.model import Create, Edit, Edited, Plan, PlanRefusal, Take, contents
from actors.plans.records import read_plans, writes
from actors.plans.uploads import Uploads
from actors.refusal import Refusal
from actors.storage.commits import Commits
from actors.supervision.patience import started_at_last
from store.port import Record, Table

log = structlog.get_logger()

MAILBOX_EDITS = 8
"""People's; each may have a picture of 4 MB, 32 MB at the worst, and a file of plans those of all
(32 MB). Only one file is taken in at a time (`Uploads`)."""
REPLY_TIMEOUT_S = 10.0


class PlanWriter(Commits, Protocol):
    """What is needed of the store writer."""

    async def scan(self, table: Table) -> Sequence[Record]:
        """All records of a table, after all that was handed in before is durable."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    edits: tuple[Edit | Take, ...]
    """One, or all plans of a file (`Take`)."""
    revision: int | None
    by: str
    reply: Reply[tuple[Edited, ...] | PlanRefusal]


class Plans:
    """Each incarnation reads the plans from the store. `show` tells everybody of a change."""

    def __init__(
        self,
        store_writer: PlanWriter,
        clock: Clock,
        show: Callable[[PlanHead | PlanRemoved], None],
        shown: Callable[[], Sequence[PlanHead]],
        new_id: Callable[[], str],
    ) -> None:
        self.mailbox: Mailbox[_Asked] = Mailbox("plans", MAILBOX_EDITS)
        self.uploads = Uploads()
        self._store_writer = store_writer
        self._clock = clock
        self._show = show
        self._shown = shown
        self._new_id = new_id
        self._plans: dict[str, Plan] = {}

    async def edit(
        self, edit: Edit, *, revision: int | None = None, by: str = ""
    ) -> Edited | PlanRefusal | Refusal:
        """Carry an edit out; returns after it is stored. With `revision`, only on that one."""
        if isinstance(edit, Create):
            edit = replace(edit, id=self._new_id())
        made = await self._ask((edit,), revision, by)
        return made[0] if isinstance(made, tuple) else made

    async def take(
        self, takes: Sequence[Take], *, by: str = ""
    ) -> tuple[Edited, ...] | PlanRefusal | Refusal:
        """Take in the plans of a file, all or none: they are one commit."""
        return await self._ask(tuple(takes), None, by)

    async def _ask(
        self, edits: tuple[Edit | Take, ...], revision: int | None, by: str
    ) -> tuple[Edited, ...] | PlanRefusal | Refusal:
        reply: Reply[tuple[Edited, ...] | PlanRefusal] = Reply()
        asked = _Asked(edits, revision, by, reply)
        return await ask(self.mailbox, asked, reply, REPLY_TIMEOUT_S)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Raises StoreError when the stored plans cannot be read."""
        async with started_at_last(task_status):
            self._restored(read_plans(await self._store_writer.scan(Table.PLAN)))
        while True:
            asked = await self.mailbox.take()
            asked.reply.resolve(await self._edited(asked))
            self.mailbox.handled()

    def _restored(self, plans: dict[str, Plan]) -> None:
        """A crash may have left open whether an edit was stored: the store knows."""
        self._plans = plans
        for head in self._shown():
            if head.id not in plans:
                self._show(PlanRemoved(head.id, head.name))
        shown = {head.id: head for head in self._shown()}
        for plan in plans.values():
            if shown.get(plan.id) != plan.head():
                self._show(plan.head())

    async def _edited(self, asked: _Asked) -> tuple[Edited, ...] | PlanRefusal:
        made = decided(self._plans, asked.edits, asked.revision, self._clock.now(), asked.by)
        if isinstance(made, PlanRefusal):
            await trio.lowlevel.checkpoint()
            return made
        if made:  # a file may have no plan
            await self._store_writer.commit(writes(self._plans, made, contents(asked.edits)))
        for one in made:
            plan = one.plan
            if one.removed:
                del self._plans[plan.id]
                self._show(PlanRemoved(plan.id, plan.name))
            else:
                self._plans[plan.id] = plan
                self._show(plan.head())
            log.info("plan", plan=plan.id, revision=plan.revision, removed=one.removed, by=plan.by)
        return made
