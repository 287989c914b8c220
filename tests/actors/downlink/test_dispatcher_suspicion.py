"""Gateways that take no frames: who is suspected, who waits for that, and what is told."""

from itertools import pairwise

import trio

from actors.device.events import AttemptWaits
from actors.downlink.suspicion import Suspicion
from tests.support.dispatcher_kit import (
    POLICY,
    START,
    RunningDispatcher,
    application,
    attempt,
    hearings,
)
from tests.support.scripted_network import Mood

Clock = trio.testing.MockClock


def missed(some: Suspicion, *gateways: str, light: str = "light-1", at: float = 0.0) -> None:
    some.missed(gateways, light, START + at, START + at, sure=True)


def test_one_lost_txack_is_no_suspicion_and_two_are() -> None:
    some = Suspicion(POLICY)
    missed(some, "a")
    assert some.suspects == {}
    missed(some, "a", at=5.0)
    assert (some.suspects["a"].since, some.suspects["a"].frames) == (START, 2)
    assert some.took("a", START + 6.0)
    assert some.suspects == {}


def test_a_gateway_that_took_a_frame_just_now_is_not_the_one_that_missed_the_next() -> None:
    some = Suspicion(POLICY)
    some.took("b", START)
    missed(some, "a", "b", at=5.0)
    missed(some, "a", "b", light="light-2", at=8.0)
    assert set(some.suspects) == {"a"}


def test_gateways_of_which_nothing_is_known_share_the_blame() -> None:
    some = Suspicion(POLICY)
    for n in range(3):
        missed(some, "a", "b", light=f"light-{n}")
    assert some.suspects == {}
    missed(some, "a", "b", light="light-3")
    assert set(some.suspects) == {"a", "b"}


def test_a_suspect_explains_what_is_missed_beside_it_but_not_for_ever() -> None:
    some = Suspicion(POLICY)
    missed(some, "a")
    missed(some, "a")
    for n in range(7):
        missed(some, "a", "b", light=f"light-{n}")
    assert set(some.suspects) == {"a"}
    missed(some, "a", "b", light="light-8")
    assert set(some.suspects) == {"a", "b"}


def test_one_light_that_is_perhaps_no_class_c_device_makes_no_suspect() -> None:
    some = Suspicion(POLICY)
    for _ in range(10):
        some.missed(["a"], "light-1", START, START, sure=False)
    assert some.suspects == {}
    some.missed(["a"], "light-2", START, START, sure=False)
    assert set(some.suspects) == {"a"}


