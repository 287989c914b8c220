"""Pacing of a running dispatcher: gateways, bursts, spacing, airtime, holds."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
import trio

from actors.device.events import AttemptHeld, Transmitted
from lorawan.airtime import REGIONS, uplink_airtime_s
from lorawan.events.model import Modulation
from tests.support.dispatcher_kit import (
    POLICY,
    START,
    RunningDispatcher,
    application,
    attempt,
    hearing,
    hearings,
)
from tests.support.scripted_network import Mood

ANSWER_S = POLICY.answer_delay_s + uplink_airtime_s(25, Modulation(9, 125_000))


async def test_a_hundred_lights_through_one_gateway(autojump_clock: trio.testing.MockClock) -> None:
    """All within 2.3 min at the scheduler's tick of 1 s, and every answer can be heard."""
    async with application() as (it, _):
        for number in range(100):
            it.network.server.add(f"light-{number}", "gw-a")
            it.dispatcher.submit(f"light-{number}", attempt(at=START + number / 1e3), hearings())
        await trio.sleep(138.0)
        sent = it.network.server.sent
        assert len(sent) == 100
        heard = [
            not any(one.ends_at <= other.starts_at < one.ends_at + ANSWER_S for other in sent)
            for one in sent
        ]
        assert sum(heard) >= 95
        assert it.network.most_in_flight <= POLICY.calls_most


