"""When a process is not to be asked, and what is only worth knowing."""

from collections.abc import Sequence

import msgspec

from actors.cluster.apart import BEHIND_S, SILENT_S, apart
from actors.cluster.keeper.view import ClusterView

NOW = 1_760_000_000.0
VIEW = ClusterView("boot", NOW - 1, True, 24, False, (), (), ())


class Followed:
    """Of three shards some are shown too late."""

    def __init__(self, *late: str, whole: bool = True) -> None:
        self.shards = {"01", "02", "03"}
        self.stale = late
        self.whole = whole

    def complete(self) -> bool:
        return self.whole

    def late(self, limit_s: float) -> Sequence[str]:
        assert limit_s == BEHIND_S
        return self.stale

    def follows_any_but(self, shards: Sequence[str]) -> bool:
        return not self.shards <= set(shards)


def test_all_is_well() -> None:
    found = apart(VIEW, NOW, Followed())
    assert (found.problems, found.warnings) == ((), ())


def test_a_part_that_is_silent_for_all_is_no_reason_to_ask_another_process() -> None:
    found = apart(VIEW, NOW, Followed("02"))
    assert found.problems == ()
    assert found.warnings == ("of 1 of 65 parts of the fleet changes are shown too late",)


def test_who_sees_nothing_new_of_any_part_is_not_to_be_asked() -> None:
    assert apart(VIEW, NOW, Followed("01", "02", "03")).problems


def test_who_does_not_know_all_lights_yet_is_not_to_be_asked() -> None:
    assert apart(VIEW, NOW, Followed("02", whole=False)).problems


def test_who_does_not_reach_the_engine_is_not_to_be_asked() -> None:
    assert apart(VIEW, NOW + SILENT_S, Followed()).problems
    assert apart(msgspec.structs.replace(VIEW, looked_at=None), NOW, Followed()).problems


def test_who_leaves_is_not_to_be_asked_any_more() -> None:
    """A balancer then sends callers elsewhere before the listener closes."""
    found = apart(msgspec.structs.replace(VIEW, leaving=True), NOW, Followed())
    assert found.problems == ("this process gives its lights to the others, and stops",)
