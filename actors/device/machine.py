"""The life of one light, as a pure function: (device, event, now, chance) -> (device, effects).

Theory
------
Lamplighter knows nothing for certain about a light but what the light itself says. Commands go out
through a queue, a gateway and the air, each of which loses things without a word; so the machine
never concludes from having sent, only from having heard.

* What was heard: the *session* (one life between two joins), the newest *report* of that session,
  and which gateways hear the light. `sessions.py` places every uplink before it is taken in.
* What is wanted: a colour, by a *command*. To bring a light to it is a *pursuit*; it carries one
  *attempt* at a time, held, queued or transmitted. `verification.py` says when it is proven: a
  status of this session, heard after the frame was queued, repeats all five bytes and counts more
  downlinks than before. A queue id, a txack, an empty queue prove nothing.
* What the light must be told first after a join: its settings, in `setup.py`.

    uninitialized    no status of this session yet; nothing is sent, for nothing would be delivered
    initializing     the settings are on their way, one frame at a time
    idle             nothing is wanted, or the light shows it
    awaiting_verify  an attempt is out: held, queued or transmitted; its window runs from the
                     estimated end of transmission
    retrying         the attempt is unproven; ChirpStack is asked whether only the answer's webhook
                     was lost; the next attempt waits for its time or for evidence
    failed           the timed attempts are unproven; only evidence tries again

No record in which something is pursued may be without something that wakes it: `liveness.py`
says what may, and takes up again what is found without.

Time drives the first attempts, for bad luck passes by itself: as many as are worth their air, by
how long the light has been silent and how many of its frames are lost (`retry_plan.py`). After that
it is an outage far more likely than luck, so only *evidence* starts another: a status that shows
another state, a join followed by its first uplink, a gateway that hears the light coming back.
Evidence never waits for a timer, and is itself spaced, for air is scarce.

Every event is legal in every phase. `HANDLERS` names the function that deals with each event, and
`MAY_FOLLOW` the phases that may come after it. An event has one handler for all phases instead of
one in each cell of a table of events and phases: what a handler decides depends on the attempt and
the goal (is it still open, is the colour proven?) more than on the phase, so each row of such a
table would repeat one name six times. What does depend on event and phase, where they may lead, is
written in `MAY_FOLLOW`; `apply` checks every step against it, and the state diagram in the
documentation is drawn from it.

The machine does no I/O and reads no clock; `now` is our clock (Unix seconds), `chance` one draw
from [0, 1) for jitter and markers. An event's own `at` is ChirpStack's clock: it dates the event,
and is only ever compared with other times of ChirpStack.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from actors.device import (
    attempt_outcomes,
    clock_set_back,
    deadlines,
    deduplication,
    handlers,
    inquiry,
    probing,
    requests,
    sessions,
    withdrawal,
)
from actors.device import events as ev
from actors.device.effects import Effect
from actors.device.liveness import heal
from actors.device.model import Device, Phase
from actors.device.policy import Policy
from actors.device.transition import Transition
from actors.device.waiting_reason import waits

Handler = Callable[[Transition, Any], None]
E = TypeVar("E", bound=msgspec.Struct)


def _handle(
    kind: type[E], handler: Callable[[Transition, E], None]
) -> tuple[type[msgspec.Struct], Handler]:
    """One entry of `HANDLERS`; the type checker refuses a handler of another event here."""
    return kind, handler


def _inquired(transition: Transition, event: ev.Inquired) -> None:
    """What ChirpStack still knows is more of the same events; most will be duplicates."""
    asked = inquiry.begin_answer(transition, event)
    if asked is None:
        return
    sessions.accept_activation(transition, asked, event.activation)
    transition.answering = event
    known = (*event.events, *asked.doubtful)
    for retained in deduplication.worth_telling(transition.device, known):
        transition.happened_at = transition.dated(retained.at)
        apply(transition, retained)
    transition.answering, transition.happened_at = None, transition.now
    sessions.found_disabled(transition, event.disabled)
    deadlines.after_inquiry(transition, event)


HANDLERS: Mapping[type[msgspec.Struct], Handler] = dict(
    (
        # from people and programs
        _handle(ev.CommandRequested, requests.command),
        _handle(ev.WithdrawRequested, withdrawal.withdraw),
        _handle(ev.InitializeRequested, requests.initialize),
        _handle(ev.StatusRequested, requests.ask_status),
        _handle(ev.ProbeRequested, probing.requested),
        # from the network
        _handle(ev.UplinkHeard, handlers.uplink),
        _handle(ev.Joined, handlers.joined),
        _handle(ev.Transmitted, attempt_outcomes.transmitted),
        _handle(ev.ItemDropped, handlers.item_dropped),
        _handle(ev.GatewayRefusedFrame, handlers.gateway_refused),
        # from the directory
        _handle(ev.Listed, sessions.listed),
        # from the dispatcher
        _handle(ev.AttemptHeld, attempt_outcomes.held),
        _handle(ev.AttemptWaits, waits),
        _handle(ev.AttemptQueued, attempt_outcomes.queued),
        _handle(ev.AttemptTransmitted, attempt_outcomes.transmitted_unseen),
        _handle(ev.AttemptNotSent, attempt_outcomes.not_sent),
        _handle(ev.AttemptRefused, attempt_outcomes.refused),
        _handle(ev.DispatcherStarted, attempt_outcomes.dispatcher_started),
        # from the gateway watcher
        _handle(ev.GatewayHealthChanged, handlers.gateway_health),
        _handle(ev.GatewayReturned, handlers.gateway_returned),
        # answers of ChirpStack
        _handle(ev.Inquired, _inquired),
        # from the service itself
        _handle(ev.Tick, deadlines.tick),
        _handle(ev.Restored, deadlines.restored),
        _handle(ev.Swept, deadlines.swept),
    )
)
"""What deals with each event, in every phase."""

U, N, I, A, R, F = (  # noqa: E741 - one letter a phase keeps the table readable
    Phase.UNINITIALIZED,
    Phase.INITIALIZING,
    Phase.IDLE,
    Phase.AWAITING_VERIFY,
    Phase.RETRYING,
    Phase.FAILED,
)

MAY_FOLLOW: Mapping[type[ev.DeviceEvent], Mapping[Phase, tuple[Phase, ...]]] = {
    ev.CommandRequested: {I: (A, N), A: (N,), R: (A, N), F: (A, N)},
    ev.WithdrawRequested: {A: (I,), R: (I, A), F: (I, A)},
    ev.InitializeRequested: {I: (N,), A: (N,), R: (N,), F: (N,)},
    ev.UplinkHeard: {
        U: (N,),
        N: (U, I, A, R, F),
        I: (U, N, A),
        A: (U, N, I, R, F),
        R: (U, N, I, A),
        F: (U, N, I, A),
    },
    ev.Joined: {N: (U,), I: (U,), A: (U,), R: (U,), F: (U,)},
    ev.AttemptQueued: {N: (U, I, A, R, F), I: (U,), A: (U, I)},
    ev.AttemptNotSent: {A: (R,)},
    ev.AttemptRefused: {N: (R, F), A: (I, R, F)},
    ev.GatewayHealthChanged: {R: (N, A), F: (N, A)},
    ev.GatewayReturned: {R: (N, A), F: (N, A)},
    # its answer is more of the events above, and may lead wherever these do
    ev.Inquired: {phase: tuple(Phase) for phase in Phase},
    ev.Tick: {N: (I, A, R, F), A: (I, R, F), R: (N, I, A, F), F: (I, A)},
    ev.Swept: {I: (N,)},
}
"""The phases that an event may lead to, by the phase before it. Staying is always allowed; an event
that is not in the table, and a phase that is not in the event's row, allow nothing else."""


