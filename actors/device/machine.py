"""The life of one light, as a pure function: (device, event, now, chance) -> (device, effects).

Theory
------
Lamplighter knows nothing for certain about a light but what the light itself says. Commands go out
through a queue, a gateway and the air, each of which loses things without a word; so the machine
never concludes from having sent, only from having heard.

* What was heard: the *session* (one life between two joins), the newest *report* of that session,
  and which gateways hear the light. `hearing.py` places every uplink before it is believed.
* What is wanted: a colour, by a *command*. To bring a light to it is a *pursuit*; it carries one
  *attempt* at a time, held, queued or transmitted. `pursuit.py` says when it is proven: a status of
  this session, heard after the frame was queued, repeats all five bytes and counts more downlinks
  than before. A queue id, a txack, an empty queue prove nothing.
* What the light must be told first after a join: its settings, in `setup.py`.

    uninitialized    no status of this session yet; nothing is sent, for nothing would be delivered
    initializing     the settings are on their way, one frame at a time
    idle             nothing is wanted, or the light shows it
    awaiting_verify  an attempt is out: held, queued or transmitted; its window runs from the
                     estimated end of transmission
    retrying         the attempt is unproven; ChirpStack is asked whether only the answer's webhook
                     was lost; the next attempt waits for its time or for evidence
    failed           the timed attempts are unproven; only evidence tries again

No record in which something is pursued may be without something that wakes it: `wakefulness.py`
says what may, and takes up again what is found without.

Time drives the first three attempts, for bad luck passes by itself. After that it is an outage far
more likely than luck, so only *evidence* starts another: a status that shows another state, a join
followed by its first uplink, a gateway that hears the light coming back. Evidence never waits for a
timer, and is itself spaced, for air is scarce.

Every event is legal in every phase: the table below is total, and each cell names the phases that
may follow, which `apply` checks. The state diagram in the documentation is drawn from this table.
The machine does no I/O and reads no clock; `now` is our clock (Unix seconds), `chance` one draw
from [0, 1) for jitter and markers. An event's own `at` is ChirpStack's clock: it dates the event,
and is only ever compared with other times of ChirpStack.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from actors.device import (
    clock_set_back,
    deadlines,
    deduplication,
    handlers,
    recovery,
    requests,
    sessions,
)
from actors.device import events as ev
from actors.device.effects import Effect
from actors.device.liveness import heal
from actors.device.model import Device, Phase
from actors.device.policy import Policy
from actors.device.transition import Transition
from actors.device.waiting_reason import waits

Handler = Callable[[Transition, Any], None]

U, N, I, A, R, F = (  # noqa: E741 - one letter a phase keeps the table readable
    Phase.UNINITIALIZED,
    Phase.INITIALIZING,
    Phase.IDLE,
    Phase.AWAITING_VERIFY,
    Phase.RETRYING,
    Phase.FAILED,
)
ANY = frozenset(Phase)


class Rule(NamedTuple):
    """One cell of the table: what deals with the event, and the phases that may follow."""

    handler: Handler
    after: frozenset[Phase]


def _row(handler: Handler, **after: tuple[Phase, ...]) -> Mapping[Phase, Rule]:
    """One event: the same handler in every phase; `after` adds to staying in the phase."""
    return {p: Rule(handler, frozenset({p, *after.get(p.name.lower(), ())})) for p in Phase}


def _inquired(transition: Transition, event: ev.Inquired) -> None:
    """What ChirpStack still knows is more of the same events; most will be duplicates."""
    asked = recovery.begin_answer(transition, event)
    if asked is None:
        return
    sessions.believe_activation(transition, asked, event.activation)
    transition.answering = event
    for retained in deduplication.worth_telling(transition.device, event.events):
        transition.happened_at = transition.dated(retained.at)
        apply(transition, retained)
    transition.answering, transition.happened_at = None, transition.now
    sessions.found_disabled(transition, event.disabled)
    deadlines.after_inquiry(transition, event)


TABLE: Mapping[type[ev.DeviceEvent], Mapping[Phase, Rule]] = {
    # from people and programs
    ev.CommandRequested: _row(
        requests.command, idle=(A, N), retrying=(A, N), failed=(A, N), awaiting_verify=(A, N)
    ),
    ev.InitializeRequested: _row(
        requests.initialize, idle=(N,), awaiting_verify=(N,), retrying=(N,), failed=(N,)
    ),
    ev.StatusRequested: _row(requests.ask_status),
    # from the network
    ev.UplinkHeard: _row(
        handlers.uplink,
        uninitialized=(N,),
        initializing=(U, I, A, R, F),
        idle=(U, N, A),
        awaiting_verify=(U, N, I, R, F),
        retrying=(U, N, I, A),
        failed=(U, N, I, A),
    ),
    ev.Joined: _row(
        handlers.joined,
        initializing=(U,),
        idle=(U,),
        awaiting_verify=(U,),
        retrying=(U,),
        failed=(U,),
    ),
    ev.Transmitted: _row(handlers.transmitted),
    ev.ItemDropped: _row(handlers.item_dropped, awaiting_verify=(R, I, F), initializing=(R, F)),
    ev.GatewayRefusedFrame: _row(handlers.gateway_refused),
    # from the directory
    ev.Listed: _row(sessions.listed),
    # from the dispatcher
    ev.AttemptHeld: _row(handlers.held),
    ev.AttemptWaits: _row(waits),
    ev.AttemptQueued: _row(
        handlers.queued, awaiting_verify=(I, U), initializing=(U, I, A, R, F), idle=(U,)
    ),
    ev.AttemptRefused: _row(handlers.refused, awaiting_verify=(I, R, F), initializing=(R, F)),
    ev.DispatcherStarted: _row(handlers.dispatcher_started),
    # from the gateway watcher
    ev.GatewayHealthChanged: _row(handlers.gateway_health, retrying=(A, N), failed=(A, N)),
    ev.GatewayReturned: _row(handlers.gateway_returned, retrying=(A,)),
    # answers of ChirpStack: each is more of the events above
    ev.Inquired: {phase: Rule(_inquired, ANY) for phase in Phase},
    # from ourselves
    ev.Tick: _row(
        deadlines.tick,
        initializing=(I, A, R, F),
        awaiting_verify=(R, I, F),
        retrying=(A, F, I, N),
        failed=(I, A),
    ),
    ev.Restored: _row(deadlines.restored),
    ev.Swept: _row(deadlines.swept, idle=(N,)),
}


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


HEALING = ev.Restored | ev.Swept | ev.CommandRequested | ev.InitializeRequested | ev.StatusRequested
"""Before any of these a record that nothing would wake is taken up again (`wakefulness.py`)."""


def apply(transition: Transition, event: ev.DeviceEvent) -> None:
    """Deal with one event by the table, within a turn (an inquiry's answer holds several)."""
    before = transition.device.phase
    rule = TABLE[type(event)][before]
    rule.handler(transition, event)
    after = transition.device.phase
    assert after in rule.after, (  # noqa: S101 - the table is the specification
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
