"""What follows from the answers of ChirpStack, and from txacks.

The rule it keeps: an enqueue of unknown outcome is in doubt until a look at the queue settles it;
until then its light gets nothing else.
"""

from actors.device.events import AttemptQueued, Transmitted
from actors.device.model import Obstacle
from actors.dispatcher import words
from actors.dispatcher.breaker import backoff_s
from actors.dispatcher.calls import Enqueued, Failed, Failure, Looked, Outcome
from actors.dispatcher.flights import Item
from actors.dispatcher.floor import Floor
from actors.dispatcher.judgement import (
    Adopt,
    Behind,
    Clear,
    Disabled,
    Doubt,
    NotClassC,
    Sent,
    Unheard,
    judge,
    moved,
)
from actors.dispatcher.judgement import foreign as is_foreign
from actors.dispatcher.tracks import Call, Track
from actors.dispatcher.waiting import Hold, Place, Waiting
from lorawan.network import QueueItem

NO_ANSWER = frozenset({Failure.UNAVAILABLE, Failure.TIMEOUT, Failure.INTERMEDIARY})
UNKNOWN_EFFECT = NO_ANSWER - {Failure.UNAVAILABLE} | {Failure.FAULT}


def answered(
    floor: Floor, dev_eui: str, stamp: int, outcome: Outcome, now: float, chance: float
) -> None:
    """A call ended. `chance` from [0, 1) is for the jitter of a backoff."""
    track = floor.track(dev_eui)
    call = track.call
    if call is None or call.stamp != stamp:
        return  # of an incarnation before; it is in doubt already
    track.call = None
    floor.calls -= 1
    match outcome:
        case Looked():
            floor.breaker.answered(now, enqueue=False)
            _looked(floor, dev_eui, track, call, outcome, now)
        case Enqueued(item_id):
            floor.breaker.answered(now, enqueue=True)
            _enqueued(floor, dev_eui, track, item_id, now)
        case Failed():
            _tell_breaker(floor, call, outcome, now, chance)
            _failed(floor, dev_eui, track, call, outcome, now, chance)
    one = floor.room.get(dev_eui)
    if one is None or one.place is not Place.READY:
        floor.breaker.abandon(stamp)
    floor.place_again(dev_eui, now)


def transmitted(floor: Floor, dev_eui: str, told: Transmitted, now: float) -> None:
    """A gateway took a frame for this light: ours by its id, or perhaps the one in doubt."""
    track = floor.track(dev_eui)
    airtime_s = max(0.0, told.ends_at - told.at)
    track.ends_at = max(track.ends_at, now + airtime_s)
    track.told_at = now
    floor.took(told.gateway_id, now)
    floor.sent_in(track, told)
    item = track.item
    if told.queue_item_id in track.settled:
        pass  # of an item that is over: it says nothing of the one in doubt now
    elif item is not None and item.may_be(told):
        _acknowledged(floor, track, item, told, now)
    elif track.enqueueing:
        track.adopt_orphan(told)
    else:
        _foreign(floor, track, told, now)
    floor.wake(dev_eui, now)


def refused(floor: Floor, dev_eui: str, problem: str, now: float) -> None:
    """A gateway would not send a frame for this light: perhaps ours, which nobody names."""
    item = floor.track(dev_eui).item
    if item is None or item.id is None or item.dev_eui != dev_eui:
        return
    floor.count("frames_refused")
    item.refusal = problem
    floor.flights.refused(item, now)
    floor.tell_item(item, ("refused", problem), words.frame_refused(problem))


def cut_off(floor: Floor, now: float) -> None:
    """The shell crashed: every call under way has an unknown outcome."""
    for dev_eui, track in floor.tracks.items():
        call, track.call = track.call, None
        if call is not None and call.enqueue:
            _end_enqueue(floor, track, in_doubt=True, now=now)
        one = floor.room.get(dev_eui)
        if one is not None and one.place not in {Place.LATER, Place.LINE}:
            floor.place(one, now)
    floor.calls = 0
    floor.breaker.abandon()


# ------------------------------------------------------------------ a look


