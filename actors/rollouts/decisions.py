"""What a rollout decides: from values to values.

Pure functions. Every light is in exactly one state, the counts are those of the lights, and the
limit of failures is looked at with every change.

Theory. A light fails when its command is rejected, expires or becomes overdue, or when no command
can be given. An overdue command is still pursued: when it is verified after all, its light moves to
`verified` and its failure no longer counts. More failures than the limit stop a rollout while
lights wait; without any waiting there is nothing left to stop. It is done once nothing waits or is
open.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence

import msgspec

from actors.board.rollout import COLOURS_MOST, Rollout, State
from actors.device.command import LIGHT_REMOVED, Command, CommandStatus
from actors.device.model import Device
from actors.reasons import Reason, ReasonCode, other, text_of
from actors.rollouts.model import Conflict, Order, Part, PartState, Wish
from lorawan.kuando.light_state import LightState
from store.engine.places import is_older

replace = msgspec.structs.replace

Change = tuple[Part, Part]
"""A light before and after."""

_NEXT: dict[State, frozenset[State]] = {
    State.RUNNING: frozenset({State.RUNNING, State.PAUSED, State.CANCELLED}),
    State.PAUSED: frozenset({State.RUNNING, State.PAUSED, State.CANCELLED}),
    State.STOPPED: frozenset({State.RUNNING, State.CANCELLED}),
    State.CANCELLED: frozenset(),
    State.DONE: frozenset(),
}


def begun(
    rollout_id: str, order: Order, now: float, asked: Mapping[str, str] | None = None
) -> tuple[Rollout, tuple[Part, ...]]:
    """A new rollout: every light waits. `asked` has the place of each light's newest command."""
    asked = {} if asked is None else asked
    count = len(order.dev_euis)
    rollout = Rollout(
        id=rollout_id,
        name=order.name,
        light=order.light,
        keep=order.keep,
        ttl_s=order.ttl_s,
        created_at=now,
        changed_at=now,
        pace_per_min=order.pace_per_min,
        failures_most=order.failures_most,
        total=count,
        waiting=count,
        correlation_id=order.correlation_id,
        by=order.by,
        colours=_several(order),
        again_of=order.again_of,
        scene=order.scene,
    )
    parts = []
    for dev_eui in order.dev_euis:
        own = order.colours.get(dev_eui, order.light)
        light = None if own == order.light else own
        parts.append(Part(dev_eui, light=light, asked=asked.get(dev_eui)))
    return rollout, tuple(parts)


def _several(order: Order) -> tuple[LightState, ...]:
    """The colours of an order with more than one, the most frequent first."""
    counts = Counter(order.colours.get(dev_eui, order.light) for dev_eui in order.dev_euis)
    found = tuple(light for light, _ in counts.most_common(COLOURS_MOST))
    return found if len(counts) > 1 else ()


def again(
    rollout: Rollout, parts: Sequence[Part], known: Container[str], wish: Wish
) -> Order | Conflict:
    """The order for the lights of a rollout that failed, or that it never commanded and never will
    (it was cancelled, or is stopped): each with its own colour. Those known no longer are left out.
    """
    left_out = rollout.state in {State.CANCELLED, State.STOPPED}
    meant = [
        part
        for part in parts
        if part.dev_eui in known
        and (part.state is PartState.FAILED or (left_out and part.state is PartState.WAITING))
    ]
    if not meant:
        return Conflict("no light of it failed or was never commanded")
    pace, most = wish.pace_per_min, wish.failures_most
    return Order(
        dev_euis=tuple(part.dev_eui for part in meant),
        light=rollout.light,
        keep=rollout.keep,
        ttl_s=rollout.ttl_s,
        name=rollout.name,
        pace_per_min=rollout.pace_per_min if pace is None else pace,
        failures_most=rollout.failures_most if most is None else most,
        colours={part.dev_eui: part.light for part in meant if part.light is not None},
        again_of=rollout.id,
        scene=rollout.scene,
    )


def command_id_of(rollout_id: str, dev_eui: str) -> str:
    """The id of the one command that a rollout gives a light: the same after every restart."""
    return f"{rollout_id}.{dev_eui}"


def rollout_id_of(command_id: str) -> str:
    """The rollout that a command would belong to; empty for one that is of none."""
    rollout_id, dot, _ = command_id.rpartition(".")
    return rollout_id if dot else ""


def due_at(rollout: Rollout) -> float | None:
    """When the next light may be commanded; None while none may."""
    if rollout.state is not State.RUNNING or not rollout.waiting:
        return None
    if rollout.commanded_at is None:
        return rollout.created_at
    return rollout.commanded_at + pause_s(rollout)


def pause_s(rollout: Rollout) -> float:
    """Between one light's order and the next one's."""
    return 60.0 / rollout.pace_per_min


def redated(rollout: Rollout, by_s: float) -> Rollout:
    """The rollout after the machine's clock was set by so many seconds."""
    commanded_at = rollout.commanded_at
    return replace(
        rollout,
        created_at=rollout.created_at + by_s,
        changed_at=rollout.changed_at + by_s,
        commanded_at=None if commanded_at is None else commanded_at + by_s,
    )


def overtaken(rollout: Rollout, part: Part, device: Device, other_at: float | None) -> bool:
    """Whether the light has a newer wish than this rollout. `other_at` is when the rollout was made
    whose wish it is; None for a wish by itself.

    That one came after the rollout began if it lies behind what the light had then. Dates are asked
    only where the engine tells no places, or the newest command is not the one that is wanted:
    those of two processes may be of clocks that differ.
    """
    wanted, newest = device.wanted, device.newest
    if wanted is None or wanted.command_id == command_id_of(rollout.id, device.dev_eui):
        return False
    if other_at is not None:
        return other_at > rollout.created_at
    if part.asked is not None and newest is not None and newest.command_id == wanted.command_id:
        return not part.asked or is_older(part.asked, newest.place)
    return wanted.since > rollout.created_at


