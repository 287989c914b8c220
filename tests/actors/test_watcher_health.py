"""Whether a gateway is alive, whatever the two clocks say."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.gateways.health import Health, excused, heard, judged, listed
from lorawan.network import GatewayInfo

NOW = 1_800_000_000.0
LIMIT_S = 300.0


def info(last_seen_at: float | None) -> GatewayInfo:
    return GatewayInfo("gw", "Roof", last_seen_at=last_seen_at)


def online(one: Health, now: float) -> bool:
    return judged(one, LIMIT_S, now).online


def test_never_seen_is_offline() -> None:
    assert not online(listed(None, info(None), NOW, NOW), NOW)


@pytest.mark.parametrize(("age_s", "expected"), [(0.0, True), (300.0, True), (300.1, False)])
def test_the_first_list_is_believed(age_s: float, expected: bool) -> None:
    assert online(listed(None, info(NOW - age_s), NOW, NOW), NOW) is expected


def test_a_gateway_that_stops_is_offline_after_the_limit_from_its_last_stats() -> None:
    one = listed(None, info(NOW - 20.0), NOW, NOW)
    for poll in range(1, 10):
        one = listed(one, info(NOW - 20.0), NOW + 30.0 * (poll - 1), NOW + 30.0 * poll)
    assert online(one, NOW + 280.0)
    assert not online(one, NOW + 280.1)


@given(skew_s=st.floats(-86_400.0, 86_400.0), steps=st.integers(2, 40))
def test_no_skew_makes_a_living_gateway_offline_after_the_second_list(
    skew_s: float, steps: int
) -> None:
    one, before_at = None, NOW
    for poll in range(steps):
        now = NOW + 30.0 * poll
        one = judged(listed(one, info(now - 7.0 + skew_s), before_at, now), LIMIT_S, now)
        before_at = now
        assert one.online or poll == 0
    assert one is not None


@given(skew_s=st.floats(-86_400.0, 86_400.0))
def test_no_skew_keeps_a_dead_gateway_online_beyond_one_more_poll(skew_s: float) -> None:
    one, before_at = None, NOW
    for poll in range(20):
        now = NOW + 30.0 * poll
        seen_at = min(now, NOW + 60.0) - 7.0 + skew_s  # dead from the third list on
        one = judged(listed(one, info(seen_at), before_at, now), LIMIT_S, now)
        before_at = now
    assert one is not None
    assert not one.online
    assert one.since <= NOW + 60.0 + LIMIT_S + 30.0


def test_time_without_the_server_is_no_silence() -> None:
    one = listed(None, info(NOW), NOW, NOW)
    away = excused(one, 600.0, NOW + 600.0)
    assert online(away, NOW + 600.0)
    assert not online(away, NOW + 901.0)
    assert excused(Health("gw"), 600.0, NOW) == Health("gw")
    assert excused(replace(one, alive_at=NOW + 500.0), 600.0, NOW + 600.0).alive_at == NOW + 600.0


def test_an_uplink_is_a_sign_of_life_but_none_of_the_future() -> None:
    dead = judged(listed(None, info(None), NOW, NOW), LIMIT_S, NOW)
    alive = judged(heard(dead, "gw", NOW + 999.0, NOW), LIMIT_S, NOW)
    assert alive.online
    assert alive.heard_at == NOW
    late = heard(dead, "gw", NOW - 400.0, NOW)
    assert not online(late, NOW)


def test_a_gateway_that_is_not_listed_counts_as_online() -> None:
    assert online(heard(None, "other", NOW - 4_000.0, NOW), NOW)


def test_since_is_when_it_changed() -> None:
    one = judged(listed(None, info(NOW), NOW, NOW), LIMIT_S, NOW)
    assert one.since == NOW
    assert judged(one, LIMIT_S, NOW + 100.0) is one
    assert judged(one, LIMIT_S, NOW + 301.0).since == NOW + 301.0
