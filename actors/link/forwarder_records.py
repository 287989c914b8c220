"""What is kept of a gateway's forwarder and of a software revision, and what follows from it."""

from collections.abc import Sequence
from statistics import median, quantiles

import msgspec

from actors.link.lag import SlotDelay

ANSWERS_MOST = 60
"""Newest sums of lag and delay kept of a gateway: 3 kB in the store."""
SLOTS_MOST = 60
LEADS_MOST = 60
TXACKS_KEPT = 8
"""Newest acknowledgements that told; so many from the air end the memory of one from the queue."""
AIR_LEAST = 2
BEFORE_CHANGE = 10
"""Answers that tell what a forwarder did before it changed."""
SOONER_S, SOONER_ANSWERS = 0.4, 3
"""So many answers in a row, all sooner than the soonest before by that: the forwarder was
exchanged, and what was known of it is of another."""
LATER_S, LATER_ANSWERS = 0.2, 20
"""And so many all later than half of those before by that: once in a million by luck."""
TICK_SPREAD_S = 0.5
"""Middle four fifths of the time from an order to its txack: 0.8 s with a tick of 1 s, 0.1 s with
one of 0.1 s."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Lag and delay in one, of a light with this software revision."""

    sw_rev: int
    sum_s: float


class ForwarderRecord(msgspec.Struct, frozen=True):
    """What was seen of one gateway, the newest last. `txacks` is a letter for each acknowledgement
    that told its kind: q from the queue, a from the air."""

    gateway_id: str
    answers: tuple[Answer, ...] = ()
    txacks: str = ""
    leads_s: tuple[float, ...] = ()


class FirmwareRecord(msgspec.Struct, frozen=True):
    """What was seen of one software revision, the newest last."""

    sw_rev: int
    slots: tuple[SlotDelay, ...] = ()


def acknowledged_from_air(txacks: str) -> bool | None:
    """True where they come from the air. One that came before its frame can have been on the air
    proves the queue; one that came after may have been late on its way."""
    if "q" in txacks:
        return False
    return True if len(txacks) >= AIR_LEAST else None


def since_changed(answers: tuple[Answer, ...]) -> tuple[Answer, ...] | None:
    """The answers since the forwarder changed, where it did."""
    sw_rev = answers[-1].sw_rev
    same = [answer for answer in answers if answer.sw_rev == sw_rev]
    old, new = same[:-SOONER_ANSWERS], same[-SOONER_ANSWERS:]
    if len(old) < BEFORE_CHANGE:
        return None
    soonest_s = min(answer.sum_s for answer in old)
    if max(answer.sum_s for answer in new) < soonest_s - SOONER_S:
        return tuple(new)
    old, new = same[:-LATER_ANSWERS], same[-LATER_ANSWERS:]
    if len(old) < BEFORE_CHANGE:
        return None
    usual_s = median(answer.sum_s for answer in old)
    if min(answer.sum_s for answer in new) > usual_s + LATER_S:
        return tuple(new)
    return None


def middle(leads_s: Sequence[float]) -> tuple[float, float] | None:
    """The tenth and the ninetieth percentile, of ten or more."""
    if len(leads_s) < 10:
        return None
    tenths = quantiles(leads_s, n=10, method="inclusive")
    return round(tenths[0], 3), round(tenths[-1], 3)
