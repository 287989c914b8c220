"""The faults of a world: every probability and delay of the simulation, as data.

Two worlds with the same seed and profile are the same world. Probabilities are per frame, per event
or per call; 0 means never. What nobody knows of a real light or gateway has no default: whoever
makes a profile says which answer delay and which forwarders it means.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from simulation.world.answer_delay import (
    LONG_TAILED,
    ONE_SECOND,
    PROMPT,
    SECONDS,
    AnswerDelay,
    Held,
)
from simulation.world.chance import Span
from simulation.world.forwarder import (
    BASICS_STATION,
    CONCENTRATORD_4_5_1,
    CONCENTRATORD_4_5_2,
    PACKET_FORWARDER_4,
    SX1302_HAL_2,
    Forwarder,
)

GPS_OFF_S = (3_600.0, -3_600.0, -25.0, -1024 * 7 * 86_400.0)
"""Seen: an hour ahead, a leap of weeks (a receiver whose week counter rolled over)."""


class OffTime(StrEnum):
    """What a light does when it must send within its duty cycle's off-time (undocumented)."""

    IGNORED = "ignored"
    DELAYS = "delays"
    DROPS = "drops"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The chances of one world. The defaults are a world in which nothing goes wrong."""

    name: str = "calm"

    answer_delay: AnswerDelay
    """Of every light whose software revision is not in `answer_delays`."""
    answer_delays: Mapping[int, AnswerDelay] = {}
    """By software revision times ten."""
    forwarders: tuple[Forwarder, ...]
    """Of the first gateway, the second and so on; then from the beginning again."""

    # Radio. Rayleigh fading draws once per frame and link.
    uplink_loss: float = 0.0
    downlink_loss: float = 0.0
    loss_in_bursts: bool = False
    """The same share of frames is lost, but mostly in bad spells of a light, both ways at once."""
    rayleigh_fading: bool = False

    # Gateways.
    update_every_s: float = 0.0
    """Mean time between updates of one gateway to another forwarder of `forwarders_later`."""
    forwarders_later: tuple[Forwarder, ...] = ()
    backhaul_s: Span = (0.02, 0.08)
    tx_error: float = 0.0
    ack_lost: float = 0.0
    ack_late: float = 0.0
    ack_late_s: Span = (5.0, 60.0)
    ack_doubled: float = 0.0
    outage_every_s: float = 0.0
    """Mean time between outages of one gateway's backhaul."""
    outage_s: Span = (60.0, 1800.0)
    flap_every_s: float = 0.0
    """Mean time between fits in which one gateway goes away and comes back several times."""
    flap_s: Span = (2.0, 45.0)
    silent_every_s: float = 0.0
    """Mean time between spells in which one gateway sends and acknowledges nothing."""
    silent_s: Span = (60.0, 1200.0)
    swallow_every_s: float = 0.0
    """Mean time between spells in which one gateway takes frames, and neither sends nor
    acknowledges them; its statistics and uplinks go on."""
    swallow_s: Span = (60.0, 1200.0)
    tx_fault_every_s: float = 0.0
    """Mean time between spells in which one gateway refuses every frame with the same error."""
    tx_fault_s: Span = (30.0, 600.0)

    gateway_clock_off_s: float = 0.0
    """A gateway's clock is set now and then, to at most so far from the right time."""
    gateway_clock_every_s: float = 0.0
    gps_wrong: float = 0.0
    """Chance that such a gateway then gives GPS time, off by one of `GPS_OFF_S`."""
    mac_downlinks: float = 0.0
    """Downlinks with MAC commands alone, after each of the first uplinks of a session: they use
    air and move the downlink counter, and no event tells of them."""
    empty_uplinks: float = 0.0
    """Chance that a light answers one by an uplink of its own, without a payload."""

    # Events on their way to the sink.
    event_latency_s: Span = (0.005, 0.05)
    """Some 5 s where another URL of the integration, which comes first, hangs."""
    event_lost: float = 0.0
    event_doubled: float = 0.0
    event_late: float = 0.0
    event_late_s: Span = (1.0, 180.0)

    # Calls to the network server.
    call_latency_s: Span = (0.002, 0.02)
    call_deadline_s: float = 5.0
    call_slow: float = 0.0
    call_slow_s: Span = (1.0, 4.0)
    call_unavailable: float = 0.0
    call_timeout: float = 0.0
    """No effect, no reply."""
    call_reply_lost: float = 0.0
    """The effect happened, the reply did not arrive."""
    call_fault: float = 0.0
    call_refused: float = 0.0
    call_forbidden: float = 0.0
    call_unknown: float = 0.0
    call_invalid: float = 0.0
    server_clock_off_s: float = 0.0
    """The server's clock is set now and then, to at most so far from the right time."""
    server_clock_every_s: float = 0.0
    down_every_s: float = 0.0
    """Mean time between spells in which the server answers nobody."""
    down_s: Span = (5.0, 120.0)
    locked_every_s: float = 0.0
    """Mean time between spells in which calls fail, for the database is locked."""
    locked_s: Span = (5.0, 120.0)
    frozen_every_s: float = 0.0
    """Mean time between spells in which the server stands still, and then works off what waited."""
    frozen_s: Span = (3.0, 300.0)
    proxy_every_s: float = 0.0
    """Mean time between spells in which a proxy in front answers every call."""
    proxy_s: Span = (5.0, 300.0)
    no_right_every_s: float = 0.0
    """Mean time between spells in which the key has no right to one device."""
    no_right_s: Span = (30.0, 900.0)
    disabled_every_s: float = 0.0
    """Mean time between spells in which one device is disabled."""
    disabled_s: Span = (30.0, 900.0)

    # Lights. What the vendor's documents leave open is a choice here.
    firmware_every_s: float = 0.0
    """Mean time between new firmware: from then on the lights of one software revision answer by
    one of `answer_delays_later`."""
    answer_delays_later: tuple[AnswerDelay, ...] = ()
    auto_uplink_answers_commands: bool = False
    off_time: OffTime = OffTime.IGNORED
    reply_watchdog: bool = False
    restart_every_s: float = 0.0
    """Mean time between spontaneous restarts of one light."""
    unplug_every_s: float = 0.0
    unplugged_s: Span = (30.0, 4 * 3600.0)
    watchdog_uplinks: int = 0
    """Uplinks without a downlink after which old firmware restarts; 0 is its own 240."""

    rx2_every_s: float = 0.0
    """Mean time between changes of RX2's data rate in the server, between SF9 and SF12."""

    # Other people's programs on the same server.
    foreign_every_s: float = 0.0
    """Mean time between somebody else's downlinks to the fleet."""

    retained_events: int = 100

    def answers_of(self, sw_rev: int) -> AnswerDelay:
        """How lights of this software revision answer."""
        return self.answer_delays.get(sw_rev, self.answer_delay)

    def forwarder_of(self, number: int) -> Forwarder:
        """What the gateway of this number, from 0, runs."""
        return self.forwarders[number % len(self.forwarders)]