def test_frames_through_suspects_only_are_spaced_out_to_five_minutes() -> None:
    some = Suspicion(POLICY)
    missed(some, "a")
    missed(some, "a")
    at, gaps = START, []
    for _ in range(8):
        due_at = some.probe_at({"a"})
        assert due_at is not None
        gaps.append(due_at - at)
        at = due_at
        some.probing({"a"}, at)
    assert gaps == [10.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
    assert some.probe_at({"a", "b"}) is None


# ------------------------------------------------------------------ the whole dispatcher


def submit(it: RunningDispatcher, number: int, *gateways: str) -> None:
    dev_eui = f"light-{number:02}"
    it.network.server.add(dev_eui, *gateways)
    it.dispatcher.submit(dev_eui, attempt(at=START + number / 1e3), hearings(*gateways))


def waits(it: RunningDispatcher, dev_eui: str) -> list[str]:
    return [event.reason for event in it.news(dev_eui) if isinstance(event, AttemptWaits)]


async def test_a_dead_gateway_that_still_counts_as_online_holds_up_no_light_of_another(
    autojump_clock: Clock,
) -> None:
    """From the field: one of two gateways silently dead, and lights waited up to 158 s."""
    async with application() as (it, _):
        it.network.server.moods["gw-a"] = Mood.DEAD
        routes = [("gw-a",), ("gw-b",), ("gw-a", "gw-b")]
        for number in range(18):
            submit(it, number, *routes[number % 3])
        await trio.sleep(75.0)
        sent = sorted(it.network.server.sent, key=lambda one: one.starts_at)
        assert {one.dev_eui for one in sent} == {f"light-{n:02}" for n in range(18) if n % 3}
        apart = pairwise(sent)
        assert all(later.starts_at >= one.ends_at for one, later in apart)
        suspect = it.dispatcher.suspect("gw-a")
        assert suspect is not None
        assert it.dispatcher.suspect("gw-b") is None
        left = it.dispatcher.waiting()
        assert left  # the others of gw-a are in ChirpStack's queue, or were
        for one in left:
            told = it.held(one.dev_eui)
            assert any(text.startswith("no gateway that ChirpStack may choose") for text in told)
            assert any("gw-a" in text and "since 08:00 UTC" in text for text in told)


async def test_whoever_waits_longer_than_a_moment_is_told_for_what(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.moods["gw-a"] = Mood.DEAD
        for number in range(8):
            submit(it, number, "gw-a", "gw-b")
        for second in range(1, 60):
            await trio.sleep_until(trio.current_time() + 1.0)
            now = START + second
            for one in it.dispatcher.waiting():
                if now - one.submitted_at > 2.5:
                    assert waits(it, one.dev_eui) + it.held(one.dev_eui), (second, one)
        assert any(
            text.startswith("waits for its turn at gateway gw-b; gateway gw-a takes none (")
            for number in range(8)
            for text in waits(it, f"light-{number:02}")
        )
        assert any(
            text.startswith("no txack from gateway gw-a or gw-b since 08:00 UTC")
            for number in range(8)
            for text in waits(it, f"light-{number:02}")
        )


async def test_a_suspect_that_takes_a_frame_is_trusted_at_once(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.moods["gw-a"] = Mood.DEAD
        for number in range(6):
            submit(it, number, "gw-a")
        await trio.sleep(60.0)
        assert it.dispatcher.suspect("gw-a") is not None
        left = {one.dev_eui for one in it.dispatcher.waiting()}
        assert left
        it.network.server.moods["gw-a"] = Mood.FINE
        it.dispatcher.gateway_changed("gw-a", True)
        await trio.sleep(8.0)
        assert it.dispatcher.suspect("gw-a") is None
        assert left <= {one.dev_eui for one in it.network.server.sent}


async def test_a_gateway_that_sends_and_never_acknowledges_costs_little_air(
    autojump_clock: Clock,
) -> None:
    """From the field: 7.8 frames a command, and the light drops each after the first."""
    async with application() as (it, _):
        it.network.server.moods["gw-a"] = Mood.MUTE
        for number in range(12):
            submit(it, number, "gw-a")
        await trio.sleep(3_600.0)
        assert len(it.network.server.sent) <= 40
        used_s, _, _ = it.dispatcher.airtime("gw-a", START + 3_600.0)
        assert used_s < 60.0


async def test_a_refused_frame_is_told_and_the_next_light_goes_on(autojump_clock: Clock) -> None:
    async with application(ticking=False) as (it, nursery):
        submit(it, 0, "gw-a")
        submit(it, 1, "gw-a")
        await trio.sleep(0.5)
        it.dispatcher.refused("light-00", "TOO_LATE")
        await trio.sleep(0.5)
        assert len(it.queued("light-01")) == 1
        [text] = waits(it, "light-00")
        assert text.startswith("a gateway refused the frame (TOO_LATE)")
        nursery.start_soon(it.network.run_scheduler)
        await trio.sleep(5.0)
        assert len(it.network.server.sent) == 2


async def test_webhooks_that_come_late_slow_nobody(autojump_clock: Clock) -> None:
    """From the field: 12 lights took 70 s behind a webhook URL that hangs, 20 s without it."""
    async with application() as (it, _):
        it.network.txack_latency_s = 5.0
        for number in range(12):
            submit(it, number, "gw-a")
        await trio.sleep(32.0)
        assert len(it.network.server.sent) == 12
        assert it.dispatcher.suspect("gw-a") is None
        pairs = pairwise(it.network.server.sent)
        assert all(later.starts_at >= one.ends_at + 0.6 for one, later in pairs)
