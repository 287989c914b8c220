"""One light behind one or two gateways, and what the pretend server told about it."""

from lorawan.events.model import Event
from lorawan.kuando.light_state import LightState
from simulation.world.device import ServerSettings
from simulation.world.profile import CALM, Profile
from simulation.world.station import Station
from simulation.world.world import World

GATEWAY = "0016c001f1000001"
SECOND = "0016c001f1000002"
LIGHT = "2020204100000001"
RED = bytes.fromhex("ff0000ff00")
BLUE = bytes.fromhex("00ff00ff00")
GREEN = bytes.fromhex("0000ffff00")
SHOWN = {RED: LightState(255, 0, 0), BLUE: LightState(0, 0, 255), GREEN: LightState(0, 255, 0)}


class Bench:
    """One light behind one or two gateways, joined and quiet, and what was told since."""

    def __init__(
        self,
        *,
        gateways: tuple[str, ...] = (GATEWAY,),
        settings: ServerSettings | None = None,
        profile: Profile = CALM,
        joined: bool = True,
    ) -> None:
        self.events: list[Event] = []
        self.world = World(
            7, profile=profile, settings=settings, sink=self.events.append, heartbeat_s=1e6
        )
        for gateway_id in gateways:
            self.world.add_gateway(gateway_id)
        self.station: Station = self.world.add_light(LIGHT)
        self.device = self.world.rules.devices[LIGHT]
        if joined:
            self.station.plug()
            self.world.advance(60.0)
            self.events.clear()

    def inject(self, data: bytes, *, confirmed: bool = False, life_s: float | None = None) -> str:
        expires_at = None if life_s is None else self.world.kernel.now_at + life_s
        return self.world.network.inject(LIGHT, data, confirmed=confirmed, expires_at=expires_at)

    def of(self, *kinds: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    def attempts(self) -> int:
        return self.world.rules.counts["published"]
