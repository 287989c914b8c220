"""How long a forwarder waits before it sends, told apart from how long a light takes to answer.

What a Class C frame shows is the sum: from its txack to its answer pass the forwarder's lag, the
light's delay and two airtimes. What leaves in a receive window shows the delay alone, for the
gateway's own counter times it. The lag is the difference.

Two things blur that. A light cannot speak before its receive windows are over, so that a delay
shorter than some 0.9 s is seen as that. And delays differ from answer to answer. Where they do not,
the lag is measured. Elsewhere each kind of forwarder that is in use is put to the test: less its
lag the sums must look like the delays, both cut off where windows close. Exactly one kind that
passes is it; else the lag stays unknown, which is the careful answer.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import median

import msgspec

KINDS_S = (0.08, 1.0)
"""From the acknowledgement to the air. 80 ms: sx1302_hal 2.x and ChirpStack Concentratord from
4.5.2. 1 s: packet_forwarder 4.x (SX1301) and Concentratord before. Read in their code."""
SAMPLES_LEAST = 3
"""Of the delay, and of the sum: below that an accident would decide."""
BOUND_SAMPLES = 10
"""Of the sum, where it alone is to rule a lag out."""
EXACT_S = 0.15
"""A lag known to less than that (two standard errors) is used as it is: a frame of 0.2 s and its
answer are placed by it."""
FITS_SIGMAS, REFUSED_SIGMAS = 1.28, 2.33
"""Rank test, one side: a kind is refused wrongly once in a hundred times, and then the other mostly
does not fit either."""
SURE_SIGMAS = 3.0
"""Once in 700 times: what two gateways go by that must not send at once."""
ROUNDING_S = 0.1
"""The way to the network server and back varies by that."""
FEW = 10
"""Of fewer samples the whole range tells how much they vary, for quartiles may be close by luck."""


class Basis(StrEnum):
    """What a lag rests on."""

    MEASURED = "measured"  # the difference of delays that hardly vary
    EXCLUDED = "excluded"  # of the forwarders in use only this kind fits what was seen
    ACKNOWLEDGED = "acknowledged"  # the txack comes from the air, so there is none


class Lag(msgspec.Struct, frozen=True, gc=False):
    """From a txack to the start of its frame, seconds."""

    lag_s: float
    basis: Basis


class SlotDelay(msgspec.Struct, frozen=True, gc=False):
    """An answer delay seen without lag, seconds. `floor_s`: sooner the light could not speak."""

    delay_s: float
    floor_s: float

    @property
    def at_floor(self) -> bool:
        """It spoke the moment it could, and may be quicker than that elsewhere."""
        return self.delay_s <= self.floor_s + ROUNDING_S / 2


class Delay(msgspec.Struct, frozen=True, gc=False):
    """How soon lights of one software revision answer, without any lag; seconds.

    `at_most`: they may answer sooner than that, for they spoke the moment they could.
    """

    median_s: float
    least_s: float
    most_s: float
    samples: int
    at_most: bool


def beyond_s(sums_s: Sequence[float], others_s: Sequence[float]) -> float:
    """By how much the one's sums are longer than the other's, at most: the difference of the
    medians and two of its standard errors. Of both there must be `BOUND_SAMPLES`."""
    error_s = math.hypot(_median_error_s(sums_s), _median_error_s(others_s))
    return median(sums_s) - median(others_s) + 2.0 * error_s


def _median_error_s(values: Sequence[float]) -> float:
    ordered, count = sorted(values), len(values)
    quarters_s = ordered[count * 3 // 4] - ordered[count // 4]
    return 1.25 * quarters_s / 1.35 / math.sqrt(count)


def delay_of(slots: Sequence[SlotDelay]) -> Delay | None:
    """The delay, once enough answers were seen."""
    if len(slots) < SAMPLES_LEAST:
        return None
    seen = [slot.delay_s for slot in slots]
    at_most = 2 * sum(slot.at_floor for slot in slots) >= len(seen)
    return Delay(median(seen), min(seen), max(seen), len(seen), at_most)


def lag_of(
    sums: Sequence[float], slots: Sequence[SlotDelay], *, refused_sigmas: float = REFUSED_SIGMAS
) -> Lag | None:
    """A gateway's lag from its sums of lag and delay, and from delays seen without lag, all of one
    software revision; None while it could be either kind."""
    if len(sums) < SAMPLES_LEAST:
        return None
    soonest_s = sorted(sums)[len(sums) // 20]
    possible = [kind for kind in KINDS_S if kind <= soonest_s + ROUNDING_S]
    delay = delay_of(slots)
    if delay is None:
        return _sole(possible) if len(sums) >= BOUND_SAMPLES else None
    if not delay.at_most:
        seen = [slot.delay_s for slot in slots]
        error_s = math.hypot(_error_s(sums), _error_s(seen))
        if 2 * error_s <= EXACT_S:
            lag_s = max(0.0, median(sums) - delay.median_s)
            return Lag(round(lag_s, 3), Basis.MEASURED)
    floor_s = max(slot.floor_s for slot in slots) + ROUNDING_S / 2
    delays = [max(slot.delay_s, floor_s) for slot in slots]
    off = {kind: _off(kind, sums, delays, floor_s) for kind in possible}
    left = [kind for kind in possible if off[kind] <= refused_sigmas]
    return _sole(left) if left and off[left[0]] <= FITS_SIGMAS else None


def _sole(kinds: Sequence[float]) -> Lag | None:
    return Lag(kinds[0], Basis.EXCLUDED) if len(kinds) == 1 else None


def _off(kind_s: float, sums: Sequence[float], delays: Sequence[float], floor_s: float) -> float:
    """By how many sigmas sums less this lag are not distributed as the delays are, to the side on
    which the other kind lies (Mann and Whitney's test by ranks, ties counted half)."""
    less = [max(one - kind_s, floor_s) for one in sums]
    above = sum((a > b) + 0.5 * (a == b) for a in less for b in delays)
    pairs, count = len(less) * len(delays), len(less) + len(delays)
    ranked = sorted([*less, *delays])
    ties = [ranked.count(one) for one in set(ranked)]
    tied = sum(size**3 - size for size in ties) / (count * (count - 1))
    sigma = math.sqrt(max(pairs / 12 * (count + 1 - tied), 1e-9))
    off = (above - pairs / 2) / sigma
    return off if kind_s == min(KINDS_S) else -off


def _error_s(seen: Sequence[float]) -> float:
    """Standard error of the median."""
    ordered, count = sorted(seen), len(seen)
    if count < FEW:
        spread_s = (ordered[-1] - ordered[0]) / 2.0
    else:
        spread_s = (ordered[(3 * count) // 4] - ordered[count // 4]) / 1.35
    # never less than what the way to the network server varies by
    return 1.25 * max(spread_s, 0.02) / math.sqrt(count)
