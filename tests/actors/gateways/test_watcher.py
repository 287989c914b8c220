"""The watcher: fresh views every poll, changes told once, and nothing made up in an outage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
import trio

from actors.board.changes import AirtimeUse, GatewayView
from actors.clocks.clock import RunClock
from actors.gateways import GatewayWatcher, WatchPolicy
from lorawan.network import (
    GatewayInfo,
    GatewayState,
    NetworkError,
    NetworkRefused,
    NetworkUnavailable,
)
from tests.support.scripted_network import ScriptedNetwork

START = 1_800_000_000.0
Clock = trio.testing.MockClock


@dataclass
class WatchedGateways:
    """A watcher, its network, and what it said."""

    clock: RunClock
    network: ScriptedNetwork
    watcher: GatewayWatcher = field(init=False)
    views: list[GatewayView] = field(default_factory=list)
    changes: list[tuple[float, str, bool]] = field(default_factory=list)
    returns: list[tuple[float, str]] = field(default_factory=list)
    alive: set[str] = field(default_factory=lambda: {"gw-a", "gw-b"})
    on_the_list: tuple[str, ...] = ("gw-a", "gw-b")
    interval_s: float | None = None

    def changed(self, gateway_id: str, online: bool) -> None:
        self.changes.append((round(self.clock.now() - START), gateway_id, online))

    def returned(self, gateway_id: str) -> None:
        self.returns.append((round(self.clock.now() - START), gateway_id))

    async def stats(self) -> None:
        """Every living gateway sends stats each 30 s, as ChirpStack lists them."""
        seen_at: dict[str, float] = {}
        pause_s = 23.0  # between two polls, so that no two things happen at once
        while True:
            seen_at.update(dict.fromkeys(self.alive, self.clock.now()))
            self.network.listed = [
                GatewayInfo(
                    one,
                    f"Roof {one[-1]}",
                    last_seen_at=seen_at[one],
                    latitude=50.0,
                    stats_interval_s=self.interval_s,
                )
                for one in self.on_the_list
            ]
            await trio.sleep(pause_s)
            pause_s = 30.0


@asynccontextmanager
async def watched(
    *, started: bool = True, policy: WatchPolicy | None = None
) -> AsyncIterator[tuple[WatchedGateways, trio.Nursery]]:
    clock = RunClock(START)
    network = ScriptedNetwork(clock, Random(1))
    it = WatchedGateways(clock, network)
    it.watcher = GatewayWatcher(
        network,
        it.views.append,
        clock,
        policy,
        on_change=(it.changed,),
        on_return=it.returned,
        airtime=lambda gateway_id, _now: AirtimeUse(12.5, 360.0, len(gateway_id)),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(it.stats)
        await trio.testing.wait_all_tasks_blocked()
        if started:
            await nursery.start(it.watcher.run)
        yield it, nursery
        nursery.cancel_scope.cancel(reason="the test is over")


async def test_the_first_list_comes_before_started_and_counts_as_change(
    autojump_clock: Clock,
) -> None:
    async with watched() as (it, _):
        assert it.changes == [(0, "gw-a", True), (0, "gw-b", True)]
        first = it.views[0]
        assert (first.gateway_id, first.name, first.online, first.known) == (
            "gw-a",
            "Roof a",
            True,
            True,
        )
        assert (first.airtime_used_s, first.airtime_budget_s, first.pending) == (12.5, 360.0, 4)
        assert (first.last_seen_at, first.latitude) == (START, 50.0)
        assert it.watcher.name_of("gw-a") == "Roof a"
        assert it.watcher.name_of("nobody") == "nobody"


async def test_views_are_fresh_every_poll(autojump_clock: Clock) -> None:
    async with watched() as (it, _):
        await trio.sleep(300.5)
        assert len(it.views) == 2 * 11
        assert it.watcher.statistics().polls == 11
        newest = next(view for view in reversed(it.views) if view.gateway_id == "gw-b")
        assert newest.last_seen_at == pytest.approx(START + 293.0)


async def test_a_list_that_says_nothing_new_is_not_published(autojump_clock: Clock) -> None:
    async with watched() as (it, _):
        it.alive.discard("gw-b")
        await trio.sleep(200.5)
        count, polls = len(it.views), it.watcher.statistics().polls
        await trio.sleep(60.0)
        assert it.watcher.statistics().polls - polls >= 29
        shown = [view.gateway_id for view in it.views[count:]]
        assert shown == ["gw-a", "gw-a"], "its stats, twice a minute"


async def test_a_gateway_without_stats_goes_offline_and_comes_back(autojump_clock: Clock) -> None:
    async with watched() as (it, _):
        it.changes.clear()
        await trio.sleep(60.0)
        it.alive.discard("gw-b")
        await trio.sleep(600.0)
        assert it.changes == [(354, "gw-b", False)]
        assert it.watcher.statistics().online == 1
        it.alive.add("gw-b")
        await trio.sleep(60.0)
        assert it.changes[1:] == [(684, "gw-b", True)], "2 s at most after its stats at 683"
        assert it.returns == [(684, "gw-b")]


async def test_a_silence_too_short_to_be_offline_is_noticed_and_its_end_told(
    autojump_clock: Clock,
) -> None:
    async with watched() as (it, _):
        await trio.sleep(60.0)
        it.changes.clear()
        it.alive.discard("gw-b")  # last stats at 53
        await trio.sleep(180.0)
        it.alive.add("gw-b")
        await trio.sleep(60.0)
        assert it.returns == [(264, "gw-b")], "2 s at most after its stats at 263"
        assert it.changes == [], "it was never called offline"


@pytest.mark.parametrize("sign", ["heard", "acknowledged"])
async def test_an_uplink_or_a_txack_ends_a_silence_at_once(
    autojump_clock: Clock, sign: str
) -> None:
    async with watched() as (it, _):
        await trio.sleep(60.0)
        it.alive.discard("gw-b")
        await trio.sleep(140.0)
        tell = it.watcher.heard if sign == "heard" else it.watcher.acknowledged
        tell("gw-b", it.clock.now() - 130.0)  # a late webhook of something before
        assert it.returns == []
        tell("gw-b", it.clock.now())
        assert it.returns == [(200, "gw-b")]
        tell("gw-b", it.clock.now())
        assert it.returns == [(200, "gw-b")]


async def test_two_lost_stats_are_no_silence(autojump_clock: Clock) -> None:
    async with watched() as (it, _):
        await trio.sleep(60.0)
        it.alive.discard("gw-b")
        await trio.sleep(60.0)
        it.alive.add("gw-b")
        await trio.sleep(60.0)
        assert it.returns == []


async def test_a_txack_brings_a_gateway_back_but_does_not_make_one_known(
    autojump_clock: Clock,
) -> None:
    async with watched() as (it, _):
        it.alive.discard("gw-b")
        await trio.sleep(500.0)
        it.changes.clear()
        it.watcher.acknowledged("gw-b", it.clock.now())
        it.watcher.acknowledged("gw-x", it.clock.now())
        assert it.changes == [(500, "gw-b", True)]
        assert it.views[-1].heard_at is None, "it took a frame: it need not hear any"
        assert it.watcher.is_online("gw-x") is None


async def test_a_gateway_away_for_very_long_is_asked_for_at_the_usual_pace(
    autojump_clock: Clock,
) -> None:
    async with watched(policy=WatchPolicy(given_up_after_s=3_600.0)) as (it, _):
        it.alive.discard("gw-b")
        await trio.sleep(603.0)  # between two polls: what is due at the same moment has no order
        polls = it.watcher.statistics().polls
        await trio.sleep(60.0)
        assert it.watcher.statistics().polls - polls == 30
        await trio.sleep(3_600.0)
        polls = it.watcher.statistics().polls
        await trio.sleep(60.0)
        assert it.watcher.statistics().polls - polls == 2


async def test_an_uplink_brings_a_gateway_back_at_once(autojump_clock: Clock) -> None:
    async with watched() as (it, _):
        it.alive.discard("gw-b")
        await trio.sleep(500.0)
        it.changes.clear()
        it.watcher.heard("gw-b", it.clock.now())
        assert it.changes == [(500, "gw-b", True)]
        assert it.views[-1].online
        assert it.views[-1].heard_at == it.clock.now()
        count = len(it.views)
        it.watcher.heard("gw-b", it.clock.now())
        assert len(it.views) == count


@pytest.mark.parametrize("error", [NetworkUnavailable, NetworkRefused])
async def test_what_was_known_is_kept_while_the_network_is_away(
    autojump_clock: Clock, error: type[NetworkError]
) -> None:
    async with watched() as (it, _):
        await trio.sleep(65.0)
        it.changes.clear()
        it.network.script = lambda _call, _dev_eui: error("away")
        it.alive.clear()
        await trio.sleep(3_600.0)
        assert it.changes == []
        assert it.watcher.statistics().network_unreachable_since == pytest.approx(
            START + 90.0, abs=1.0
        )
        assert "away" in (it.watcher.statistics().problem or "")
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(31.0)
        assert it.watcher.statistics().network_unreachable_since is None
        assert it.changes == []  # their stats had nowhere to go either
        await trio.sleep(360.0)
        assert [change[1:] for change in it.changes] == [("gw-a", False), ("gw-b", False)]


async def test_a_list_that_hangs_is_given_up_and_asked_for_again(autojump_clock: Clock) -> None:
    async with watched(started=False) as (it, nursery):
        it.network.slow.add("")
        await nursery.start(it.watcher.run)
        assert it.clock.now() == pytest.approx(START + 10.0, abs=0.1)
        assert it.watcher.statistics().network_unreachable_since == pytest.approx(START)
        await trio.sleep(100.0)
        assert it.network.in_flight <= 1
        it.network.slow.clear()
        await trio.sleep(60.0)
        assert it.watcher.statistics().online == 2


async def test_gateways_of_others_are_shown_count_as_online_and_are_forgotten(
    autojump_clock: Clock,
) -> None:
    async with watched() as (it, _):
        it.watcher.heard("gw-x", it.clock.now())
        shown = [(view.gateway_id, view.known, view.online) for view in it.views[-1:]]
        assert shown == [("gw-x", False, True)]
        await trio.sleep(3_600.0)
        assert it.watcher.statistics().unlisted == 1
        assert [change for change in it.changes if change[1] == "gw-x"] == [(0, "gw-x", True)]
        await trio.sleep(86_400.0)
        assert it.watcher.is_online("gw-x") is None


async def test_strangers_are_bounded(autojump_clock: Clock) -> None:
    async with watched() as (it, _):
        for number in range(1_500):
            it.watcher.heard(f"stranger-{number}", it.clock.now())
        assert it.watcher.statistics().unlisted == 1_000


async def test_a_dead_gateway_that_is_taken_off_the_list_counts_as_online(
    autojump_clock: Clock,
) -> None:
    async with watched() as (it, _):
        it.alive.discard("gw-b")
        it.watcher.heard("gw-b", it.clock.now())
        await trio.sleep(400.0)
        assert it.changes[-1][1:] == ("gw-b", False)
        it.on_the_list = ("gw-a",)
        await trio.sleep(60.0)
        assert it.changes[-1][1:] == ("gw-b", True)


@dataclass
class Told:
    """An hour of one gateway whose stats come every so often, as ChirpStack lists it."""

    polls: int
    changes: list[tuple[float, str, bool]]


async def an_hour(every_s: float, *, interval: bool, state: bool) -> Told:
    """ChirpStack's server of case 4: `last_seen_at` moves every `every_s`."""
    clock = RunClock(START)
    changes: list[tuple[float, str, bool]] = []

    class Server(ScriptedNetwork):
        async def gateways(self) -> list[GatewayInfo]:
            await trio.lowlevel.checkpoint()
            now = clock.now()
            seen_at = START + every_s * ((now - START) // every_s)
            online = now - seen_at <= 2 * every_s
            return [
                GatewayInfo(
                    "gw-4g",
                    "4G",
                    last_seen_at=seen_at,
                    state=(GatewayState.ONLINE if online else GatewayState.OFFLINE)
                    if state
                    else None,
                    stats_interval_s=every_s if interval else None,
                )
            ]

    watcher = GatewayWatcher(
        Server(clock, Random(1)),
        lambda _: None,
        clock,
        on_change=(lambda one, online: changes.append((clock.now() - START, one, online)),),
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(watcher.run)
        await trio.sleep(3_600.0)
        nursery.cancel_scope.cancel(reason="the hour is over")
    return Told(watcher.statistics().polls, changes)


@pytest.mark.parametrize("every_s", [30.0, 120.0, 300.0, 600.0, 900.0, 3_600.0])
@pytest.mark.parametrize(("interval", "state"), [(True, True), (False, True), (True, False)])
async def test_a_gateway_with_a_long_stats_interval_is_online_and_left_in_peace(
    autojump_clock: Clock, every_s: float, interval: bool, state: bool
) -> None:
    """From the field: stats every 10 min by its own configuration, on a 4G line. It was offline
    41 % of the time, alerted six times an hour, and ChirpStack was asked 1,464 times an hour."""
    told = await an_hour(every_s, interval=interval, state=state)
    assert told.changes == [(pytest.approx(0.0, abs=0.1), "gw-4g", True)]
    assert told.polls <= 122


async def test_without_word_of_its_interval_it_is_found_out_within_four_stats(
    autojump_clock: Clock,
) -> None:
    """A server that keeps neither, or a forwarder that was given another interval."""
    told = await an_hour(600.0, interval=False, state=False)
    late = [change for change in told.changes if change[0] > 4 * 600.0]
    assert late == [], "three gaps of ten minutes are how it speaks"


async def test_a_gateway_that_dies_is_offline_after_three_and_a_half_of_its_intervals(
    autojump_clock: Clock,
) -> None:
    async with watched(started=False) as (it, nursery):
        it.interval_s = 120.0
        await nursery.start(it.watcher.run)
        await trio.sleep(60.0)
        it.changes.clear()
        it.alive.discard("gw-b")  # last stats at 53
        await trio.sleep(600.0)
        assert it.changes == [(474, "gw-b", False)]


async def test_the_watch_is_told_of_every_list(autojump_clock: Clock) -> None:
    lists: list[bool] = []
    clock = RunClock(START)
    network = ScriptedNetwork(clock, Random(1))
    watcher = GatewayWatcher(network, lambda _: None, clock, on_list=lists.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(watcher.run)
        await trio.sleep(61.0)
        network.script = lambda _call, _dev_eui: NetworkUnavailable("away")
        await trio.sleep(30.0)
        nursery.cancel_scope.cancel(reason="the test is over")
    assert lists[:4] == [True, True, True, False]


async def test_what_is_shown_and_neither_listed_nor_heard_is_forgotten_with_the_first_list(
    autojump_clock: Clock,
) -> None:
    """A gateway that was deleted while nobody watched: who watched before has told of it."""
    clock = RunClock(START)
    network = ScriptedNetwork(clock, Random(1))
    network.listed = [GatewayInfo("gw-a", "Roof a", last_seen_at=START)]
    network.script = lambda _call, _dev_eui: NetworkUnavailable("away")
    shown = {
        one: GatewayView(one, f"Roof {one[-1]}", online=one != "gw-gone")
        for one in ("gw-a", "gw-heard", "gw-gone", "gw-gone-too")
    }

    def publish(view: GatewayView) -> None:
        shown[view.gateway_id] = view

    watcher = GatewayWatcher(network, publish, clock, shown=shown.values)
    watcher.heard("gw-heard", START)
    async with trio.open_nursery() as nursery:
        await nursery.start(watcher.run)
        assert all(shown[one].known for one in ("gw-gone", "gw-gone-too"))
        network.script = lambda _call, _dev_eui: None
        await trio.sleep(60)
        assert (shown["gw-a"].known, shown["gw-a"].online) == (True, True)
        assert (shown["gw-heard"].known, shown["gw-heard"].online) == (False, True)
        for one in ("gw-gone", "gw-gone-too"):
            assert shown[one] == GatewayView(one, f"Roof {one[-1]}", online=False, known=False)
        nursery.cancel_scope.cancel()