CALM = Profile(answer_delay=PROMPT, forwarders=(CONCENTRATORD_4_5_2,))
"""Nothing is lost; lights answer at once."""

OFFICE = Profile(
    name="office",
    answer_delay=ONE_SECOND,
    forwarders=(SX1302_HAL_2,),
    uplink_loss=0.03,
    downlink_loss=0.03,
    event_lost=0.001,
    event_late=0.001,
    restart_every_s=30 * 86_400.0,
)
"""One well-placed gateway indoors (Petajajarvi et al.: 96.7 % delivered)."""

CITY = Profile(
    name="city",
    answer_delay=SECONDS,
    forwarders=(CONCENTRATORD_4_5_1, PACKET_FORWARDER_4),
    uplink_loss=0.10,
    downlink_loss=0.10,
    rayleigh_fading=True,
    tx_error=0.01,
    ack_lost=0.002,
    ack_late=0.002,
    ack_doubled=0.002,
    outage_every_s=86_400.0,
    event_lost=0.01,
    event_doubled=0.01,
    event_late=0.02,
    call_slow=0.01,
    call_unavailable=0.005,
    call_timeout=0.001,
    call_reply_lost=0.002,
    restart_every_s=7 * 86_400.0,
    unplug_every_s=14 * 86_400.0,
    foreign_every_s=6 * 3600.0,
    retained_events=10,
)
"""Many walls, other people's traffic, and a network that has bad moments."""

STORM = Profile(
    name="storm",
    answer_delay=LONG_TAILED,
    answer_delays={61: ONE_SECOND},
    forwarders=(SX1302_HAL_2, CONCENTRATORD_4_5_1),
    uplink_loss=0.30,
    downlink_loss=0.30,
    rayleigh_fading=True,
    tx_error=0.05,
    ack_lost=0.03,
    ack_late=0.03,
    ack_doubled=0.03,
    outage_every_s=4 * 3600.0,
    event_lost=0.10,
    event_doubled=0.05,
    event_late=0.10,
    call_slow=0.05,
    call_slow_s=(1.0, 4.5),
    call_unavailable=0.03,
    call_timeout=0.02,
    call_reply_lost=0.03,
    call_fault=0.02,
    down_every_s=2 * 3600.0,
    auto_uplink_answers_commands=True,
    off_time=OffTime.DELAYS,
    restart_every_s=12 * 3600.0,
    unplug_every_s=86_400.0,
    foreign_every_s=1800.0,
    retained_events=10,
)
"""Everything that can go wrong does, often at once."""

HELL = msgspec.structs.replace(
    STORM,
    name="hell",
    answer_delay=Held(SECONDS, 0.1, (10.0, 60.0)),
    loss_in_bursts=True,
    forwarders=(BASICS_STATION, SX1302_HAL_2, PACKET_FORWARDER_4),
    uplink_loss=0.4,
    downlink_loss=0.4,
    tx_error=0.10,
    ack_lost=0.10,
    ack_late=0.10,
    ack_doubled=0.10,
    outage_every_s=3600.0,
    flap_every_s=3600.0,
    silent_every_s=3600.0,
    tx_fault_every_s=3600.0,
    event_lost=0.30,
    event_doubled=0.20,
    event_late=0.30,
    event_late_s=(1.0, 600.0),
    call_slow=0.15,
    call_unavailable=0.10,
    call_timeout=0.05,
    call_reply_lost=0.10,
    call_fault=0.05,
    call_forbidden=0.005,
    down_every_s=1800.0,
    server_clock_off_s=5.0,
    server_clock_every_s=1800.0,
    off_time=OffTime.DROPS,
    restart_every_s=2 * 3600.0,
    unplug_every_s=4 * 3600.0,
    unplugged_s=(30.0, 1800.0),
    watchdog_uplinks=4,
    foreign_every_s=600.0,
)
"""No installation is like this; what holds here holds."""

PROFILES = {profile.name: profile for profile in (CALM, OFFICE, CITY, STORM, HELL)}
