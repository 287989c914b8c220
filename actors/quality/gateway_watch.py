"""All gateways under watch: what the lights' records, txacks and judged attempts say of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.board.changes import GatewayView
from actors.device.model import Device
from actors.link.judgement import AttemptJudged
from actors.quality.chance import Prior
from actors.quality.gateway_cells import GatewayCell, GatewayPast, lead_bucket
from actors.quality.grades import grade_of
from actors.quality.model import GatewayGrade

LIGHTS_LEAST = 20
"""Lights that are heard best by one gateway, for their losses to be expected of others there."""
SENT_AGAIN_S = 4.0
"""A txack that comes later than that after the order is not of the first try: ChirpStack sends an
item again after 5 s, and at first within its scheduler's interval."""
LOCK_S = 6.0
"""After an uplink or a frame ChirpStack sends a light nothing for 5 s: then an order waits, and not
because of a gateway."""
FAULTS = ("TX_FREQ", "TX_POWER")
"""What a gateway refuses for its settings, in the words of ChirpStack's gateway API."""


@dataclass(slots=True)
class _Tally:
    """Of one gateway in one round over all lights."""

    lights: int = 0
    only: int = 0
    near: int = 0
    uplinks: float = 0.0
    uplinks_lost: float = 0.0
    downlinks: float = 0.0
    downlinks_lost: float = 0.0


@dataclass(slots=True)
class _Round:
    """All tallies of one round."""

    of: dict[str, _Tally] = field(default_factory=dict)


class GatewayWatch:
    """Bound: the gateways on the board, and those that were in this round."""

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._pasts: dict[str, GatewayPast] = {}
        self._round, self._last = _Round(), _Round()
        self._now = 0.0

    def restore(self, pasts: Mapping[str, GatewayPast]) -> None:
        """What the store knows."""
        self._pasts.update(pasts)

    def past(self, gateway_id: str) -> GatewayPast | None:
        """What was seen of a gateway."""
        return self._pasts.get(gateway_id)

    # ---------------------------------------------------------------- a round

    def begin(self, now: float) -> None:
        """A round over all lights begins."""
        self._now = now
        self._round = _Round()

    def light(self, device: Device) -> None:
        """One light of the round: who hears it, and what it loses."""
        hearings, tallies = device.hearings, self._round.of
        for hearing in hearings:
            tally = tallies.get(hearing.gateway_id)
            if tally is None:
                tally = tallies[hearing.gateway_id] = _Tally()
            tally.lights += 1
            tally.only += len(hearings) == 1
        counters = device.losses
        if counters is not None and hearings:
            tally = tallies[hearings[0].gateway_id]
            tally.near += counters.uplinks > 0.0
            tally.uplinks += counters.uplinks
            tally.uplinks_lost += counters.uplinks_lost
            tally.downlinks += counters.downlinks
            tally.downlinks_lost += counters.downlinks_lost

    def uplinks(self, device: Device, sent: int, heard: int) -> None:
        """A light sent so many uplinks since the last round, and so many were heard by anybody."""
        for hearing in device.hearings:
            if not hearing.online:
                continue
            cell = self._cell(hearing.gateway_id, self._now)
            cell.sent += sent
            if hearing.latest:
                cell.heard += heard
                if hearing.snr_db < 0.0:
                    cell.noise_db += hearing.rssi_dbm - hearing.snr_db
                    cell.noises += 1

    def end(
        self, gateways: Mapping[str, GatewayView], seconds: float, *, watching: bool
    ) -> list[str]:
        """The round is over; `seconds` since the last one were watched, or not. Returns which
        gateways are known no longer."""
        self._last = self._round
        gone = sorted(self._pasts.keys() - gateways.keys()) if watching else []
        for gateway_id in gone:
            del self._pasts[gateway_id]
        for view in gateways.values():
            self._look(view, seconds if watching else 0.0)
        return gone

    def _look(self, view: GatewayView, seconds: float) -> None:
        past, cell = self._past(view.gateway_id), self._cell(view.gateway_id, self._now)
        cell.watched_s += seconds
        if not view.online:
            cell.away_s += seconds
        if past.since is not None and view.since != past.since and not view.online:
            cell.outages += 1
        past.since = view.since
        if view.airtime_budget_s:
            used = view.airtime_used_s / view.airtime_budget_s
            cell.airtime = max(cell.airtime, used)
            cell.held += view.pending > 0 and used >= 0.95

    # ---------------------------------------------------------------- what happens to frames

    def taken(self, gateway_id: str, now: float, lead_s: float | None, *, locked: bool) -> None:
        """A txack came, so long after the order where that is known; ChirpStack held the frame
        back for the light's sake (`locked`), or may have."""
        if gateway_id not in self._pasts:
            return
        cell = self._cell(gateway_id, now)
        cell.frames += 1.0
        late = lead_s is not None and lead_s > SENT_AGAIN_S + (LOCK_S if locked else 0.0)
        cell.at_once += not late
        if lead_s is not None and not locked:
            bucket = lead_bucket(lead_s)
            cell.leads[bucket] = cell.leads.get(bucket, 0) + 1

    def not_taken(self, device: Device, now: float, problem: str | None) -> None:
        """No gateway took a frame for this light, or one refused it for `problem`. Whose it was is
        not told where several heard the light: each may have been the one."""
        able = [one.gateway_id for one in device.hearings if one.latest and one.online]
        fault = problem is not None and any(name in problem for name in FAULTS)
        for gateway_id in able:
            if gateway_id in self._pasts:
                cell = self._cell(gateway_id, now)
                cell.frames += 1.0 / len(able)
                cell.faults += fault / len(able)

    def judged(self, attempt: AttemptJudged, now: float) -> None:
        """What became of an attempt: only first ones say something of the gateway."""
        gateway_id = attempt.gateway_id
        if not attempt.first or gateway_id is None or gateway_id not in self._pasts:
            return
        cell = self._cell(gateway_id, now)
        if attempt.late:  # it was told as unanswered before
            cell.answered += 1
            return
        cell.attempts += 1
        cell.answered += attempt.answered
        cell.promised += attempt.expected
        cell.variance += attempt.expected * (1.0 - attempt.expected)

    def moved(self, by_s: float) -> None:
        """The machine's clock was set."""
        for past in self._pasts.values():
            past.moved(by_s)

    # ---------------------------------------------------------------- what is known

    def losses_near(self, device: Device) -> Prior | None:
        """What lights lose that this one's best gateway hears best; None of fewer than 20."""
        tally = self._last.of.get(device.hearings[0].gateway_id) if device.hearings else None
        if tally is None or tally.near < LIGHTS_LEAST or tally.downlinks < LIGHTS_LEAST:
            return None
        return Prior(tally.uplinks_lost / tally.uplinks, tally.downlinks_lost / tally.downlinks)

    def grade(self, view: GatewayView, now: float) -> GatewayGrade:
        """Of one gateway."""
        tally = self._last.of.get(view.gateway_id, _Tally())
        return grade_of(
            view,
            self._pasts.get(view.gateway_id) or GatewayPast(),
            only=tally.only,
            lights=tally.lights,
            tick_s=self._tick_s,
            now=now,
        )

    def _past(self, gateway_id: str) -> GatewayPast:
        past = self._pasts.get(gateway_id)
        if past is None:
            past = self._pasts[gateway_id] = GatewayPast()
        return past

    def _cell(self, gateway_id: str, now: float) -> GatewayCell:
        return self._past(gateway_id).now(now)