async def test_slow_webhooks_slow_the_lane_but_no_answer_is_lost(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.network.txack_latency_s = 2.5
        for number in range(20):
            it.network.server.add(f"light-{number}", "gw-a")
            it.dispatcher.submit(f"light-{number}", attempt(at=START + number), hearings())
        await trio.sleep(100.0)
        sent = it.network.server.sent
        assert len(sent) == 20
        pairs = pairwise(sent)
        assert all(later.starts_at >= one.ends_at + ANSWER_S for one, later in pairs)


async def test_gateways_apart_work_at_the_same_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        for number in range(40):
            gateway_id = f"gw-{number % 4}"
            it.network.server.add(f"light-{number}", gateway_id)
            it.dispatcher.submit(f"light-{number}", attempt(), hearings(gateway_id))
        await trio.sleep(12.0)
        assert len(it.network.server.sent) == 40


async def test_overlapping_gateways_never_send_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        routes = [("gw-a",), ("gw-b",), ("gw-a", "gw-b")]
        for number in range(30):
            route = routes[number % 3]
            it.network.server.add(f"light-{number}", *route)
            it.dispatcher.submit(f"light-{number}", attempt(), hearings(*route))
        await trio.sleep(60.0)
        sent = sorted(it.network.server.sent, key=lambda one: one.starts_at)
        assert len(sent) == 30
        pairs = pairwise(sent)
        assert all(later.starts_at >= one.ends_at for one, later in pairs)


async def test_gateways_that_hear_a_light_of_which_nothing_is_wanted_never_send_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        heard = (hearing("gw-a"), hearing("gw-b"), hearing("invented"))
        it.dispatcher.heard_by("another", heard, {"gw-a", "gw-b"})
        for number in range(20):
            gateway_id = "gw-a" if number % 2 else "gw-b"
            it.network.server.add(f"light-{number}", gateway_id)
            it.dispatcher.submit(f"light-{number}", attempt(), hearings(gateway_id))
        await trio.sleep(60.0)
        sent = sorted(it.network.server.sent, key=lambda one: one.starts_at)
        assert len(sent) == 20
        assert all(later.starts_at >= one.ends_at for one, later in pairwise(sent))


async def test_what_waits_goes_through_the_gateways_that_hear_the_light_now(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        for number in range(20):
            it.network.server.add(f"light-{number}", "gw-a")
            it.dispatcher.submit(f"light-{number}", attempt(at=START), hearings("gw-a"))
        it.network.server.add("moved", "gw-b")
        it.dispatcher.submit("moved", attempt(at=START + 0.5), hearings("gw-a"))
        await trio.sleep(1.0)
        assert "moved" not in [dev_eui for _, dev_eui, _ in it.network.server.enqueued]
        it.dispatcher.heard_by("moved", hearings("gw-b"), {"gw-b"})
        await trio.sleep(1.0)
        assert "moved" in [dev_eui for _, dev_eui, _ in it.network.server.enqueued]
        await trio.sleep(60.0)
        order = [dev_eui for _, dev_eui, _ in it.network.server.enqueued]
        assert len(order) == len(set(order)) == 21


async def test_overlaps_may_be_left_to_chance(autojump_clock: trio.testing.MockClock) -> None:
    async with application(replace(POLICY, serialise_overlaps=False)) as (it, _):
        for number in range(20):
            gateway_id = "gw-a" if number % 2 else "gw-b"
            it.network.server.add(f"light-{number}", gateway_id)
            heard = (hearing(gateway_id), hearing("gw-c", 1.0, latest=False))
            it.dispatcher.submit(f"light-{number}", attempt(), heard)
        await trio.sleep(12.0)
        assert len(it.network.server.sent) == 20


async def test_a_light_of_two_gateways_is_not_passed_by_for_ever(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Lights of either gateway keep coming; the one that needs both has its turn all the same."""
    async with application() as (it, _):
        for number in range(60):
            gateway_id = "gw-a" if number % 2 else "gw-b"
            it.network.server.add(f"light-{number}", gateway_id)
            it.dispatcher.submit(f"light-{number}", attempt(at=START), hearings(gateway_id))
        it.network.server.add("both", "gw-a", "gw-b")
        it.dispatcher.submit("both", attempt(at=START + 0.5), hearings("gw-a", "gw-b"))
        await trio.sleep(0.5)
        for number in range(60, 120):
            gateway_id = "gw-a" if number % 2 else "gw-b"
            it.network.server.add(f"light-{number}", gateway_id)
            it.dispatcher.submit(f"light-{number}", attempt(at=START + 1), hearings(gateway_id))
        await trio.sleep(200.0)
        order = [dev_eui for _, dev_eui, _ in it.network.server.enqueued]
        assert len(order) == 121
        assert 58 <= order.index("both") <= 63


async def test_two_frames_to_one_light_are_ten_seconds_apart(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.submit("light-1", attempt(1), hearings())
        await trio.sleep(3.0)
        it.dispatcher.submit("light-1", attempt(2, marker_us=7), hearings())
        await trio.sleep(30.0)
        first, second = it.network.server.sent
        assert second.starts_at >= first.ends_at + 10.0
        assert second.starts_at <= first.ends_at + 12.0


async def test_a_copy_of_a_txack_does_not_begin_the_spacing_anew(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.submit("light-1", attempt(1), hearings())
        await trio.sleep(7.0)
        (txack,) = [event for event in it.news() if isinstance(event, Transmitted)]
        it.dispatcher.transmitted("light-1", msgspec.structs.replace(txack, number=None))
        it.dispatcher.submit("light-1", attempt(2, marker_us=7), hearings())
        await trio.sleep(30.0)
        first, second = it.network.server.sent
        assert first.ends_at + 10.0 <= second.starts_at <= first.ends_at + 12.0


async def test_an_attempt_waits_for_its_own_time(autojump_clock: trio.testing.MockClock) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.submit("light-1", attempt(not_before=START + 40.0), hearings())
        await trio.sleep(39.0)
        assert it.network.calls == []
        assert "waits until 08:00:40 UTC" in it.words(it.dispatcher.waiting()[0])
        await trio.sleep(2.0)
        assert it.enqueued() == [pytest.approx(40.0, abs=0.2)]


async def test_an_attempt_that_a_clock_ahead_of_ours_dates_is_not_later_for_that(
    autojump_clock: trio.testing.MockClock,
) -> None:
    ahead_s = 2_240.0
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        late = attempt(at=START + ahead_s, not_before=START + ahead_s + 40.0)
        it.dispatcher.submit("light-1", late, hearings())
        await trio.sleep(39.0)
        assert it.network.calls == []
        await trio.sleep(2.0)
        assert it.enqueued() == [pytest.approx(40.0, abs=0.2)]


async def test_a_light_is_held_while_no_gateway_that_hears_it_is_online(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.gateway_changed("gw-a", False)
        it.dispatcher.gateway_changed("gw-b", False)
        it.dispatcher.submit("light-1", attempt(), hearings("gw-a", "gw-b"))
        await trio.sleep(600.0)
        away = "gw-a (since 08:00 UTC), gw-b (since 08:00 UTC)"
        assert it.held() == [f"every gateway that hears this light is offline: {away}"]
        assert it.words(it.dispatcher.waiting()[0]) == it.held()[0]
        assert it.network.calls == []
        it.dispatcher.gateway_changed("gw-a", True)
        await trio.sleep(2.0)
        assert len(it.queued()) == 1


async def test_one_online_gateway_is_enough_and_a_light_never_heard_is_not_held(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        for dev_eui in ("light-1", "light-2"):
            it.network.server.add(dev_eui, "gw-b")
        it.dispatcher.gateway_changed("gw-a", False)
        it.dispatcher.submit("light-1", attempt(), hearings("gw-a", "gw-b"))
        it.dispatcher.submit("light-2", attempt(), ())
        await trio.sleep(5.0)
        assert len(it.queued("light-1")) == len(it.queued("light-2")) == 1
        assert it.held("light-1") == it.held("light-2") == []


async def test_a_gateway_that_comes_back_releases_in_order_and_paced(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.dispatcher.gateway_changed("gw-a", False)
        for number in range(30):
            it.network.server.add(f"light-{number:02}", "gw-a")
            made = attempt(at=START - number, retry=number < 5)
            it.dispatcher.submit(f"light-{number:02}", made, hearings())
        await trio.sleep(100.0)
        assert all(len(it.held(f"light-{number:02}")) == 1 for number in range(30))
        it.dispatcher.gateway_changed("gw-a", True)
        await trio.sleep(60.0)
        order = [dev_eui for _, dev_eui, _ in it.network.server.enqueued]
        assert order == [f"light-{n:02}" for n in [*range(29, 4, -1), *range(4, -1, -1)]]
        times = it.enqueued()
        assert all(later - one > 0.8 for one, later in pairwise(times))


async def test_an_exhausted_gateway_holds_its_lights_and_says_until_when(
    autojump_clock: trio.testing.MockClock,
) -> None:
    tight = replace(POLICY, rx2_dr=None, window_s=600.0)  # 60 s of air, 1.3 s a frame
    async with application(tight) as (it, _):
        it.network.server.modulation = tight.region.rx2()
        for number in range(60):
            it.network.server.add(f"light-{number:02}", "gw-a")
            made = attempt(at=START + number / 1e3)
            it.dispatcher.submit(f"light-{number:02}", made, hearings())
        await trio.sleep(200.0)
        used_s, budget_s, pending = it.dispatcher.airtime("gw-a", it.clock.now())
        assert budget_s == pytest.approx(60.0)
        assert 39.0 < used_s <= 60.0
        assert pending == 60 - len(it.network.server.sent)
        assert it.held("light-59") == ["airtime of gateway gw-a is used up until 08:10 UTC"]
        assert it.held("light-00") == []
        await trio.sleep(600.0)
        assert len(it.network.server.sent) == 60
        assert it.held("light-59") == ["airtime of gateway gw-a is used up until 08:10 UTC"]


async def test_what_comes_while_the_airtime_is_used_up_is_told_so_and_not_that_others_are_before_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    tight = replace(POLICY, rx2_dr=None, window_s=600.0)
    async with application(tight) as (it, _):
        it.network.server.modulation = tight.region.rx2()
        for number in range(41):
            it.network.server.add(f"light-{number:02}", "gw-a")
        for number in range(40):
            made = attempt(at=START + number / 1e3)
            it.dispatcher.submit(f"light-{number:02}", made, hearings())
        await trio.sleep(200.0)
        late = attempt(at=it.clock.now())
        it.dispatcher.submit("light-40", late, hearings())
        await trio.sleep(60.0)
        assert [type(one) for one in it.news("light-40")] == [AttemptHeld]
        (waiting,) = [one for one in it.dispatcher.waiting() if one.dev_eui == "light-40"]
        assert it.words(waiting).startswith("airtime of gateway gw-a is used up until ")


async def test_a_region_without_duty_cycle_has_no_budget(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application(replace(POLICY, region=REGIONS["US915"], rx2_dr=None)) as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(5.0)
        used_s, budget_s, pending = it.dispatcher.airtime("gw-a", it.clock.now())
        assert (budget_s, pending) == (None, 0)
        assert used_s > 0.0


async def test_a_dead_gateway_gets_few_items_and_delays_no_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Nobody knows yet that gw-dead is dead: at most three items wait there, then one."""
    async with application() as (it, _):
        it.network.server.moods["gw-dead"] = Mood.DEAD
        for number in range(40):
            gateway_id = "gw-dead" if number % 2 else "gw-a"
            it.network.server.add(f"light-{number}", gateway_id)
            it.dispatcher.submit(f"light-{number}", attempt(), hearings(gateway_id))
        most = 0
        for _ in range(60):
            await trio.sleep(1.0)
            stuck = sum(len(light.queue) for light in it.network.server.lights.values())
            most = max(most, stuck)
        assert len([one for one in it.network.server.sent if one.gateway_id == "gw-a"]) == 20
        assert most <= 4
        it.network.server.moods.clear()
        await trio.sleep(120.0)
        assert len({dev_eui for _, dev_eui, _ in it.network.server.enqueued}) == 40


async def test_a_light_that_takes_nothing_delays_no_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Not a Class C device, say: its item stays in the queue until it expires."""
    async with application() as (it, _):
        for number in range(20):
            it.network.server.add(f"light-{number:02}", "gw-a")
            it.dispatcher.submit(f"light-{number:02}", attempt(at=START + number), hearings())
        it.network.server.lights["light-00"].locked_until = START + 1e6
        await trio.sleep(8.0 + 22.0)
        assert len(it.network.server.sent) == 19


async def test_lost_txacks_slow_a_gateway_but_do_not_make_it_silent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The queue and the counter tell what the webhook did not."""
    async with application() as (it, _):
        it.network.lose_txack = lambda _dev_eui: True
        for number in range(20):
            it.network.server.add(f"light-{number}", "gw-a")
            it.dispatcher.submit(f"light-{number}", attempt(), hearings())
        await trio.sleep(20 * 9.5)
        assert len(it.network.server.sent) == 20
        await trio.sleep(10.0)
        seen = it.dispatcher.statistics()
        assert (seen.txacks_missed, seen.in_flight, seen.expired) == (20, 0, 0)


async def test_no_item_outlives_its_command(autojump_clock: trio.testing.MockClock) -> None:
    """From the field: 11 of 29 expired commands changed the light after all."""
    async with application(ticking=False) as (it, _):
        for n, left_s in enumerate((5.0, 12.5, 300.0)):
            it.network.server.add(f"light-{n}", f"gw-{n}")
            one = msgspec.structs.replace(attempt(), expires_at=START + left_s)
            it.dispatcher.submit(f"light-{n}", one, hearings(f"gw-{n}"))
        await trio.sleep(1.0)
        ends = sorted(item.expires_at or 0.0 for _, _, item in it.network.server.enqueued)
        assert len(ends) == 3
        assert START + 3.0 <= ends[0] <= START + 5.0
        assert START + 10.0 <= ends[1] <= START + 12.5
        assert START + 29.0 <= ends[2] <= START + 32.0


async def test_a_command_that_is_as_good_as_over_is_not_sent_and_says_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.network.server.add("light-2", "gw-a")
        over = msgspec.structs.replace(attempt(), expires_at=START + 2.9)
        it.dispatcher.submit("light-1", over, hearings())
        it.dispatcher.submit("light-2", attempt(at=START + 1.0), hearings())
        await trio.sleep(120.0)
        assert it.held("light-1") == ["not sent any more: the command ends at 08:00:02 UTC"]
        assert [sent.dev_eui for sent in it.network.server.sent] == ["light-2"]


SF9, SF12 = REGIONS["EU868"].rx2(3), REGIONS["EU868"].rx2(0)


def told(it: RunningDispatcher, dev_eui: str, modulation: Modulation) -> None:
    now = it.clock.now()
    it.dispatcher.transmitted(
        dev_eui,
        Transmitted(now, f"of {now} {dev_eui}", "gw-a", now + 0.2, 0, 869_525_000, modulation),
    )


async def test_a_light_that_may_be_between_two_data_rates_is_not_sent_to_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """ChirpStack changes the rate of a light with its uplink; the light itself is earlier."""
    async with application() as (it, _):
        one = it.network.server.add("light-1", "gw-a", f_cnt_up=7)
        it.network.server.add("light-2", "gw-a")
        for dev_eui in ("light-1", "light-2"):
            told(it, dev_eui, SF9)
        told(it, "light-2", SF12)
        it.dispatcher.submit("light-1", attempt(1), hearings())
        await trio.sleep(20.0)
        assert len(it.queued("light-1")) == 1  # it may not have changed yet
        told(it, "light-1", SF9)
        it.dispatcher.submit("light-1", attempt(2, retry=True), hearings())
        await trio.sleep(100.0)
        assert len(it.queued("light-1")) == 1
        assert it.held("light-1")[-1].startswith("RX2 was changed to SF12 in ChirpStack")
        assert one.activation is not None
        one.activation = msgspec.structs.replace(one.activation, f_cnt_up=8)
        await trio.sleep(35.0)
        assert len(it.queued("light-1")) == 2


async def test_the_budget_is_reckoned_with_the_rate_that_is_used(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """SF9 is configured; at SF12 an item that nobody acknowledges costs seven times as much."""
    async with application() as (it, _):
        told(it, "light-0", SF12)
        it.network.server.moods["gw-a"] = Mood.DEAD
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(60.0)
        used_s, _, _ = it.dispatcher.airtime("gw-a", START + 60.0)
        assert used_s > 10.0
