"""Whether a gateway is alive, whatever the two clocks say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.gateways import WatchPolicy
from actors.gateways.health import (
    Health,
    excused,
    heard,
    interval_s,
    judged,
    listed,
    look_again_s,
    silent,
)
from actors.replace import replace
from lorawan.network import GatewayInfo, GatewayState

NOW = 1_800_000_000.0
LIMIT_S = 300.0
POLICY = WatchPolicy(offline_after_s=LIMIT_S)


def info(last_seen_at: float | None) -> GatewayInfo:
    return GatewayInfo("gw", "Roof", last_seen_at=last_seen_at)


def online(one: Health, now: float) -> bool:
    return judged(one, POLICY, now).online


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
        one = judged(listed(one, info(now - 7.0 + skew_s), before_at, now), POLICY, now)
        before_at = now
        assert one.online or poll == 0
    assert one is not None


@given(skew_s=st.floats(-86_400.0, 86_400.0))
def test_no_skew_keeps_a_dead_gateway_online_beyond_one_more_poll(skew_s: float) -> None:
    one, before_at = None, NOW
    for poll in range(20):
        now = NOW + 30.0 * poll
        seen_at = min(now, NOW + 60.0) - 7.0 + skew_s  # dead from the third list on
        one = judged(listed(one, info(seen_at), before_at, now), POLICY, now)
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
    dead = judged(listed(None, info(None), NOW, NOW), POLICY, NOW)
    alive = judged(heard(dead, "gw", NOW + 999.0, NOW), POLICY, NOW)
    assert alive.online
    assert alive.heard_at == NOW
    late = heard(dead, "gw", NOW - 400.0, NOW)
    assert not online(late, NOW)


def test_a_gateway_that_is_not_listed_counts_as_online() -> None:
    assert online(heard(None, "other", NOW - 4_000.0, NOW), NOW)


def test_since_is_when_it_changed() -> None:
    one = judged(listed(None, info(NOW), NOW, NOW), POLICY, NOW)
    assert one.since == NOW
    assert judged(one, POLICY, NOW + 100.0) is one
    assert judged(one, POLICY, NOW + 301.0).since == NOW + 301.0


def told(*seen_at: float, **more: object) -> Health:
    """After lists with these `last_seen_at`, each a second after the stats."""
    one, before_at = None, NOW
    for at in seen_at:
        given = GatewayInfo("gw", "Roof", last_seen_at=at, **more)  # type: ignore[arg-type]
        one = listed(one, given, before_at, at + 1.0)
        before_at = at + 1.0
    assert one is not None
    return one


@pytest.mark.parametrize(
    ("every_s", "silent_s", "offline_s"),
    [(10, 90, 300), (30, 90, 300), (60, 180, 300), (120, 360, 420), (600, 1_800, 2_100)],
)
def test_a_gateway_may_be_as_quiet_as_its_own_interval_lets_it(
    every_s: float, silent_s: float, offline_s: float
) -> None:
    one = told(NOW, stats_interval_s=every_s)
    assert not silent(one, POLICY, NOW + silent_s)
    assert silent(one, POLICY, NOW + silent_s + 1)
    assert judged(one, POLICY, NOW + offline_s).online
    assert not judged(one, POLICY, NOW + offline_s + 1).online


def test_the_servers_judgement_holds_until_the_interval_is_known() -> None:
    believed = told(NOW, state=GatewayState.ONLINE)
    assert judged(believed, POLICY, NOW + 5_000).online
    assert not judged(told(NOW, state=GatewayState.OFFLINE), POLICY, NOW + 301).online
    both = told(NOW, state=GatewayState.ONLINE, stats_interval_s=30.0)
    assert not judged(both, POLICY, NOW + 301).online, "a server's clock that stands still"


def test_a_forwarder_with_another_interval_than_the_server_thinks_is_found_out() -> None:
    often = told(NOW, NOW + 600, NOW + 1_200, stats_interval_s=30.0)
    assert interval_s(often, POLICY) == 30.0, "two gaps may be two outages"
    rare = told(NOW, NOW + 600, NOW + 1_200, NOW + 1_800, stats_interval_s=30.0)
    assert interval_s(rare, POLICY) == 600.0
    outage = told(NOW, NOW + 30, NOW + 60, NOW + 6_000, stats_interval_s=30.0)
    assert interval_s(outage, POLICY) == 30.0


def test_who_is_away_for_long_is_looked_for_less_often() -> None:
    gone = judged(told(NOW, stats_interval_s=30.0), POLICY, NOW + 301)
    waits = [look_again_s(gone, POLICY, NOW + 301 + hours * 3_600) for hours in (0, 0.2, 1, 2, 4)]
    assert waits == [2.0, 2.0, 8.0, 16.0, 30.0]
    polls, at = 0, NOW + 90
    while at < NOW + 86_400:
        at, polls = at + look_again_s(gone, POLICY, at), polls + 1
    assert polls < 1_700 + 2_880, "a day's outage costs at most 1,700 polls more than a day"
