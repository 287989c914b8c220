"""What is tried when, and what becomes of an event that is not taken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.outgoing.model import Event, Kind, Position
from actors.outgoing.window import AT_ONCE, DAY_S, LOADED_MOST, Pending, Window

AWAY = 1_000_000.0
"""Of the date from the steady clock."""


def event(key: str = "a") -> Event:
    return Event(kind=Kind.VERDICTS, type="command.ended", key=key, at=0.0, data=msgspec.Raw(b"{}"))


def window(*keys: str, position: Position | None = None) -> Window:
    made = Window(position or Position())
    for place, key in enumerate(keys, start=1):
        made.load(f"e{place}", float(place), event(key))
        made.read_to = float(place)
    return made


def fail(made: Window, one: Pending, now: float, **more: float) -> bool:
    return made.failed(one, now, now + AWAY, 0.0, **more)


def test_events_of_one_light_go_one_after_the_other_and_others_beside_them() -> None:
    made = window("a", "a", "b")
    first, beside = made.take(0.0), made.take(0.0)
    assert (first is not None, beside is not None) == (True, True)
    assert first is not None
    assert beside is not None
    assert (first.event_id, beside.event_id) == ("e1", "e3")
    assert made.take(0.0) is None
    made.taken(first, 0.0)
    second = made.take(0.0)
    assert second is not None
    assert second.event_id == "e2"


def test_a_receiver_has_only_so_many_requests_at_once() -> None:
    made = window(*(f"light {n}" for n in range(20)))
    begun = [made.take(0.0) for _ in range(20)]
    assert sum(one is not None for one in begun) == AT_ONCE


def test_waits_grow_to_half_an_hour_and_one_try_goes_at_a_time() -> None:
    made = window("a", "b")
    now, waits = 0.0, []
    for _ in range(14):
        one = made.take(now)
        assert one is not None
        if made.failures:
            assert made.take(now) is None
        fail(made, one, now)
        due = made.next_due(now)
        assert due is not None
        assert made.take(due - 0.01) is None
        waits.append(due - now)
        now = due
    assert waits[0] == pytest.approx(5.0)
    assert waits[1] == pytest.approx(10.0)
    assert max(waits) == pytest.approx(1_800.0)


def test_it_waits_as_long_as_the_receiver_asks() -> None:
    made = window("a")
    one = made.take(0.0)
    assert one is not None
    fail(made, one, 0.0, wait_s=300.0)
    assert made.next_due(0.0) == pytest.approx(300.0)


def test_an_event_that_is_refused_holds_up_its_own_light_only_and_is_given_up_after_a_day() -> None:
    made = window("bad", "bad", "good")
    now = 0.0
    while (one := made.take(now)) is None or one.event.key == "bad":
        if one is not None:
            assert fail(made, one, now) is False
        now = made.next_due(now) or now + 1.0
    made.taken(one, now)
    place = 3.0
    while made.position.given_up == 0:
        place += 1.0
        made.load(f"e{place}", place, event("good"))
        made.read_to = place
        while (one := made.take(now)) is not None:
            if one.event.key == "bad":
                assert fail(made, one, now) is False, "others are taken: it is not dead"
            else:
                made.taken(one, now)
        now += 60.0
        assert now < 2 * DAY_S
    assert now >= DAY_S
    after = made.take(now)
    assert after is not None
    assert after.event_id == "e2", "the next of this light is tried"


def test_a_hook_of_which_nothing_is_taken_for_a_day_is_dead_and_nothing_is_dropped() -> None:
    made = window("a", "b", "c")
    now, dead = 0.0, False
    while not dead:
        one = made.take(now)
        if one is not None:
            dead = fail(made, one, now)
        now = made.next_due(now) or now
        assert now < 1.2 * DAY_S
    assert now >= DAY_S
    assert (made.waiting, made.position.given_up) == (3, 0)
    assert made.position.open == (1.0, 2.0, 3.0)
    made.again()
    assert made.take(now) is not None


def test_time_in_which_nothing_was_tried_does_not_make_it_dead() -> None:
    made = window("a")
    one = made.take(0.0)
    assert one is not None
    fail(made, one, 0.0)
    later = Window(made.position)  # the service was down for a week
    later.load("e1", 1.0, event("a"))
    one = later.take(7 * DAY_S)
    assert one is not None
    assert fail(later, one, 7 * DAY_S) is False


def test_a_clock_that_was_set_makes_nothing_dead() -> None:
    made = window("a")
    one = made.take(0.0)
    assert one is not None
    fail(made, one, 0.0)
    one = made.take(10.0)
    assert one is not None
    assert made.failed(one, 10.0, AWAY * 1_000, 0.0) is False


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60), st.randoms())
def test_whoever_begins_from_the_position_loses_nothing_and_turns_no_order_round(
    tries: list[tuple[str, bool]], rng: object
) -> None:
    keys = [key for key, _ in tries]
    made, done, now = window(*keys), set[float](), 0.0
    for _, good in tries:
        one = made.take(now)
        if one is None:
            now = made.next_due(now) or now
            continue
        earlier = [p for p in range(1, int(one.place)) if keys[p - 1] == one.event.key]
        assert all(float(p) in done for p in earlier)
        if good:
            made.taken(one, now)
            done.add(one.place)
        else:
            fail(made, one, now)
    position = made.position
    assert set(position.open) | done == {float(p) for p in range(1, len(keys) + 1)}
    assert not set(position.open) & done
    assert position.delivered == len(done)
    assert len(position.open) <= LOADED_MOST
