"""When the next attempt goes, how long its answer is waited for, and whether one is worth its air.

Pure arithmetic over what is known of the light and of all lights.

The learned plan. An answer is waited for as long as lights of this software take, and the next
frame goes when it can no longer come, a gap after the frame before. Losses come in bursts as well
as singly, so that the gaps grow, and those above ten seconds are spread. One more attempt is made
while it proves the colour with a chance of at least `WORTH`: while
s / (1 + odds / (1 - s)^k) is that much after k failures, where s is the chance that an attempt is
answered by a light that is well, from the light's own counts of lost frames, and `odds` those that
the light is dark, from how long it was silent and how many status intervals that is.

The fixed plan is that of the settings: a window, a wait that grows by a factor, a number of
attempts. The classic plan is a fixed one: 30 s, then 10, 20 and 40 s.
"""

import zlib
from dataclasses import dataclass

from actors.device.firmware import knowledge_in, listening_since
from actors.device.model import Attempt, Device, Pursuit
from actors.device.policy import Policy, RetryPlan
from actors.link.loss_counters import downlink_loss, uplink_loss
from lorawan.airtime import uplink_airtime_s
from lorawan.events.model import Modulation
from lorawan.kuando import STATUS_BYTES_MOST, answers_downlinks
from lorawan.kuando.frames import SetLight

GAPS_S = (10.0, 10.0, 20.0, 30.0, 40.0, 60.0, 60.0)
"""From the end of a frame to the next, after one failure, after two, and so on."""
SHORT_GAPS_S = (5.0, 5.0, 10.0, 20.0, 40.0, 60.0, 60.0)
"""The same for software for which frames five seconds apart are proven safe: two early attempts
more are worth it against single losses, more than two are not against bursts of them."""
SHORT_SPACING_S = 5.0
"""ChirpStack keeps Class C frames to one light so far apart by itself."""
SHORT_TRIED_OF = 10
"""One in so many retries is tried with the short spacing where that is not proven, if answers are
known to be over by then: should it be lost, the light is tried again ten seconds later."""
SPREAD = 0.1
ATTEMPTS_MOST = len(GAPS_S) + 1
"""Six of them within two minutes. A light that answers none of eight is out of reach, whatever its
counts say: at 30 % loss each way that is chance once in 200."""
WORTH = 0.1
"""A frame that proves the colour less often than once in ten is better kept for evidence."""

UNKNOWN_WINDOW_S = 8.0
"""Until the answers of a software are known: of a light that takes three seconds, at SF12, half of
it is air and webhooks."""
WINDOW_LEAST_S, WINDOW_MOST_S = 2.0, 30.0

UPLINK_LOSS_LEAST = 0.01
"""However good a light's uplinks are: a missed status says no more than that it is one in 100."""
STATUS_LATE_S = 30.0
"""A status so much later than its interval is missed."""
OWN_INTERVAL_MIN = 30
"""Of a light that was told none. Source: Plenom's document, command 04."""
MISSED_MOST = 100
"""Statuses missed that are counted: a day's, and by far enough to call a light dark."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The numbers of a fixed plan."""

    window_s: float
    first_s: float
    factor: float
    attempts_most: int


CLASSIC = Fixed(30.0, 10.0, 2.0, 4)
"""Half a minute for an answer, then three retries after 10, 20 and 40 s."""


def fixed(policy: Policy) -> Fixed:
    """The numbers of the fixed plan, which also judge what an older version left open."""
    if policy.plan is RetryPlan.CLASSIC:
        return CLASSIC
    return Fixed(
        policy.window_s, policy.backoff_first_s, policy.backoff_factor, policy.attempts_most
    )


def learned(policy: Policy) -> bool:
    """Whether the plan is the learned one."""
    return policy.plan is RetryPlan.LEARNED


# ------------------------------------------------------------------ when


def spacing_s(device: Device, policy: Policy, failures: int | None = None) -> float:
    """Least time between two frames to this light; after so many failures, or as many as its
    record says."""
    report = device.report
    if not learned(policy) or report is None:
        return policy.spacing_s
    proven = report.sw_rev in knowledge_in(policy).spacing_proven
    if proven or _tries_short(device, policy, failures):
        return min(policy.spacing_s, SHORT_SPACING_S)
    return policy.spacing_s


def _tries_short(device: Device, policy: Policy, failures: int | None) -> bool:
    """Whether a retry that is due anyway goes so soon, for it to be known whether that is safe.

    It follows from light and attempt, so that it stays the same until the frame is out.
    """
    goal, wait_s = device.pursuit, _answer_wait_s(device, policy)
    if goal is None or device.setup is not None or wait_s is None:
        return False
    if not (goal.attempts if failures is None else failures):
        return False
    if wait_s + status_airtime_s(device) > SHORT_SPACING_S:
        return False
    return (zlib.crc32(device.dev_eui.encode()) + device.attempts_made) % SHORT_TRIED_OF == 0


