"""How soon lights of one software revision answer, as a histogram that fades.

How long an answer takes follows from the firmware, so all lights of a revision teach together: 20
answers are enough, where a light alone would need its own. The wait follows from the slowest
answers (1.1 times the 99.5th percentile), not from mean and deviation: the distribution is not
known, and may have a tail or two humps.

Three things that a percentile alone does badly:

* A slower firmware. Old answers outnumber the first late ones, so an answer beyond the wait weighs
  two, and six such among eight begin the histogram anew. The same in the other direction, where
  the old, slow answers would take weeks to fade.
* A second hump. A light whose band is shut for a while (off-time) answers 10 to 200 s late. Up to a
  tenth of such answers, apart from the others, is kept and shown, and the wait ends before them:
  else each lost frame would be waited for as long as them.
* Heartbeats. One that comes in place of a lost answer repeats the same counters, and passes for an
  answer of any length. They are spread evenly and thin, and part of what the hump may hold.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Sequence

import msgspec

from actors.link.air_facts import DELAYS_MOST

RATIO = 1.15
"""Each bucket is so much longer than the one before: a wait is known to 15 %."""
SHORTEST_S = 0.01
ANSWER_MOST_S = 240.0
"""Later ones are a heartbeat and no answer; a light at SF12 is shut for 200 s at most."""
BUCKETS = math.ceil(math.log(ANSWER_MOST_S / SHORTEST_S) / math.log(RATIO)) + 1
"""73 of them, so that one revision takes 1 kB."""
KEEP = 0.998
"""What each sample leaves of those before: 500 answers count, those of some days."""
SAMPLES_LEAST = 20
"""Below that nothing is said: the slowest of 20 answers is the 95th percentile at least."""
PERCENTILE = 0.995
MARGIN = 1.1
"""The wait is so much longer than the percentile."""
LATE_WEIGHT = 2.0
"""Of an answer beyond the wait, unless it may be of the hump. Of 500 answers three of weight 1 had
to be late until the percentile moves, and each late one may have been retried for nothing."""

RECENT = 8
CHANGED = 6
"""So many of the last `RECENT` answers beyond what 99.5 % kept before them are another firmware, or
a longer way: by luck once in 10^12 answers, and once in 10^6 where a twentieth answers late."""
CAREFUL_S = 8.0
"""Waited while nothing is known; answers known to take longer than that are waited for sooner."""

HUMP_FROM_S = 8.0
"""Before that a hump costs nothing: a light without proven spacing is not tried again anyway."""
HUMP_MOST = 0.1
"""A larger share is how these lights answer, no exception."""
HUMP_LEAST = 1.0 - PERCENTILE
"""A smaller share moves no percentile."""
VALLEY = 2
"""Buckets; so wide is the emptiness before a hump at least, a factor of 1.3 in time."""
VALLEY_BEFORE = 6
"""It may begin so many buckets before `HUMP_FROM_S`, at 3.5 s: what stands between it and there,
at most `STRAY_MOST` of the hump, are heartbeats."""
STRAY_MOST = 0.25
VALLEY_DEPTH = 1.0 / 3.0
"""The valley holds at most this share of what the fullest `VALLEY` buckets beyond it hold: a tail
falls all the way."""

GATEWAYS_MOST = 100
OWN_MOST = 60
"""Newest delays of each gateway, for its forwarder's lag is within: 200 kB at the worst, and not
stored. Of more gateways the one that was answered longest ago is forgotten."""
OWN_LEAST = 20
"""Below that a gateway's own delays say less than those of all."""


class AnswerTimesRecord(msgspec.Struct, frozen=True, gc=False):
    """The same as it is stored: counts as pairs of bucket and weight."""

    counts: tuple[tuple[int, float], ...] = ()
    samples: int = 0
    delays: tuple[float, ...] = ()


class _Recent(msgspec.Struct, frozen=True, gc=False):
    """One of the newest answers, with the bounds that 99.5 % kept before it."""

    answer_s: float
    least_s: float
    most_s: float


