"""The dispatcher: the only one that hands downlinks to ChirpStack, and that follows them there.

Nobody waits for it, and it waits for nobody: what it is told is noted and taken up by its own task,
calls to ChirpStack have tasks of their own, and all decisions are the planner's.

The planner lives by the steady time, which nobody sets: durations of the air and of ChirpStack's
queue do not change with the machine's clock. Here dates become steady times on the way in, and
dates again on the way out.
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Container, Sequence
from random import Random

import msgspec
import structlog
import trio

from actors.board.changes import AirtimeUse, PaceTold
from actors.clocks.clock import Clock
from actors.device.events import (
    AttemptHeld,
    AttemptNotSent,
    AttemptQueued,
    AttemptRefused,
    AttemptTransmitted,
    AttemptWaits,
    DeviceEvent,
    Inquired,
    ItemDropped,
    Transmitted,
)
from actors.device.model import Attempt, Hearing
from actors.downlink import call_runner
from actors.downlink.airtime_budget import AirtimeCharge
from actors.downlink.calls import CallFailed, Enqueue, Enqueued, Failure, Look, News, Outcome, Tell
from actors.downlink.hold_reasons import BEING_ASKED
from actors.downlink.inbox import Inbox
from actors.downlink.planner import Planner, WaitingAttempt
from actors.downlink.policy import DispatchPolicy
from actors.downlink.statistics import DispatchStatistics
from actors.downlink.suspicion import Suspect
from actors.link.air_facts import AirFacts
from actors.link.judgement import AttemptJudged
from actors.reasons import Reason, dated, text_of
from lorawan.network import NetworkServer

log = structlog.get_logger()

ASKED_MOST = 1_000
"""Enqueues of which it is remembered when they were asked for, until their txacks: the newest, some
100 bytes each."""


REST = 3.0
"""After planning the dispatcher rests for three times as long as that took: with thousands of
attempts that wait it takes some milliseconds, and what is told meanwhile is planned for in one go.
So it has a quarter of the process at most, however much is told."""
REST_MOST_S = 0.05
"""A quarter of what the shortest frame takes in the air."""
ALLOWED_LOOK_S = 0.5
"""Between two looks at whether it may hand over again: at a date in memory."""


class Dispatcher:
    """The actor. Its state outlives incarnations; `on_started` is called where it did not.

    `post` hands an event to a light's actor and neither waits nor raises. `name_of` gives a
    gateway's name for the reasons that people read; `key_refused` tells whether ChirpStack refused
    our key for a call that names no device. `facts` are what is known of the air; without any the
    pace is fixed. While `may_hand_over` is false nothing is begun: what would be looked at could
    not be followed by an enqueue, and nothing that comes of it could be stored.
    """

    def __init__(
        self,
        network: NetworkServer,
        post: Callable[[str, DeviceEvent], object],
        clock: Clock,
        rng: Random,
        policy: DispatchPolicy | None = None,
        *,
        on_started: Callable[[], None] = lambda: None,
        on_charged: Callable[[list[AirtimeCharge]], None] = lambda charges: None,
        on_suspect: Callable[[str, Suspect | None], None] = lambda gateway_id, suspect: None,
        on_unproven: Callable[[str, bool], None] = lambda gateway_id, unproven: None,
        name_of: Callable[[str], str] = str,
        key_refused: Callable[[], bool] = lambda: False,
        server_ahead_s: Callable[[], float] = lambda: 0.0,
        server_slack_s: Callable[[], float] | None = None,
        facts: AirFacts | None = None,
        may_hand_over: Callable[[], bool] = lambda: True,
    ) -> None:
        self._network = network
        self._post = post
        self._clock = clock
        self._rng = rng
        self._policy = policy if policy is not None else DispatchPolicy()
        self._on_started = on_started
        self._on_charged = on_charged
        self._key_refused = key_refused
        self._on_suspect = on_suspect
        self._on_unproven = on_unproven
        self._may_hand_over = may_hand_over
        self._planner = Planner(self._policy, name_of, facts=facts)
        self._lost = False
        self._inbox = Inbox()
        self._wake = trio.Event()
        self._server_ahead_s = server_ahead_s
        self._server_slack_s = server_slack_s or (lambda: self._policy.clock_slack_s)
        self._asked_at: OrderedDict[str, float] = OrderedDict()
        self._told_last: tuple[Reason, tuple[str, Reason]] = (BEING_ASKED, ("", BEING_ASKED))
        self._told_at = (0.0, 0.0)

    # ---------------------------------------------------------------- what it is told

    def submit(self, dev_eui: str, attempt: Attempt, hearings: Sequence[Hearing]) -> None:
        """Carry out this attempt, in place of an earlier one for this light. Never fails."""
        # Nothing is submitted later than now. Where it is, its process has a clock that is ahead of
        # ours: each takes the engine's at its start, and a fail-over may bring one that differs.
        apart = max(0.0, attempt.submitted_at - self._clock.now())
        ahead = self._clock.stepped_s + apart
        attempt = msgspec.structs.replace(
            attempt,
            submitted_at=attempt.submitted_at - ahead,
            not_before=attempt.not_before - ahead,
            expires_at=_earlier(attempt.expires_at, ahead),
            queued_at=_earlier(attempt.queued_at, ahead),
            item_expires_at=_earlier(attempt.item_expires_at, ahead),
        )
        self._inbox.submissions.put(dev_eui, (attempt, hearings))
        self._wake.set()

    def withdraw(self, dev_eui: str) -> None:
        """Forget what is held for this light. An enqueue under way is not undone."""
        self._inbox.submissions.put(dev_eui, None)
        self._wake.set()

    def holds(self, dev_eui: str) -> bool:
        """Whether an attempt for this light waits here."""
        return self._planner.holds(dev_eui)

    def owes(self, dev_eui: str, number: int, *, queued: bool) -> bool:
        """Whether more is known here of this attempt than that it waits, or is `queued`."""
        return self._planner.owes(dev_eui, number, queued=queued)

    def transmitted(self, dev_eui: str, told: Transmitted) -> None:
        """A txack came for this light, which learns of it from here."""
        self._inbox.told.append((dev_eui, told))
        self._wake.set()

    def transmitted_before(self, dev_eui: str, told: Transmitted) -> None:
        """The same of a txack that is long past: it ends an item only by the item's id, and neither
        the air nor a gateway is judged by it."""
        self._inbox.told_late.append((dev_eui, told))
        self._wake.set()

    def dropped(self, dev_eui: str, event: ItemDropped) -> None:
        """ChirpStack threw away an item of this light, which learns of it from here."""
        self._inbox.told.append((dev_eui, event))
        self._wake.set()

    def inquired(self, dev_eui: str, answer: Inquired) -> None:
        """ChirpStack answered an inquiry about this light, which has the answer from here. One that
        was not yet taken up is of an older question."""
        self._inbox.answers.put(dev_eui, answer)
        self._wake.set()

    def refused(self, dev_eui: str, problem: str) -> None:
        """A gateway would not send a frame for this light."""
        self._inbox.refusals.put(dev_eui, problem)
        self._wake.set()

    def heard(self, dev_eui: str) -> None:
        """The light sent an uplink, whichever."""
        if self._planner.awaits(dev_eui):
            self._inbox.heard.put(dev_eui, self._clock.steady())
            self._wake.set()
        elif self._planner.knows(dev_eui):
            self._inbox.heard.put(dev_eui, self._clock.steady())

    def heard_by(self, dev_eui: str, hearings: Sequence[Hearing], listed: Container[str]) -> None:
        """These gateways hear this light: they must not send at once, whomever they send to. Of one
        that ChirpStack does not list nothing is kept: a forged event may name any."""
        if len(hearings) > 1:
            heard_by = [one.gateway_id for one in hearings if one.gateway_id in listed]
            self._planner.overlap(heard_by, self._clock.steady())
        if self._planner.holds(dev_eui):
            self._inbox.hearings.put(dev_eui, hearings)
            self._wake.set()

    def judged(self, dev_eui: str, told: AttemptJudged) -> None:
        """What became of an attempt for this light whose frame a gateway took."""
        self._inbox.judged.append((dev_eui, told))
        if self._planner.judgement_matters(told):
            self._wake.set()

    def gateway_changed(self, gateway_id: str, online: bool) -> None:
        """A gateway went away, came back, or (online again) ended a silence."""
        self._inbox.gateways.put(gateway_id, online)
        self._wake.set()

    def network_returned(self) -> None:
        """ChirpStack answers again, others found: what is held for it need not wait longer."""
        self._inbox.returned = True
        self._wake.set()

    def queue_flushed(self, dev_eui: str) -> None:
        """Somebody emptied ChirpStack's queue of this light: what it was held for may be over."""
        self._inbox.flushed.add(dev_eui)
        self._wake.set()

    def sent_before(self, gateway_id: str, at: float, airtime_s: float) -> None:
        """A gateway sent for so long from `at` (a steady time) for an earlier run of the service;
        to be told before `run`."""
        self._planner.sent_before(gateway_id, at, airtime_s)

    def in_flight_before(self, hearings: Sequence[Hearing], *, sure: bool) -> None:
        """An item for a light that is heard so is, or may be, in flight since an earlier run of
        the service; to be told before `run`."""
        self._planner.in_flight_before(hearings, self._clock.steady(), sure=sure)

    # ---------------------------------------------------------------- its life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Calls that a crash cut off are looked into, not repeated."""
        if self._lost:
            # The planner itself failed: what it held may be inconsistent, so it begins anew and
            # every light is asked to submit again. Items of before are found by their marks.
            self._planner = self._planner.successor(self._clock.steady())
            for gateway_id in self._inbox.offline:
                self._inbox.gateways.put_older(gateway_id, False)
            self._on_started()
        self._lost = True
        self._planner.cut_off(self._clock.steady())
        self._lost = False
        async with trio.open_nursery() as calls:
            task_status.started()
            while True:
                self._wake = trio.Event()
                began_at = self._clock.steady()
                allowed = self._may_hand_over()
                self._plan(calls, allowed=allowed)
                planned_at = self._clock.steady()
                rest_s = min(REST * (planned_at - began_at), REST_MOST_S)
                due_s = self._planner.wake_at - planned_at if allowed else ALLOWED_LOOK_S
                with trio.move_on_after(max(0.0, due_s)):
                    await self._wake.wait()
                rest_s -= self._clock.steady() - planned_at
                if rest_s > 0.0:
                    await trio.sleep(rest_s)

    def airtime(self, gateway_id: str, now: float) -> AirtimeUse:
        """What its frames took in the sliding hour, and what waits for it."""
        return self._planner.airtime(gateway_id, now - self._clock.stepped_s)

    def suspect(self, gateway_id: str) -> Suspect | None:
        """What speaks against this gateway, if it takes no frames; None while it does."""
        return self._planner.suspect(gateway_id)

    def pace(self, gateway_id: str) -> PaceTold | None:
        """How frames go out through this gateway, and why so; None where the pace is fixed, or
        nothing went out yet."""
        return self._planner.pace(gateway_id)

    def takes_nothing_since(self, gateway_id: str) -> float | None:
        """Since when (Unix seconds) it acknowledged none of its frames; None while it does."""
        suspect = self._planner.suspect(gateway_id)
        return None if suspect is None else suspect.since + self._clock.stepped_s

    def waiting(self) -> Sequence[WaitingAttempt]:
        """All attempts that wait here with their reasons, the next first."""
        ahead = self._clock.stepped_s
        return [
            dataclasses.replace(
                one, submitted_at=one.submitted_at + ahead, reason=self._told(one.reason)[1]
            )
            for one in self._planner.waiting(self._clock.steady())
        ]

    def statistics(self) -> DispatchStatistics:
        """Counters, now."""
        known = self._planner.statistics(self._clock.steady())
        if known.trouble_since is None:
            return known
        since = known.trouble_since + self._clock.stepped_s
        trouble = None if known.trouble is None else self._told(known.trouble)[1]
        return dataclasses.replace(known, trouble_since=since, trouble=trouble)

    def asked_at(self, queue_item_id: str) -> float | None:
        """The steady time at which this item was asked for; None where that is not known (any
        more)."""
        return self._asked_at.get(queue_item_id)

    def look(self) -> None:
        """The clock jumped (the host slept): see what is due."""
        self._wake.set()

    # ---------------------------------------------------------------- how

    def _plan(self, calls: trio.Nursery, *, allowed: bool) -> None:
        self._lost = True  # an error from here on leaves the planner in an unknown state
        self._planner.clock_differs(self._server_slack_s())
        self._inbox.take_up(self._planner, self._clock.steady(), self._clock.stepped_s)
        actions = self._planner.plan(self._clock.steady()) if allowed else ()
        self._lost = False
        charges = self._planner.take_charges()
        if charges:
            self._on_charged(charges)
        rx2 = self._planner.take_rx2()
        if rx2 is not None:
            log.warning(
                "RX2 has another data rate; lights take it over with their uplinks, one by one",
                spreading_factor=rx2.spreading_factor,
                bandwidth_hz=rx2.bandwidth_hz,
            )
        for gateway_id, suspect in self._planner.take_suspects():
            if suspect is None:
                log.info("gateway takes frames again, or is away", gateway_id=gateway_id)
            else:
                log.warning(
                    "gateway acknowledges nothing", gateway_id=gateway_id, frames=suspect.frames
                )
            self._on_suspect(gateway_id, suspect)
        for gateway_id, unproven in self._planner.take_unproven():
            if unproven is None:
                log.info("frames through the gateway are answered again", gateway_id=gateway_id)
            else:
                log.warning(
                    "frames that the gateway took were not answered by anybody",
                    gateway_id=gateway_id,
                    frames=unproven.frames,
                    lights=unproven.lights,
                )
            self._on_unproven(gateway_id, unproven is not None)
        for action in actions:
            match action:
                case Tell(dev_eui, news):
                    self._post(dev_eui, self._dated(news))
                case Look() | Enqueue():
                    calls.start_soon(self._call, action, name=f"dispatcher call {action.dev_eui}")

    def _dated(self, news: News) -> News:
        match news:
            case AttemptQueued():
                expires_at = news.expires_at + self._clock.stepped_s
                return msgspec.structs.replace(news, expires_at=expires_at)
            case AttemptHeld() | AttemptWaits() | AttemptRefused() | AttemptNotSent():
                if news.cause is None:
                    return news
                text, cause = self._told(news.cause)
                return msgspec.structs.replace(news, reason=text, cause=cause)
            case AttemptTransmitted() | Transmitted() | ItemDropped() | Inquired():
                return news

    def _told(self, reason: Reason) -> tuple[str, Reason]:
        """The sentence, and the reason with dates. What many lights are told one after another is
        made once, and kept once."""
        ahead, now = self._clock.stepped_s, self._clock.steady()
        before, told = self._told_last
        if before is not reason or self._told_at != (ahead, now):
            cause = dated(reason, ahead)
            told = (text_of(cause, now + ahead), cause)
            self._told_last, self._told_at = (reason, told), (ahead, now)
        return told

    async def _call(self, call: Look | Enqueue) -> None:
        asked_at = self._clock.steady()
        try:
            outcome: Outcome = await call_runner.make(
                call, self._network, self._policy.call_timeout_s, self._server_ahead_s()
            )
        except Exception as error:
            # One light's trouble is its own: an error that is no network's holds this light back.
            log.exception("call failed", dev_eui=call.dev_eui)
            outcome = CallFailed(Failure.FAULT, f"internal error: {type(error).__name__}")
        match outcome:
            case CallFailed(Failure.FORBIDDEN, text) if self._key_refused():
                # ChirpStack's answer is the same whether the key is revoked or lacks one light.
                outcome = CallFailed(Failure.REFUSED, text)
            case _:
                pass
        if isinstance(outcome, Enqueued):
            self._asked_at[outcome.item_id] = asked_at
            if len(self._asked_at) > ASKED_MOST:
                self._asked_at.popitem(last=False)
        self._lost = True
        self._planner.answered(
            call.dev_eui, call.stamp, outcome, self._clock.steady(), self._rng.random()
        )
        self._lost = False
        self._wake.set()


def _earlier(at: float | None, by_s: float) -> float | None:
    return None if at is None else at - by_s
