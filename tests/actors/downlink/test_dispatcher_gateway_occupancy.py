"""Gateway occupancy: one frame per gateway, and none beside an overlapping one."""

from actors.downlink.gateway_occupancy import GatewayOccupancy


def paced_by(*, serialise: bool = True) -> GatewayOccupancy:
    return GatewayOccupancy(serialise=serialise, kept_s=100.0)


def test_a_frame_occupies_every_gateway_it_may_go_through() -> None:
    some = paced_by()
    some.occupy(1, {"a", "b"}, 8.0)
    assert some.free_at({"a"}, 0.0) == some.free_at({"b"}, 0.0) == 8.0
    assert some.free_at({"c"}, 0.0) == 0.0
    some.release(1)
    some.occupy(1, {"b"}, 2.0)
    assert some.free_at({"a"}, 0.0) == 0.0
    assert some.free_at({"a", "b"}, 0.0) == 2.0


def test_a_gateway_is_free_again_when_the_time_is_over() -> None:
    some = paced_by()
    some.occupy(1, {"a"}, 8.0)
    assert some.occupied(7.9) == 1
    assert some.free_at({"a"}, 8.0) == 8.0
    assert some.occupied(8.0) == 0


def test_a_late_occupant_counts_beside_the_next_one() -> None:
    some = paced_by()
    some.occupy(1, {"a"}, 8.0)
    some.occupy(2, {"a"}, 16.0)
    some.release(2)
    assert some.free_at({"a"}, 1.0) == 8.0


def test_overlaps_are_neighbours_until_they_are_forgotten() -> None:
    some = paced_by()
    some.overlap(["a", "b", "c"], now=0.0)
    some.overlap(["c", "d"], now=50.0)
    assert some.around({"a"}, 60.0) == {"a", "b", "c"}
    assert some.around({"c"}, 60.0) == {"a", "b", "c", "d"}
    assert some.around({"c"}, 120.0) == {"c", "d"}
    assert some.around({"a"}, 120.0) == {"a"}


def test_without_serialising_nobody_is_a_neighbour() -> None:
    some = paced_by(serialise=False)
    some.overlap(["a", "b"], now=0.0)
    assert some.around({"a"}, 0.0) == {"a"}
