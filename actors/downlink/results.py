"""What follows from the answers of ChirpStack to looks and enqueues.

An enqueue of unknown outcome is in doubt until a look at the queue settles it; until then its light
gets nothing else.
"""

import msgspec

from actors.device.events import (
    AttemptNotSent,
    AttemptQueued,
    AttemptRefused,
    AttemptTransmitted,
)
from actors.device.model import Obstacle
from actors.downlink import end_reasons, hold_reasons
from actors.downlink.breaker import backoff_s
from actors.downlink.calls import CallFailed, Enqueued, Failure, Looked, Outcome
from actors.downlink.device_state import Call, DeviceDownlinks
from actors.downlink.in_flight import Item
from actors.downlink.network_events import settle_early
from actors.downlink.pending import Hold, PendingAttempt, QueuePlace
from actors.downlink.queue_check import (
    Adopt,
    AlreadySent,
    Behind,
    Clear,
    Disabled,
    Doubt,
    NotClassC,
    Unheard,
    judge,
    moved,
)
from actors.downlink.queue_check import foreign as is_foreign
from actors.downlink.state import DispatchState
from lorawan.network import QueueItem

NO_ANSWER = frozenset({Failure.UNAVAILABLE, Failure.TIMEOUT, Failure.INTERMEDIARY})
UNKNOWN_EFFECT = NO_ANSWER - {Failure.UNAVAILABLE} | {Failure.FAULT}


def answered(
    state: DispatchState, dev_eui: str, stamp: int, outcome: Outcome, now: float, chance: float
) -> None:
    """A call ended. `chance` from [0, 1) is for the jitter of a backoff."""
    device = state.device(dev_eui)
    call = device.call
    if call is None or call.stamp != stamp:
        return  # of an incarnation before; it is in doubt already
    device.call = None
    state.calls -= 1
    match outcome:
        case Looked():
            state.breaker.answered(now, enqueue=False)
            _looked(state, dev_eui, device, call, outcome, now)
        case Enqueued(item_id):
            state.breaker.answered(now, enqueue=True)
            _enqueued(state, dev_eui, device, item_id, now)
        case CallFailed():
            _tell_breaker(state, call, outcome, now, chance)
            _failed(state, dev_eui, device, call, outcome, now, chance)
    one = state.pending.get(dev_eui)
    if one is None or one.place is not QueuePlace.READY:
        state.breaker.abandon(stamp)
    state.place_again(dev_eui, now)


def cut_off(state: DispatchState, now: float) -> None:
    """The shell crashed: every call under way has an unknown outcome."""
    for dev_eui, device in state.devices.items():
        call, device.call = device.call, None
        if call is not None and call.enqueue:
            _end_enqueue(state, dev_eui, device, in_doubt=True, now=now)
        if call is not None and device.unsettled is not None:
            state.in_flight.unsettled(device.unsettled, now)
        one = state.pending.get(dev_eui)
        if one is not None and one.place not in {QueuePlace.LATER, QueuePlace.LINE}:
            state.place(one, now)
    state.calls = 0
    state.breaker.abandon()


# ------------------------------------------------------------------ a look


def _looked(
    state: DispatchState,
    dev_eui: str,
    device: DeviceDownlinks,
    call: Call,
    look: Looked,
    now: float,
) -> None:
    device.see_foreign(filter(is_foreign, look.queue), now)
    followed = device.item if device.item is not None else device.unsettled
    if followed is not None:
        _reconcile(state, device, followed, call, look, now)
    one = state.pending.get(dev_eui)
    if one is None or one.stamp != call.stamp:
        return
    one.failures = 0
    doubt, device.doubt = device.doubt, None
    ours = doubt is not None and doubt.is_of(one.attempt.number, one.mark)
    known = None
    if doubt is not None and ours:
        named = None if doubt.txack is None else doubt.txack.queue_item_id
        known = Doubt(doubt.activation, named)
    number = one.attempt.number
    match judge(look, one.mark, known):
        case Adopt(item_id, expires_at, activation):
            state.count("adopted")
            if device.item is None:
                _take_over(state, device, one, item_id, expires_at, activation_of=look, now=now)
            state.queued(one, AttemptQueued(number, item_id, expires_at, activation))
        case AlreadySent(item_id, activation):
            assert doubt is not None  # noqa: S101 - only a doubt is judged so
            state.queued(one, AttemptQueued(number, item_id, doubt.expires_at, activation))
            if doubt.txack is None:
                state.ended(doubt, AttemptTransmitted(number, _only(doubt.gateways)))
            else:
                state.ended(doubt, msgspec.structs.replace(doubt.txack, number=number))
        case Disabled():
            hold = Hold(("disabled",), hold_reasons.DISABLED, now, Obstacle.DISABLED)
            state.hold(one, hold, now + state.policy.recheck_s)
        case NotClassC(profile):
            reason = hold_reasons.not_class_c(profile)
            hold = Hold(("class", profile), reason, now, Obstacle.CLASS_A)
            state.hold(one, hold, now + state.policy.recheck_s)
        case Behind(_, foreign) if foreign is not None:
            _hold_behind_foreign(state, device, one, foreign, now)
        case Behind(until):
            recheck_at = now + state.policy.recheck_s
            gone_at = recheck_at if until is None else until + state.policy.item_grace_s
            again_at = min(gone_at, recheck_at) if gone_at > now else recheck_at
            if device.told_at < call.started_at:  # else its txack came while we asked: look again
                one.again_at = again_at
                state.hold_behind_item(one, now)
        case Unheard(joined):
            reason = hold_reasons.NOT_HEARD if joined else hold_reasons.NEVER_JOINED
            again_at = now + state.policy.unheard_again_s
            state.hold(one, Hold(("unheard", joined), reason, now), again_at)
        case Clear(_, items) if items and _blocks(state, device, look, now):
            _hold_behind_foreign(state, device, one, items[0], now)
        case Clear(activation, _) if state.hears_nothing(one, activation.f_cnt_up):
            hold = Hold(("rx2",), hold_reasons.other_rate(state.rx2.spreading_factor), now)
            state.hold(one, hold, now + state.policy.recheck_s)
        case Clear(activation, items):
            if items:
                state.count("behind_foreign")
            one.activation, one.looked_at, one.hold = activation, now, None
            if state.may_go_at(one) <= now:
                state.pending.move(one, QueuePlace.READY)


