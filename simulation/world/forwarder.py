"""The programs that gateways run, as far as they decide when a frame leaves and what is said of it.

Data only; numbers are those of the programs' own code:
Lora-net/packet_forwarder and Lora-net/sx1302_hal, jitqueue.c and lora_pkt_fwd.c (`thread_jit`);
chirpstack/chirpstack-concentratord, libconcentratord/src/jitqueue.rs (4.5.2, commit 03adeac, "align
with sx1302"); lorabasics/basicstation, src/s2e.c and s2conf.h, behind chirpstack-gateway-bridge.
"""

import msgspec


class Forwarder(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of forwarder. Times in seconds."""

    name: str
    lag_s: float
    """A frame to be sent `immediately` starts so long after it came, where the radio is free."""
    gap_s: float = 0.0
    """Between the end of a frame and an `immediately` one behind it."""
    apart_s: float = 0.0
    """A timed frame nearer than this to another is refused as a collision."""
    least_lead_s: float = 0.0
    """A timed frame that comes later than this before its time is refused as too late."""
    taken_s: float | None = None
    """A frame leaves the queue so long before it starts, and is forgotten: one that comes after is
    placed as if the radio were free, and is dropped when it is taken while the other is on the
    air, though it was acknowledged. None: what is on the air is remembered."""
    queue_most: int = 32
    band_rule: bool = False
    """Basics Station: no queue, but tries, and bands that are shut for a while after each frame."""


BARE = Forwarder(name="bare", lag_s=0.0015, gap_s=0.0425, apart_s=0.0425, least_lead_s=0.0015)
"""No real one: the radio's own 1.5 ms and nothing else, for comparison with older figures."""

PACKET_FORWARDER_4 = Forwarder(
    name="packet_forwarder 4",
    lag_s=1.0,
    gap_s=0.0625,
    apart_s=0.0325,
    least_lead_s=0.0325,
    taken_s=0.030,
)
"""Semtech's for the SX1301: now + 1 s; start 1.5 ms, margin 1 ms, twice the 30 ms of `TX_JIT_DELAY`
between frames."""

SX1302_HAL_2 = Forwarder(
    name="sx1302_hal 2",
    lag_s=0.080,
    gap_s=0.0825,
    apart_s=0.0425,
    least_lead_s=0.0425,
    taken_s=0.040,
)
"""Semtech's for the SX1302: twice the 40 ms of `TX_JIT_DELAY`."""

CONCENTRATORD_4_5_1 = Forwarder(
    name="concentratord 4.5.1", lag_s=1.0, gap_s=0.0325, apart_s=0.0325, least_lead_s=0.0325
)
"""ChirpStack's own before 4.5.2: now + 1 s."""

CONCENTRATORD_4_5_2 = Forwarder(
    name="concentratord 4.5.2", lag_s=0.080, gap_s=0.0425, apart_s=0.0425, least_lead_s=0.0425
)
"""ChirpStack's own since 4.5.2: now + 80 ms."""

BASICS_STATION = Forwarder(
    name="basics station",
    lag_s=0.020,
    gap_s=0.010,
    queue_most=128,
    band_rule=True,
)
"""`TX_AIM_GAP` 20 ms, `TX_MIN_GAP` 10 ms, 128 jobs."""

FORWARDERS = {
    forwarder.name: forwarder
    for forwarder in (
        BARE,
        PACKET_FORWARDER_4,
        SX1302_HAL_2,
        CONCENTRATORD_4_5_1,
        CONCENTRATORD_4_5_2,
        BASICS_STATION,
    )
}
REAL_FORWARDERS = tuple(each for each in FORWARDERS.values() if each is not BARE)
"""What gateways really run."""