class AnswerTimes:
    """The answers of one software revision. Seconds throughout, less the airtimes."""

    __slots__ = (
        "_counts",
        "_delays",
        "_hump_from_s",
        "_kept_by_most",
        "_own",
        "_recent",
        "_sorted",
        "samples",
    )

    def __init__(self) -> None:
        self.samples = 0
        """Answers taken in, all in all."""
        self._counts = [0.0] * BUCKETS
        self._recent: deque[_Recent] = deque(maxlen=RECENT)
        self._delays: deque[float] = deque(maxlen=DELAYS_MOST)
        self._own: OrderedDict[str, deque[float]] = OrderedDict()
        self._kept_by_most: tuple[float, float] | None = None
        self._hump_from_s: float | None = None
        self._sorted: dict[str | None, tuple[float, ...]] = {}

    @property
    def wait_s(self) -> float | None:
        """How long an answer is waited for; None while that is not known."""
        if self.samples < SAMPLES_LEAST:
            slow = self.samples >= CHANGED and self._percentile(0.5, BUCKETS) > CAREFUL_S
            if not slow:
                return None
        return MARGIN * self._bounds()[1]

    @property
    def median_s(self) -> float | None:
        """What half of the answers keep; None while nothing is known."""
        return None if self.samples < SAMPLES_LEAST else self._percentile(0.5, BUCKETS)

    @property
    def late_share(self) -> float:
        """Share of the answers in a second hump, for which nobody waits."""
        total = math.fsum(self._counts)
        return math.fsum(self._counts[self._valley() :]) / total if total else 0.0

    def in_hump(self, answer_s: float) -> bool:
        """Whether an answer that takes so long is of the second hump."""
        if self._hump_from_s is None:
            valley = self._valley()
            self._hump_from_s = math.inf if valley == BUCKETS else _edge_s(valley - 1)
        return answer_s > self._hump_from_s

    def answered(self, answer_s: float) -> bool:
        """One answer; False where it can be none."""
        if not 0.0 <= answer_s <= ANSWER_MOST_S:  # also what is no number
            return False
        wait_s = self.wait_s
        late = wait_s is not None and wait_s < answer_s < HUMP_FROM_S
        if self.samples >= SAMPLES_LEAST:
            self._recent.append(_Recent(answer_s, *self._bounds()))
        self._counts = [count * KEEP for count in self._counts]
        self._counts[_bucket(answer_s)] += LATE_WEIGHT if late else 1.0
        self.samples += 1
        if newer := self._changed():
            self._begin_anew(newer)
        self._kept_by_most = self._hump_from_s = None
        self._sorted.clear()
        return True

    def delayed(self, delay_s: float, gateway_id: str | None = None) -> None:
        """The same answer by ChirpStack's clock, the lag of the gateway's forwarder within."""
        if not -1.0 <= delay_s <= ANSWER_MOST_S:
            return
        delay_s = max(delay_s, 0.0)
        self._delays.append(delay_s)
        self._sorted.pop(None, None)
        if gateway_id is not None:
            self._own.setdefault(gateway_id, deque(maxlen=OWN_MOST)).append(delay_s)
            self._own.move_to_end(gateway_id)
            self._sorted.pop(gateway_id, None)
            if len(self._own) > GATEWAYS_MOST:
                self._sorted.pop(self._own.popitem(last=False)[0], None)

    def delays_s(self, gateway_id: str | None = None) -> Sequence[float]:
        """The newest delays by ChirpStack's clock, ascending, at most 200; none of the hump. Those
        of this gateway alone, where there are enough."""
        own = None if gateway_id is None else self._own.get(gateway_id)
        name = gateway_id if own is not None and len(own) >= OWN_LEAST else None
        known = self._sorted.get(name)
        if known is None:
            some = self._delays if own is None or name is None else own
            known = tuple(sorted(one for one in some if not self.in_hump(one)))
            self._sorted[name] = known
        return known

    def record(self) -> AnswerTimesRecord:
        """What is stored of it; 2 kB at most."""
        found = [(index, round(count, 3)) for index, count in enumerate(self._counts)]
        return AnswerTimesRecord(
            counts=tuple((index, count) for index, count in found if count > 0.0),
            samples=self.samples,
            delays=tuple(round(one, 3) for one in self._delays),
        )

    @classmethod
    def restored(cls, record: AnswerTimesRecord) -> "AnswerTimes":
        """Out of a stored one; what is out of bounds in it counts for nothing."""
        known = cls()
        for index, count in record.counts:
            if 0 <= index < BUCKETS and 0.0 < count <= 1.0 / (1.0 - KEEP) * LATE_WEIGHT:
                known._counts[index] = count
        known.samples = max(record.samples, 0) if any(known._counts) else 0
        known._delays.extend(one for one in record.delays if 0.0 <= one <= ANSWER_MOST_S)
        return known

    # ------------------------------------------------------------------ inside

    def _bounds(self) -> tuple[float, float]:
        """What 99.5 % of the answers keep, from below and from above; the hump left out."""
        if self._kept_by_most is None:
            end = self._valley()
            least_s = self._percentile(1.0 - PERCENTILE, end) / RATIO
            self._kept_by_most = (least_s, self._percentile(PERCENTILE, end))
        return self._kept_by_most

    def _percentile(self, share: float, end: int) -> float:
        """The upper edge of the bucket in which this share of what lies before `end` is reached."""
        wanted, reached = share * math.fsum(self._counts[:end]), 0.0
        for index in range(end):
            reached += self._counts[index]
            if reached >= wanted and self._counts[index] > 0.0:
                return _edge_s(index)
        return _edge_s(end - 1)

    def _valley(self) -> int:
        """The bucket before which the main part of the answers ends: `BUCKETS` without a hump."""
        counts, total = self._counts, math.fsum(self._counts)
        first = _bucket(HUMP_FROM_S)
        beyond = math.fsum(counts[first:])
        if beyond < HUMP_LEAST * total:
            return BUCKETS
        for index in range(first - VALLEY_BEFORE, BUCKETS - 2 * VALLEY + 1):
            start = index + VALLEY
            beyond, before = math.fsum(counts[start:]), math.fsum(counts[start:first])
            if beyond < HUMP_LEAST * total:
                return BUCKETS
            if beyond > HUMP_MOST * total or before > STRAY_MOST * beyond:
                continue
            windows = range(start, BUCKETS - VALLEY + 1)
            fullest = max(math.fsum(counts[at : at + VALLEY]) for at in windows)
            if math.fsum(counts[index:start]) <= VALLEY_DEPTH * fullest:
                return index
        return BUCKETS

    def _changed(self) -> list[float]:
        """The newest answers, if they are another firmware's or come by another way; else none."""
        if len(self._recent) < RECENT:
            return []
        before, newest = self._recent[0], [one.answer_s for one in self._recent]
        slower = [one for one in newest if one > before.most_s]
        quicker = [one for one in newest if one < before.least_s]
        return max((one for one in (slower, quicker) if len(one) >= CHANGED), key=len, default=[])

    def _begin_anew(self, answers: Sequence[float]) -> None:
        """Only these are kept: what is said follows from them at once."""
        self._counts = [0.0] * BUCKETS
        for one in answers:
            self._counts[_bucket(one)] += 1.0
        self._own.clear()
        newest = list(self._delays)[-CHANGED:]
        self._delays.clear()
        self._delays.extend(newest)
        self._recent.clear()
        self.samples = len(answers)


def _bucket(seconds: float) -> int:
    if seconds <= SHORTEST_S:
        return 0
    return min(int(math.log(seconds / SHORTEST_S) / math.log(RATIO)) + 1, BUCKETS - 1)


def _edge_s(index: int) -> float:
    """The upper edge of a bucket."""
    return SHORTEST_S * math.pow(RATIO, index)
