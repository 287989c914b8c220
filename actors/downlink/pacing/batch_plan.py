"""How many frames in one go, how far apart, and how soon the next go may follow.

A gateway that both speaks and listens does best in batches: all frames, then all answers. A frame
in the middle of somebody's answer costs that answer, so there is no sliding window. How a batch
fares is tried out with answer delays and jitters as they were measured, for each number of frames:
a handful of milliseconds, and only when enough new was learned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

FRAMES_MOST = 6
"""Frames of one batch: more gain less than a tenth, and each is one more to lose."""
HEARD_LEAST = 0.90
HEARD_LEAST_ALONE = 0.96
"""Share of the answers that must be heard; frames one by one have no other reason to lose any."""
TRIALS = 60
"""Batches tried out: the share is known to 2 in 100 with six answers each, so that one try of all
numbers of frames costs some 10,000 steps."""
CHANNELS = 8
"""Uplink channels from which a light draws."""
CAPTURED = 0.23
"""Of two answers on one channel: the stronger is heard in spite of the other so often."""
MARGIN_S = 0.02
"""Between an answer and a frame of the gateway; beyond the last delay that was measured."""
NEXT_MARGIN_S = 0.05
"""Before the next batch: where it starts is known by its txacks only, whose ways vary so much."""
STAGGER_SLACK_S = 0.03
"""Frames a status apart and so much more have answers that do not meet."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """`cycle_s` is from the start of a batch to the start of the next, `step_s` from a frame's
    order to the next one's within it (0: all at once), `heard` the share of answers heard."""

    frames: int
    step_s: float
    cycle_s: float
    heard: float


def plan_batch(
    delays_s: Sequence[float],
    jitters_s: Sequence[float],
    airtime_s: float,
    answer_s: float,
    *,
    gap_s: float,
    frames_most: int = FRAMES_MOST,
    staggered: bool = False,
) -> BatchPlan:
    """The plan by which most answers are heard in a second, while enough of them are.

    `delays_s` are from a frame's end to its answer's start, ascending and not empty; `jitters_s`
    how much later than planned a frame starts (one 0 where that is not known): they part the frames
    of a batch, but that the next batch is late is not counted on. `airtime_s` is of a
    frame, `answer_s` of an answer, `gap_s` the gateway's own pause between two frames. `staggered`
    where ChirpStack's tick is fine enough to send one frame at a planned time after another.
    """
    mean_jitter_s = sum(jitters_s) / len(jitters_s)
    draws = list(_draws(delays_s, jitters_s, frames_most))
    close_s, apart_s = airtime_s + gap_s, answer_s + STAGGER_SLACK_S
    best = BatchPlan(1, 0.0, airtime_s + answer_s + delays_s[-1] + MARGIN_S, 1.0)
    most = 0.0
    steps = [close_s, apart_s] if staggered and apart_s > close_s else [close_s]
    for step_s in steps:
        ordered_apart = step_s > close_s
        for frames in range(2 if ordered_apart else 1, frames_most + 1):
            wobbles = ordered_apart
            fates: list[tuple[float, float]] = []
            for delays, jitters in draws:
                fates += _fates(
                    delays[:frames], jitters, step_s, airtime_s, answer_s, wobbles=wobbles
                )
            fates.sort()
            least = HEARD_LEAST if frames > 1 else HEARD_LEAST_ALONE
            ends_s, heard, given = (frames - 1) * step_s + airtime_s, 0.0, len(draws) * frames
            for needed_s, weight in fates:
                heard += weight
                cycle_s = max(ends_s, needed_s + NEXT_MARGIN_S)
                share = heard / given
                rate = share * frames / (cycle_s + mean_jitter_s)
                if share >= least and rate > most:
                    most = rate
                    best = BatchPlan(frames, step_s if ordered_apart else 0.0, cycle_s, share)
    return best


def _draws(
    delays_s: Sequence[float], jitters_s: Sequence[float], frames: int
) -> Iterator[tuple[list[float], list[float]]]:
    """Delays and jitters of a batch; always the same."""
    rng = Random(TRIALS)
    for _ in range(TRIALS):
        yield rng.choices(delays_s, k=frames), rng.choices(jitters_s, k=frames)


def _fates(
    delays: Sequence[float],
    jitters: Sequence[float],
    step_s: float,
    airtime_s: float,
    answer_s: float,
    *,
    wobbles: bool,
) -> Iterator[tuple[float, float]]:
    """Of each answer that no frame of its own batch drowns: the cycle that lets it be heard, and
    the chance that no other answer drowns it."""
    frames, starts = len(delays), [0.0]
    for m in range(1, frames):
        late_s = jitters[m] - jitters[0]
        # Ordered at once they may leave by two ticks; the gateway sends one after the other.
        at = m * step_s + late_s if wobbles else max(starts[-1] + step_s, late_s)
        starts.append(at)
    answers = [starts[m] + airtime_s + delays[m] for m in range(frames)]
    for m in range(frames):
        begins, ends = answers[m] - MARGIN_S, answers[m] + answer_s + MARGIN_S
        if any(starts[o] < ends and starts[o] + airtime_s > begins for o in range(m + 1, frames)):
            continue
        meet = sum(o != m and abs(answers[o] - answers[m]) < answer_s for o in range(frames))
        yield answers[m] + answer_s, (1.0 - (1.0 - CAPTURED) / CHANNELS) ** meet
