"""Every light of the fleet, wherever its actor runs, for what runs once for the fleet.

What is told to lights of others goes by their inboxes. A light that was listed, or taken off, is on
the board once its owner has stored that.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.cluster.messages import LightConfirmed, LightGone, LightListed, Message
from actors.cluster.replies import Replies
from actors.cluster.router import Router
from actors.device.events import (
    DeviceEvent,
    GatewayHealthChanged,
    GatewayReturned,
)
from actors.device.model import Device
from actors.messaging.mailbox import Offer
from actors.messaging.reply import Reply
from store.engine.shards import shard_of

REMOVE_S = 12.0
"""For the owner to end the light's actor (5 s at most) and to commit, and for both ways."""
PROVISIONAL_MOST = 1_000
"""Lights that only an event told of: each owner registers 500 at most."""


class EveryLight:
    """`dispatcher_started` has the dispatcher given again what is open (`Desk.start`)."""

    def __init__(
        self,
        board: Board,
        router: Router,
        replies: Replies,
        clock: Clock,
        *,
        dispatcher_started: Callable[[], None],
        profile_contains: str,
    ) -> None:
        self._board = board
        self._router = router
        self._replies = replies
        self._clock = clock
        self._profile_contains = profile_contains.casefold()
        self._provisional: dict[str, float] = {}
        self.dispatcher_started = dispatcher_started
        self.post = router.to_light

    @property
    def known(self) -> Mapping[str, object]:
        """Every light by DevEUI."""
        return self._board.devices

    @property
    def provisional(self) -> Mapping[str, float]:
        """Lights known by their own events only, and since when (Unix seconds)."""
        return MappingProxyType(self._provisional)

    def heard_unlisted(self, dev_eui: str) -> None:
        """A light was registered by its own event."""
        if len(self._provisional) < PROVISIONAL_MOST:
            self._provisional.setdefault(dev_eui, self._clock.now())

    def register(self, device: Device) -> object | None:
        """Have the owner start an actor for a light that is not known yet."""
        self._tell(device.dev_eui, LightListed(device))
        return Offer.ACCEPTED

    def confirm(self, dev_eui: str) -> None:
        """ChirpStack lists this light."""
        if self._provisional.pop(dev_eui, None) is not None:
            self._tell(dev_eui, LightConfirmed(dev_eui))

    async def remove(self, dev_eui: str, why: str, *, for_good: bool) -> bool:
        """Have the owner take a light off; False for one that is not known. Raises ActorError where
        nobody says in time that it is done."""
        reply: Reply[str] = Reply()
        ask = self._replies.expect(reply, REMOVE_S)
        message = LightGone(dev_eui, why, for_good, self._router.boot, ask)
        try:
            self._tell(dev_eui, message)
            removed = await reply.wait(REMOVE_S + 1.0) == "removed"
        finally:
            self._replies.forget(ask)
        self._provisional.pop(dev_eui, None)
        return removed

    def is_ours(self, profile_name: str) -> bool:
        """Whether devices of this profile are lights of ours."""
        return self._profile_contains in profile_name.casefold()

    def gateway_changed(self, gateway_id: str, online: bool) -> None:
        """Have the lights told that a gateway hears."""
        self._router.to_lights(GatewayHealthChanged(gateway_id, online), gateway_id)

    def gateway_returned(self, gateway_id: str, *, answered: bool = False) -> None:
        """Have the lights told that a gateway hears: it ended a silence, or is answered again."""
        self._router.to_lights(GatewayReturned(gateway_id, answered), gateway_id)

    def broadcast(self, event: DeviceEvent) -> None:
        """Have all lights told."""
        self._router.to_lights(event)

    def _tell(self, dev_eui: str, message: Message) -> None:
        self._router.to_shard(shard_of(dev_eui), message)
