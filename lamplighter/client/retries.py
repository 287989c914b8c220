"""Whether a request is sent again, and after how long. Pure.

A repetition must not do twice what was asked once. What was surely not done may always be sent
again: the connection could not be made, or there were too many requests (429). Where it may have
been done, only what can be repeated is: a question, or an order with its `Idempotency-Key`, which
stays the same.
"""

import random

from lamplighter.client.errors import refusal
from lamplighter.client.steps import Answer, Broken, Patience

OF_A_PROXY = frozenset({502, 503, 504})
"""Without a type of ours these are no word of the service."""
UNCERTAIN = frozenset({"no-reply", "too-slow"})
"""It did not answer in time, and may have done it."""


def again(
    came: Answer | Broken,
    *,
    repeatable: bool,
    tries: int,
    left_s: float,
    patience: Patience,
    chance: random.Random,
) -> float | None:
    """How long to wait before the next try, after so many with so much time left; None for none."""
    if tries >= patience.tries:
        return None
    asked_s = _worth(came, repeatable=repeatable)
    if asked_s is None:
        return None
    grown_s = min(patience.most_s, patience.first_s * 2.0 ** (tries - 1))
    wait_s = max(asked_s, grown_s * (0.5 + 0.5 * chance.random()))
    return wait_s if wait_s < left_s else None


def _worth(came: Answer | Broken, *, repeatable: bool) -> float | None:
    """The least wait that makes another try worth it; None where none is."""
    if isinstance(came, Broken):
        return 0.0 if repeatable or not came.sent else None
    if came.status not in {429, *OF_A_PROXY}:
        return None
    error = refusal(came.status, came.content, came.headers.get("retry-after"))
    if came.status == 429:
        return error.retry_after_s
    if not repeatable:
        return None
    if not error.slug:
        return error.retry_after_s or 0.0
    return 0.0 if error.slug in UNCERTAIN else error.retry_after_s
