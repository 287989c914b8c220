"""A reason as a value, made where it arises: a code, and what goes into its sentence.

Of a light or a command one is kept at most, of each step of a timeline one: a code that all share
and a tuple. Values stand in the order of `sentences.py`, which stored records rely on.
"""

import msgspec

from actors.reasons.code import ReasonCode


class GatewayTold(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A gateway in a reason, and what is told of it: since when (Unix seconds; steady ones inside
    the dispatcher), and how many frames it was given."""

    gateway_id: str
    name: str
    since: float | None = None
    frames: int | None = None


class Reason(msgspec.Struct, frozen=True, gc=False):
    """A code and its values; `saying.py` makes the sentence of it."""

    code: ReasonCode
    values: "tuple[Value, ...]" = ()


Value = str | int | float | tuple[GatewayTold | str, ...] | Reason
"""A text that is empty, and a tuple that is, tell that this is not known or not the case."""


def other(text: str) -> Reason:
    """A sentence that has no code."""
    return Reason(ReasonCode.OTHER, (text,))
