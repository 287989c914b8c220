"""Watches the board, keeps the book of alerts, and has people told.

The rule it keeps: it waits for nobody. Notifiers take a notice or drop it; the store is given a few
seconds and then the person is told anyway, because a store that fails is itself an alert.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog
import trio

from actors.alerts.delivery import Notifier
from actors.alerts.due_times import DueTimes
from actors.alerts.lifecycle import AlertLifecycle, Decision
from actors.alerts.notice import notices
from actors.alerts.repository import AlertRepository, Commits
from actors.alerts.rules import (
    LIGHT_KINDS,
    AlertKind,
    AlertPolicy,
    Finding,
    Outlook,
    actor_finding,
    clock_findings,
    foreign_over_at,
    gateway_finding,
    light_findings,
    network_finding,
    setback_finding,
    silent_at,
    store_finding,
    taking_finding,
    unreadable_finding,
    waiting_at,
)
from actors.alerts.surroundings import Surroundings
from actors.board.board import Board
from actors.board.changes import ActorView, AlertView, GatewayView, Subject
from actors.clocks.clock import Clock, Steps
from actors.device.model import Device
from actors.messaging.mailbox import Mailbox, MailboxStatistics, Offer
from actors.messaging.reply import NoReply, Reply
from store.port import Store

log = structlog.get_logger()

# Reports about the store and the network: two kinds, each changing once in seconds at most.
MAILBOX_REPORTS = 256
# Twenty seconds of the busiest fleet; past that it starts over from a snapshot, as it does when
# 20,000 lights are restored at once.
BEHIND_MOST = 10_000
ACKNOWLEDGE_WAIT_S = 10.0
# Lights looked at between two checkpoints, about 8 us each: 2 ms.
CHUNK = 250
# Conditions that somebody must be asked about (store, ChirpStack, lights that are gone) are looked
# at so often, in three cheap calls: no alert outlives its cause, whatever news were lost.
LEVELS_EVERY_S = 20.0
# A gateway's alert names its lights; while they come and go it is made anew so often at most.
LIGHTS_EVERY_S = 5.0
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
    """One actor for all alerts. Its book outlives its incarnations, and the process (in the store).

    What happens to lights, gateways and actors it learns from the board; the store and the network
    are reported by `store_failing` and `network_problem`.
    """

    def __init__(
        self,
        board: Board,
        store_writer: Commits,
        store: Store,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        notifiers: Sequence[Notifier] = (),
        policy: AlertPolicy | None = None,
        levels: Callable[[], Iterable[Finding]] = tuple,
        gateways_listed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._levels = levels
        self._gateways_listed = gateways_listed
        self.mailbox: Mailbox[Finding | _Acknowledge] = Mailbox("alerter", MAILBOX_REPORTS)
        self._board = board
        self._kept = AlertRepository(store_writer, store)
        self._clock = clock
        self._steps = Steps(clock)
        self._notifiers = notifiers
        self._policy = policy or AlertPolicy()
        self._lifecycle = AlertLifecycle(self._policy, new_id)
        self._restored = False
        self._began_at = math.inf
        self._moments = DueTimes()  # a light falls silent, or its command waited for too long
        self._around = Surroundings()
        self._gateways_told_at = -math.inf
        self._levels_at = -math.inf
        self._network_away = False
        self._decided: list[Decision] = []  # at most one per track and flip since the last round
        self._untold: list[Decision] = []  # stored and shown, at most `gather_s` old
        self._told_at = -math.inf
        self._wake = trio.Event()
        self._notices = self._not_taken = 0

    def store_failing(self, since: float | None, problem: str | None = None) -> None:
        """The store writer's health listener: since when it fails, None when it works."""
        self.mailbox.offer(store_finding(since, problem))

    def store_set_back(self, words: str | None) -> None:
        """The store is older than what was done, until somebody decided: then None."""
        self.mailbox.offer(setback_finding(words))

    def records_unreadable(self, words: str | None) -> None:
        """Records are kept that cannot be read, and which; None when there are none."""
        self.mailbox.offer(unreadable_finding(words))

    def clock_trouble(self, host: str | None, server: str | None) -> None:
        """This machine's clock was set or stood still, ChirpStack's differs; None where not."""
        for finding in clock_findings(host, server):
            self.mailbox.offer(finding)

    def network_problem(self, problem: str | None) -> None:
        """ChirpStack cannot be asked, and why; None when it answers again."""
        self.mailbox.offer(network_finding(problem))

    async def acknowledge(self, alert_id: str, by: str | None) -> AlertView | None:
        """Somebody knows: it is not repeated. None when no such alert is open.

        Returns after it is stored. Raises ActorError when that is not known in time.
        """
        reply: Reply[AlertView | None] = Reply()
        if self.mailbox.offer(_Acknowledge(alert_id, by, reply)) is not Offer.ACCEPTED:
            raise NoReply("the alerter has too much to do")
        return await reply.wait(ACKNOWLEDGE_WAIT_S)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Raises StoreError when the stored alerts cannot be read."""
        if not self._restored:
            await self._restore()
            self._began_at = self._clock.now()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_board)
            nursery.start_soon(self._take_reports)
            task_status.started()
            await self._act()

    def statistics(self) -> AlerterStatistics:
        """Counters, now."""
        return AlerterStatistics(
            open=self._lifecycle.open_count(),
            notices=self._notices,
            not_taken=self._not_taken,
            mailbox=self.mailbox.statistics(),
        )

    # What comes in.

    async def _restore(self) -> None:
        for view in self._lifecycle.restore(await self._kept.read(), self._clock.now()):
            self._board.publish(view)
        self._restored = True

    async def _follow_board(self) -> None:
        while True:
            with self._board.subscribe(BEHIND_MOST) as subscription:
                snapshot = subscription.snapshot
                if snapshot is not None:
                    await self._see_all([*snapshot.gateways, *snapshot.actors])
                    await self._see_all(snapshot.devices)
                async for batch in subscription:
                    await self._see_all(change.what for change in batch)
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

    async def _see_all(self, subjects: Iterable[Subject]) -> None:
        for count, subject in enumerate(subjects, start=1):
            match subject:
                case Device():
                    self._see_light(subject)
                case GatewayView():
                    self._see_gateway(subject)
                    self._observe(taking_finding(subject))
                case ActorView():
                    self._observe(actor_finding(subject))
                case _:
                    pass  # commands are seen in their light; alerts are our own
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()

    def _see_light(self, device: Device) -> None:
        self._follow_clock()
        shift_s = self._board.shift_s(device.dev_eui)
        now, outlook = self._clock.now() - shift_s, self._outlook(device, shift_s)
        self._around.light(device, outlook.reach)
        if self._around.stale:
            self._wake.set()
        for finding in light_findings(device, now, self._policy, outlook):
            if finding.since is not None and shift_s:
                finding = replace(finding, since=finding.since + shift_s)  # noqa: PLW2901
            self._observe(finding)
        moments = (
            silent_at(device, self._policy, outlook),
            waiting_at(device, self._policy),
            foreign_over_at(device),
        )
        due_at = min((at + shift_s for at in moments if at is not None and at > now), default=None)
        if due_at is not None and self._moments.plan(device.dev_eui, due_at):
            self._wake.set()

    def _follow_clock(self) -> None:
        """The machine's clock was set: every moment that we keep moves along."""
        by_s = self._steps.take()
        if not by_s:
            return
        self._lifecycle.moved(by_s)
        self._moments.moved(by_s)
        self._around.moved(by_s)
        self._told_at += by_s
        self._levels_at += by_s
        self._gateways_told_at += by_s
        self._began_at += by_s

    def _outlook(self, device: Device, shift_s: float) -> Outlook:
        reach = self._board.reachability(device).reach
        listening_since = self._around.listening_since(device) - shift_s
        return Outlook(reach, listening_since, self._network_away)

    def _see_gateway(self, view: GatewayView) -> None:
        self._follow_clock()
        self._around.gateway(view, self._clock.now())
        self._observe(self._gateway_finding(view))

    def _gateway_finding(self, view: GatewayView) -> Finding:
        return gateway_finding(view, self._around.behind(view.gateway_id, self._board.devices))

    def _observe(self, finding: Finding) -> None:
        self._follow_clock()
        if (
            finding.kind is AlertKind.NETWORK_UNREACHABLE
            and self._network_away is not finding.holds
        ):
            self._network_away = finding.holds
            if not finding.holds:  # what it covered is judged anew
                for dev_eui in {one.dev_eui for one in self._board.open_commands.values()}:
                    self._moments.plan(dev_eui, self._clock.now())
        before = self._lifecycle.next_at() if finding.holds else None
        self._decided.extend(self._lifecycle.observe(finding, self._clock.now()))
        if self._decided or (finding.holds and self._lifecycle.next_at() != before):
            self._wake.set()

    # What is done about it.

    async def _act(self) -> None:
        while True:
            self._wake = trio.Event()
            self._follow_clock()
            now = self._clock.now()
            self._look_at_levels(now)
            self._look_at_lights(now)
            self._look_at_gateways(now)
            next_at = self._lifecycle.next_at()
            if next_at is not None and next_at <= now:
                unsure = () if self._gateways_listed() else (AlertKind.GATEWAY_OFFLINE,)
                self._decided.extend(self._lifecycle.due(now, unsure=unsure))
            if self._decided:
                decided, self._decided = self._decided, []
                await self._carry_out(decided)
                continue
            self._tell(now)
            with trio.move_on_after(self._wait_s()):
                await self._wake.wait()

    def _wait_s(self) -> float:
        times = [self._levels_at + LEVELS_EVERY_S]
        if self._around.stale:
            times.append(self._gateways_told_at + LIGHTS_EVERY_S)
        if self._untold:
            times.append(self._told_at + self._policy.gather_s)
        next_at = self._lifecycle.next_at()
        if next_at is not None:
            times.append(next_at)
        if (moment := self._moments.next_at()) is not None:
            times.append(moment)
        return max(0.0, min(times) - self._clock.now()) + WAIT_SLACK_S

    def _look_at_lights(self, now: float) -> None:
        """Those whose moment came."""
        for dev_eui in self._moments.due(now, CHUNK):
            device = self._board.devices.get(dev_eui)
            if device is not None:
                self._see_light(device)

    def _look_at_levels(self, now: float) -> None:
        """Ask about what is only told when it changes: the news may have been before our time."""
        if now < self._levels_at + LEVELS_EVERY_S:
            return
        self._levels_at = now
        for finding in self._levels():
            self._observe(finding)
        devices = self._board.devices
        for kind, subject in self._lifecycle.open_keys():
            if kind in LIGHT_KINDS and subject not in devices and self._fleet_is_known(now):
                text = "the light is no longer known"
                self._observe(Finding(AlertKind(kind), subject, holds=False, text=text))

    def _look_at_gateways(self, now: float) -> None:
        """Tell of gateways anew whose lights came or went."""
        if not self._around.stale or now < self._gateways_told_at + LIGHTS_EVERY_S:
            return
        self._gateways_told_at = now
        while self._around.stale:
            gateway_id = self._around.stale.pop()
            view = self._board.gateways.get(gateway_id)
            if view is not None:
                self._observe(self._gateway_finding(view))

    def _fleet_is_known(self, now: float) -> bool:
        """The restored lights are shown within seconds of a start."""
        return now >= self._began_at + self._policy.confirm_s

    async def _carry_out(self, decisions: Sequence[Decision]) -> None:
        """Store it and show it, then have it told: in this order, so that a restart repeats
        nothing. What a crash keeps from being told is told with the hourly repetition."""
        await self._kept.save(decisions, self._clock.now())
        for count, decision in enumerate(decisions, start=1):
            self._board.publish(decision.view)
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()
        self._untold.extend(decision for decision in decisions if decision.act.told)

    def _tell(self, now: float) -> None:
        """Hand over what was gathered, if its time has come: at once after a quiet minute."""
        if not self._untold or now < self._told_at + self._policy.gather_s:
            return
        told, self._untold, self._told_at = self._untold, [], now
        for notice in notices(told, now):
            self._notices += 1
            for notifier in self._notifiers:
                if not notifier.offer(notice):
                    self._not_taken += 1
