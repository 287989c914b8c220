"""Changes of hooks: from what is kept and what is asked to what is kept. Pure."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from actors.outgoing.model import HOOKS_MOST, Hook
from actors.replace import replace

OVERLAP_S = 86_400.0
"""For so long the secret before the newest one signs, too."""


class Reason(Enum):
    """Why a change cannot be made."""

    UNKNOWN = "unknown"
    STALE = "stale"
    """Somebody changed it meanwhile: the revision is another."""
    NAME_TAKEN = "name_taken"
    TOO_MANY = "too_many"


class Refused(msgspec.Struct, frozen=True):
    """A change that cannot be made, and why, in words."""

    reason: Reason
    why: str


def saved(
    hooks: Mapping[str, Hook], asked: Hook, revision: int | None, start: float
) -> Hook | Refused:
    """`asked` as it is to be kept: a new one where `revision` is None, told what comes after the
    place `start`; else in place of the one with this revision."""
    before = hooks.get(asked.id)
    folded = asked.name.casefold()
    if any(one.name.casefold() == folded and one.id != asked.id for one in hooks.values()):
        return Refused(Reason.NAME_TAKEN, f"there is a hook {asked.name!r} already")
    if revision is None:
        if len(hooks) >= HOOKS_MOST:
            return Refused(Reason.TOO_MANY, f"there are {HOOKS_MOST} hooks already")
        return replace(asked, revision=1, start=start)
    if before is None:
        return Refused(Reason.UNKNOWN, "it was removed")
    if before.revision != revision:
        return Refused(Reason.STALE, f"it was changed meanwhile: its revision is {before.revision}")
    return replace(
        asked,
        revision=before.revision + 1,
        created_at=before.created_at,
        start=before.start,
        secret=before.secret,
        secret_before=before.secret_before,
        before_until=before.before_until,
        sight=before.sight,
        stopped=None if asked.enabled and not before.runs else before.stopped,
    )


def with_secret(hook: Hook, secret: str, now: float) -> Hook:
    """The hook with a new secret; the one before it signs, too, for a day."""
    return replace(
        hook,
        secret=secret,
        secret_before=hook.secret,
        before_until=now + OVERLAP_S,
        revision=hook.revision + 1,
        changed_at=now,
    )


def found(hooks: Mapping[str, Hook], name_or_id: str) -> Hook | None:
    """By its id, or by its name in any case of letters."""
    if name_or_id in hooks:
        return hooks[name_or_id]
    folded = name_or_id.casefold()
    return next((one for one in hooks.values() if one.name.casefold() == folded), None)
