"""The actor that has lights probed: when something is unknown and all is quiet, or when asked.

One light at a time, in one run at a time. A run that began by itself ends as soon as something
waits to be sent, and its tries are stored before its first frame goes out, so that nothing is
probed for ever. What the probes teach is learned by `listening.py` like anything else that passes;
here it is only watched, and kept in the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog
import trio

from actors.board.board import Board
from actors.calibration import planning
from actors.calibration.course import Course
from actors.calibration.listening import Overheard
from actors.calibration.model import (
    CalibrationPolicy,
    CalibrationRun,
    Candidate,
    Need,
    Outcome,
    Plan,
    ProbeResult,
    RunState,
    Unknown,
    Wish,
)
from actors.calibration.tries import Tries
from actors.clocks.clock import Clock
from actors.device.events import DeviceEvent, ProbeRequested
from actors.device.model import Device, Phase
from actors.device.probing import ASKED
from actors.downlink import DispatchPolicy
from actors.downlink.statistics import DispatchStatistics
from actors.link.forwarder_records import Answer
from actors.link.forwarders import Forwarders
from actors.link.lag import SlotDelay
from actors.messaging.mailbox import Offer
from actors.messaging.reply import ActorError, Reply
from actors.refusal import Refusal
from actors.storage.record_version import stamped
from store.port import Put, Record, Table, Write

log = structlog.get_logger()

SAVE_S = 300.0
"""What is learned as it passes is stored so often: a crash costs the answers of five minutes."""
WORK = "commands wait to be sent"


class CalibrationWriter(Protocol):
    """What is needed of the store writer."""

    @property
    def healthy(self) -> bool:
        """False while the store cannot be written."""
        ...

    async def commit(self, writes: Sequence[Write]) -> None:
        """Return when the writes are durable."""
        ...

    def offer(self, writes: Sequence[Write]) -> Offer:
        """Hand writes in without waiting."""
        ...


@dataclass(frozen=True, slots=True)
class CalibrationPorts:
    """What the calibration needs of others. `post` hands a light an event, `dispatch` tells what
    waits to be sent, `paused` whether nothing may be sent by itself now."""

    board: Board
    store_writer: CalibrationWriter
    post: Callable[[str, DeviceEvent], Offer | None]
    dispatch: Callable[[], DispatchStatistics]
    paused: Callable[[], bool] = lambda: False


class Calibrator:
    """Probes, by itself or by order."""

    def __init__(
        self,
        ports: CalibrationPorts,
        forwarders: Forwarders,
        clock: Clock,
        new_id: Callable[[], str],
        dispatch_policy: DispatchPolicy,
        policy: CalibrationPolicy | None = None,
    ) -> None:
        self.policy = policy if policy is not None else CalibrationPolicy()
        self.forwarders = forwarders
        self.run_now: CalibrationRun | None = None
        """The newest run, over or not."""
        self._board = ports.board
        self._store_writer = ports.store_writer
        self._post = ports.post
        self._dispatch = ports.dispatch
        self._paused = ports.paused
        self._clock = clock
        self._new_id = new_id
        self._dispatch_policy = dispatch_policy
        self._tries = Tries(self.policy)
        self._ordered: Plan | None = None
        self._wake = trio.Event()
        self._course: tuple[str, Course] | None = None
        self._look_at = self._save_at = 0.0
        self._quiet_since: float | None = None
        self._frames = 0
        """Sent in all, when it was quiet last."""

    # ---------------------------------------------------------------- asked from outside

    def plan(self, wish: Wish) -> Plan:
        """What a run for this wish would do now."""
        return planning.plan(
            wish, self._devices, self.forwarders, self._dispatch_policy, self._clock.now()
        )

    def start(self, wish: Wish) -> CalibrationRun | Refusal:
        """Begin a run; its progress is `run_now`. TOO_MANY while one is under way. One that has no
        light to probe is over at once."""
        if self.run_now is not None and self.run_now.state is RunState.RUNNING:
            return Refusal.TOO_MANY
        plan = self.plan(wish)
        run = self._begin(plan, automatic=False)
        if not plan.lights:
            return self._end(run, "no light can be probed now" if plan.left_out else None)
        self._ordered = plan
        self._wake.set()
        return run

    def unknown(self) -> list[Unknown]:
        """What is unknown, and when the service tries by itself."""
        now, automatic = self._clock.now(), self.policy.automatic
        return [
            Unknown(
                need,
                self._tries.of(need, now),
                self._tries.next_at(need, now) if automatic else None,
            )
            for need in self._needs()
        ]

    # ---------------------------------------------------------------- told from inside

    def overheard(
        self, dev_eui: str, message: Overheard, taught: SlotDelay | Answer | None
    ) -> None:
        """A txack or an uplink passed."""
        if self._course is not None and self._course[0] == dev_eui:
            self._course[1].hear(message, taught)

    def restore(self, records: Sequence[Record]) -> None:
        """Take in what an earlier run of the service learned and tried, of all of `Table.META`."""
        self._tries.restore(records)
        self.forwarders.restore((record.key, record.value) for record in records)

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. A run that a crash cut off is over."""
        self._ordered = self._course = None
        if self.run_now is not None and self.run_now.state is RunState.RUNNING:
            self._end(self.run_now, "the service was interrupted")
        steady = self._clock.steady()
        self._look_at = max(self._look_at, steady + self.policy.first_look_s)
        self._save_at = steady + SAVE_S
        task_status.started()
        while True:
            self._wake = trio.Event()
            ordered = self._take_ordered()
            if ordered is not None:
                await self._probe_all(ordered)
            elif self._clock.steady() >= self._look_at:
                await self._look()
            self._save()
            due_at = min(self._look_at, self._save_at)
            with trio.move_on_after(max(0.0, due_at - self._clock.steady())):
                if self._ordered is None:
                    await self._wake.wait()

    async def _look(self) -> None:
        """Begin a run for one thing that is unknown, where that is allowed and all is quiet."""
        now, policy = self._clock.now(), self.policy
        self._look_at = self._clock.steady() + policy.look_s
        if not policy.automatic or not self._may_begin():
            return
        for need in self._needs():
            next_at = self._tries.next_at(need, now)
            if next_at is None or next_at > now:
                continue
            wish = Wish(lights=policy.lights)
            found = planning.plan(
                wish, self._devices, self.forwarders, self._dispatch_policy, now, only=[need]
            )
            lights = tuple(one for one in found.lights if self._air_is_free(one))
            if not lights:
                continue
            await self._store_writer.commit([self._tries.begin(need, now)])
            log.info("probing", what=planning.words(need), lights=len(lights))
            self._begin(msgspec.structs.replace(found, lights=lights), automatic=True)
            await self._probe_all(msgspec.structs.replace(found, lights=lights))
            self._look_at = self._clock.steady() + policy.look_s
            return

    async def _probe_all(self, plan: Plan) -> None:
        reason, run = None, self.run_now
        if run is None:
            return
        for light in plan.lights:
            if run.automatic and not self._nothing_waits():
                reason = WORK
                break
            result = await self._probe(light)
            results = (*run.results, result)
            self.run_now = run = msgspec.structs.replace(run, results=results)
            if run.automatic and result.outcome is Outcome.COMMANDED:
                reason = WORK
                break
        self._end(run, reason)
        self._save(at_once=True)

    async def _probe(self, light: Candidate) -> ProbeResult:
        """One light, until nothing of it is on its way any more."""
        course = Course(light)
        await self._spaced(light)
        self._course = (light.dev_eui, course)
        try:
            refusal = await self._ask(light)
            if refusal is not None:
                return course.result(self._clock.now(), Outcome.NOT_BEGUN, refusal)
            device = await self._board.wait_device(
                light.dev_eui, _is_over, self.policy.probe_most_s
            )
            commanded = device is not None and device.command is not None
            outcome = Outcome.COMMANDED if commanded else None
            return course.result(self._clock.now(), outcome)
        finally:
            self._course = None

    async def _spaced(self, light: Candidate) -> None:
        """A light that comes again is given its rest."""
        device = self._devices.get(light.dev_eui)
        if device is not None and device.last_frame_at is not None:
            rest_s = device.last_frame_at + self._dispatch_policy.spacing_s - self._clock.now()
            await trio.sleep(min(max(rest_s, 0.0), self._dispatch_policy.spacing_s))

    async def _ask(self, light: Candidate) -> str | None:
        """Why it was not begun; None where it was."""
        reply: Reply[str] = Reply()
        offer = self._post(light.dev_eui, ProbeRequested("calibration", reply))
        if offer is not Offer.ACCEPTED:
            return "it is not known" if offer is None else "its actor takes nothing now"
        try:
            answer = await reply.wait(self.policy.reply_timeout_s)
        except ActorError as error:
            return str(error) or "its actor did not answer in time"
        return None if answer == ASKED else answer

    # ---------------------------------------------------------------- how

    def _take_ordered(self) -> Plan | None:
        ordered, self._ordered = self._ordered, None
        return ordered

    @property
    def _devices(self) -> Mapping[str, Device]:
        return self._board.devices

    def _needs(self) -> list[Need]:
        return planning.needs(
            self._devices, self.forwarders, self._dispatch_policy, self.policy.lights
        )

    def _begin(self, plan: Plan, *, automatic: bool) -> CalibrationRun:
        run = self.run_now = CalibrationRun(
            id=self._new_id(),
            automatic=automatic,
            state=RunState.RUNNING,
            reason=None,
            started_at=self._clock.now(),
            ended_at=None,
            total=len(plan.lights),
        )
        return run

    def _end(self, run: CalibrationRun, reason: str | None) -> CalibrationRun:
        state = RunState.DONE if reason is None else RunState.STOPPED
        ended = self.run_now = msgspec.structs.replace(
            run, state=state, reason=reason, ended_at=self._clock.now()
        )
        measured = sum(one.outcome is Outcome.MEASURED for one in run.results)
        log.info("probed", lights=len(run.results), measured=measured, stopped=reason)
        return ended

    def _nothing_waits(self) -> bool:
        known = self._dispatch()
        return not (known.waiting or known.in_flight or known.trouble) and not self._paused()

    def _may_begin(self) -> bool:
        """Whether all was quiet for a while."""
        steady, known = self._clock.steady(), self._dispatch()
        if not self._nothing_waits() or not self._store_writer.healthy:
            self._quiet_since = None
            return False
        frames = known.queued + known.transmitted
        if self._quiet_since is None or frames != self._frames:
            self._quiet_since, self._frames = steady, frames
            self._look_at = steady + self.policy.quiet_s
        return steady - self._quiet_since >= self.policy.quiet_s

    def _air_is_free(self, light: Candidate) -> bool:
        """Whether its gateways have air enough left for commands."""
        for gateway_id in light.gateway_ids:
            view = self._board.gateways.get(gateway_id)
            if view is None or view.airtime_budget_s is None:
                continue
            if view.airtime_used_s > self.policy.air_share_most * view.airtime_budget_s:
                return False
        return True

    def _save(self, *, at_once: bool = False) -> None:
        steady = self._clock.steady()
        if steady < self._save_at and not at_once:
            return
        self._save_at = steady + SAVE_S
        now = self._clock.now()
        records = self.forwarders.unsaved()
        self._store_writer.offer(
            [Put(Table.META, key, stamped(value), now) for key, value in records.items()]
        )


def _is_over(device: Device) -> bool:
    """Nothing of the probe is on its way, or something else is wanted of the light."""
    busy = device.command is not None or device.phase is not Phase.IDLE
    return busy or device.attempt is None
