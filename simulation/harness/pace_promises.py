"""What may not slow a gateway down, and what may not be lost to pace, where nothing is hidden.

A gateway that queues its frames acknowledges each at once: no txack of it is late, whatever lock
ChirpStack put before the frame. Basics Station drops what comes while its band is shut: a few,
until that was noticed. And what slowed a gateway is over some time after its cause is.
"""

from actors.board.changes import PaceTold
from simulation.world.world import World

DROPS_FREE = 12
"""Of one Basics Station, until it is known for one: its first two minutes, when lights are given
their settings."""
SLOWEST_JUDGED = 9
"""At SF12 the band is shut for 13 s after each frame, and ChirpStack repeats what was dropped every
5 s: most drops are its own."""
DROPS_MOST = 0.08
"""Of its frames, then."""
PROBES_MOST = 24
"""For each revision and each gateway: two for each of five lights, and the same once more."""
SLOWER = "slower"
"""Begins, in the words of the service, what slows a gateway."""


class PacePromises:
    """Of one world. Methods return what is broken, or None."""

    def __init__(self, world: World) -> None:
        self._world = world
        stations = [one for one in world.gateways.values() if one.forwarder.band_rule]
        self._stations = stations
        self._refusals = world.profile.tx_fault_every_s > 0.0

    def probes(self, sent: int) -> str | None:
        """Frames of which nothing is wanted but to measure."""
        revisions = {station.light.sw_rev for station in self._world.stations.values()}
        trouble = self._world.trouble
        changes = trouble.get("new firmware", 0) + trouble.get("tx fault", 0)
        unknown = len(revisions) + len(self._world.gateways) + changes
        if sent > PROBES_MOST * unknown:
            return f"{sent} probes were sent, for {len(revisions)} revisions of software"
        return None

    def broken(self, told: dict[str, PaceTold | None]) -> str | None:
        """What is told of the pace of each gateway, and what was lost to it."""
        counts = self._world.radio.counts
        for gateway_id, pace in told.items():
            queues = not self._world.gateways[gateway_id].forwarder.band_rule
            if pace is not None and pace.late_txacks and queues and not self._refusals:
                return f"gateway {gateway_id} is told to have acknowledged late, and it never does"
        sent = sum(one.statistics().frames_sent for one in self._stations)
        dropped = counts["downlink_dropped_class_c"]
        judged = self._world.region.rx2.spreading_factor <= SLOWEST_JUDGED
        if judged and dropped > len(self._stations) * DROPS_FREE + DROPS_MOST * sent:
            return f"Basics Station dropped {dropped} frames, and sent {sent}"
        return None

    def slowed(self, told: dict[str, PaceTold | None]) -> list[str]:
        """Gateways that queue, and that something slows down still; Basics Station does so by
        nature."""
        return [
            one
            for one, pace in told.items()
            if pace is not None
            and SLOWER in pace.reason
            and not self._world.gateways[one].forwarder.band_rule
        ]
