"""How many frames of one light are lost, each way: counts that fade, over what the fleet loses.

Uplinks are counted by the gaps in their counter (FCnt), downlinks by the light's own counter of
downlinks against the frames that a gateway took. On 183,000 frames over 15 public LoRaWAN links
(github.com/CampusIoT/datasets, SaintEynard) a half-life of 50 frames foretells the next frame best,
three times better than the signal's margin does.
"""

import math

import msgspec

from actors.replace import replace

HALF_LIFE_FRAMES = 50.0
KEEP: float = 0.5 ** (1.0 / HALF_LIFE_FRAMES)
"""What each further frame leaves of the counts before it."""
PRIOR_FRAMES = 10.0
"""How many frames the fleet's share is worth beside a light's own: those of some hours."""
GAP_MOST = 16
"""Uplinks counted as lost in one gap, four hours of heartbeats: in a longer one nobody listened,
be it gateways, ChirpStack or this service, and that is not the light's loss."""
OPEN_MOST = 1_000
"""Frames out that no status spoke of: more are not counted, for a light that is silent so long has
other troubles."""
_DECIMALS = 4  # 0.0001 of a frame; keeps the record short
_LEAST, _MOST = 0.001, 0.999  # nothing is certain; also keeps odds finite


class LossCounters(msgspec.Struct, frozen=True, gc=False):
    """Counts of one light; the newest frame weighs 1, one 50 frames before it a half."""

    uplinks_heard: float = 0.0
    uplinks_lost: float = 0.0
    downlinks_heard: float = 0.0
    downlinks_lost: float = 0.0
    downlinks_open: int = 0
    """Frames that a gateway took and no status has spoken of yet."""

    @property
    def uplinks(self) -> float:
        """Uplinks that the light's own share rests on."""
        return self.uplinks_heard + self.uplinks_lost

    @property
    def downlinks(self) -> float:
        """The same of downlinks."""
        return self.downlinks_heard + self.downlinks_lost


NONE_COUNTED = LossCounters()
"""Of a light of which nothing was counted yet."""


def uplink_heard(counters: LossCounters, passed_over: int) -> LossCounters:
    """An uplink of the running session came, newer than the last, `passed_over` counters after it.

    The first heard of a session passes over none: nobody may have listened from its beginning on.
    """
    lost = min(max(passed_over, 0), GAP_MOST)
    return replace(
        counters,
        uplinks_heard=round(_faded(counters.uplinks_heard, lost + 1) + 1.0, _DECIMALS),
        uplinks_lost=round(KEEP * (_faded(counters.uplinks_lost, lost) + _sum(lost)), _DECIMALS),
    )


def uplink_late(counters: LossCounters) -> LossCounters:
    """An uplink that was passed over, and so counted as lost, came after all."""
    moved = min(counters.uplinks_lost, 1.0)
    return replace(
        counters,
        uplinks_heard=round(counters.uplinks_heard + moved, _DECIMALS),
        uplinks_lost=round(counters.uplinks_lost - moved, _DECIMALS),
    )


def frame_taken(counters: LossCounters) -> LossCounters:
    """A gateway took a frame for the light."""
    return replace(counters, downlinks_open=min(counters.downlinks_open + 1, OPEN_MOST))


def status_heard(counters: LossCounters, arrived: int, *, settled: bool = True) -> LossCounters:
    """A status came; the light counts `arrived` more downlinks than in the status before it.

    `settled` is False where the newest frame may have been on its way when the light spoke: then
    what is missing is left open for the next status. What the light counts beyond our frames (the
    network's own MAC commands, somebody else's) says nothing of ours.
    """
    came = min(max(arrived, 0), counters.downlinks_open)
    lost = counters.downlinks_open - came if settled else 0
    return replace(
        counters,
        downlinks_heard=round(
            _faded(_faded(counters.downlinks_heard, lost), came) + _sum(came), _DECIMALS
        ),
        downlinks_lost=round(
            _faded(_faded(counters.downlinks_lost, lost) + _sum(lost), came), _DECIMALS
        ),
        downlinks_open=counters.downlinks_open - came - lost,
    )


def session_began(counters: LossCounters) -> LossCounters:
    """The light joined anew: its counters restart, so what is open will never be told."""
    return replace(counters, downlinks_open=0) if counters.downlinks_open else counters


def uplink_loss(counters: LossCounters | None, prior: float) -> float:
    """Share of this light's uplinks that are lost, from (0, 1). `prior` is the fleet's."""
    if counters is None:
        return _within(prior)
    return _share(counters.uplinks_lost, counters.uplinks, prior)


def downlink_loss(counters: LossCounters | None, prior: float) -> float:
    """Share of the frames for this light that do not reach it, from (0, 1)."""
    if counters is None:
        return _within(prior)
    return _share(counters.downlinks_lost, counters.downlinks, prior)


def _share(lost: float, counted: float, prior: float) -> float:
    return _within((PRIOR_FRAMES * prior + lost) / (PRIOR_FRAMES + counted))


def _within(share: float) -> float:
    return min(max(share, _LEAST), _MOST)


def _faded(count: float, frames: int) -> float:
    return count * math.pow(KEEP, frames)


def _sum(frames: int) -> float:
    """So many frames in a row, the newest of which weighs 1."""
    return (1.0 - math.pow(KEEP, frames)) / (1.0 - KEEP)
