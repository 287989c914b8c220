"""The chance that the next command of a light is verified within 30 s: pure arithmetic.

A command may be tried `attempts` times in that time, and each try succeeds with the chance that
neither the frame nor its answer is lost, provided that the light has power at all. Losses of single
frames are taken for independent, which they are on good links (public logs of SaintEynard,
github.com/CampusIoT/datasets: after a loss 0.968 are heard, else 0.980); on poor ones they come and
go for hours, which the fading counters follow.
"""

import math
from typing import NamedTuple

from actors.device import retry_plan
from actors.device.firmware import knowledge_in
from actors.device.model import Device
from actors.device.policy import Policy
from actors.link.loss_counters import KEEP, LossCounters, downlink_loss, uplink_loss
from actors.replace import replace

WITHIN_S = 30.0
"""A command verified by then kept the promise of fast feedback."""
ANSWER_S = 5.0
"""An attempt that starts later than so long before the end is not answered in time."""
LOSS_LEAST, LOSS_MOST = 0.001, 0.9


class Prior(NamedTuple):
    """What is expected of a light of which little was counted."""

    uplink_loss: float
    downlink_loss: float


def attempts_within(device: Device, policy: Policy) -> int:
    """How many attempts the plan of retries puts into 30 s: three 10 s apart, four where 5 s are
    proven to be safe, one where an answer is waited for until then."""
    window_s, fixed = retry_plan.window_s(device, None, policy), retry_plan.fixed(policy)
    known, report = knowledge_in(policy), device.report
    proven = report is not None and report.sw_rev in known.spacing_proven
    spacing_s = retry_plan.SHORT_SPACING_S if proven else policy.spacing_s
    learned = retry_plan.learned(policy)
    most = retry_plan.ATTEMPTS_MOST if learned else fixed.attempts_most
    at_s, count = 0.0, 1
    while count < most:
        if learned:
            at_s += max(window_s, retry_plan.gap_s(count, spacing_s, 0.0))
        else:
            at_s += max(window_s + fixed.first_s * fixed.factor ** (count - 1), spacing_s)
        if at_s > WITHIN_S - ANSWER_S:
            break
        count += 1
    return count


def losses_of(counters: LossCounters, prior: Prior, missed: int = 0) -> tuple[float, float]:
    """Share of frames lost up and down, of a light that has power.

    `missed` statuses that are overdue were lost, then, though no gap in the counter tells so yet.
    Both ways go over one path: a light that loses twice as many uplinks as the others of its prior
    is expected to lose twice as many downlinks, until enough of these were counted.
    """
    if missed:
        kept = math.pow(KEEP, missed)
        counters = replace(
            counters,
            uplinks_heard=counters.uplinks_heard * kept,
            uplinks_lost=counters.uplinks_lost * kept + (1.0 - kept) / (1.0 - KEEP),
        )
    up = uplink_loss(counters, prior.uplink_loss)
    like = prior.downlink_loss * up / max(prior.uplink_loss, LOSS_LEAST)
    return up, downlink_loss(counters, min(like, LOSS_MOST))


def chance_of(up: float, down: float, attempts: int, odds: float) -> float:
    """Chance that one of the attempts is answered, by the losses up and down."""
    answered = (1.0 - up) * (1.0 - down)
    return (1.0 - math.pow(1.0 - answered, attempts)) / (1.0 + odds)
