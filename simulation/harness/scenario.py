"""What a seed means: how large the world is, what goes wrong in it, and what people ask of it.

A scenario is a value, drawn from its seed and nothing else; to run it again, it is drawn again.
"""

import msgspec

from simulation.harness.cluster.faults import ClusterFaults
from simulation.world.chance import Span
from simulation.world.profile import Profile


class ServiceFaults(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong with the service itself: its process, its store, its actors."""

    kill_every_s: float = 0.0
    """Mean time between kills of the process at any moment."""
    kill_at_commit: float = 0.0
    """Of a kill just before, or just after, a commit reaches the disk."""
    down_s: Span = (0.5, 60.0)
    clock_off_s: float = 0.0
    """At each start our clock may be so wrong."""
    clock_set_every_s: float = 0.0
    """Mean time between somebody's setting it, to be as wrong again."""
    store_slow: float = 0.0
    store_slow_s: Span = (0.01, 3.0)
    store_fails_every_s: float = 0.0
    store_fails_s: Span = (1.0, 60.0)
    store_answer_lost: float = 0.0
    """The commit happened, and is reported as failed."""
    light_crash: float = 0.0
    """Per message of a light's actor, before or after its commit, or between its effects."""
    part_crash: float = 0.0
    """Per call of another actor to the network or the store."""
    poison_every_s: float = 0.0
    """Mean time between messages that a light's actor cannot handle."""
    flood_every_s: float = 0.0
    flood_messages: tuple[int, int] = (40, 400)


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What people and programs ask. `command_every_s` is the mean per light."""

    command_every_s: float = 900.0
    colours: int = 4
    burst: float = 0.05
    """Of a command that is followed at once by one or two others for the same light."""
    short_ttl: float = 0.05
    no_keep: float = 0.05
    repeated: float = 0.05
    """Of a command sent twice with the same idempotency key."""
    other: float = 0.05
    """Of a request to initialise, or for a status, beside a command."""
    withdrawn: float = 0.0
    """Of a command that is taken back within a minute, unless it is verified by then."""
    push_every_s: float = 0.0
    """Mean time between one colour for all lights at once; 0: never."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `faults` names the profile; `wire` is how webhooks come: as JSON or Protobuf
    bodies through the decoder, or (quicker) as events."""

    seed: int
    faults: str
    devices: int
    gateways: int
    hours: float
    world: Profile
    service: ServiceFaults
    people: Demand
    sf12: bool = False
    old_firmware: bool = False
    scheduler_interval_s: float = 1.0
    quick_watch: bool = False
    wire: str = "event"
    prompt: bool = False
    """Nothing is hidden from the service for long: it answers for its pace (`AirWatch`)."""
    nothing_shared: bool = False
    """Retries and pace are fixed and nothing is probed: no light acts by what others taught."""

    cluster: ClusterFaults | None = None
    """Several houses on one engine; None: one, with a store of its own."""

    @property
    def command(self) -> str:
        """What to type to run it again."""
        return (
            f"lamplighter simulate --seed {self.seed} --faults {self.faults} "
            f"--devices {self.devices} --gateways {self.gateways} --hours {self.hours:g}"
        )