def _looked(floor: Floor, dev_eui: str, track: Track, call: Call, look: Looked, now: float) -> None:
    track.see_strangers(filter(is_foreign, look.queue), now)
    if track.item is not None:
        _reconcile(floor, track, track.item, call, look, now)
    one = floor.room.get(dev_eui)
    if one is None or one.stamp != call.stamp:
        return
    one.failures = 0
    doubt, track.doubt = track.doubt, None
    ours = doubt is not None and doubt.is_of(one.attempt.number, one.mark)
    known = None
    if doubt is not None and ours:
        known = Doubt(one.mark, doubt.activation, doubt.txack_id)
    number = one.attempt.number
    match judge(look, one.mark, known):
        case Adopt(item_id, expires_at, activation):
            floor.count("adopted")
            if track.item is None:
                _take_over(floor, track, one, item_id, expires_at, activation_of=look, now=now)
            floor.queued(one, AttemptQueued(number, item_id, expires_at, activation))
        case Sent(item_id, activation):
            assert doubt is not None  # noqa: S101 - only a doubt is judged so
            floor.queued(one, AttemptQueued(number, item_id, doubt.expires_at, activation))
        case Disabled():
            hold = Hold(("disabled",), words.DISABLED, now, Obstacle.DISABLED)
            floor.hold(one, hold, now + floor.policy.recheck_s)
        case NotClassC(profile):
            text = words.not_class_c(profile)
            hold = Hold(("class", profile), text, now, Obstacle.CLASS_A)
            floor.hold(one, hold, now + floor.policy.recheck_s)
        case Behind(_, foreign) if foreign is not None:
            _hold_behind_foreign(floor, track, one, foreign, now)
        case Behind(until):
            recheck_at = now + floor.policy.recheck_s
            gone_at = recheck_at if until is None else until + floor.policy.item_grace_s
            again_at = min(gone_at, recheck_at) if gone_at > now else recheck_at
            if track.told_at < call.started_at:  # else its txack came while we asked: look again
                one.again_at = again_at
                floor.hold_behind_item(one, now)
        case Unheard(joined):
            text = words.NOT_HEARD if joined else words.NEVER_JOINED
            again_at = now + floor.policy.unheard_again_s
            floor.hold(one, Hold(("unheard", joined), text, now), again_at)
        case Clear(_, items) if items and _blocks(floor, track, look, now):
            _hold_behind_foreign(floor, track, one, items[0], now)
        case Clear(activation, _) if floor.hears_nothing(one, activation.f_cnt_up):
            hold = Hold(("rx2",), words.other_rate(floor.rx2.spreading_factor), now)
            floor.hold(one, hold, now + floor.policy.recheck_s)
        case Clear(activation, items):
            if items:
                floor.count("behind_foreign")
            one.activation, one.looked_at, one.hold = activation, now, None
            if floor.may_go_at(one) <= now:
                floor.room.move(one, Place.READY)


def _blocks(floor: Floor, track: Track, look: Looked, now: float) -> bool:
    """Whether the head of the queue is somebody else's, and has been for too long: an item that a
    gateway takes is gone within seconds."""
    since = track.strangers.get(look.queue[0].id) if look.queue else None
    return since is not None and now - since >= floor.policy.foreign_patience_s


def _hold_behind_foreign(
    floor: Floor, track: Track, one: Waiting, item: QueueItem, now: float
) -> None:
    """Told when it is clear that no gateway takes it; another look settles it."""
    since = track.strangers.get(item.id, now)
    text = words.foreign_item(item, since)
    told_at = since + floor.policy.foreign_patience_s
    hold = Hold(("foreign", item.id), text, told_at, Obstacle.FOREIGN_ITEM)
    floor.hold(one, hold, now + floor.policy.recheck_s)


def _reconcile(
    floor: Floor, track: Track, item: Item, call: Call, look: Looked, now: float
) -> None:
    """Compare what should be in the queue with what is."""
    listed = item.mark.found_in(look.queue)
    if item.id is not None:
        listed = next((other for other in look.queue if other.id == item.id), None)
    if listed is not None:
        item.id = listed.id
        item.in_doubt = False
        if call.stamp == item.token:
            _still_there(floor, item, _tried(listed, item), now)
        return
    took = moved(look.after, item.activation)
    if took and now < item.expires_at:
        floor.flights.taken(item, now)
        if len(item.gateways) == 1:
            floor.took(next(iter(item.gateways)), now)
    else:
        floor.flights.gone(item, now)
        floor.flights.lanes.release(item.token)
    floor.end_of(item)
    one = floor.room.get(item.dev_eui)
    if one is not None:
        one.hold = None  # it is not behind this any more
    if took:
        track.ends_at = max(track.ends_at, now)
        floor.count("txacks_missed")


def _tried(listed: QueueItem, item: Item) -> bool | None:
    """Whether ChirpStack gave it to a gateway; None where a counter of 0 may mean both."""
    if listed.f_cnt_down > 0:
        return True
    return False if item.activation.f_cnt_down > 0 else None


def _still_there(floor: Floor, item: Item, tried: bool | None, now: float) -> None:
    before = set(floor.suspicion.suspects)
    missed = floor.flights.still_listed(item, now, tried=tried)
    floor.changed_suspects |= floor.suspicion.suspects.keys() - before
    if tried is False:
        text = words.untried(item.started_at)
        floor.tell_item(item, ("untried",), text)
    elif missed:
        suspects = floor.suspects_of(item.gateways)
        names = [floor.name_of(one) for one in sorted(item.gateways)]
        key = ("untaken", *((name, one.since) for name, one in suspects))
        floor.tell_item(item, key, words.untaken(names, suspects, item.started_at))


