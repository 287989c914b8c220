"""A reason as programs are given it, beside the sentence that people read.

`..._code` names it, and its values stand below their names in `..._values`; both are null where
there is no reason, or only a sentence: in records of older versions.
"""

from typing import Any

from actors.reasons import Reason, ReasonCode, named


def code_of(reason: Reason | None) -> ReasonCode | None:
    """The code of a reason, if it has one."""
    return None if reason is None or reason.code is ReasonCode.OTHER else reason.code


def values_of(reason: Reason | None) -> dict[str, Any] | None:
    """Its values by their names."""
    return None if reason is None or reason.code is ReasonCode.OTHER else named(reason)
