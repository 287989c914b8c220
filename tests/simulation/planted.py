"""Bugs put into the production code on purpose, to see that the simulation finds them.

Each is what somebody might write by mistake: a few lines, patched in for the time of a `with`.
"""

import contextlib
import math
import re
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import msgspec

from actors.device import (
    deadlines,
    reconcile,
    requests,
    sessions,
    setup,
    verification,
)
from actors.device import events as ev
from actors.device.actor import DeviceActor
from actors.device.command import CommandStatus, StepKind
from actors.device.machine import HANDLERS, next_due, step
from actors.device.model import Device, Phase, Proof, Session, Stage
from actors.device.records import writes_of
from actors.device.transition import Transition
from actors.downlink import results
from actors.downlink.airtime_budget import AirtimeBudget
from actors.downlink.calls import Enqueue
from actors.downlink.dispatcher import Dispatcher
from actors.downlink.in_flight import InFlight
from actors.downlink.queue_check import Behind, Clear
from actors.fleet.translate import translate
from actors.messaging.mailbox import Mailbox
from actors.reasons import Reason, ReasonCode
from lorawan.kuando import Status, parse_uplink
from lorawan.kuando.light_state import LightState
from simulation.harness.scenario import Scenario
from tests.simulation.planting import planted

replace = msgspec.structs.replace


@planted("time to live read as verification")
def time_to_live() -> Iterator[None]:
    def expire(transition: Any) -> None:
        command = transition.device.command
        if command is not None and transition.now >= command.expires_at:
            transition.command_step(
                StepKind.VERIFIED, CommandStatus.VERIFIED, ended_at=transition.now
            )
            transition.change(pursuit=None)

    with patch.object(deadlines, "_expire", expire):
        yield


@planted("baseline 0 and no fence when nothing is known")
def baseline_zero() -> Iterator[None]:
    def proof_from(device: Any, dev_addr: str, fence: int) -> Proof:
        return Proof(dev_addr, 0, 0)

    with (
        patch.object(verification, "proof_from", proof_from),
        patch.object(setup, "proof_from", proof_from),
    ):
        yield


@planted("counter not reset at a join")
def counter_kept() -> Iterator[None]:
    def begin_session(transition: Any, dev_addr: str, at: float, *, joined: bool = False) -> None:
        ended = transition.device.session
        previous = () if ended is None else (ended.dev_addr, *ended.previous)[:4]
        kept = -1 if ended is None else ended.f_cnt
        number = 1 if ended is None else ended.number + 1
        begun = Session(dev_addr, at, f_cnt=kept, previous=previous, number=number, joined=joined)
        transition.close_attempt()
        transition.change(session=begun, setup=None)
        transition.enter(Phase.UNINITIALIZED)

    with patch.object(sessions, "begin_session", begin_session):
        yield


@planted("colour read at the wrong offset")
def wrong_offset() -> Iterator[None]:
    def parse(f_port: int, data: bytes) -> Any:
        report = parse_uplink(f_port, data)
        if isinstance(report, Status):  # red, green, blue: the order of everything but this light
            seen = report.light
            light = LightState(seen.red, seen.blue, seen.green, seen.on, seen.off)
            return replace(report, light=light)
        return report

    with patch("actors.fleet.translate.parse_uplink", parse):
        yield


@planted("flush of an item in flight")
def flush_in_flight() -> Iterator[None]:
    call = Dispatcher._call

    async def flushing(self: Dispatcher, action: Any) -> None:
        if isinstance(action, Enqueue):
            with contextlib.suppress(Exception):
                await self._network.flush(action.dev_eui)
        await call(self, action)

    def judge(look: Any, mark: Any, doubt: Any) -> Any:
        found = JUDGE(look, mark, doubt)
        if isinstance(found, Behind) and look.before is not None:
            return Clear(look.before)
        return found

    with patch.object(Dispatcher, "_call", flushing), patch.object(results, "judge", judge):
        yield


JUDGE = results.judge


@planted("no look before the enqueue")
def no_look() -> Iterator[None]:
    def judge(look: Any, mark: Any, doubt: Any) -> Any:
        found = JUDGE(look, mark, doubt)
        return Clear(look.before) if look.before is not None else found

    with patch.object(results, "judge", judge):
        yield


@planted("persist after enqueue")
def persist_late() -> Iterator[None]:
    async def deal_with(self: Any, event: Any) -> None:
        ports, before = self._ports, self.device
        now = ports.clock.now()
        device, effects = step(before, event, now, ports.rng.random(), ports.policy)
        self.device = device
        self._show(effects)
        self._let_out(effects)
        if device is not before or effects:
            self._steps += 1
            entry = f"{ports.boot}-{self._steps}"
            await ports.store_writer.commit(writes_of(device, effects, event, now, entry))
        reply = getattr(event, "reply", None)
        if reply is not None:
            reply.resolve("accepted")

    with patch.object(DeviceActor, "_deal_with", deal_with):
        yield


