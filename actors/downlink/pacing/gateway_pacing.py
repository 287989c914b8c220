"""All that the pacer knows of one gateway, and what it does with it now."""

from dataclasses import dataclass, field

from actors.board.changes import PaceTold
from actors.downlink.pacing.back_off import BackOff
from actors.downlink.pacing.batch_plan import FRAMES_MOST
from actors.downlink.pacing.lead_times import LeadEstimator
from actors.downlink.pacing.pace import (
    ANSWERS_LEAST,
    BATCH_ANSWERS_LEAST,
    SLOW_FRAMES_MOST,
    Pace,
    Rule,
    pace_of,
)
from actors.link.air_facts import AirFacts

GAP_S = 0.0425
"""A gateway's own pause between two frames of its queue (Concentratord)."""
PLANS_MOST = 8
"""Plans kept of one gateway: for each software revision and data rate one; beyond, all anew."""
PLANNED_AGAIN_ANSWERS = 40
"""Answers after which a plan is made anew: a few milliseconds each time."""

PlanKey = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class FrameToPace:
    """What matters of a frame. `paced_by` may send it, `listeners` hear its answer well."""

    paced_by: frozenset[str]
    listeners: frozenset[str]
    airtime_s: float
    answer_s: float
    sw_rev: int | None
    asks: bool = True
    """It asks for an answer."""

    @property
    def only_gateway(self) -> str | None:
        """The one that sends and listens, where it is a single one."""
        if len(self.paced_by) == 1 and len(self.listeners) <= 1:
            return next(iter(self.paced_by))
        return None


@dataclass(slots=True)
class Batch:
    """Frames given in one go, to one gateway or (a single frame) to one of several."""

    frame: FrameToPace
    pace: Pace
    began_at: float
    cycle_s: float
    """Of the pace, and slower on evidence."""
    ordered: int = 0
    in_flight: set[int] = field(default_factory=set)
    """Tokens of its items without txack."""
    unanswered: set[str] = field(default_factory=set)
    first_ack_at: float | None = None
    floor_at: float = 0.0
    """Before this the next frame may not start, even if all answers are in."""
    closed: bool = False

    def slot_at(self, place: int) -> float:
        """When the frame of this place is to be ordered."""
        return self.began_at + place * self.pace.step_s


@dataclass(slots=True)
class GatewayPacing:
    """One gateway. Bound: one for each that ever took a frame, some 3 kB with its samples."""

    leads: LeadEstimator
    back_off: BackOff = field(default_factory=BackOff)
    next_at: float = float("-inf")
    """The next frame through it starts no sooner: it listens until then."""
    air_until: float = float("-inf")
    """Its own frames are over by then, counted from txacks."""
    last_ack_at: float | None = None
    transit_least_s: float | None = None
    """Least time from a txack on ChirpStack's clock to its telling on ours, of the newest."""
    batch: Batch | None = None
    """The newest, in flight or not."""
    pace: Pace | None = None
    """The newest."""
    slow_frames: int = 0
    """Frames in a row that waited for lights of which nothing is known."""
    answers: int = 0
    plans: dict[PlanKey, tuple[Pace, int, int]] = field(default_factory=dict)

    def pace_for(self, frame: FrameToPace, gateway_id: str, facts: AirFacts) -> tuple[Pace, int]:
        """The pace of such a frame with this gateway alone in reach, and how many frames at once
        it would be if no evidence spoke against it."""
        delays_s = facts.answer_delays_s(frame.sw_rev, gateway_id)
        lag_s = facts.lag_s(gateway_id)
        lead_times = self.leads.known()
        known = (len(delays_s) >= ANSWERS_LEAST) + (len(delays_s) >= BATCH_ANSWERS_LEAST)
        if 0 < known < 2:
            known = -len(delays_s)  # each further answer counts
        station = facts.is_basics_station(gateway_id)
        allowed = 1 if station else self.back_off.frames
        kind = (frame.sw_rev, frame.airtime_s, frame.answer_s, lag_s, lead_times.fine, station)
        patient = self.slow_frames < SLOW_FRAMES_MOST
        key: PlanKey = (*kind, known, allowed, frame.asks, patient)
        found = self.plans.get(key)
        if found is not None and self.answers - found[2] < PLANNED_AGAIN_ANSWERS:
            return found[0], found[1]

        def plan(frames_most: int) -> Pace:
            return pace_of(
                listeners=1,
                airtime_s=frame.airtime_s,
                answer_s=frame.answer_s,
                delays_s=delays_s,
                lag_s=lag_s,
                lead_times=lead_times,
                gap_s=GAP_S,
                frames_most=frames_most,
                asks=frame.asks,
                patient=patient,
            )

        pace = plan(allowed)
        most = pace.frames if station or allowed == FRAMES_MOST else plan(FRAMES_MOST).frames
        if len(self.plans) >= PLANS_MOST:
            self.plans.clear()
        self.plans[key] = (pace, most, self.answers)
        return pace, most

    def began(self, batch: Batch) -> None:
        """A batch through it begins."""
        self.batch, self.pace = batch, batch.pace
        if batch.pace.rule is Rule.SLOW_START:
            self.slow_frames += 1
        elif batch.pace.rule in {Rule.LAG_UNKNOWN, Rule.ONE_LISTENS}:
            self.slow_frames = 0

    def told(self) -> PaceTold:
        """What it does now, and why, for whoever looks; rounded, so that it seldom changes."""
        lead_times, back_off, pace = self.leads.known(), self.back_off, self.pace
        cycle_s = 0.0 if pace is None else pace.cycle_s * back_off.slower
        rule = "nothing was sent yet" if pace is None else pace.rule.value
        return PaceTold(
            frames=1 if pace is None else pace.frames,
            cycle_s=round(max(cycle_s, back_off.gap_s), 2),
            lead_s=round(lead_times.lead_s, 2),
            tick_s=round(lead_times.tick_s, 2),
            tick_measured=lead_times.tick_measured,
            slower=round(back_off.slower, 2),
            reason=rule if back_off.reason is None else f"{rule}; slower: {back_off.reason}",
            late_txacks=back_off.late,
            answers_missing=back_off.missing,
            refusals=back_off.refused,
        )
