"""What ChirpStack tells of frames: txacks, items thrown away, refusals of gateways.

Each comes here first. It is accounted for, and told to the light: a txack with the attempt whose
frame it was, if that was told to be queued. What an answer to an inquiry replays is of the past: it
ends an item only by the item's id, and of what is long over only the spacing is learned.
"""

import msgspec

from actors.device.events import (
    AttemptNotSent,
    AttemptRefused,
    Inquired,
    ItemDropped,
    Transmitted,
)
from actors.downlink import end_reasons, hold_reasons
from actors.downlink.calls import Tell
from actors.downlink.device_state import DeviceDownlinks, Fate
from actors.downlink.in_flight import Item
from actors.downlink.state import DispatchState

EXPIRED = "EXPIRED"
"""The code of an item that no gateway took in its life; any other means that none ever could."""

LOCK_SLACK_S = 0.5
"""Beyond ChirpStack's lock of 5 s: de-duplication and the ways."""
BUSY = frozenset(
    {"QUEUE_FULL", "COLLISION_PACKET", "COLLISION_BEACON", "TOO_LATE", "DUTY_CYCLE_OVERFLOW"}
)
"""Refusals of a gateway that was given frames too fast; the others are of its settings."""


def transmitted(
    state: DispatchState, dev_eui: str, told: Transmitted, now: float, date_ahead_s: float = 0.0
) -> None:
    """A gateway took a frame for this light: ours by its id, or perhaps the one in doubt. Its dates
    are `date_ahead_s` ahead."""
    device = state.device(dev_eui)
    known = told.queue_item_id in device.settled
    ends_at = now + max(0.0, told.ends_at - told.at)
    if known:  # a copy, or late: it does not begin the spacing anew
        ends_at = min(ends_at, told.ends_at - date_ahead_s)
    device.ends_at = max(device.ends_at, ends_at)
    device.told_at = now
    state.took(told.gateway_id, now)
    state.sent_in(device, told)
    if device.enqueueing and not known and not _may_be(device.item, told):
        device.keep_early(told)  # the light is told when the enqueue has ended
    else:
        state.news.append(Tell(dev_eui, taken_in(state, device, told, now)))
    state.wake(dev_eui, now)


def dropped(state: DispatchState, dev_eui: str, event: ItemDropped, now: float) -> None:
    """ChirpStack threw an item away."""
    state.news.append(Tell(dev_eui, event))
    device = state.device(dev_eui)
    if not thrown_away(state, device, event, now) and device.enqueueing:
        device.keep_early(event)
    state.wake(dev_eui, now)


def refused(state: DispatchState, dev_eui: str, problem: str, now: float) -> None:
    """A gateway would not send a frame for this light: perhaps ours, which nobody names."""
    item = state.device(dev_eui).item
    if item is None or item.id is None or item.dev_eui != dev_eui:
        return
    state.count("frames_refused")
    item.refusal = problem
    # One that spoke just now was to have it in its receive window, between the frames of others.
    if state.pacer is not None and problem in BUSY and now >= item.locked_until:
        state.pacer.refused(item.paced_by, item.airtime_s, now)
    state.in_flight.refused(item, now)
    state.tell_item(item, ("refused", problem), hold_reasons.frame_refused(problem))


def heard(state: DispatchState, dev_eui: str, now: float) -> None:
    """The light sent an uplink."""
    device = state.devices.get(dev_eui)
    if device is not None:
        device.heard_at = now
        if device.item is not None:
            device.item.locked_until = now + state.policy.class_a_lock_s + LOCK_SLACK_S
    if state.pacer is not None:
        state.pacer.heard(dev_eui, now)