def step(
    device: Device, event: ev.DeviceEvent, now: float, chance: float, policy: Policy
) -> tuple[Device, list[Effect]]:
    """One turn of the machine.

    `now` is Unix seconds on our clock, `chance` one draw from [0, 1). Returns the new device (the
    same object when nothing changed) and the effects, to be carried out in order once the device is
    stored. Never raises for any event in any phase; an AssertionError is a broken table.
    """
    transition = Transition(device, now, chance, policy)
    if isinstance(event, ev.Restored):
        clock_set_back.undo(transition)
    if isinstance(event, HEALING):
        heal(transition)
    apply(transition, event)
    if transition.device is not device:
        transition.change(stepped_at=now)
    return transition.device, transition.effects


HEALING = (
    ev.Restored
    | ev.Swept
    | ev.CommandRequested
    | ev.WithdrawRequested
    | ev.InitializeRequested
    | ev.StatusRequested
)
"""Before any of these a record that nothing would wake is taken up again (`liveness.py`)."""


def apply(transition: Transition, event: ev.DeviceEvent) -> None:
    """Deal with one event within a turn (an inquiry's answer holds several of them).

    Raises AssertionError where the phase after it is not one that `MAY_FOLLOW` allows.
    """
    before = transition.device.phase
    HANDLERS[type(event)](transition, event)
    after = transition.device.phase
    assert after is before or after in MAY_FOLLOW.get(type(event), {}).get(before, ()), (  # noqa: S101
        f"{type(event).__name__} led from {before} to {after}"
    )


def next_due(device: Device, policy: Policy) -> float | None:
    """When the machine must look at the clock again (Unix seconds), or None.

    While an attempt is held no verification runs: its timer only asks whether it is still held.
    """
    due: list[float | None] = [
        device.attempt.due_at if device.attempt is not None else None,
        device.command.expires_at if device.command is not None else None,
    ]
    if device.inquiry is not None:
        due.append(device.inquiry.asked_at + policy.inquiry_again_s)
    elif device.phase is Phase.RETRYING and device.pursuit is not None and device.attempt is None:
        due.append(device.pursuit.next_at)
    if device.phase is Phase.INITIALIZING and device.setup is not None and device.inquiry is None:
        due.append(device.setup.next_at)
    return min((at for at in due if at is not None), default=None)