def gap_s(failures: int, spacing: float, chance: float) -> float:
    """From the end of a frame to the next attempt, after so many failures (1, 2, ...)."""
    gaps = SHORT_GAPS_S if spacing <= SHORT_SPACING_S else GAPS_S
    nominal = max(gaps[min(max(failures, 1), len(gaps)) - 1], spacing)
    if nominal > max(GAPS_S[0], spacing):
        return max(nominal * (1.0 + SPREAD * (2.0 * chance - 1.0)), spacing)
    return nominal * (1.0 + SPREAD * chance)  # never closer than the spacing


def window_s(device: Device, attempt: Attempt | None, policy: Policy) -> float:
    """How long after the end of its frame an answer may come: lights before software 5.6 answer by
    heartbeat only."""
    asked = attempt is not None and isinstance(attempt.frame, SetLight) and attempt.frame.reply
    report = device.report
    if not asked and report is not None and not answers_downlinks(report.sw_rev):
        told_min = device.session.interval_min if device.session is not None else None
        return (told_min or policy.status_interval_min) * 60.0 + 2 * policy.window_s
    if not learned(policy):
        return fixed(policy).window_s
    wait_s = _answer_wait_s(device, policy)
    if wait_s is None:
        return UNKNOWN_WINDOW_S
    return min(max(wait_s + status_airtime_s(device), WINDOW_LEAST_S), WINDOW_MOST_S)


def settings_window_s(device: Device, policy: Policy) -> float:
    """The same for the last frame of the settings. A late answer still proves a colour, but not
    settings of which the next round has begun: until the software is known it may take its time."""
    if learned(policy) and _answer_wait_s(device, policy) is not None:
        return window_s(device, None, policy)
    return fixed(policy).window_s


def _answer_wait_s(device: Device, policy: Policy) -> float | None:
    if device.report is None:
        return None
    return knowledge_in(policy).answer_waits_s.get(device.report.sw_rev)


def status_airtime_s(device: Device) -> float:
    """Of a status of this light, at the slowest rate where its own was not told."""
    heard = device.hearings[0].spreading_factor if device.hearings else None
    return uplink_airtime_s(STATUS_BYTES_MOST, Modulation(heard or 12, 125_000))


# ------------------------------------------------------------------ whether


def success(device: Device, policy: Policy) -> float:
    """Chance from (0, 1) that an attempt is answered, were the light well."""
    known = knowledge_in(policy)
    lost_up = uplink_loss(device.losses, known.uplink_loss)
    return (1.0 - lost_up) * (1.0 - downlink_loss(device.losses, known.downlink_loss))


def silent_s(device: Device, now: float, policy: Policy) -> float:
    """How long it has been silent; time in which nobody could have heard it is no silence."""
    since = max(device.heard_at or 0.0, device.reachable_at or 0.0, listening_since(policy))
    return max(0.0, now - since)


def statuses_missed(device: Device, silent: float, policy: Policy) -> int:
    """How many of its statuses are overdue after so long a silence."""
    told_min = device.session.interval_min if device.session is not None else None
    interval_s = 60.0 * (told_min or max(OWN_INTERVAL_MIN, policy.status_interval_min))
    return min(max(0, int((silent - STATUS_LATE_S) // interval_s)), MISSED_MOST)


def dark_odds(device: Device, now: float, policy: Policy) -> float:
    """Odds that the light is dark: the longer it was silent, and the more of its statuses did not
    come."""
    known = knowledge_in(policy)
    silent = silent_s(device, now, policy)
    missed = statuses_missed(device, silent, policy)
    lost = max(uplink_loss(device.losses, known.uplink_loss), UPLINK_LOSS_LEAST)
    return known.dark_per_s * silent / lost**missed


def worth_another(chance: float, odds: float, failures: int) -> bool:
    """Whether one more attempt is worth its air: `chance` that it is answered by a light that is
    well, `odds` before the failures that it is not."""
    if failures >= ATTEMPTS_MOST:
        return False
    return chance / (1.0 + odds / (1.0 - chance) ** failures) >= WORTH


def timed_after(goal: Pursuit, device: Device, now: float, policy: Policy) -> int | None:
    """What `Pursuit.timed` is after `goal.attempts` failures; None in a fixed plan."""
    if not learned(policy):
        return None
    odds = dark_odds(device, now, policy)
    if worth_another(success(device, policy), odds, goal.attempts):
        return 0
    return goal.timed or goal.attempts


def spent(goal: Pursuit, policy: Policy) -> bool:
    """Whether the timed attempts are spent, so that only evidence starts another."""
    if learned(policy) and goal.timed is not None:
        return goal.timed > 0
    return goal.attempts >= fixed(policy).attempts_most


def beyond(goal: Pursuit, policy: Policy) -> int:
    """Attempts made after the timed ones were spent."""
    if learned(policy) and goal.timed is not None:
        return goal.attempts - goal.timed if goal.timed else 0
    return goal.attempts - fixed(policy).attempts_most
