"""Who keeps a connection when there are too many. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from api.serving.places import Place, Places, Rank


def enter(places: Places, address: str = "a") -> Place:
    place, _ = places.enter(address)
    assert place is not None
    return place


def test_without_a_token_the_one_without_a_step_for_longest_gives_way_first() -> None:
    places = Places(3, 100)
    first, second, third = enter(places), enter(places), enter(places)
    second.work()
    first.prove()
    place, going = places.enter("b")
    assert place is not None
    assert going is third
    assert len(places) == 3


def test_a_request_without_a_token_gives_way_before_anybody_with_one() -> None:
    places = Places(2, 100)
    asking, resting = enter(places), enter(places)
    asking.work()
    resting.prove()
    assert places.enter("b")[1] is asking


def test_who_is_served_with_a_token_is_never_cut_off() -> None:
    places = Places(2, 100)
    for _ in range(2):
        place = enter(places)
        place.work()
        place.prove()
    assert places.enter("b") == (None, None)
    assert places.refused == 1


def test_who_rests_with_a_token_gives_way_only_when_nobody_else_is_left() -> None:
    places = Places(2, 100)
    resting, served = enter(places), enter(places)
    for place in (resting, served):
        place.prove()
    served.work()
    assert places.enter("b")[1] is resting


def test_one_address_takes_no_room_from_the_others() -> None:
    places = Places(100, 3)
    others = [enter(places, "other") for _ in range(2)]
    flood = [places.enter("flood") for _ in range(50)]
    assert len(places) == 5
    assert all(going is None or going.address == "flood" for _, going in flood)
    assert all(place in set(places) for place in others)


def test_people_with_tokens_do_not_count_against_their_address() -> None:
    places = Places(100, 3)
    for _ in range(20):
        enter(places).prove()
    assert len(places) == 20


def test_many_people_behind_a_trusted_proxy_share_an_address() -> None:
    places = Places(100, 3)
    for _ in range(50):
        assert places.enter("proxy", shared=True)[1] is None


def test_a_place_is_left_once() -> None:
    places = Places(2, 2)
    place = enter(places)
    places.release(place)
    places.release(place)
    place.work()
    place.prove()
    assert len(places) == 0


@given(st.lists(st.tuples(st.sampled_from("ewrpx"), st.integers(0, 30)), max_size=200))
def test_the_bounds_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    places = Places(5, 3)
    known: list[Place] = []
    for step, n in steps:
        if step == "e":
            before = {place: place.rank for place in places}
            place, going = places.enter(f"address {n % 3}")
            if place is not None:
                known.append(place)
            if going is not None:
                assert before[going] is not Rank.SERVED
            if place is None:
                assert set(before.values()) == {Rank.SERVED}
        elif known:
            chosen = known[n % len(known)]
            {"w": chosen.work, "r": chosen.rest, "p": chosen.prove}.get(
                step, lambda chosen=chosen: places.release(chosen)
            )()
        assert len(places) <= 5
        for n_address in range(3):
            mine = [p for p in places if p.address == f"address {n_address}" and not p.proven]
            assert len(mine) <= 3
