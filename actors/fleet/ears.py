"""Who beside its light is told of an event of the network, whoever runs the light's actor.

In a cluster this runs where the fleet's own shard lives, and the light itself may be elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.device.events import GatewayRefusedFrame, ItemDropped, Joined, Transmitted, UplinkHeard
from actors.fleet.translate import NetworkEvent
from lorawan.events import Event
from lorawan.events.model import Reception, Uplink


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEars:
    """Nothing here may block or raise. Without any, nobody is told.

    `transmitted` and `dropped` give txacks and dropped items to the dispatcher, of which the light
    learns of them; `refused` is its ear for a gateway's errors, `heard` the gateway watcher's,
    `spoke` tells the dispatcher which light sent an uplink, `overheard` hears what each event
    means, with the time that ChirpStack itself gave. `transmitted_before` is `transmitted` for
    what is past.
    """

    transmitted: Callable[[str, Transmitted], None] = lambda dev_eui, event: None
    heard: Callable[[str, float], None] = lambda gateway_id, at: None
    dropped: Callable[[str, ItemDropped], None] = lambda dev_eui, event: None
    refused: Callable[[str, str], None] = lambda dev_eui, problem: None
    overheard: Callable[[str, object, float | None], None] = lambda dev_eui, message, server_at: (
        None
    )
    spoke: Callable[[str], None] = lambda dev_eui: None
    transmitted_before: Callable[[str, Transmitted], None] = lambda dev_eui, event: None


def by_signal(event: Uplink) -> list[Reception]:
    """Its receptions, the best last."""
    return sorted(event.receptions, key=lambda one: one.snr_db)


def uplink_heard(ears: NetworkEars, dev_eui: str, event: Event, now: float, *, past: bool) -> None:
    """Who listens for signs of life. `now` is our clock's; `past`, as in `Fleet.deliver`."""
    if not isinstance(event, Uplink):
        return
    if not past:
        ears.spoke(dev_eui)
    # a late webhook is no sign of life now; one without a time of the server's is
    at = now if event.at is None else min(event.at, now)
    for reception in by_signal(event):
        ears.heard(reception.gateway_id, at)


def for_dispatcher(
    ears: NetworkEars,
    dev_eui: str,
    message: NetworkEvent,
    server_at: float | None,
    *,
    past: bool,
) -> bool:
    """Who listens for frames; False when this is not for the light: it learns of its frames from
    the dispatcher, and of what a gateway refused long ago not at all."""
    if not past:
        ears.overheard(dev_eui, message, server_at)
    match message:
        case Transmitted():
            (ears.transmitted_before if past else ears.transmitted)(dev_eui, message)
            return False
        case ItemDropped():
            ears.dropped(dev_eui, message)
            return False
        case GatewayRefusedFrame():
            if not past:
                ears.refused(dev_eui, message.problem)
            return not past
        case UplinkHeard() | Joined():
            return True
