"""The board as somebody sees it who may see some of its lights only.

Everything else is left out or told as far as it is of those lights: a gateway that hears none of
them, alerts and actors of other lights, counts, names in a text. Pure, but for reading the board.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from actors.board.board import Board
from actors.board.changes import ActorView, AlertView, GatewayView
from actors.board.sight import Sight
from actors.device.command import Command
from actors.device.model import Device

# What is said of an alert of a gateway in place of its summary, which may name lights of others.
_OF_A_GATEWAY = {
    "gateway_offline": "is offline",
    "gateway_takes_nothing": "acknowledges no downlink",
    "gateway_poor": "is graded D",
}
_LIGHT_ACTOR = "device "
"""How the ids of lights' actors begin."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is for somebody with this sight."""

    sight: Sight
    board: Board

    @property
    def limited(self) -> bool:
        """Whether there may be lights that are not seen."""
        return self.sight.limited

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every light that is seen, by DevEUI."""
        if not self.sight.limited:
            return self.board.devices
        return {one.dev_eui: one for one in self.sight.of(self.board.devices.values())}

    def light(self, dev_eui: str) -> bool:
        """Whether this light exists; of those that are known no longer only the DevEUI is known."""
        device = self.board.devices.get(dev_eui)
        return self.sight.sees_unknown(dev_eui) if device is None else self.sight.sees(device)

    def command(self, command: Command) -> bool:
        """Whether this command exists."""
        return self.light(command.dev_eui)

    def gateway(self, gateway_id: str) -> GatewayView | None:
        """A gateway with the number of its lights as counted now; None for one that does not
        exist, or hears no light that is seen."""
        view = self.board.gateways.get(gateway_id)
        return None if view is None else self.of_gateway(view)

    def of_gateway(self, view: GatewayView) -> GatewayView | None:
        """The same of a view."""
        if not self.sight.limited:
            heard = self.board.lights_heard(view.gateway_id)
        else:
            heard = sum(map(self.light, self.board.lights_of(view.gateway_id)))
            if not heard:
                return None
        return msgspec.structs.replace(view, lights_heard=heard)

    def alert(self, view: AlertView) -> AlertView | None:
        """The alert as far as it is of lights that are seen; None where it is not."""
        if not self.sight.limited:
            return view
        if view.subject in self.board.gateways:
            return self._of_a_gateway(view)
        dev_eui = view.subject.removeprefix(_LIGHT_ACTOR)
        return view if dev_eui in self.board.devices and self.light(dev_eui) else None

    def _of_a_gateway(self, view: AlertView) -> AlertView | None:
        gateway = self.gateway(view.subject)
        words = _OF_A_GATEWAY.get(view.kind)
        if gateway is None or words is None:
            return None
        lights = tuple(one for one in view.lights if self.light(one))
        return msgspec.structs.replace(
            view,
            summary=f"gateway {gateway.name or gateway.gateway_id} {words}",
            close_reason=None if view.close_reason is None else "it is over",
            lights=lights,
            lights_total=len(lights),
        )

    def actor(self, view: ActorView) -> bool:
        """Whether this actor is of a light that is seen."""
        if not self.sight.limited:
            return True
        dev_eui = view.id.removeprefix(_LIGHT_ACTOR)
        return dev_eui in self.board.devices and self.light(dev_eui)
