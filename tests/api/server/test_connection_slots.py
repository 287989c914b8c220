"""Who keeps a connection when there are too many. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from api.server.connection_slots import ConnectionSlot, ConnectionSlots, Rank


def enter(slots: ConnectionSlots, address: str = "a") -> ConnectionSlot:
    place, _ = slots.enter(address)
    assert place is not None
    return place


def test_without_a_token_the_one_without_a_step_for_longest_gives_way_first() -> None:
    slots = ConnectionSlots(3, 100)
    first, second, third = enter(slots), enter(slots), enter(slots)
    second.work()
    first.prove()
    place, going = slots.enter("b")
    assert place is not None
    assert going is third
    assert len(slots) == 3


def test_a_request_without_a_token_gives_way_before_anybody_with_one() -> None:
    slots = ConnectionSlots(2, 100)
    asking, resting = enter(slots), enter(slots)
    asking.work()
    resting.prove()
    assert slots.enter("b")[1] is asking


def test_who_is_served_with_a_token_is_never_cut_off() -> None:
    slots = ConnectionSlots(2, 100)
    for _ in range(2):
        place = enter(slots)
        place.work()
        place.prove()
    assert slots.enter("b") == (None, None)
    assert slots.refused == 1


def test_who_rests_with_a_token_gives_way_only_when_nobody_else_is_left() -> None:
    slots = ConnectionSlots(2, 100)
    resting, served = enter(slots), enter(slots)
    for place in (resting, served):
        place.prove()
    served.work()
    assert slots.enter("b")[1] is resting


def test_one_address_takes_no_room_from_the_others() -> None:
    slots = ConnectionSlots(100, 3)
    others = [enter(slots, "other") for _ in range(2)]
    flood = [slots.enter("flood") for _ in range(50)]
    assert len(slots) == 5
    assert all(going is None or going.address == "flood" for _, going in flood)
    assert all(place in set(slots) for place in others)


def test_people_with_tokens_do_not_count_against_their_address() -> None:
    slots = ConnectionSlots(100, 3)
    for _ in range(20):
        enter(slots).prove()
    assert len(slots) == 20


def test_many_people_behind_a_trusted_proxy_share_an_address() -> None:
    slots = ConnectionSlots(100, 3)
    for _ in range(50):
        assert slots.enter("proxy", shared=True)[1] is None


def test_a_place_is_left_once() -> None:
    slots = ConnectionSlots(2, 2)
    place = enter(slots)
    slots.release(place)
    slots.release(place)
    place.work()
    place.prove()
    assert len(slots) == 0


@given(st.lists(st.tuples(st.sampled_from("ewrpx"), st.integers(0, 30)), max_size=200))
def test_the_bounds_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    slots = ConnectionSlots(5, 3)
    known: list[ConnectionSlot] = []
    for step, n in steps:
        if step == "e":
            before = {place: place.rank for place in slots}
            place, going = slots.enter(f"address {n % 3}")
            if place is not None:
                known.append(place)
            if going is not None:
                assert before[going] is not Rank.SERVED
            if place is None:
                assert set(before.values()) == {Rank.SERVED}
        elif known:
            chosen = known[n % len(known)]
            {"w": chosen.work, "r": chosen.rest, "p": chosen.prove}.get(
                step, lambda chosen=chosen: slots.release(chosen)
            )()
        assert len(slots) <= 5
        for n_address in range(3):
            mine = [p for p in slots if p.address == f"address {n_address}" and not p.proven]
            assert len(mine) <= 3