def _blocks(state: DispatchState, device: DeviceDownlinks, look: Looked, now: float) -> bool:
    """Whether the head of the queue is somebody else's, and has been for too long: an item that a
    gateway takes is gone within seconds."""
    since = device.foreign_items.get(look.queue[0].id) if look.queue else None
    return since is not None and now - since >= state.policy.foreign_patience_s


def _hold_behind_foreign(
    state: DispatchState, device: DeviceDownlinks, one: PendingAttempt, item: QueueItem, now: float
) -> None:
    """Told when it is clear that no gateway takes it; another look settles it."""
    since = device.foreign_items.get(item.id, now)
    reason = hold_reasons.foreign_item(item, since)
    told_at = since + state.policy.foreign_patience_s
    hold = Hold(("foreign", item.id), reason, told_at, Obstacle.FOREIGN_ITEM)
    state.hold(one, hold, now + state.policy.recheck_s)


def _reconcile(
    state: DispatchState, device: DeviceDownlinks, item: Item, call: Call, look: Looked, now: float
) -> None:
    """Compare what should be in the queue with what is."""
    listed = item.mark.found_in(look.queue)
    if item.id is not None:
        listed = next((other for other in look.queue if other.id == item.id), None)
    if listed is not None:
        item.id = listed.id
        item.in_doubt = False
        if item is device.unsettled:
            state.in_flight.unsettled(item, now + state.policy.recheck_s)
        elif call.stamp == item.token:
            _still_there(state, item, _tried(listed, item), now)
        return
    took = moved(look.after, item.activation)
    one = state.pending.get(item.dev_eui)
    certain = item is device.unsettled or now >= item.expires_at or one is not None
    if item is device.item:
        _left_the_queue(state, device, item, took=took, now=now)
        if one is not None:
            one.hold = None  # it is not behind this any more
    state.settled(device)
    if took:
        device.ends_at = max(device.ends_at, min(now, item.expires_at + item.airtime_s))
        state.count("txacks_missed")
        state.ended(item, AttemptTransmitted(item.number, _only(item.gateways)))
    elif certain:
        state.ended(item, AttemptNotSent(item.number, cause=end_reasons.NOT_TAKEN))
    else:  # it leaves the queue and the counter moves a moment apart: look once more
        state.unsettled(item, now + state.policy.txack_due_s)


def _left_the_queue(
    state: DispatchState, device: DeviceDownlinks, item: Item, *, took: bool, now: float
) -> None:
    if took and now < item.expires_at:
        state.in_flight.taken(item, now)
        gateway_id = _only(item.gateways)
        if gateway_id is not None:
            state.took(gateway_id, now)
    else:
        state.in_flight.over(item, now)
    state.end_of(item)


def _only(gateways: frozenset[str]) -> str | None:
    return next(iter(gateways)) if len(gateways) == 1 else None


def _tried(listed: QueueItem, item: Item) -> bool | None:
    """Whether ChirpStack gave it to a gateway; None where a counter of 0 may mean both."""
    if listed.f_cnt_down > 0:
        return True
    return False if item.activation.f_cnt_down > 0 else None


def _still_there(state: DispatchState, item: Item, tried: bool | None, now: float) -> None:
    before = set(state.suspicion.suspects)
    missed = state.in_flight.still_listed(item, now, tried=tried)
    state.changed_suspects |= state.suspicion.suspects.keys() - before
    if tried is False:
        state.tell_item(item, ("untried",), hold_reasons.untried(item.started_at))
    elif missed:
        suspects = state.suspects_of(item.gateways)
        key = ("untaken", *((one.gateway_id, one.since) for one in suspects))
        reason = hold_reasons.untaken(state.named(item.gateways), suspects, item.started_at)
        state.tell_item(item, key, reason)


