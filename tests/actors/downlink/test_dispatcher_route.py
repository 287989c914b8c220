"""Which gateways ChirpStack may choose, and the spreading factor of its newest uplink."""

import msgspec

from actors.downlink.route import (
    UNKNOWN_GATEWAY,
    last_heard_at,
    listeners_of,
    route_of,
    spreading_factor,
)
from tests.support.dispatcher_kit import hearing


def test_every_gateway_of_the_last_uplink_with_margin_may_be_chosen() -> None:
    route = route_of([hearing("a", 12.0), hearing("b", 10.0), hearing("c", 9.9)], 10.0)
    assert route.candidates == {"a", "b"}
    assert route.hearing == {"a", "b", "c"}


def test_without_margin_it_is_the_best_of_the_last_uplink() -> None:
    heard = [hearing("a", 3.0), hearing("b", 7.0), hearing("old", 20.0, latest=False)]
    assert route_of(heard, 10.0).candidates == {"b"}


def test_without_a_last_uplink_it_may_be_any_that_ever_heard_the_light() -> None:
    heard = [hearing("a", 3.0, latest=False), hearing("b", 20.0, latest=False)]
    assert route_of(heard, 10.0).candidates == {"a", "b"}


def test_a_light_never_heard_goes_by_an_unknown_gateway() -> None:
    route = route_of([], 10.0)
    assert route.candidates == {UNKNOWN_GATEWAY}
    assert not route.hearing


def test_the_newest_hearing_tells_the_spreading_factor_and_none_is_the_slowest() -> None:
    assert spreading_factor([hearing("a", sf=12, latest=False), hearing("b", sf=8)]) == 8
    assert spreading_factor([]) == 12
    of_an_older_record = msgspec.structs.replace(hearing(), spreading_factor=None)
    assert spreading_factor([of_an_older_record]) == 12


def test_last_heard() -> None:
    assert last_heard_at([]) is None
    assert last_heard_at([hearing()]) == hearing().heard_at


def test_those_hear_a_light_well_that_heard_its_newest_uplink_with_a_margin_of_10_db() -> None:
    good, poor, old = hearing("a", 10.0), hearing("b", 9.9), hearing("c", 30.0, latest=False)
    assert listeners_of((good, poor, old), 10.0) == {"a"}
    assert listeners_of((good, hearing("b", 12.0)), 10.0) == {"a", "b"}
    assert listeners_of((poor, hearing("d", 3.0)), 10.0) == {"b"}
    assert listeners_of((old,), 10.0) == frozenset()
    assert listeners_of((), 10.0) == frozenset()
