"""What was found at an engine's servers, and what follows from it."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import structlog

from store.errors import StoreError, StoreRefused, StoreUnavailable

log = structlog.get_logger()


class Weight(StrEnum):
    """What follows from a finding."""

    REFUSED = "refused"
    """The service does not start."""
    UNSAFE = "unsafe"
    """It does not start either, unless `unsafe` says that commits may be lost."""
    AT_RISK = "at risk"
    """It works, until one more server is gone: then nothing is accepted any more, or something that
    was accepted may be lost."""
    UNKNOWN = "unknown"
    """Whether commits may be lost cannot be seen, and where CONFIG is barred it never will be."""
    ADVICE = "advice"
    """It works, and could be better."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found: in words, what follows, and what to do."""

    weight: Weight
    words: str
    remedy: str
    can_be_read: bool = False
    """Refused for what it cannot store: a backup can be made of it."""


def refused(found: Sequence[Finding], *, is_unsafe_meant: bool) -> Finding | None:
    """The first for which the service does not start, if any."""
    weights = {Weight.REFUSED} if is_unsafe_meant else {Weight.REFUSED, Weight.UNSAFE}
    return next((each for each in found if each.weight in weights), None)


def warnings_of(found: Sequence[Finding]) -> tuple[str, ...]:
    """What is worth an alert: somebody can end it. What cannot be seen is not."""
    told = {Weight.REFUSED, Weight.UNSAFE, Weight.AT_RISK}
    return tuple(f"redis: {each.words}" for each in found if each.weight in told)


def at_start(found: Sequence[Finding], *, is_unsafe_meant: bool) -> tuple[str, ...]:
    """The warnings. Logs what cannot be seen, since no alert tells of it; raises StoreRefused."""
    if (finding := refused(found, is_unsafe_meant=is_unsafe_meant)) is not None:
        raise StoreRefused(f"redis: {finding.words}; {finding.remedy}")
    for each in found:
        if each.weight is Weight.UNKNOWN:
            log.warning("engine cannot be seen whole", problem=each.words)
    return warnings_of(found)


def worst_first(found: Sequence[Finding]) -> list[Finding]:
    """As a person reads it."""
    weights = list(Weight)
    return sorted(found, key=lambda each: weights.index(each.weight))


def about_error(error: StoreError) -> Finding:
    """What kept the engine from being opened after its servers were looked at."""
    return Finding(Weight.REFUSED, str(error).removeprefix("redis: "), remedy_of(error))


def remedy_of(error: StoreError) -> str:
    """What to do where an engine cannot be opened."""
    text = str(error)
    if isinstance(error, StoreUnavailable) and "replicas" in text.lower():
        return "see to its replicas: fewer follow it than must have a commit"
    if isinstance(error, StoreUnavailable):
        return "check store.url, the servers and the way to them"
    if isinstance(error, StoreRefused) and "newer" in text:
        return "run the newer version of Lamplighter"
    if isinstance(error, StoreRefused) and "lamplighter move" in text:
        return "stop the service, and move what it stored with `lamplighter move`"
    return "correct what it says; docs/cluster.md has the settings and rights"
