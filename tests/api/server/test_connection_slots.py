"""Which connection is closed when there are too many. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from api.server.connection_slots import ConnectionSlot, ConnectionSlots, Rank


def admit(slots: ConnectionSlots, address: str = "a") -> ConnectionSlot:
    slot, _ = slots.admit(address)
    assert slot is not None
    return slot


def test_without_a_token_the_one_that_changed_longest_ago_is_closed_first() -> None:
    slots = ConnectionSlots(3, 100)
    first, second, third = admit(slots), admit(slots), admit(slots)
    second.begin_request()
    first.authenticate()
    slot, evicted = slots.admit("b")
    assert slot is not None
    assert evicted is third
    assert len(slots) == 3


def test_a_request_without_a_token_is_closed_before_any_connection_with_one() -> None:
    slots = ConnectionSlots(2, 100)
    asking, idle = admit(slots), admit(slots)
    asking.begin_request()
    idle.authenticate()
    assert slots.admit("b")[1] is asking


def test_a_request_with_a_token_is_never_closed() -> None:
    slots = ConnectionSlots(2, 100)
    for _ in range(2):
        slot = admit(slots)
        slot.begin_request()
        slot.authenticate()
    assert slots.admit("b") == (None, None)
    assert slots.refused == 1


def test_an_idle_connection_with_a_token_is_closed_only_when_no_other_is_left() -> None:
    slots = ConnectionSlots(2, 100)
    idle, served = admit(slots), admit(slots)
    for slot in (idle, served):
        slot.authenticate()
    served.begin_request()
    assert slots.admit("b")[1] is idle


def test_one_address_takes_no_slot_from_the_others() -> None:
    slots = ConnectionSlots(100, 3)
    others = [admit(slots, "other") for _ in range(2)]
    flood = [slots.admit("flood") for _ in range(50)]
    assert len(slots) == 5
    assert all(evicted is None or evicted.address == "flood" for _, evicted in flood)
    assert all(slot in set(slots) for slot in others)


def test_people_with_tokens_do_not_count_against_their_address() -> None:
    slots = ConnectionSlots(100, 3)
    for _ in range(20):
        admit(slots).authenticate()
    assert len(slots) == 20


def test_many_people_behind_a_trusted_proxy_share_an_address() -> None:
    slots = ConnectionSlots(100, 3)
    for _ in range(50):
        assert slots.admit("proxy", shared=True)[1] is None


def test_a_slot_is_released_once() -> None:
    slots = ConnectionSlots(2, 2)
    slot = admit(slots)
    slots.release(slot)
    slots.release(slot)
    slot.begin_request()
    slot.authenticate()
    assert len(slots) == 0


@given(st.lists(st.tuples(st.sampled_from("ewrpx"), st.integers(0, 30)), max_size=200))
def test_the_bounds_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    slots = ConnectionSlots(5, 3)
    known: list[ConnectionSlot] = []
    for step, n in steps:
        if step == "e":
            before = {slot: slot.rank for slot in slots}
            slot, evicted = slots.admit(f"address {n % 3}")
            if slot is not None:
                known.append(slot)
            if evicted is not None:
                assert before[evicted] is not Rank.ACTIVE
            if slot is None:
                assert set(before.values()) == {Rank.ACTIVE}
        elif known:
            chosen = known[n % len(known)]
            {
                "w": chosen.begin_request,
                "r": chosen.end_request,
                "p": chosen.authenticate,
            }.get(step, lambda chosen=chosen: slots.release(chosen))()
        assert len(slots) <= 5
        for n_address in range(3):
            mine = [p for p in slots if p.address == f"address {n_address}" and not p.authenticated]
            assert len(mine) <= 3
