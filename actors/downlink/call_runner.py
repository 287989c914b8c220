"""The calls to ChirpStack, and what their errors mean to the planner.

Every call ends within its deadline with an outcome; nothing is raised but a cancellation and errors
that are no `NetworkError`. Expiries of items are dates of our clock on this side, and of
ChirpStack's clock in the calls.
"""

import msgspec
import trio

from actors.downlink.calls import CallFailed, Enqueue, Enqueued, Failure, Look, Looked, Outcome
from lorawan.kuando import F_PORT
from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkServer,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
    QueueItem,
)

# Subclasses before their bases.
FAILURES: tuple[tuple[type[NetworkError], Failure], ...] = (
    (NetworkIntermediary, Failure.INTERMEDIARY),
    (NetworkTimeout, Failure.TIMEOUT),
    (NetworkUnavailable, Failure.UNAVAILABLE),
    (NetworkForbidden, Failure.FORBIDDEN),
    (NetworkRefused, Failure.REFUSED),
    (NetworkUnknown, Failure.UNKNOWN),
    (NetworkInvalid, Failure.INVALID),
    (NetworkFault, Failure.FAULT),
)


async def make(
    call: Look | Enqueue, network: NetworkServer, timeout_s: float, server_ahead_s: float
) -> Outcome:
    """Make the call; what it raised of the network's family comes back as a value.

    ChirpStack's clock is `server_ahead_s` ahead of that by which the call was made; whole seconds,
    so that the microseconds of an expiry, by which an item is known again, stay what they are.
    """
    try:
        with trio.fail_after(timeout_s):
            match call:
                case Look():
                    return await _look(call, network, server_ahead_s)
                case Enqueue(dev_eui, _, data, expires_at):
                    item_id = await network.enqueue(
                        dev_eui, f_port=F_PORT, data=data, expires_at=expires_at + server_ahead_s
                    )
                    return Enqueued(item_id)
    except NetworkError as error:
        return failed(error)
    except trio.TooSlowError:
        return CallFailed(Failure.TIMEOUT, f"no answer within {timeout_s:g} s")


def failed(error: NetworkError) -> CallFailed:
    """The outcome that stands for this error."""
    kind = next((kind for of, kind in FAILURES if isinstance(error, of)), Failure.FAULT)
    return CallFailed(kind, str(error))


async def _look(call: Look, network: NetworkServer, server_ahead_s: float) -> Looked:
    # The activation first: an item still in the queue after it was read was not sent before it,
    # so that the activation is a safe line for the proof.
    before = await network.activation(call.dev_eui)
    queue = [_on_our_clock(one, server_ahead_s) for one in await network.queue(call.dev_eui)]
    after = await network.activation(call.dev_eui) if call.twice else before
    # Last: it decides only whether anything would be delivered at all.
    device = await network.device(call.dev_eui)
    return Looked(before, queue, after, device)


def _on_our_clock(item: QueueItem, server_ahead_s: float) -> QueueItem:
    if item.expires_at is None or not server_ahead_s:
        return item
    return msgspec.structs.replace(item, expires_at=item.expires_at - server_ahead_s)
