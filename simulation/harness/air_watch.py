"""What the service does with the air where nothing is hidden from it.

Two frames of ours never meet in the air over a light, where the service was told that both gateways
hear it; and hardly a frame is sent whose answer was on its way. Held only in scenarios that are
`prompt`: elsewhere the service cannot know.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

from lorawan.events.model import Uplink
from simulation.harness.facts import status_of
from simulation.world.answer_delay import Held
from simulation.world.frames import DownlinkFrame
from simulation.world.queue import QueueEntry
from simulation.world.world import World

COLOUR_BYTES = frozenset({5, 6})
ON_AIR_KEPT_S = 4.0
"""The longest frame takes 2.8 s."""
REPEATED_S = 3.2
"""A frame that goes out later after its order waited for a lock, or was sent before."""
SAMPLED_KEPT = 64
NEEDLESS_MOST = 0.05
"""Of the colours sent: an answer that takes more than the window's 99.5th percentile."""
NEEDLESS_HELD = 0.12
"""The same where lights hold one answer in twenty back for up to a minute."""
NEEDLESS_FREE = 6
"""While nothing is known, and for the few answers that tell of other firmware."""


@dataclass(frozen=True, slots=True)
class _OnAir:
    start_s: float
    end_s: float
    gateway_id: str
    dev_eui: str


@dataclass(slots=True)
class _Light:
    enqueued: deque[tuple[float, bytes]] = field(default_factory=lambda: deque(maxlen=SAMPLED_KEPT))
    received: deque[tuple[int, float, bytes]] = field(
        default_factory=lambda: deque(maxlen=SAMPLED_KEPT)
    )
    """The light's own counter, when, and which colour."""
    ordered_s: float = float("-inf")
    """When its newest item of ours went into the queue, of whatever kind."""


class AirWatch:
    """Watches one run. Methods return what is broken, or None. `counts` is for the report."""

    def __init__(self, world: World) -> None:
        self.counts: Counter[str] = Counter()
        self._world = world
        self._lights: dict[str, _Light] = {}
        self._on_air: deque[_OnAir] = deque()
        self._told: set[frozenset[str]] = set()
        """Pairs of gateways that heard one light, as the service was told."""
        models = (
            world.profile.answer_delay,
            *world.profile.answer_delays.values(),
            *world.profile.answer_delays_later,
        )
        held = any(isinstance(model, Held) for model in models)
        self._needless_most = NEEDLESS_HELD if held else NEEDLESS_MOST

    def taken(self, event: Uplink) -> None:
        """The service took this uplink's webhook."""
        heard_by = [reception.gateway_id for reception in event.receptions]
        self._told.update(
            frozenset((one, other)) for one in heard_by for other in heard_by if one < other
        )

    def frame_sent(
        self, now_s: float, gateway_id: str, frame: DownlinkFrame, airtime_s: float
    ) -> str | None:
        """A gateway begins to send a frame of ours."""
        slot = self._world.gateways[gateway_id].newest_slot
        if slot is None or slot.start_s is not None:
            return None  # a window after the light's own uplink is ChirpStack's choice
        if now_s - self._light(frame.dev_eui).ordered_s > REPEATED_S:
            return None  # so is when it repeats what a gateway dropped without a word
        while self._on_air and self._on_air[0].end_s < now_s - ON_AIR_KEPT_S:
            self._on_air.popleft()
        meeting = [
            other
            for other in self._on_air
            if other.end_s > now_s and self._meet(gateway_id, other.gateway_id)
        ]
        self._on_air.append(_OnAir(now_s, now_s + airtime_s, gateway_id, frame.dev_eui))
        if not meeting:
            return None
        self.counts["frames that met in the air"] += 1
        other = meeting[0]
        return (
            f"gateways {gateway_id} and {other.gateway_id} send at once, which hear the same light"
        )

    def enqueued(self, now_s: float, dev_eui: str, entry: QueueEntry, *, pursued: bool) -> None:
        """An item of ours went into the server's queue; `pursued` where something is wanted of the
        light that is not proven. A colour of which nothing is wanted is a probe."""
        self._light(dev_eui).ordered_s = now_s
        if len(entry.data) not in COLOUR_BYTES:
            return
        if not pursued:
            self.counts["probes sent"] += 1
        else:
            self.counts["colours sent"] += 1
            self._light(dev_eui).enqueued.append((now_s, entry.data[:5]))

    def frame_received(self, now_s: float, frame: DownlinkFrame) -> None:
        """A light took this frame in."""
        if frame.f_port is not None:
            counter = self._world.stations[frame.dev_eui].light.downlinks_received
            self._light(frame.dev_eui).received.append((counter, now_s, frame.data[:5]))

    def told(self, now_s: float, event: Uplink) -> None:
        """The server heard this uplink: what was sent while it was on its way was needless."""
        if status_of(event, now_s) is None:
            return
        light, counter = (
            self._light(event.device.dev_eui),
            int.from_bytes(event.data[8:12], "little"),
        )
        for number, received_s, colour in light.received:
            if number == counter:
                sent = [one for one in light.enqueued if one[0] > received_s and one[1] == colour]
                self.counts["colours sent needlessly"] += len(sent)
                for one in sent:
                    light.enqueued.remove(one)

    def needless(self) -> str | None:
        """Whether too many were."""
        sent, needless = self.counts["colours sent"], self.counts["colours sent needlessly"]
        if needless > NEEDLESS_FREE + self._needless_most * sent:
            return f"{needless} of {sent} colours were sent while the answer was on its way"
        return None

    def _meet(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self._told and any(
            one in station.links and other in station.links
            for station in self._world.stations.values()
        )

    def _light(self, dev_eui: str) -> _Light:
        return self._lights.setdefault(dev_eui, _Light())