@planted("retry counted while held")
def counted_while_held() -> Iterator[None]:
    def due(device: Device, policy: Any) -> float | None:
        sent = device.attempt
        awaited = device.phase is Phase.AWAITING_VERIFY
        if awaited and sent is not None and sent.stage is Stage.HELD:
            return sent.submitted_at + policy.window_s
        return next_due(device, policy)

    def attempt_due(transition: Any, sent: Any) -> None:
        if transition.device.phase is Phase.AWAITING_VERIFY:
            reconcile.unproven(transition, Reason(ReasonCode.NO_ANSWER_IN_WINDOW))
        else:
            ATTEMPT_DUE(transition, sent)

    def tick(transition: Any, event: Any) -> None:
        sent = transition.device.attempt
        if (
            sent is not None
            and sent.stage is Stage.HELD
            and transition.now >= sent.submitted_at + transition.policy.window_s
            and transition.device.phase is Phase.AWAITING_VERIFY
        ):
            reconcile.unproven(transition, Reason(ReasonCode.NO_ANSWER_IN_WINDOW))
        else:
            TICK(transition, event)

    with (
        patch("actors.device.actor.next_due", due),
        patch.object(deadlines, "_attempt_due", attempt_due),
        patch.dict(HANDLERS, {ev.Tick: tick}),  # type: ignore[call-overload]
    ):
        yield


ATTEMPT_DUE = deadlines._attempt_due
TICK = deadlines.tick


@planted("late echo of an older command accepted")
def late_echo() -> Iterator[None]:
    def proven(device: Any, goal: Any) -> bool:
        report, session = device.report, device.session
        return (
            goal.proof is not None
            and report is not None
            and session is not None
            and report.light == goal.goal
        )

    def place(device: Any, event: Any) -> Any:
        found = PLACE(device, event)
        late = {
            sessions.SessionPlace.STALE,
            sessions.SessionPlace.DUPLICATE,
            sessions.SessionPlace.DOUBTFUL,
        }
        return sessions.SessionPlace.NEWER if found in late else found

    with patch.object(verification, "proven", proven), patch.object(sessions, "place", place):
        yield


PLACE = sessions.place


@planted("an echo is proof whatever its counter")
def no_counter() -> Iterator[None]:
    def proven(device: Any, goal: Any) -> bool:
        report = device.report
        return report is not None and report.light == goal.goal

    with patch.object(verification, "proven", proven):
        yield


COMMAND = requests.command


@planted("superseded, and still pursued")
def old_pursued() -> Iterator[None]:
    def command(transition: Any, event: Any) -> None:
        before = transition.device.pursuit
        COMMAND(transition, event)
        if before is not None and transition.device.pursuit is not None:
            transition.change(pursuit=replace(before, command_id=event.command_id))

    with patch.dict(HANDLERS, {ev.CommandRequested: command}):  # type: ignore[call-overload]
        yield


@planted("drift is not brought back")
def no_restore() -> Iterator[None]:
    def never(transition: Any) -> bool:
        return False

    with patch.object(reconcile, "restore_if_drifted", never):
        yield


@planted("failed is told although it is shown")
def failed_though_shown() -> Iterator[None]:
    def enter_failed(transition: Any) -> None:
        transition.enter(Phase.FAILED)

    with (
        patch.object(reconcile, "enter_failed", enter_failed),
        patch.object(setup, "enter_failed", enter_failed),
    ):
        yield


def scene_of(name: str, drawn: Scenario) -> Scenario:
    """Where a planted bug is looked for: the swarm's own draw, but for those that hardly a draw can
    show. To be told a failure while the light shows the colour, everybody has to ask for the colour
    that it shows already, and most answers have to be lost. To flush an item in flight, the process
    has to be killed and be back within the second or two that the item takes."""
    match name:
        case "failed is told although it is shown":
            return replace(
                drawn,
                people=replace(drawn.people, colours=1, command_every_s=120.0),
                world=replace(drawn.world, uplink_loss=0.6),
            )
        case "flush of an item in flight":
            return replace(
                drawn,
                people=replace(drawn.people, command_every_s=60.0),
                service=replace(drawn.service, kill_every_s=60.0, down_s=(0.1, 1.0)),
            )
        case _:
            return drawn


@planted("a lost webhook is never asked for")
def no_replay() -> Iterator[None]:
    def ask(transition: Any, why: str, **how: Any) -> None:
        del transition, why, how

    with contextlib.ExitStack() as stack:
        for name in sorted(sys.modules):
            if name.startswith("actors.device.") and hasattr(sys.modules[name], "ask"):
                stack.enter_context(patch.object(sys.modules[name], "ask", ask))
        yield


