"""What slows a gateway down, and lets it recover: evidence that frames or answers go missing.

Three kinds of it. A txack later than it should be, of a light that ChirpStack itself did not hold
back: the gateway queues inside, or dropped the frame. A refusal. And first answers that do not come
although the lights' own records promise them: a CUSUM test of "as promised" against "three in five
of them", so that neither one loss nor a poor light slows anybody.

Whatever slowed it fades: with each txack in time, with each answer, and with time alone, so that no
back-off is for ever.
"""

import math

from actors.downlink.pacing.batch_plan import FRAMES_MOST

LATE_S = 0.35
"""Beyond lead and tick: txack and webhook take less."""
VERY_LATE_S = 3.0
"""So much later ChirpStack sent the frame again: a gateway had dropped it."""
AFTER_LATE_LIGHTS = 200
AFTER_MISSING_LIGHTS = 50
"""First answers in which the number of frames does not grow."""
MISSING_SHARE = 0.6
CUSUM_MOST = 5.0
"""Log-likelihood ratio of "three in five" to "as promised" at which it is believed."""
PROMISED_MOST = 0.85
"""No light is believed to miss less than one answer in seven: losses change sooner than counts."""
SELDOM = 0.97
"""An answer may be lost to what nobody promised, a heartbeat of another light for one."""
SLOWER = 1.25
SLOWEST = 8.0
FASTER_PER_TXACK = 0.004
GAP_KEPT = 0.998
"""Of the gap between txacks, at each one that comes in time."""
GAP_MOST_AIRTIMES = 14.0
"""Basics Station shuts its band for ten airtimes, and tries for a second."""
DROPPED_GAP_S, DROPPED_WIDER = 1.0, 1.3
"""Where a frame was dropped: at least so long between txacks, and so much longer each time."""
HALF_LIFE_S = 600.0
"""Of what slows a gateway, by time alone."""
FADES_EVERY_S = 10.0
GROW_ANSWERS = 3
"""Clean answers per frame of a batch before it may grow by one."""


class BackOff:
    """Of one gateway. Some 200 bytes."""

    __slots__ = (
        "_clean",
        "_cusum",
        "_faded_at",
        "_hold",
        "frames",
        "gap_s",
        "late",
        "missing",
        "reason",
        "refused",
        "slower",
    )

    def __init__(self) -> None:
        self.frames = 1
        """Frames of a batch that the evidence allows."""
        self.slower = 1.0
        """By what the cycle is stretched."""
        self.gap_s = 0.0
        """Txacks come no closer than this."""
        self.reason: str | None = None
        """What slowed it last, in words; None once it is over."""
        self.late = self.missing = self.refused = 0
        self._hold = 0
        self._cusum = 0.0
        self._clean = 0
        self._faded_at: float | None = None

    def txack_late(self, excess_s: float, since_last_s: float, airtime_s: float) -> None:
        """A txack came `excess_s` later than lead and tick explain, `since_last_s` after the one
        before it."""
        dropped = excess_s > VERY_LATE_S
        self.late += 1
        self._one_at_a_time("a txack came late")
        most_s = max(DROPPED_GAP_S, GAP_MOST_AIRTIMES * airtime_s)
        wider_s = self.gap_s * DROPPED_WIDER if dropped else self.gap_s
        seen_s = max(since_last_s, DROPPED_GAP_S if dropped else 0.0)
        self.gap_s = min(most_s, max(wider_s, min(seen_s, most_s)))

    def frame_refused(self, since_last_s: float, airtime_s: float) -> None:
        """The gateway would not send a frame."""
        self.refused += 1
        self._one_at_a_time("it refused a frame")
        self.gap_s = max(self.gap_s, min(since_last_s, GAP_MOST_AIRTIMES * airtime_s))

    def txack_in_time(self) -> None:
        """As it should be."""
        self.gap_s *= GAP_KEPT
        self._faster(self.slower - FASTER_PER_TXACK)

    def first_answer(self, promised: float, frames_planned: int, *, answered: bool) -> None:
        """What became of a first attempt. `promised` is the chance that its answer is heard, by
        the light's own record and the plan."""
        good = max(min(promised, PROMISED_MOST) * SELDOM, 0.05)
        bad = MISSING_SHARE * good
        step = math.log(bad / good if answered else (1.0 - bad) / (1.0 - good))
        self._cusum = max(0.0, self._cusum + step)
        self._hold = max(0, self._hold - 1)
        if self._cusum > CUSUM_MOST:
            self._cusum, self._clean = 0.0, 0
            self.missing += 1
            self.frames = max(1, self.frames // 2)
            self._hold = max(self._hold, AFTER_MISSING_LIGHTS)
            self.slower = min(SLOWEST, self.slower * SLOWER)
            self.reason = "first answers were missing"
        elif answered and not self._hold and self.frames < min(frames_planned, FRAMES_MOST):
            self._clean += 1
            if self._clean >= GROW_ANSWERS * self.frames:
                self._clean = 0
                self.frames += 1

    def fade(self, now: float) -> None:
        """Time alone makes it better, whatever else happens."""
        if self._faded_at is None:
            self._faded_at = now
        elif now - self._faded_at >= FADES_EVERY_S:
            kept = 0.5 ** ((now - self._faded_at) / HALF_LIFE_S)
            self._faded_at = now
            self.gap_s *= kept
            self._hold = math.floor(self._hold * kept)
            self._faster(1.0 + (self.slower - 1.0) * kept)

    def _one_at_a_time(self, reason: str) -> None:
        self.frames, self._clean, self.reason = 1, 0, reason
        self._hold = AFTER_LATE_LIGHTS

    def _faster(self, slower: float) -> None:
        self.slower = max(1.0, slower)
        if self.slower < 1.01 and not self._hold and self.gap_s < LATE_S:
            self.reason = None
