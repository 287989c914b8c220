"""How reliably commands succeed: spread of the times and attempts, and the worst lights.

The figures are made of the verdicts in the store. A text says why a light is among the worst, and a
light without trouble is never among them.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

import msgspec

from actors.device.command import CommandStatus
from actors.device.verdict import FLEET_STREAM, Verdict
from actors.metrics.downlinks import HOURS_MOST, VERDICTS_MOST, decoded, percentile
from store.port import Store

TIME_BOUNDS_S = (5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 300.0, 900.0, 3_600.0)
"""Around the timed attempts at 0, 40 and 90 s and the verdict at 120 s."""
ATTEMPT_BOUNDS = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0)
WORST_MOST = 20
ATTEMPTS_TROUBLE = 1.5
"""More attempts per success than this are trouble."""
SLOW_S = 60.0
"""A light whose p95 is above this needed a second attempt."""


class Bucket(msgspec.Struct, frozen=True):
    """Of a histogram: how many values are at most `most` (None: any) and in no bucket before."""

    most: float | None
    count: int


class WorstLight(msgspec.Struct, frozen=True):
    """A light whose commands have trouble, and why, in words."""

    dev_eui: str
    commands: int
    verified: int
    failed: int
    attempts_per_success: float | None
    time_to_verify_p95_s: float | None
    """None of fewer than 20 verified commands."""
    time_to_verify_most_s: float | None
    """The slowest."""
    why: str


class Reliability(msgspec.Struct, frozen=True):
    """How reliably the ended commands of a time succeeded."""

    hours: float
    commands: int
    verified: int
    time_to_verify: list[Bucket]
    attempts_per_success: list[Bucket]
    worst: list[WorstLight]


async def reliability(
    store: Store, hours: float, now: float, sees: Callable[[str], bool] | None = None
) -> Reliability:
    """Of all lights over the last `hours` (at most 168), or of those for which `sees` is true.
    Raises StoreError."""
    hours = max(0.0, min(hours, HOURS_MOST))
    entries = await store.entries(
        FLEET_STREAM,
        since=now - hours * 3_600.0,
        until=math.nextafter(now, math.inf),
        most=VERDICTS_MOST,
    )
    if len(entries) == VERDICTS_MOST:
        hours = (now - entries[-1].at) / 3_600.0
    return assess(await decoded(entries, sees), hours)


def assess(verdicts: Sequence[Verdict], hours: float) -> Reliability:
    """The figures of these verdicts."""
    verified = [one for one in verdicts if one.status is CommandStatus.VERIFIED]
    by_light: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_light.setdefault(verdict.dev_eui, []).append(verdict)
    troubled = [light for group in by_light.values() if (light := _judged(group)) is not None]
    troubled.sort(key=_badness)
    return Reliability(
        hours=hours,
        commands=len(verdicts),
        verified=len(verified),
        time_to_verify=histogram(TIME_BOUNDS_S, (one.took_s for one in verified)),
        attempts_per_success=histogram(ATTEMPT_BOUNDS, (float(one.attempts) for one in verified)),
        worst=troubled[:WORST_MOST],
    )


def histogram(bounds: Sequence[float], values: Iterable[float]) -> list[Bucket]:
    """How many values are at most each bound and above the one before; the last has none."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    return [Bucket(most, count) for most, count in zip([*bounds, None], counts, strict=True)]


def _judged(verdicts: Sequence[Verdict]) -> WorstLight | None:
    """One light's figures and what is wrong with them; None when nothing is."""
    verified = [one for one in verdicts if one.status is CommandStatus.VERIFIED]
    expired = sum(one.status is CommandStatus.EXPIRED for one in verdicts)
    rejected = sum(one.status is CommandStatus.REJECTED for one in verdicts)
    attempts = sum(one.attempts for one in verdicts)
    each = attempts / len(verified) if verified else None
    took_s = sorted(one.took_s for one in verified)
    p95_s, most_s = percentile(took_s, 0.95), max(took_s, default=None)
    reasons = []
    if expired:
        reasons.append(f"{expired} of {len(verdicts)} commands expired")
    if rejected:
        reasons.append(f"{rejected} of {len(verdicts)} commands were rejected")
    if each is not None and each > ATTEMPTS_TROUBLE:
        reasons.append(f"{each:.1f} attempts for each success")
    if p95_s is not None and p95_s > SLOW_S:
        reasons.append(f"one in twenty of {len(verified)} takes {p95_s:.0f} s or more")
    elif p95_s is None and most_s is not None and most_s > SLOW_S:
        reasons.append(f"the slowest of {len(verified)} took {most_s:.0f} s")
    if not reasons:
        return None
    return WorstLight(
        dev_eui=verdicts[0].dev_eui,
        commands=len(verdicts),
        verified=len(verified),
        failed=expired + rejected,
        attempts_per_success=each,
        time_to_verify_p95_s=p95_s,
        time_to_verify_most_s=most_s,
        why="; ".join(reasons),
    )


def _badness(light: WorstLight) -> tuple[float, float, float, str]:
    """First those that fail most often, then those that cost most, then the slowest."""
    each = light.attempts_per_success
    slow_s = light.time_to_verify_p95_s or light.time_to_verify_most_s
    share = light.failed / light.commands
    return (-share, -(math.inf if each is None else each), -(slow_s or 0.0), light.dev_eui)
