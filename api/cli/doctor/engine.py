"""What of an engine that many processes share can be seen: its servers, our rights, its layout.

Nothing is left behind, and what `serve` would refuse is never called right.
"""

from collections.abc import Iterator, Sequence

import trio

from api.cli.doctor.finding import Diagnosis, ok, problem, unknown, warning
from store.engine.open import engine_from_url
from store.engine.redis.weights import Finding, Weight, remedy_of
from store.errors import StoreError

CLOSE_S = 5.0


async def engine(
    url: str, *, need: int | None = None, unsafe: bool | None = None
) -> list[Diagnosis]:
    """Whether the engine that `url` names can be used, and keeps what it acknowledges."""
    try:
        found = engine_from_url(url, need=need, unsafe=unsafe)
    except StoreError as error:
        return [problem("engine", str(error), "correct store.url")]
    try:
        findings = await found.inspect()
    except StoreError as error:
        return [problem("engine", str(error), remedy_of(error))]
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await found.close()
    return list(judged(findings, found.target.need, is_unsafe_meant=found.target.unsafe))


def judged(findings: Sequence[Finding], need: int, *, is_unsafe_meant: bool) -> Iterator[Diagnosis]:
    """What was found, as an operator reads it; the worst first. Pure."""
    for each in findings:
        match each.weight:
            case Weight.REFUSED:
                yield problem("engine", each.words, each.remedy)
            case Weight.UNSAFE if is_unsafe_meant:
                yield warning("engine", f"{each.words} (`unsafe` is set)", each.remedy)
            case Weight.UNSAFE:
                yield problem("engine", each.words, each.remedy)
            case Weight.UNKNOWN:
                yield unknown("engine", each.words, each.remedy)
            case Weight.AT_RISK | Weight.ADVICE:
                yield warning("engine", each.words, each.remedy)
    if not findings:
        yield ok("engine", f"it answers and keeps every commit; {_confirmed(need)}")


def _confirmed(need: int) -> str:
    if not need:
        return "no replica has to confirm one"
    return f"{'1 replica has' if need == 1 else f'{need} replicas have'} to confirm each"
