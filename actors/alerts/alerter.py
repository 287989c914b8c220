"""The actor of all alerts: follows the board, keeps the life of each alert, and has people told.

It waits for nobody: notifiers take a notice or drop it, and the store is given a few seconds before
the person is told anyway, because a store that fails is itself an alert.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
import trio

from actors.alerts.decision import Decision
from actors.alerts.delivery import Notifier
from actors.alerts.finding import LIGHT_KINDS, AlertKind, Finding
from actors.alerts.lifecycle import AlertLifecycle
from actors.alerts.notice import notices
from actors.alerts.observer import BoardObserver
from actors.alerts.policy import AlertPolicy
from actors.alerts.repository import AlertRepository, AlertWriter
from actors.alerts.rules import (
    clock_findings,
    network_finding,
    restored_store_finding,
    store_finding,
    unreadable_finding,
)
from actors.board.board import Board
from actors.board.changes import AlertView, Subject
from actors.clocks.clock import Clock, Steps
from actors.messaging.mailbox import Mailbox, MailboxStatistics, Offer
from actors.messaging.reply import ActorError, Reply
from actors.refusal import Refusal
from actors.replace import replace
from actors.supervision.patience import started_at_last

log = structlog.get_logger()

# Reports about the store and the network: two kinds, each changing once in seconds at most.
MAILBOX_REPORTS = 256
# Twenty seconds of the busiest fleet; past that it starts over from a snapshot, as it does when
# 20,000 lights are restored at once.
BEHIND_MOST = 10_000
ACKNOWLEDGE_WAIT_S = 10.0
# Things judged between two checkpoints, about 8 us each: 2 ms.
CHUNK = 250
# Conditions that are not on the board (store, ChirpStack), and lights that are gone, are asked for
# so often, in three cheap calls: no alert outlives its cause, whatever news were lost.
CONDITIONS_EVERY_S = 20.0
# Unix time in a double has steps of 0.24 us: a wait must not end just before what it waits for.
WAIT_SLACK_S = 1e-6


@dataclass(frozen=True, slots=True)
class _Acknowledge:
    alert_id: str
    by: str | None
    reply: Reply[AlertView | None]


@dataclass(frozen=True, slots=True)
class AlerterStatistics:
    """Alerts open now; notices handed to notifiers, and how many of them were not taken."""

    open: int
    notices: int
    not_taken: int
    mailbox: MailboxStatistics


class Alerter:
    """The alerts outlive its incarnations in memory, and the process in the store.

    It learns of lights, gateways and actors from the board; of the store, the clocks and ChirpStack
    it is told by the methods below, and it asks `conditions` again every 20 s.
    """

    def __init__(
        self,
        board: Board,
        store_writer: AlertWriter,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        notifiers: Sequence[Notifier] = (),
        policy: AlertPolicy | None = None,
        conditions: Callable[[], Iterable[Finding]] = tuple,
        gateways_listed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._conditions = conditions
        self._gateways_listed = gateways_listed
        self.mailbox: Mailbox[Finding | _Acknowledge] = Mailbox("alerter", MAILBOX_REPORTS)
        self._board = board
        self._kept = AlertRepository(store_writer)
        self._clock = clock
        self._steps = Steps(clock)
        self._notifiers = notifiers
        self._policy = policy or AlertPolicy()
        self._lifecycle = AlertLifecycle(self._policy, new_id)
        self._restored = False
        self._began_at = math.inf
        self._observer = BoardObserver(board, self._policy)
        self._conditions_asked_at = -math.inf
        # At most one for each alert and change of it since `_act` last looked.
        self._decided: list[Decision] = []
        self._to_notify: list[Decision] = []  # stored and shown, at most `gather_s` old
        self._notified_at = -math.inf
        self._wake = trio.Event()
        self._notices = self._not_taken = 0

    def store_failing(self, since: float | None, problem: str | None = None) -> None:
        """The store writer's health listener: since when it fails, None when it works."""
        self.mailbox.offer(store_finding(since, problem))

    def store_set_back(self, problem: str | None) -> None:
        """The store is older than what was done; None once a person decided about older wishes."""
        self.mailbox.offer(restored_store_finding(problem))

    def records_unreadable(self, problem: str | None) -> None:
        """Records are kept that cannot be read, and which; None when there are none."""
        self.mailbox.offer(unreadable_finding(problem))

    def clock_trouble(self, host: str | None, server: str | None) -> None:
        """This machine's clock was set or stood still, ChirpStack's differs; None where not."""
        for finding in clock_findings(host, server):
            self.mailbox.offer(finding)

    def network_problem(self, problem: str | None) -> None:
        """ChirpStack cannot be asked, and why; None when it answers again."""
        self.mailbox.offer(network_finding(problem))

    async def acknowledge(self, alert_id: str, by: str | None) -> AlertView | Refusal | None:
        """Note that a person knows, so that it is not repeated. None when no such alert is open.

        Returns after it is stored, with `NO_REPLY` when that is not known in time.
        """
        reply: Reply[AlertView | None] = Reply()
        if self.mailbox.offer(_Acknowledge(alert_id, by, reply)) is not Offer.ACCEPTED:
            return Refusal.NO_REPLY
        try:
            return await reply.wait(ACKNOWLEDGE_WAIT_S)
        except ActorError:
            return Refusal.NO_REPLY

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Raises StoreError when the stored alerts cannot be read."""
        async with started_at_last(task_status):
            if not self._restored:
                await self._restore()
                self._began_at = self._clock.now()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_board)
            nursery.start_soon(self._take_reports)
            await self._act()

    def statistics(self) -> AlerterStatistics:
        """Counters, now."""
        return AlerterStatistics(
            open=self._lifecycle.open_count(),
            notices=self._notices,
            not_taken=self._not_taken,
            mailbox=self.mailbox.statistics(),
        )

    # ---------------------------------------------------------------- what it is told

    async def _restore(self) -> None:
        for view in self._lifecycle.restore(await self._kept.read(), self._clock.now()):
            self._board.publish(view)
        self._restored = True

    async def _follow_board(self) -> None:
        while True:
            with self._board.subscribe(BEHIND_MOST) as subscription:
                snapshot = subscription.snapshot
                if snapshot is not None:
                    await self._judge_all([*snapshot.gateways, *snapshot.actors])
                    await self._judge_all(snapshot.devices)
                async for batch in subscription:
                    await self._judge_all(change.what for change in batch)
            log.info("alerter starts over", reason=subscription.closed_reason)

    async def _take_reports(self) -> None:
        while True:
            message = await self.mailbox.take()
            if isinstance(message, _Acknowledge):
                decision = self._lifecycle.acknowledge(
                    message.alert_id, message.by, self._clock.now()
                )
                if decision is not None:
                    await self._carry_out([decision])
                message.reply.resolve(None if decision is None else decision.view)
            else:
                self._observe(message)
            self.mailbox.handled()

    async def _judge_all(self, subjects: Iterable[Subject]) -> None:
        for count, subject in enumerate(subjects, start=1):
            self._follow_clock()
            before = self._observer.next_at()
            for finding in self._observer.judge(subject, self._clock.now()):
                self._observe(finding)
            if self._observer.next_at() != before:
                self._wake.set()
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()

    def _follow_clock(self) -> None:
        """The machine's clock was set: every time that is kept moves by as much."""
        by_s = self._steps.take()
        if not by_s:
            return
        self._lifecycle.moved(by_s)
        self._observer.moved(by_s)
        self._notified_at += by_s
        self._conditions_asked_at += by_s
        self._began_at += by_s

    def _observe(self, finding: Finding) -> None:
        self._follow_clock()
        if finding.kind in self._policy.off:
            # one that a restart restored is closed by this
            finding = replace(finding, holds=False, text="switched off in the settings")
        if finding.kind is AlertKind.NETWORK_UNREACHABLE:
            self._observer.network_away(finding.holds, self._clock.now())
        elif not finding.holds and not self._lifecycle.knows(finding):
            return  # by far the most: five for each uplink of a light that is well
        before = self._lifecycle.next_at() if finding.holds else None
        self._decided.extend(self._lifecycle.observe(finding, self._clock.now()))
        if self._decided or (finding.holds and self._lifecycle.next_at() != before):
            self._wake.set()

    # ---------------------------------------------------------------- what it does

    async def _act(self) -> None:
        while True:
            self._wake = trio.Event()
            self._follow_clock()
            now = self._clock.now()
            self._ask_conditions(now)
            for finding in self._observer.due(now):
                self._observe(finding)
            next_at = self._lifecycle.next_at()
            if next_at is not None and next_at <= now:
                unsure = () if self._gateways_listed() else (AlertKind.GATEWAY_OFFLINE,)
                self._decided.extend(self._lifecycle.due(now, unsure=unsure))
            if self._decided:
                decided, self._decided = self._decided, []
                await self._carry_out(decided)
                continue
            self._notify(now)
            with trio.move_on_after(self._wait_s()):
                await self._wake.wait()

    def _wait_s(self) -> float:
        times = [self._conditions_asked_at + CONDITIONS_EVERY_S]
        if self._to_notify:
            times.append(self._notified_at + self._policy.gather_s)
        planned = (self._lifecycle.next_at(), self._observer.next_at())
        times.extend(at for at in planned if at is not None)
        return max(0.0, min(times) - self._clock.now()) + WAIT_SLACK_S

    def _ask_conditions(self, now: float) -> None:
        """Ask for what is told only when it changes: that may have been before this actor began."""
        if now < self._conditions_asked_at + CONDITIONS_EVERY_S:
            return
        self._conditions_asked_at = now
        for finding in self._conditions():
            self._observe(finding)
        devices = self._board.devices
        for kind, subject in self._lifecycle.open_keys():
            if kind in LIGHT_KINDS and subject not in devices and self._fleet_is_known(now):
                text = "the light is no longer known"
                self._observe(Finding(AlertKind(kind), subject, holds=False, text=text))

    def _fleet_is_known(self, now: float) -> bool:
        """The restored lights are shown within seconds of a start."""
        return now >= self._began_at + self._policy.confirm_s

    async def _carry_out(self, decisions: Sequence[Decision]) -> None:
        """Store it and show it, and then have people told: in this order, so that a restart repeats
        no notice. One that a crash prevents is made up for by the hourly repetition."""
        await self._kept.save(decisions, self._clock.now())
        for count, decision in enumerate(decisions, start=1):
            self._board.publish(decision.view)
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()
        self._to_notify.extend(decision for decision in decisions if decision.act.notifies)

    def _notify(self, now: float) -> None:
        """Hand over what was gathered, if it is time: at once after a minute without a notice."""
        if not self._to_notify or now < self._notified_at + self._policy.gather_s:
            return
        told, self._to_notify, self._notified_at = self._to_notify, [], now
        for notice in notices(told, now):
            self._notices += 1
            for notifier in self._notifiers:
                if not notifier.offer(notice):
                    self._not_taken += 1