def _take_over(
    state: DispatchState,
    device: DeviceDownlinks,
    one: PendingAttempt,
    item_id: str,
    expires_at: float,
    *,
    activation_of: Looked,
    now: float,
) -> None:
    """An item of ours from before this process: it is in flight like any other."""
    assert activation_of.before is not None  # noqa: S101 - nothing is adopted without
    device.item = Item(
        token=state.stamp(),
        dev_eui=one.dev_eui,
        number=one.attempt.number,
        mark=one.mark,
        gateways=state.carriers_of(one.route),
        paced_by=state.paced_gateways_of(one.route),
        airtime_s=one.airtime_s,
        answer_s=one.answer_s,
        started_at=now,
        expires_at=expires_at,
        heard_at=one.heard_at,
        activation=activation_of.before,
        id=item_id,
    )
    state.in_flight.start(device.item)


# ------------------------------------------------------------------ an enqueue


def _enqueued(
    state: DispatchState, dev_eui: str, device: DeviceDownlinks, item_id: str, now: float
) -> None:
    item = device.item
    assert item is not None  # noqa: S101 - in flight since its enqueue began, for 30 s
    item.id = item_id
    state.in_flight.arrived(item, now)
    one = state.pending.get(dev_eui)
    if one is not None and item.is_of(one.attempt.number, one.mark):
        news = AttemptQueued(item.number, item_id, item.expires_at, item.activation)
        state.queued(one, news)
    settle_early(state, dev_eui, device, now)


def _end_enqueue(
    state: DispatchState, dev_eui: str, device: DeviceDownlinks, *, in_doubt: bool, now: float
) -> None:
    item = device.item
    if item is None:
        return
    if in_doubt:
        item.in_doubt = True
        device.doubt = item
        device.settled_at = now + state.policy.settle_s
        state.in_flight.look_again(item, device.settled_at)
    else:
        state.in_flight.never_was(item)
        state.end_of(item)
    settle_early(state, dev_eui, device, now)


# ------------------------------------------------------------------ failures


def _tell_breaker(
    state: DispatchState, call: Call, failed: CallFailed, now: float, chance: float
) -> None:
    kind = failed.failure
    # Forbidden after a look that was allowed: the key is read-only, which concerns every light.
    read_only = kind is Failure.FORBIDDEN and call.enqueue
    if kind in NO_ANSWER:
        instead = failed.text if kind is Failure.INTERMEDIARY else None
        state.breaker.unanswered(call.stamp, call.started_at, now, chance, instead=instead)
    elif kind is Failure.REFUSED or read_only:
        state.breaker.refused(failed.text, now, enqueue=call.enqueue)
    else:
        state.breaker.answered(now, enqueue=call.enqueue)


def _failed(
    state: DispatchState,
    dev_eui: str,
    device: DeviceDownlinks,
    call: Call,
    failed: CallFailed,
    now: float,
    chance: float,
) -> None:
    policy, kind = state.policy, failed.failure
    state.count(f"failed_{kind.value}")
    in_doubt = call.enqueue and kind in UNKNOWN_EFFECT
    if call.enqueue:
        _end_enqueue(state, dev_eui, device, in_doubt=in_doubt, now=now)
    if device.unsettled is not None:
        _not_learned(state, device, device.unsettled, failed, now)
    one = state.pending.get(dev_eui)
    if one is None or one.stamp != call.stamp:
        return
    match kind:
        case Failure.UNAVAILABLE | Failure.TIMEOUT | Failure.INTERMEDIARY:
            one.failures += 1
            one.again_at = now + backoff_s(one.failures, policy, chance)
        case Failure.FAULT | Failure.INVALID if kind is Failure.FAULT or not call.enqueue:
            one.faults += 1
            again_at = now + backoff_s(one.faults, policy, chance, policy.denied_most_s)
            if one.faults <= policy.faults_most:
                one.again_at = again_at
            else:
                state.hold(one, Hold(("fault",), hold_reasons.fault(failed.text), now), again_at)
        case Failure.FORBIDDEN if not call.enqueue:
            one.faults += 1
            again_at = now + backoff_s(one.faults, policy, chance, policy.denied_most_s)
            reason = hold_reasons.forbidden(failed.text)
            state.hold(one, Hold(("forbidden",), reason, now, Obstacle.DENIED), again_at)
        case Failure.REFUSED | Failure.FORBIDDEN:
            pass  # back in line, where the breaker holds it
        case Failure.UNKNOWN:
            state.refuse(one, end_reasons.unknown(failed.text))
        case Failure.INVALID:
            state.refuse(one, end_reasons.invalid(failed.text))


def _not_learned(
    state: DispatchState, device: DeviceDownlinks, item: Item, failed: CallFailed, now: float
) -> None:
    """A look that was to tell what became of an item: another one, unless the light is gone."""
    if failed.failure is Failure.UNKNOWN:
        state.settled(device)
        state.ended(item, AttemptRefused(item.number, cause=end_reasons.unknown(failed.text)))
    else:
        state.in_flight.unsettled(item, now + state.policy.recheck_s)