def _take_over(
    floor: Floor,
    track: Track,
    one: Waiting,
    item_id: str,
    expires_at: float,
    *,
    activation_of: Looked,
    now: float,
) -> None:
    """An item of ours from before this process: it is in flight like any other."""
    assert activation_of.before is not None  # noqa: S101 - nothing is adopted without
    track.item = Item(
        token=floor.stamp(),
        dev_eui=one.dev_eui,
        number=one.attempt.number,
        mark=one.mark,
        gateways=floor.carriers_of(one.route),
        lanes=floor.lanes_of(one.route),
        airtime_s=one.airtime_s,
        answer_s=one.answer_s,
        started_at=now,
        expires_at=expires_at,
        heard_at=one.heard_at,
        activation=activation_of.before,
        id=item_id,
    )
    floor.flights.start(track.item)


# ------------------------------------------------------------------ an enqueue


def _enqueued(floor: Floor, dev_eui: str, track: Track, item_id: str, now: float) -> None:
    item = track.item
    assert item is not None  # noqa: S101 - in flight since its enqueue began, for 30 s
    item.id = item_id
    floor.flights.arrived(item, now)
    one = floor.room.get(dev_eui)
    if one is not None and item.is_of(one.attempt.number, one.mark):
        news = AttemptQueued(item.number, item_id, item.expires_at, item.activation)
        floor.queued(one, news)
    _settle_orphans(floor, track, item, now)


def _end_enqueue(floor: Floor, track: Track, *, in_doubt: bool, now: float) -> None:
    item = track.item
    if item is None:
        return
    if in_doubt:
        item.in_doubt = True
        track.doubt = item
        track.settled_at = now + floor.policy.settle_s
        floor.flights.look_again(item, track.settled_at)
        _settle_orphans(floor, track, item, now)
    else:
        floor.flights.never_was(item)
        floor.end_of(item)
        for told in track.orphans:
            _foreign(floor, track, told, now)
        track.orphans = []


def _settle_orphans(floor: Floor, track: Track, item: Item, now: float) -> None:
    """txacks that overtook the reply of their enqueue."""
    orphans, track.orphans = track.orphans, []
    for told in orphans:
        if track.item is item and item.may_be(told):
            _acknowledged(floor, track, item, told, now)
        elif told.queue_item_id not in track.settled:
            _foreign(floor, track, told, now)


def _acknowledged(floor: Floor, track: Track, item: Item, told: Transmitted, now: float) -> None:
    item.txack_id = told.queue_item_id
    track.settle(told.queue_item_id)
    floor.flights.acknowledged(item, told, now)
    floor.end_of(item)


def _foreign(floor: Floor, track: Track, told: Transmitted, now: float) -> None:
    track.settle(told.queue_item_id)
    floor.flights.foreign(floor.stamp(), told, floor.policy.answer_delay_s, now)
    floor.count("foreign")


# ------------------------------------------------------------------ failures


def _tell_breaker(floor: Floor, call: Call, failed: Failed, now: float, chance: float) -> None:
    kind = failed.failure
    # Forbidden after a look that was allowed: the key is read-only, which concerns every light.
    read_only = kind is Failure.FORBIDDEN and call.enqueue
    if kind in NO_ANSWER:
        instead = failed.text if kind is Failure.INTERMEDIARY else None
        floor.breaker.unanswered(call.stamp, call.started_at, now, chance, instead=instead)
    elif kind is Failure.REFUSED or read_only:
        floor.breaker.refused(failed.text, now, enqueue=call.enqueue)
    else:
        floor.breaker.answered(now, enqueue=call.enqueue)


def _failed(
    floor: Floor,
    dev_eui: str,
    track: Track,
    call: Call,
    failed: Failed,
    now: float,
    chance: float,
) -> None:
    policy, kind = floor.policy, failed.failure
    floor.count(f"failed_{kind.value}")
    in_doubt = call.enqueue and kind in UNKNOWN_EFFECT
    if call.enqueue:
        _end_enqueue(floor, track, in_doubt=in_doubt, now=now)
    one = floor.room.get(dev_eui)
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
                floor.hold(one, Hold(("fault",), words.fault(failed.text), now), again_at)
        case Failure.FORBIDDEN if not call.enqueue:
            one.faults += 1
            again_at = now + backoff_s(one.faults, policy, chance, policy.denied_most_s)
            text = words.forbidden(failed.text)
            floor.hold(one, Hold(("forbidden",), text, now, Obstacle.DENIED), again_at)
        case Failure.REFUSED | Failure.FORBIDDEN:
            pass  # back in line, where the breaker holds it
        case Failure.UNKNOWN:
            floor.refuse(one, f"ChirpStack does not know this light: {failed.text}")
        case Failure.INVALID:
            floor.refuse(one, f"ChirpStack calls the downlink invalid: {failed.text}")
