"""Of each thing the time planned last counts, and the soonest comes first."""

import hypothesis.strategies as st
from hypothesis import given

from actors.clocks.due_times import STALE_SLACK, DueTimes

plans = st.lists(
    st.tuples(st.sampled_from(["plan", "sooner", "forget", "take"]), st.sampled_from("abc"))
    | st.tuples(st.just("move"), st.just("")),
    max_size=60,
)


def test_the_soonest_is_taken_first_and_only_when_it_is_due() -> None:
    due: DueTimes[str] = DueTimes()
    due.plan("late", 30.0)
    due.plan("soon", 10.0)
    assert due.next_at() == 10.0
    assert due.take(9.9) is None
    assert due.take(10.0) == "soon"
    assert due.take(10.0) is None
    assert "soon" not in due
    assert due.next_at() == 30.0


def test_what_is_planned_again_is_due_at_its_new_time_only() -> None:
    due: DueTimes[str] = DueTimes()
    due.plan("a", 10.0)
    due.plan("a", 50.0)
    due.plan_sooner("a", 60.0)
    assert due.take(49.0) is None
    due.plan_sooner("a", 20.0)
    assert due.take(20.0) == "a"
    assert due.take(1_000.0) is None


def test_one_that_is_planned_for_ever_leaves_no_heap_behind() -> None:
    due: DueTimes[str] = DueTimes()
    for count in range(10_000):
        due.plan("a", float(count))
    assert due.heap_size <= 2 + STALE_SLACK
    assert due.take(1e9) == "a"


@given(plans, st.data())
def test_it_does_what_a_plain_dictionary_says(
    story: list[tuple[str, str]], data: st.DataObject
) -> None:
    due: DueTimes[str] = DueTimes()
    known: dict[str, float] = {}
    for act, key in story:
        at = float(data.draw(st.integers(0, 20)))
        match act:
            case "plan":
                due.plan(key, at)
                known[key] = at
            case "sooner":
                due.plan_sooner(key, at)
                known[key] = min(at, known.get(key, at))
            case "forget":
                due.forget(key)
                known.pop(key, None)
            case "move":
                due.moved(at - 10.0)
                known = {one: then + at - 10.0 for one, then in known.items()}
            case _:
                soonest = min(known, key=lambda one: (known[one], one), default=None)
                expected = soonest if soonest is not None and known[soonest] <= at else None
                assert due.take(at) == expected
                if expected is not None:
                    del known[expected]
        assert due.next_at() == min(known.values(), default=None)