def seen(part: Part, command: Command, now: float) -> Part:
    """The light by what became of its command."""
    state = PartState.OPEN
    cause = command.cause or (other(command.reason) if command.reason else None)
    match command.status:
        case CommandStatus.VERIFIED:
            state, cause = PartState.VERIFIED, None
        case CommandStatus.SUPERSEDED:
            state, cause = PartState.SUPERSEDED, Reason(ReasonCode.ROLLOUT_OVERTAKEN)
        case CommandStatus.WITHDRAWN:
            state = PartState.WITHDRAWN
        case CommandStatus.REJECTED if (command.reason or "").startswith(LIGHT_REMOVED):
            state = PartState.REMOVED
        case CommandStatus.REJECTED:
            state, cause = PartState.FAILED, Reason(ReasonCode.ROLLOUT_REJECTED, (cause or "",))
        case CommandStatus.EXPIRED:
            state, cause = PartState.FAILED, Reason(ReasonCode.ROLLOUT_EXPIRED, (cause or "",))
        case _ if command.overdue:
            state, cause = PartState.FAILED, Reason(ReasonCode.ROLLOUT_OVERDUE)
        case _:
            pass
    failed_at = (part.failed_at or now) if state is PartState.FAILED else None
    final = command.status.final
    text, coded = _told(cause, now)
    return Part(part.dev_eui, state, command.id, text, failed_at, final, part.light, coded)


def failed(part: Part, cause: Reason, now: float, command_id: str | None = None) -> Part:
    """The light could not be commanded, or its command is lost.

    With `command_id` it may yet turn out that it was: then the light goes by its command.
    """
    at = part.failed_at or now
    settled = command_id is None
    its_id = part.command_id or command_id
    text, coded = _told(cause, now)
    return Part(part.dev_eui, PartState.FAILED, its_id, text, at, settled, part.light, coded)


def left_alone(part: Part) -> Part:
    """The light got a newer command before its turn came."""
    text, coded = _told(Reason(ReasonCode.ROLLOUT_OVERTAKEN_BEFORE), 0.0)
    return replace(part, state=PartState.SUPERSEDED, reason=text, cause=coded, settled=True)


def gone(part: Part) -> Part:
    """The light was removed before its turn came."""
    text, coded = _told(Reason(ReasonCode.LIGHT_REMOVED, ("",)), 0.0)
    return replace(part, state=PartState.REMOVED, reason=text, cause=coded, settled=True)


def moved(rollout: Rollout, changes: Sequence[Change], now: float) -> Rollout:
    """The rollout after these lights changed."""
    counts = {state: getattr(rollout, state.value) for state in PartState}
    failures = rollout.failures
    for before, after in changes:
        counts[before.state] -= 1
        counts[after.state] += 1
        failures += _counts(rollout, after) - _counts(rollout, before)
    fields = {state.value: count for state, count in counts.items()}
    return judged(replace(rollout, failures=failures, changed_at=now, **fields), now)


def commanded(rollout: Rollout, now: float) -> Rollout:
    """The pace is counted from now on."""
    return replace(rollout, commanded_at=now)


def judged(rollout: Rollout, now: float) -> Rollout:
    """Stopped by too many failures, or done."""
    if rollout.state.over:
        return rollout
    if not rollout.waiting and not rollout.open:
        return replace(rollout, state=State.DONE, reason=None, cause=None, ended_at=now)
    beyond = rollout.failures > rollout.failures_most
    if rollout.state is State.RUNNING and beyond and rollout.waiting:
        counts = (rollout.failures, rollout.failures_most)
        text, coded = _told(Reason(ReasonCode.ROLLOUT_FAILURES, counts), now)
        return replace(rollout, state=State.STOPPED, reason=text, cause=coded)
    return rollout


def steered(rollout: Rollout, wish: Wish, now: float) -> Rollout | Conflict:
    """The rollout as somebody wants it, or why that cannot be."""
    if rollout.state.over:
        return Conflict(f"the rollout is {rollout.state.value}: nothing about it can be changed")
    state = wish.state if wish.state is not None else rollout.state
    if wish.state is not None and wish.state not in _NEXT[rollout.state]:
        return Conflict(f"a rollout that is {rollout.state.value} cannot become {state.value}")
    after = replace(
        rollout,
        state=state,
        pace_per_min=rollout.pace_per_min if wish.pace_per_min is None else wish.pace_per_min,
        failures_most=rollout.failures_most if wish.failures_most is None else wish.failures_most,
    )
    if after == rollout:
        return rollout
    after = replace(after, changed_at=now)
    if state is State.CANCELLED:
        text, coded = _told(Reason(ReasonCode.ROLLOUT_CANCELLED), now)
        return replace(after, ended_at=now, reason=text, cause=coded)
    if state is State.RUNNING and rollout.state is State.STOPPED:
        after = replace(after, counted_since=now, failures=0)
    if state is not State.STOPPED:
        after = replace(after, reason=None, cause=None)
    return judged(after, now)


def _told(cause: Reason | None, now: float) -> tuple[str | None, Reason | None]:
    """The sentence, and the reason where it has a code."""
    if cause is None:
        return None, None
    return text_of(cause, now), None if cause.code is ReasonCode.OTHER else cause


def _counts(rollout: Rollout, part: Part) -> bool:
    at = part.failed_at
    return part.state is PartState.FAILED and at is not None and at >= rollout.counted_since
