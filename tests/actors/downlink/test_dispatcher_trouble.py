"""The dispatcher when things go wrong: ambiguous calls, outages, refusals, restarts."""

from dataclasses import replace

import msgspec
import pytest
import trio

from actors.device.events import AttemptWaits, Transmitted
from actors.device.model import Obstacle
from lorawan.network import (
    Activation,
    DeviceState,
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)
from tests.support.dispatcher_kit import (
    POLICY,
    START,
    application,
    attempt,
    fails,
    hearings,
    submit,
)

Clock = trio.testing.MockClock


# ------------------------------------------------------------------ the ordinary way


async def test_an_item_bears_its_marker_and_the_activation_read_before(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a", f_cnt_up=17)
        it.dispatcher.submit("light-1", attempt(marker_us=654_321), hearings())
        await trio.sleep(3.0)
        [news] = it.queued()
        [(at, _, item)] = it.network.server.enqueued
        assert news.activation == Activation("01020304", 17, 0)
        assert (news.number, news.queue_item_id) == (1, item.id)
        assert item.expires_at == news.expires_at
        assert round(news.expires_at % 1.0 * 1e6) == 654_321
        assert at + 29.0 < news.expires_at < at + 32.0
        assert (item.f_port, item.data) == (15, bytes.fromhex("ff0000ff0001"))


async def test_a_light_without_uplink_since_its_join_is_held(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a", f_cnt_up=0)
        it.network.server.add("light-2", "gw-a", dev_addr=None)
        for dev_eui in ("light-1", "light-2"):
            it.dispatcher.submit(dev_eui, attempt(), hearings())
        await trio.sleep(200.0)
        assert it.held("light-1") == ["the light has not sent an uplink since it joined"]
        assert it.held("light-2") == ["the light never joined"]
        it.network.server.add("light-1", "gw-a", f_cnt_up=1)
        await trio.sleep(61.0)
        assert len(it.queued("light-1")) == 1


async def test_a_value_that_is_no_byte_is_refused(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.dispatcher.submit("light-1", attempt(red=256), hearings())
        await trio.sleep(1.0)
        assert len(it.refused()) == 1


async def test_withdrawn_attempts_are_forgotten(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.dispatcher.submit("light-1", attempt(not_before=START + 20.0), hearings())
        await trio.sleep(1.0)
        it.dispatcher.withdraw("light-1")
        await trio.sleep(60.0)
        [waits] = it.news()
        assert isinstance(waits, AttemptWaits)
        assert waits.reason.startswith("waits until 08:00:20 UTC")
        assert it.dispatcher.waiting() == []


# ------------------------------------------------------------------ what is in the queue


async def test_a_newer_attempt_waits_for_the_item_of_the_one_before(autojump_clock: Clock) -> None:
    async with application(ticking=False) as (it, nursery):
        submit(it)
        await trio.sleep(1.0)
        it.dispatcher.submit("light-1", attempt(2, marker_us=5, red=1), hearings())
        await trio.sleep(7.0)
        assert it.held() == []  # it would pass by itself within seconds
        await trio.sleep(2.0)
        assert it.held() == ["an earlier item is still in ChirpStack's queue"]
        nursery.start_soon(it.network.run_scheduler)
        await trio.sleep(20.0)
        assert [news.number for news in it.queued()] == [1, 2]
        first, second = it.network.server.sent
        assert second.starts_at - first.ends_at >= 10.0


async def test_somebody_elses_item_without_expiry_is_waited_for_by_looking_again(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        light = it.network.server.add("light-1", "gw-a")
        it.network.server.put("light-1", b"\1\2\3\4\5")
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(100.0)
        looks = [at for at, call, _ in it.network.calls if call == "queue"]
        assert len(looks) == 4
        light.queue.clear()
        await trio.sleep(31.0)
        assert len(it.queued()) == 1
        [told] = it.held()
        assert "fPort 15, bytes 0102030405" in told
        assert "foreign item blocks ChirpStack's queue since 08:00 UTC" in told
        assert it.obstacles() == [Obstacle.FOREIGN_ITEM]


async def test_a_stuck_item_of_another_port_is_named_once_ours_expired_behind_it(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        light = it.network.server.add("light-1", "gw-a")
        it.network.server.put("light-1", b"\xca\xfe", f_port=2)
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(60.0)
        del light.queue[1:]
        assert it.held() == []
        it.dispatcher.submit("light-1", attempt(2, marker_us=7, retry=True), hearings())
        await trio.sleep(20.0)
        [told] = it.held()
        assert "fPort 2, bytes cafe" in told
        assert it.obstacles() == [Obstacle.FOREIGN_ITEM]
        light.queue.clear()
        await trio.sleep(31.0)
        assert len(it.queued()) == 2


@pytest.mark.parametrize(
    ("state", "obstacle", "word"),
    [
        (DeviceState("light-1", disabled=True), Obstacle.DISABLED, "disabled in ChirpStack"),
        (DeviceState("light-1", "CLASS_A"), Obstacle.CLASS_A, "joins again"),
        (DeviceState("light-1", "CLASS_A", class_c_profile=False), Obstacle.CLASS_A, "profile"),
    ],
)
async def test_a_light_that_chirpstack_would_not_send_to_gets_no_item_and_goes_on_by_itself(
    autojump_clock: Clock, state: DeviceState, obstacle: Obstacle, word: str
) -> None:
    async with application() as (it, _):
        it.network.states["light-1"] = state
        submit(it, "light-1", "light-2")
        await trio.sleep(600.0)
        [told] = it.held()
        assert word in told
        assert it.obstacles() == [obstacle]
        assert it.enqueued("light-1") == []
        assert len(it.queued("light-2")) == 1
        it.network.states.clear()
        await trio.sleep(31.0)
        assert len(it.queued()) == 1


async def test_an_item_on_another_port_is_no_obstacle_but_counted(autojump_clock: Clock) -> None:
    async with application(ticking=False) as (it, _):
        it.network.server.add("light-1", "gw-a")
        it.network.server.put("light-1", b"\1", f_port=2)
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(1.0)
        assert len(it.queued()) == 1
        assert it.dispatcher.statistics().behind_foreign == 1


async def test_an_item_of_ours_from_before_the_process_is_adopted(autojump_clock: Clock) -> None:
    async with application(ticking=False) as (it, nursery):
        it.network.server.add("light-1", "gw-a")
        made = attempt(marker_us=77)
        data = bytes.fromhex("ff0000ff0001")
        item = it.network.server.put("light-1", data, expires_at=START + 25.000077)
        it.dispatcher.submit("light-1", made, hearings())
        await trio.sleep(1.0)
        [news] = it.queued()
        assert (news.queue_item_id, news.expires_at) == (item.id, item.expires_at)
        assert len(it.network.server.enqueued) == 1
        assert it.dispatcher.statistics().in_flight == 1
        nursery.start_soon(it.network.run_scheduler)
        await trio.sleep(3.0)
        assert it.dispatcher.statistics().transmitted == 1


# ------------------------------------------------------------------ ambiguous enqueues


async def test_a_timeout_after_the_effect_is_resolved_by_the_queue(autojump_clock: Clock) -> None:
    async with application(ticking=False) as (it, _):
        it.network.script_after = fails("enqueue", error=lambda: NetworkTimeout("late"), times=1)
        submit(it)
        await trio.sleep(10.0)
        [news] = it.queued()
        assert news.queue_item_id == "item-1"
        assert len(it.network.server.enqueued) == 1
        assert it.dispatcher.statistics().adopted == 1


async def test_a_timeout_after_the_effect_and_the_item_gone_is_resolved_by_the_counter(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.lose_txack = lambda _dev_eui: True
        it.network.script_after = fails("enqueue", error=lambda: NetworkTimeout("late"), times=1)
        submit(it)
        await trio.sleep(10.0)
        [news] = it.queued()
        assert (news.queue_item_id, news.activation.f_cnt_down) == ("", 0)
        assert len(it.network.server.enqueued) == 1


async def test_a_txack_during_the_doubt_tells_the_items_id(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.script_after = fails("enqueue", error=lambda: NetworkFault("ill"), times=1)
        submit(it)
        await trio.sleep(10.0)
        [news] = it.queued()
        assert news.queue_item_id == "item-1"
        assert len(it.network.server.sent) == 1


async def test_a_timeout_without_effect_is_repeated(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.script = fails("enqueue", error=lambda: NetworkTimeout("lost"), times=1)
        submit(it)
        await trio.sleep(10.0)
        assert len(it.queued()) == 1
        assert len(it.network.server.enqueued) == 1


async def test_a_call_that_never_ends_is_given_up(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.slow.add("light-1")
        submit(it)
        await trio.sleep(14.0)
        assert it.network.in_flight == 1
        await trio.sleep(2.0)
        it.network.slow.clear()
        await trio.sleep(20.0)
        assert len(it.queued()) == 1


async def test_one_slow_light_delays_no_other(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.slow.add("light-0")
        for number in range(10):
            it.network.server.add(f"light-{number}", "gw-a")
            it.dispatcher.submit(f"light-{number}", attempt(at=START + number), hearings())
        await trio.sleep(13.0)
        assert len(it.network.server.sent) == 9


async def test_a_txack_that_overtakes_the_reply_of_its_enqueue_is_not_lost(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.reply_latency_s = 3.0
        submit(it, "light-1", "light-2")
        await trio.sleep(10.0)
        order = [type(event).__name__ for event in it.news("light-1")]
        assert order == ["AttemptQueued", "Transmitted"]
        assert it.dispatcher.statistics().transmitted == 2
        assert it.dispatcher.statistics().foreign == 0
        used_s, _, _ = it.dispatcher.airtime("gw-a", it.clock.now())
        assert used_s == pytest.approx(2 * 0.185344, abs=1e-3)


async def test_copies_of_a_txack_are_paid_once_and_strangers_frames_too(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        submit(it)
        await trio.sleep(3.0)
        [told] = [event for event in it.news() if isinstance(event, Transmitted)]
        told = msgspec.structs.replace(told, number=None)  # as the webhook brings it
        it.dispatcher.transmitted("light-1", told)
        await trio.sleep(1.0)
        once_s, _, _ = it.dispatcher.airtime("gw-a", it.clock.now())
        assert once_s == pytest.approx(0.185344, abs=1e-3)
        it.dispatcher.transmitted("light-1", msgspec.structs.replace(told, queue_item_id="other"))
        await trio.sleep(1.0)
        twice_s, _, _ = it.dispatcher.airtime("gw-a", it.clock.now())
        assert twice_s == pytest.approx(2 * 0.185344, abs=1e-3)
        assert it.dispatcher.statistics().foreign == 1


# ------------------------------------------------------------------ ChirpStack away


async def test_an_outage_holds_all_probes_one_at_a_time_and_ends_paced(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.script = fails(
            "queue", "activation", "enqueue", error=lambda: NetworkUnavailable("refused")
        )
        lights = [f"light-{number:02}" for number in range(30)]
        submit(it, *lights)
        await trio.sleep(300.0)
        for dev_eui in lights:
            assert it.held(dev_eui) == ["ChirpStack does not answer since 08:00 UTC"]
        assert len(it.network.calls) < 75  # a probe every 5 s
        assert it.dispatcher.statistics().trouble_since == pytest.approx(START, abs=1.0)
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(35.0 + 45.0)
        assert len(it.network.server.sent) == 30
        assert it.dispatcher.statistics().trouble is None


async def test_a_hiccup_is_not_told(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.script = fails("activation", error=lambda: NetworkUnavailable("x"), times=2)
        submit(it)
        await trio.sleep(10.0)
        assert it.held() == []
        assert len(it.queued()) == 1


async def test_a_wrong_key_holds_all_and_is_tried_every_ten_seconds(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.script = fails("activation", error=lambda: NetworkRefused("bad token"))
        submit(it, "light-1", "light-2")
        await trio.sleep(600.0)
        for dev_eui in ("light-1", "light-2"):
            assert it.held(dev_eui) == ["ChirpStack refuses our API key: bad token"]
        assert len(it.network.calls) <= 62
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(25.0)
        assert len(it.queued("light-1")) == len(it.queued("light-2")) == 1


async def test_a_read_only_key_holds_all_and_leaves_no_air_set_aside(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.script = fails("enqueue", error=lambda: NetworkForbidden(""))
        submit(it, "light-1", "light-2")
        await trio.sleep(600.0)
        enqueues = [call for _, call, _ in it.network.calls if call == "enqueue"]
        assert 45 <= len(enqueues) <= 62
        assert it.held("light-1") == it.held("light-2") != []
        assert it.dispatcher.statistics().in_flight == 0
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(65.0)
        assert len(it.queued("light-1")) == len(it.queued("light-2")) == 1


# ------------------------------------------------------------------ trouble of one light


async def test_a_forbidden_light_is_held_alone(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.script = fails(
            "activation", error=lambda: NetworkForbidden(""), dev_eui="light-1"
        )
        submit(it, "light-1", "light-2")
        await trio.sleep(200.0)
        assert len(it.held("light-1")) == 1
        assert "denies access to this light" in it.held("light-1")[0]
        assert len(it.queued("light-2")) == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [("queue", NetworkUnknown), ("enqueue", NetworkUnknown), ("enqueue", NetworkInvalid)],
)
async def test_what_can_never_work_is_refused(
    autojump_clock: Clock, call: str, error: type[NetworkError]
) -> None:
    async with application() as (it, _):
        it.network.script = fails(call, error=lambda: error("gone"))
        submit(it)
        await trio.sleep(10.0)
        assert len(it.refused()) == 1
        assert "gone" in it.refused()[0]
        assert it.dispatcher.waiting() == []


async def test_a_question_called_invalid_says_nothing_about_the_downlink(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.script = fails("queue", error=lambda: NetworkInvalid("odd"))
        submit(it)
        await trio.sleep(60.0)
        assert it.refused() == []
        assert it.held() == ["ChirpStack fails on this light: odd"]


@pytest.mark.parametrize("away_s", [15.0, 60.0, 600.0])
@pytest.mark.parametrize(
    "error",
    [
        NetworkUnavailable, NetworkTimeout, NetworkIntermediary, NetworkRefused,
        NetworkForbidden, NetworkFault,
    ],
)  # fmt: skip
async def test_what_passes_holds_and_goes_on_soon_after_its_end(
    autojump_clock: Clock, error: type[NetworkError], away_s: float
) -> None:
    async with application() as (it, _):
        it.network.script = fails("queue", "activation", "enqueue", error=lambda: error("HTTP 404"))
        submit(it, "light-1", "light-2")
        await trio.sleep(away_s)
        assert it.refused("light-1") == it.refused("light-2") == []
        assert "ChirpStack" in it.held("light-1")[-1]
        it.network.script = lambda _call, _dev_eui: None
        it.dispatcher.network_returned()  # the watcher's word; without it see below
        await trio.sleep(15.0)  # the frames are 10 s apart at one gateway
        assert len(it.queued("light-1")) == len(it.queued("light-2")) == 1


@pytest.mark.parametrize("error", [NetworkUnavailable, NetworkTimeout, NetworkIntermediary])
async def test_no_answer_ends_within_one_probe_interval_without_anybodys_word(
    autojump_clock: Clock, error: type[NetworkError]
) -> None:
    async with application() as (it, _):
        it.network.script = fails("queue", "activation", error=lambda: error("away"))
        submit(it)
        await trio.sleep(600.0)
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(5.0 * 1.2 + 0.5)
        assert len(it.queued()) == 1


async def test_a_right_missing_for_one_light_is_the_keys_where_listings_are_refused_too(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.key_refused = True
        it.network.script = fails("activation", error=lambda: NetworkForbidden("no right"))
        submit(it)
        await trio.sleep(10.0)
        assert it.held() == ["ChirpStack refuses our API key: no right"]


async def test_a_fault_is_tried_with_growing_pauses_and_told_after_the_third(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.script = fails(
            "queue", error=lambda: NetworkFault("database"), dev_eui="light-1"
        )
        submit(it, "light-1", "light-2")
        await trio.sleep(60.0)
        assert (
            len([1 for _, call, to in it.network.calls if (call, to) == ("queue", "light-1")]) == 6
        )
        assert it.held("light-1") == ["ChirpStack fails on this light: database"]
        assert len(it.queued("light-2")) == 1
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(20.0)
        assert len(it.queued("light-1")) == 1


async def test_an_error_that_is_no_networks_stays_with_its_light(
    autojump_clock: Clock,
) -> None:
    def bug(call: str, dev_eui: str) -> NetworkError | None:
        if dev_eui == "light-1":
            raise ZeroDivisionError
        return None

    async with application() as (it, _):
        it.network.script = bug
        submit(it, "light-1", "light-2")
        await trio.sleep(60.0)
        assert it.held("light-1") == [
            "ChirpStack fails on this light: internal error: ZeroDivisionError"
        ]
        assert len(it.queued("light-2")) == 1


async def test_withdrawn_during_its_enqueue_and_submitted_again_is_not_enqueued_twice(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        it.network.reply_latency_s = 1.0
        submit(it)
        await trio.sleep(0.5)
        it.dispatcher.withdraw("light-1")
        await trio.sleep(1.0)
        assert it.told == []
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(1.0)
        assert [news.queue_item_id for news in it.queued()] == ["item-1"]
        assert len(it.network.server.enqueued) == 1


# ------------------------------------------------------------------ restarts


async def test_a_restart_in_the_middle_of_an_enqueue_makes_no_duplicate(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, nursery):
        it.network.reply_latency_s = 3.0
        submit(it)
        await trio.sleep(1.0)  # the item is in the queue, its reply is on the way
        assert len(it.network.server.enqueued) == 1
        assert it.queued() == []
        await it.restart(nursery)
        await trio.sleep(10.0)
        assert len(it.network.server.enqueued) == 1
        assert [news.queue_item_id for news in it.queued()] == ["item-1"]
        assert it.starts == []


async def test_what_waits_survives_a_restart(autojump_clock: Clock) -> None:
    async with application() as (it, nursery):
        it.dispatcher.gateway_changed("gw-a", False)
        submit(it)
        await trio.sleep(5.0)
        await it.restart(nursery)
        it.dispatcher.gateway_changed("gw-a", True)
        await trio.sleep(5.0)
        assert len(it.queued()) == 1


async def test_a_submission_repeated_gets_the_same_news_without_another_item(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        submit(it)
        await trio.sleep(5.0)
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(5.0)
        first, again = it.queued()
        assert first == again
        assert len(it.network.server.enqueued) == 1


async def test_a_failed_planner_begins_anew_and_asks_for_all_submissions(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with application(replace(POLICY, rx2_dr=None)) as (it, nursery):
        submit(it, "light-1")
        await trio.sleep(5.0)
        used_s, _, _ = it.dispatcher.airtime("gw-a", it.clock.now())
        it.dispatcher.gateway_changed("gw-b", False)
        await trio.sleep(0.1)

        def broken(*_args: object, **_named: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(it.dispatcher._planner, "plan", broken)
            with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
                async with trio.open_nursery() as doomed:
                    it.scope.cancel(reason="test")
                    await trio.testing.wait_all_tasks_blocked()
                    doomed.start_soon(it.dispatcher.run)
        assert it.starts == []
        it.scope = trio.CancelScope()
        await nursery.start(it.serve)
        assert len(it.starts) == 1
        assert it.starts[0] > START
        assert it.dispatcher.airtime("gw-a", it.clock.now())[0] == pytest.approx(used_s)
        it.network.server.add("light-3", "gw-b")
        it.dispatcher.submit("light-3", attempt(), hearings("gw-b"))
        await trio.sleep(1.0)
        assert "gw-b" in it.held("light-3")[0]


async def test_a_late_txack_of_an_earlier_item_says_nothing_of_one_in_doubt(
    autojump_clock: Clock,
) -> None:
    # found by the simulation (swarm seed 176): an attempt was counted that never went out
    async with application() as (it, _):
        light = it.network.server.add("light-1", "gw-a")
        it.network.lose_txack = lambda _: True
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(60)  # sent, expired as far as we know, and its txack is late
        [first] = it.queued()
        it.network.script = fails("enqueue", error=lambda: NetworkTimeout("lost"), times=1)
        it.dispatcher.submit("light-1", attempt(2, at=START + 60, marker_us=654_321), hearings())
        await trio.sleep(0.2)
        now = it.clock.now()
        late = Transmitted(now - 50.0, first.queue_item_id, "gw-a", now - 49.8, 0)
        it.dispatcher.transmitted("light-1", late)
        await trio.sleep(20)
        assert len(it.network.server.enqueued) == 2, "it was put into the queue after all"
        assert light.activation is not None
        assert light.activation.f_cnt_down == 2


async def test_a_late_txack_from_an_earlier_life_says_nothing_of_one_in_doubt(
    autojump_clock: Clock,
) -> None:
    # found by the simulation (swarm seeds 9100538, 9100600): a dispatcher that never knew the item,
    # or has forgotten it, took its late txack for that of an enqueue that had had no effect
    async with application() as (it, _):
        light = it.network.server.add("light-1", "gw-a")
        assert light.activation is not None
        light.activation = msgspec.structs.replace(light.activation, f_cnt_down=3)
        it.network.script = fails("enqueue", error=lambda: NetworkTimeout("lost"), times=1)
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(0.2)
        now = it.clock.now()
        it.dispatcher.transmitted("light-1", Transmitted(now, "of before", "gw-a", now + 0.2, 2))
        await trio.sleep(20)
        assert len(it.network.server.enqueued) == 1, "it was put into the queue after all"
        assert light.activation.f_cnt_down == 4