@planted("airtime forgotten")
def airtime_forgotten() -> Iterator[None]:
    def fits(self: Any, gateways: Any, seconds: float, now: float) -> bool:
        del self, gateways, seconds, now
        return True

    def room_at(self: Any, gateways: Any, seconds: float, now: float) -> float:
        del self, gateways, seconds
        return now

    with (
        patch.object(AirtimeBudget, "fits", fits),
        patch.object(AirtimeBudget, "room_at", room_at),
        patch.object(InFlight, "crowded", lambda self, gateways: False),
    ):
        yield


@planted("a poisoned message is handled again")
def poison_returns() -> Iterator[None]:
    def crash(self: Any) -> Any:
        self.restore()

    with patch.object(Mailbox, "crash", crash):
        yield


@planted("a full mailbox grows")
def mailbox_grows() -> Iterator[None]:
    offer = Mailbox.offer

    def grown(self: Any, message: Any) -> Any:
        if re.fullmatch("[0-9a-f]{16}", self.name):  # a light's
            self._capacity = self._send._state.max_buffer_size = math.inf
        return offer(self, message)

    with patch.object(Mailbox, "offer", grown):
        yield


@planted("a light crashes on a duplicate")
def crash_on_duplicate() -> Iterator[None]:
    def accept_uplink(transition: Any, event: Any) -> bool:
        if sessions.place(transition.device, event) is sessions.SessionPlace.DUPLICATE:
            raise ValueError("seen before")
        return ACCEPT_UPLINK(transition, event)

    with patch.object(sessions, "accept_uplink", accept_uplink):
        yield


ACCEPT_UPLINK = sessions.accept_uplink


@planted("a gateway's clock tells what is a new session")
def gateway_clock() -> Iterator[None]:
    """As 0.1.0 did: a replayed older uplink whose time is younger than the newest's, as the gateway
    has it, and whose counters are lower, was taken for another session with the same DevAddr."""

    def translated(event: Any) -> Any:
        at = getattr(event, "gateway_at", None)
        return TRANSLATE(event if at is None else replace(event, at=at))

    def place(device: Any, event: Any) -> Any:
        session, report = device.session, device.report
        if session is None:
            return sessions.SessionPlace.NEW_SESSION
        if event.dev_addr != session.dev_addr:
            if event.at <= max(session.since, session.heard_at):
                known = event.dev_addr in session.previous
                return sessions.SessionPlace.STALE if known else sessions.SessionPlace.DOUBTFUL
            known = event.dev_addr in session.previous
            return sessions.SessionPlace.DOUBTFUL if known else sessions.SessionPlace.NEW_SESSION
        status = event.status
        if (
            status is not None
            and report is not None
            and report.dev_addr == session.dev_addr
            and event.at > session.heard_at
            and status.uplinks_sent < report.uplinks_sent
            and status.downlinks_received <= report.downlinks_received
        ):
            return sessions.SessionPlace.NEW_SESSION
        if event.f_cnt > session.f_cnt:
            return sessions.SessionPlace.NEWER
        same = event.f_cnt == session.f_cnt
        return sessions.SessionPlace.DUPLICATE if same else sessions.SessionPlace.STALE

    def begin_session(transition: Any, dev_addr: str, at: float, *, joined: bool = False) -> None:
        """The phase was left to the caller, who knew a new session by its date alone."""
        before, phase = transition.device.session, transition.device.phase
        BEGIN_SESSION(transition, dev_addr, at, joined=joined)
        if before is not None and before.since == at:
            transition.change(phase=phase)

    def placed(device: Any, event: Any, answer: Any) -> Any:
        del answer
        return place(device, event)

    with (
        patch("actors.fleet.fleet.translate", translated),
        patch("actors.wiring.translate", translated),
        patch.object(sessions, "place", place),
        patch.object(sessions, "place_replayed", placed),
        patch.object(sessions, "begin_session", begin_session),
        patch.object(Transition, "dated", lambda self, at: self.now if at is None else at),
    ):
        yield


TRANSLATE = translate
BEGIN_SESSION = sessions.begin_session


@planted("orders by the time of arrival")
def by_arrival() -> Iterator[None]:
    def place(device: Any, event: Any) -> Any:
        if device.session is not None and event.dev_addr == device.session.dev_addr:
            return sessions.SessionPlace.NEWER
        return PLACE(device, event)

    with patch.object(sessions, "place", place):
        yield


@planted("news of a gateway is lost to a crash")
def news_lost() -> Iterator[None]:
    async def catch_up(self: Any) -> None:
        del self

    with patch.object(DeviceActor, "_catch_up", catch_up):
        yield
