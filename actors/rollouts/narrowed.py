"""A rollout as it is for somebody who may see some of its lights only. Pure."""

from collections import Counter
from collections.abc import Callable

import msgspec

from actors.board.rollout import COLOURS_MOST
from actors.rollouts.model import PartState, RolloutInspection


def narrowed(whole: RolloutInspection, sees: Callable[[str], bool]) -> RolloutInspection | None:
    """The rollout with those of its lights that are seen, and counted by them; None where there is
    none. Why it ended is left out where lights are: the words count them."""
    parts = tuple(part for part in whole.parts if sees(part.dev_eui))
    if len(parts) == len(whole.parts):
        return whole
    if not parts:
        return None
    rollout = whole.rollout
    counts = Counter(part.state for part in parts)
    colours = dict.fromkeys(part.light or rollout.light for part in parts)
    return RolloutInspection(
        msgspec.structs.replace(
            rollout,
            total=len(parts),
            **{state.value: counts[state] for state in PartState},
            failures=min(rollout.failures, counts[PartState.FAILED]),
            reason=None,
            cause=None,
            light=next(iter(colours)),
            colours=tuple(colours)[:COLOURS_MOST] if len(colours) > 1 else (),
        ),
        parts,
    )