def inquired(
    state: DispatchState, dev_eui: str, answer: Inquired, date_ahead_s: float, now: float
) -> None:
    """ChirpStack was asked about this light. Dates in the answer are `date_ahead_s` ahead."""
    device = state.device(dev_eui)
    events = [
        _replayed(state, dev_eui, event, event.ends_at - date_ahead_s, now)
        if isinstance(event, Transmitted)
        else event
        for event in answer.events
    ]
    state.news.append(Tell(dev_eui, msgspec.structs.replace(answer, events=tuple(events))))
    for event in answer.events:
        if isinstance(event, ItemDropped) and thrown_away(state, device, event, now):
            state.wake(dev_eui, now)


def transmitted_before(
    state: DispatchState, dev_eui: str, told: Transmitted, date_ahead_s: float, now: float
) -> None:
    """A txack of a while ago is told only now: as one that an answer replays."""
    found = _replayed(state, dev_eui, told, told.ends_at - date_ahead_s, now)
    state.news.append(Tell(dev_eui, found))


def settle_early(state: DispatchState, dev_eui: str, device: DeviceDownlinks, now: float) -> None:
    """The enqueue has ended: what overtook its reply can be told apart now."""
    early, device.early = device.early, []
    for event in early:
        if isinstance(event, Transmitted):
            state.news.append(Tell(dev_eui, taken_in(state, device, event, now)))
        else:
            thrown_away(state, device, event, now)


def taken_in(
    state: DispatchState, device: DeviceDownlinks, told: Transmitted, now: float
) -> Transmitted:
    """Account for a txack. It comes back with the attempt that it is of."""
    item = device.item
    if told.queue_item_id in device.settled:
        pass  # of an item that is over, and paid
    elif item is not None and _may_be(item, told):
        item.txack = told
        device.settle(told.queue_item_id)
        state.in_flight.acknowledged(item, told, now)
        state.end_of(item)
        fate = state.fate_of(item)
        return told if fate is None else _ends(state, device, fate, told)
    else:
        device.settle(told.queue_item_id)
        state.in_flight.foreign(state.stamp(), told, state.policy.answer_delay_s, now)
        state.count("foreign")
    return _named(state, device, told)


def thrown_away(
    state: DispatchState, device: DeviceDownlinks, event: ItemDropped, now: float
) -> bool:
    """What it means if that item is ours. False if it is not."""
    item = device.item if device.item is not None else device.unsettled
    if item is None or item.id != event.queue_item_id:
        return False
    if item is device.item:
        state.in_flight.over(item, now)
        state.end_of(item)
        device.ends_at = max(device.ends_at, min(item.expires_at, now))
    state.settled(device)
    if event.code == EXPIRED:
        state.ended(item, AttemptNotSent(item.number, cause=end_reasons.EXPIRED))
    else:
        state.ended(item, AttemptRefused(item.number, cause=end_reasons.discarded(event.code)))
    return True


def _replayed(
    state: DispatchState, dev_eui: str, told: Transmitted, ended_at: float, now: float
) -> Transmitted:
    device = state.device(dev_eui)
    ended_at = min(ended_at, now)
    item, fate = device.item, device.fate
    if item is not None and item.id == told.queue_item_id:
        told = taken_in(state, device, told, now)
    elif fate is not None and fate.queued.queue_item_id == told.queue_item_id:
        told = _named(state, device, told)
    if ended_at > device.ends_at:
        device.ends_at = ended_at
        if ended_at + state.policy.spacing_s > now:
            state.wake(dev_eui, now)
    return told


def _may_be(item: Item | None, told: Transmitted) -> bool:
    return item is not None and item.may_be(told)


def _named(state: DispatchState, device: DeviceDownlinks, told: Transmitted) -> Transmitted:
    fate = device.fate
    if fate is None or not fate.names(told):
        return told
    return _ends(state, device, fate, told)


def _ends(
    state: DispatchState, device: DeviceDownlinks, fate: Fate, told: Transmitted
) -> Transmitted:
    """The txack with the attempt that it is of, which from now on has ended by it."""
    named = msgspec.structs.replace(told, number=fate.number)
    fate.ended = named
    fate.queued = msgspec.structs.replace(fate.queued, queue_item_id=told.queue_item_id)
    state.settled(device)
    return named
