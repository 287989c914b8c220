"""Whether two frames to a light may be 5 s apart, judged from frames that were due anyway.

A light that still answers the first frame does not hear the second; ChirpStack itself keeps two
frames of a light 5 s apart. So a software revision is proven once hardly an answer of it is still
on its way after 5 s, the receive windows after the answer included, and it stays proven while
frames that follow after 5 s are answered as often as those that follow after 10 s or more.
"""

import math

import msgspec

from lorawan.airtime import OVERHEAD_BYTES, time_on_air_s

SPACING_S = 5.0
NEAR_MOST_S = 7.0
"""A frame that followed sooner than this after the one before is a near one."""
FAR_LEAST_S = 9.0
RECEIVE_WINDOW_S = 1.1
"""From the end of an answer until its first receive window (RX1) is over: a frame that meets the
opening of the window is lost."""
SAMPLES_LEAST = 100
OVER_LEAST = 0.999
"""Share of the answers that are over by `SPACING_S`."""
KEEP = 0.998
"""Answers fade as in the histogram: 500 count."""
KEEP_TRIES = 0.985
"""The newest 67 tries count, of each kind."""
PRIOR_TRIES = 20.0
"""Far frames are taken to be answered as promised until so many were seen."""
CERTAIN_Z = 2.33
"""Both intervals at 99 %, one-sided: a good revision is taken back once in 10,000 looks."""
AGAIN_FIRST = 30
AGAIN_MOST = 480
"""Near tries without fault until a revision that was taken back is trusted again; twice as many
each further time. A tenth of the retries are tries, so even the first takes weeks."""
STATUS_BYTES = 25
SLOWEST = 12
"""Spreading factor assumed of an answer of which it was not told."""


class SpacingRecord(msgspec.Struct, frozen=True, gc=False):
    """What is stored of one revision."""

    samples: int = 0
    in_time: float = 0.0
    too_long: float = 0.0
    near: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Tries, answered ones, and how many of them were promised; the newest weighs 1."""
    far: tuple[float, float, float] = (0.0, 0.0, 0.0)
    again: int = 0
    """Near tries still needed, after it was taken back."""
    taken_back: int = 0
    """How often."""


class _Tries:
    """Frames of one kind, faded."""

    __slots__ = ("answered", "count", "promised")

    def __init__(self, stored: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        count, answered, promised = stored
        self.count = max(count, 0.0)
        self.answered = min(max(answered, 0.0), self.count)
        self.promised = min(max(promised, 0.0), self.count)

    def add(self, expected: float, *, answered: bool) -> None:
        self.count = self.count * KEEP_TRIES + 1.0
        self.answered = self.answered * KEEP_TRIES + answered
        self.promised = self.promised * KEEP_TRIES + expected

    def came_late(self) -> None:
        """One that was added as unanswered was answered after all."""
        self.answered = min(self.answered + 1.0, self.count)

    def stored(self) -> tuple[float, float, float]:
        return (round(self.count, 3), round(self.answered, 3), round(self.promised, 3))


class Spacing:
    """The account of one software revision."""

    __slots__ = ("_again", "_far", "_in_time", "_near", "_samples", "_taken_back", "_too_long")

    def __init__(self, record: SpacingRecord | None = None) -> None:
        stored = record or SpacingRecord()
        self._samples = max(stored.samples, 0)
        self._in_time, self._too_long = max(stored.in_time, 0.0), max(stored.too_long, 0.0)
        self._near, self._far = _Tries(stored.near), _Tries(stored.far)
        self._again, self._taken_back = max(stored.again, 0), max(stored.taken_back, 0)

    @property
    def proven(self) -> bool:
        """Whether frames to these lights may be 5 s apart."""
        counted = self._in_time + self._too_long
        return (
            self._samples >= SAMPLES_LEAST
            and self._again == 0
            and self._in_time >= OVER_LEAST * counted
        )

    @property
    def taken_back(self) -> int:
        """How often it was found that near frames are lost more often."""
        return self._taken_back

    @property
    def over_share(self) -> float | None:
        """Share of the answers that are over by 5 s; None before there were any."""
        counted = self._in_time + self._too_long
        return self._in_time / counted if counted else None

    def answer(self, answer_s: float, spreading_factor: int | None) -> None:
        """One answer began so long after its frame."""
        over_s = answer_s + _status_s(spreading_factor) + RECEIVE_WINDOW_S
        in_time = over_s <= SPACING_S
        self._samples += 1
        self._in_time = self._in_time * KEEP + in_time
        self._too_long = self._too_long * KEEP + (not in_time)

    def tried(self, gap_s: float, expected: float, *, answered: bool) -> None:
        """A frame followed the one before it so soon, and was answered or not."""
        tries = self._kind(gap_s)
        if tries is None or not 0.0 < expected <= 1.0:
            return
        tries.add(expected, answered=answered)
        if tries is self._near and self._again > 0:
            self._again -= 1
        if not answered and self._worse():
            self._take_back()

    def tried_late(self, gap_s: float) -> None:
        """What was told as unanswered is answered after all."""
        tries = self._kind(gap_s)
        if tries is not None:
            tries.came_late()

    def record(self) -> SpacingRecord:
        """What is stored of it."""
        return SpacingRecord(
            samples=self._samples,
            in_time=round(self._in_time, 3),
            too_long=round(self._too_long, 4),
            near=self._near.stored(),
            far=self._far.stored(),
            again=self._again,
            taken_back=self._taken_back,
        )

    # ------------------------------------------------------------------ inside

    def _kind(self, gap_s: float) -> _Tries | None:
        if gap_s <= NEAR_MOST_S:
            return self._near
        return self._far if gap_s >= FAR_LEAST_S else None

    def _worse(self) -> bool:
        """Whether near frames are answered less often, the lights' own promises considered."""
        near, far = self._near, self._far
        if not near.count or not near.promised:
            return False
        near_mean = near.promised / near.count
        far_count = far.count + PRIOR_TRIES
        far_mean = (far.promised + PRIOR_TRIES * near_mean) / far_count
        best = interval(near.answered, near.count)[1] / near_mean
        worst = interval(far.answered + PRIOR_TRIES * near_mean, far_count)[0] / far_mean
        return best < worst

    def _take_back(self) -> None:
        self._again = min(AGAIN_FIRST * 2 ** min(self._taken_back, 10), AGAIN_MOST)
        self._taken_back += 1
        self._near = _Tries()


def interval(hits: float, tries: float) -> tuple[float, float]:
    """Bounds of a share that was seen in `tries`, each 99 % certain: Wilson's, which is close to
    the Beta distribution's and needs no table. Source: Brown, Cai, DasGupta 2001."""
    z2 = CERTAIN_Z * CERTAIN_Z
    share, whole = hits / tries, 1.0 + z2 / tries
    middle = share + z2 / (2.0 * tries)
    spread = CERTAIN_Z * math.sqrt(max(share * (1.0 - share) / tries, 0.0) + z2 / (4 * tries**2))
    return max((middle - spread) / whole, 0.0), min((middle + spread) / whole, 1.0)


def _status_s(spreading_factor: int | None) -> float:
    known = spreading_factor if spreading_factor in range(7, 13) else None
    return time_on_air_s(OVERHEAD_BYTES + STATUS_BYTES, known or SLOWEST, 125_000)
