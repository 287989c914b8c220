"""The numbers of the dispatcher and why they are so; the settings reach a few of them.

A plain frozen value, so that the planner stays a function of its arguments.
"""

from dataclasses import dataclass

from actors.downlink.pacing.batch_plan import FRAMES_MOST
from lorawan.airtime import REGIONS, Region


@dataclass(frozen=True, slots=True)
class DispatchPolicy:
    """Pacing and limits of the dispatcher. Times in seconds."""

    region: Region = REGIONS["EU868"]
    """Frequencies, data rates and duty cycle of Class C downlinks."""
    rx2_dr: int | None = None
    """Data rate of Class C downlinks; None is the region's own (EU868: DR0, which is SF12)."""
    window_s: float = 3_600.0
    """The sliding window of the duty cycle (ETSI EN 300 220)."""

    kept_back: float = 0.02
    """Of every budget, for what a crash forgets: charges not yet written, 7 s or five frames at
    SF12."""

    spacing_s: float = 10.0
    """Least time between two frames to one light: a second downlink 1-3 s after the first is lost
    while the light still answers the first."""
    item_ttl_s: float = 30.0
    """Life of an item in ChirpStack's queue."""
    item_grace_s: float = 5.0
    """After an item's expiry, before it counts as gone: two clocks and one scheduler run."""

    clock_slack_s: float = 10.0
    """ChirpStack's clock may be so far behind ours: its item then lives, and is sent, so much
    longer. Two clocks set by NTP differ by far less; `lamplighter doctor` looks. Before the first
    txack, which tells, more is allowed for (`ServerDates.slack_s`)."""

    calls_most: int = 8
    """Calls in flight. At 10 ms a call 8 are 250 frames a second, far above what 100 gateways
    take, and a server that hangs holds no more than 8 of its connections by us."""
    call_timeout_s: float = 15.0
    """Above the client's own deadline; a guard against a client that has none."""
    slow_call_s: float = 0.5
    """A question to ChirpStack that takes longer no longer keeps the next light waiting."""
    look_ahead_s: float = 1.0
    """A light is asked about so long before its gateway is free, so that only the enqueue is left
    to do; with ChirpStack's tick of 1 s a late enqueue costs a whole second."""
    look_fresh_s: float = 2.0
    """An answer older than that is asked for again before an enqueue."""

    txack_due_s: float = 1.6
    """From the moment an item may be sent to its txack: scheduler tick 1 s, the way to the gateway
    and back 0.2 s, the webhook, slack. Without one the queue is looked at: it tells sooner than a
    webhook that hangs."""
    txack_late_s: float = 3.2
    """Without one by then no gateway took it this time, and its gateways are free: a forwarder that
    acknowledges from the air needs 2.5 s at SF12."""
    sent_again_s: float = 5.0
    """ChirpStack sends an item again so long after a sending that nobody acknowledged."""
    untried_timeout_s: float = 8.0
    """An item that ChirpStack does not even try occupies its gateways no longer: scheduler tick
    1 s, class-A lock 5 s, slack."""
    tick_s: float = 1.0
    """ChirpStack's `[network.scheduler] interval`: so late a frame may leave."""
    alive_s: float = 30.0
    """A gateway that took a frame so shortly ago is not the one that missed the next."""
    blame_most: float = 2.0
    """Frames missed, at sole blame, that make a gateway suspect: one may be a lost txack."""
    blame_beside_suspect: float = 0.25
    """Blame of a gateway where another is suspect already: ChirpStack draws anew each time, so that
    eight misses in a row are no luck."""
    probe_first_s: float = 10.0
    """Between the first two frames through a gateway that took none; then it doubles."""
    probe_most_s: float = 300.0
    """Longest time between two such frames: at SF12 they cost 32 s of the 360 s of an hour, two
    sendings each."""
    probe_ttl_s: float = 7.0
    """Life of such an item: one sending after the light's own uplink, else two."""
    life_least_s: float = 3.0
    """An item with less life than that would most likely expire in the queue: scheduler tick,
    expiry rounded to a second, two clocks. It is not sent."""
    paced: bool = True
    """Go as fast as what was measured of lights and gateways allows; else one frame at a time with
    `answer_delay_s`."""
    answer_delay_s: float = 0.35
    """From the end of a downlink to the start of its answer, where the pace is fixed: 0.05-0.30 s
    assumed, and 50 ms."""
    serialise_overlaps: bool = True
    """Gateways that hear the same light do not send at once: on the one channel of RX2 two
    overlapping gateways destroy each other's frames."""
    overlap_kept_s: float = 86_400.0
    """Two gateways that heard the same light count as overlapping for so long."""
    claim_after_s: float = 10.0
    """A light that waits longer for several gateways at once keeps the others from taking them."""
    outstanding_most: int = 100
    """Items in ChirpStack without txack: its scheduler takes 100 devices a run, lowest DevEUI
    first, and about 500 stuck ones starve the rest."""
    outstanding_per_gateway: int = 3
    """The frame on air and two more, or those of one batch; one only, while a gateway takes nothing
    of two lights."""

    prefer_margin_db: float = 10.0
    """ChirpStack's `gateway_prefer_min_margin`: any gateway above it may be chosen."""
    class_a_lock_s: float = 5.0
    """ChirpStack's lock after an uplink; between two sendings of an item it is 5 s, too."""
    sends_every_s: float = 3.5
    """An item that nobody acknowledges is sent by Class C, and again by Class A when the light
    answers, on RX2 if RX1 is taken: two sendings in seven seconds at most."""

    retry_first_s: float = 1.0
    """Pause after the first call that ChirpStack did not answer; then it doubles."""
    retry_most_s: float = 5.0
    """Longest pause between two probes of a ChirpStack that does not answer: so long after its
    return at the latest all goes on. One small call in 5 s is nothing, to it or to a proxy."""
    retry_jitter: float = 0.2
    """Each of these pauses is drawn from (1 +- this) times the nominal one."""
    refused_again_s: float = 10.0
    """Between two probes of a refused API key. What reads like a refusal may be a proxy's, which
    passes; where it is ChirpStack's own, the probes are six lines a minute in its log."""
    faults_most: int = 3
    """Faults in a row that are not told: a locked database is over in a moment."""
    denied_most_s: float = 60.0
    """One light that ChirpStack denies or fails on is asked about after 1, 2, 4, ... s, up to this:
    never longer than the trouble has lasted already, and 1,000 such lights are 17 calls a second.
    A listing that works again ends the wait of all of them."""
    settle_s: float = 2.0
    """After an enqueue of unknown outcome, before the queue is looked at: what is still on its
    way there has arrived by then."""
    recheck_s: float = 30.0
    """Another look where nothing tells when the queue is empty."""
    foreign_patience_s: float = 15.0
    """Somebody else's item that heads the queue for longer is stuck: Class C takes 8 s at most."""
    unheard_again_s: float = 60.0
    """Another look at a light without uplink; its uplink wakes it sooner, by its own actor."""
    told_after_s: float = 1.5
    """What waits longer is told what it waits for."""
    patience_s: float = 8.0
    """Delays that pass by themselves within this are not told: the caller would be given up on
    for a hiccup, and thousands of lights would each write a line into their history."""

    @property
    def duty_cycle(self) -> float | None:
        """What is planned with."""
        whole = self.region.duty_cycle
        return None if whole is None else whole * (1.0 - self.kept_back)

    @property
    def budget_s(self) -> float | None:
        """Seconds of airtime that a gateway may use per window; None without a limit."""
        whole = self.region.duty_cycle
        return None if whole is None else whole * self.window_s

    @property
    def outstanding_per_gateway_most(self) -> int:
        """The same with the largest batch."""
        return max(self.outstanding_per_gateway, FRAMES_MOST if self.paced else 1)

    def sends_most(self, slack_s: float) -> int:
        """How often a gateway that never acknowledges may send one item before it expires: that is
        rounded up to a second, plus its marker, and two clocks may differ by `slack_s`."""
        return 1 + int((self.item_ttl_s + 2.0 + slack_s) // self.sends_every_s)
