"""What became of each attempt is told once and rightly: by txack, log, look or replay."""

import msgspec
import pytest
import trio

from actors.device.events import (
    AttemptNotSent,
    AttemptQueued,
    AttemptRefused,
    AttemptTransmitted,
    DeviceEvent,
    Inquired,
    ItemDropped,
    Transmitted,
    UplinkHeard,
)
from actors.device.model import Attempt, Stage
from actors.reasons import Reason, ReasonCode
from lorawan.network import Activation, NetworkTimeout, NetworkUnavailable, NetworkUnknown
from tests.support.dispatcher_kit import (
    POLICY,
    START,
    RunningDispatcher,
    application,
    attempt,
    fails,
    hearings,
    submit,
)
from tests.support.scripted_network import Light, Mood

Clock = trio.testing.MockClock
DATA = bytes.fromhex("ff0000ff0001")
ENDS = Transmitted | AttemptTransmitted | AttemptNotSent | AttemptRefused


def ends(it: RunningDispatcher, dev_eui: str = "light-1") -> list[DeviceEvent]:
    """All that was told of frames of attempts."""
    some = [event for event in it.news(dev_eui) if isinstance(event, ENDS)]
    return [event for event in some if event.number is not None]


def drop(light: Light) -> None:
    light.queue.clear()


def take(light: Light) -> None:
    """A gateway takes the head of the queue, and its webhook is lost."""
    light.queue.pop(0)
    assert light.activation is not None
    counted = light.activation.f_cnt_down + 1
    light.activation = msgspec.structs.replace(light.activation, f_cnt_down=counted)


# ------------------------------------------------------------------ in the ordinary life


async def test_a_txack_is_told_once_with_the_attempt_that_it_is_of(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        submit(it)
        await trio.sleep(60.0)
        [told] = ends(it)
        assert isinstance(told, Transmitted)
        assert (told.number, told.queue_item_id, told.gateway_id) == (1, "item-1", "gw-a")


async def test_a_frame_whose_txack_was_lost_is_told_by_the_counter_within_seconds(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.lose_txack = lambda _: True
        submit(it)
        await trio.sleep(4.0)
        assert ends(it) == [AttemptTransmitted(1, "gw-a")]
        await trio.sleep(60.0)
        assert len(ends(it)) == 1
        late = Transmitted(START + 1.0, "item-1", "gw-a", START + 1.2, 0)
        it.dispatcher.transmitted("light-1", late)
        await trio.sleep(1.0)
        assert ends(it)[1:] == [msgspec.structs.replace(late, number=1)], "now it has a name"
        assert it.dispatcher.statistics().foreign == 0


async def test_with_several_gateways_the_counter_does_not_say_which(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.lose_txack = lambda _: True
        it.network.server.add("light-1", "gw-a", "gw-b")
        it.dispatcher.submit("light-1", attempt(), hearings("gw-a", "gw-b"))
        await trio.sleep(4.0)
        assert ends(it) == [AttemptTransmitted(1, None)]


@pytest.mark.parametrize("told", [True, False])
async def test_an_item_that_nobody_took_is_told_once_it_expired(
    autojump_clock: Clock, told: bool
) -> None:
    async with application() as (it, _):
        it.network.server.moods["gw-a"] = Mood.DEAD
        submit(it)
        await trio.sleep(32.0)
        drop(it.network.server.lights["light-1"])
        if told:
            expired = ItemDropped(it.clock.now(), "item-1", "EXPIRED")
            it.dispatcher.dropped("light-1", expired)
            await trio.sleep(0.1)
            assert len(ends(it)) == 1, "the webhook is quicker than a look"
            assert expired in it.news(), "and it is for the history, too"
        await trio.sleep(60.0)
        [end] = ends(it)
        assert isinstance(end, AttemptNotSent)
        assert "no gateway took the frame" in end.reason
        assert it.dispatcher.statistics().in_flight == 0


@pytest.mark.parametrize(("end", "told"), [(drop, AttemptNotSent), (take, AttemptTransmitted)])
async def test_an_item_that_outlives_its_expiry_is_followed_to_its_end(
    autojump_clock: Clock, end: object, told: type[DeviceEvent]
) -> None:
    async with application(ticking=False) as (it, _):
        submit(it)
        await trio.sleep(300.0)
        assert ends(it) == []
        assert it.dispatcher.statistics().in_flight == 0, "it occupies nothing any more"
        end(it.network.server.lights["light-1"])  # type: ignore[operator]
        await trio.sleep(31.0)
        assert [type(one) for one in ends(it)] == [told]


async def test_while_chirpstack_is_away_nothing_is_said_and_afterwards_the_truth(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        submit(it)
        await trio.sleep(1.0)
        it.network.script = fails(
            "queue", "activation", "enqueue", error=lambda: NetworkUnavailable("away")
        )
        take(it.network.server.lights["light-1"])
        await trio.sleep(600.0)
        assert ends(it) == []
        it.network.script = lambda _call, _dev_eui: None
        await trio.sleep(35.0)
        assert ends(it) == [AttemptTransmitted(1, "gw-a")]


async def test_an_item_that_left_the_queue_a_moment_before_the_counter_moved_was_taken(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        submit(it)
        await trio.sleep(1.0)
        light = it.network.server.lights["light-1"]
        [item] = light.queue
        drop(light)
        await trio.sleep(1.0)  # it was looked for meanwhile
        light.queue.append(item)
        take(light)
        await trio.sleep(5.0)
        assert ends(it) == [AttemptTransmitted(1, "gw-a")]


@pytest.mark.parametrize(("end", "told"), [(drop, AttemptNotSent), (take, AttemptTransmitted)])
async def test_a_queue_that_somebody_flushed_is_looked_at(
    autojump_clock: Clock, end: object, told: type[DeviceEvent]
) -> None:
    async with application(ticking=False) as (it, _):
        submit(it)
        await trio.sleep(0.5)
        end(it.network.server.lights["light-1"])  # type: ignore[operator]
        it.dispatcher.queue_flushed("light-1")
        await trio.sleep(5.0)
        assert [type(one) for one in ends(it)] == [told]


async def test_an_item_that_chirpstack_will_not_send_is_refused(autojump_clock: Clock) -> None:
    async with application(ticking=False) as (it, _):
        submit(it)
        await trio.sleep(0.5)
        drop(it.network.server.lights["light-1"])
        it.dispatcher.dropped(
            "light-1", ItemDropped(it.clock.now(), "item-1", "DOWNLINK_PAYLOAD_SIZE")
        )
        await trio.sleep(60.0)
        [end] = ends(it)
        assert end == AttemptRefused(
            1,
            "ChirpStack discarded the frame: DOWNLINK_PAYLOAD_SIZE",
            Reason(ReasonCode.FRAME_DISCARDED, ("DOWNLINK_PAYLOAD_SIZE",)),
        )


async def test_a_log_that_overtakes_the_reply_of_its_enqueue_is_not_lost(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        it.network.reply_latency_s = 1.0
        submit(it)
        await trio.sleep(0.5)
        drop(it.network.server.lights["light-1"])
        it.dispatcher.dropped("light-1", ItemDropped(it.clock.now(), "item-1", "F_CNT_DOWN"))
        await trio.sleep(0.1)
        assert ends(it) == []
        await trio.sleep(1.0)
        news = [type(one) for one in it.news() if not isinstance(one, ItemDropped)]
        assert news == [AttemptQueued, AttemptRefused]


async def test_the_end_of_an_item_is_told_whatever_came_in_its_place(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.server.moods["gw-a"] = Mood.DEAD
        submit(it)
        await trio.sleep(2.0)
        it.dispatcher.submit("light-1", attempt(2, at=START + 2.0, marker_us=7), hearings())
        await trio.sleep(34.0)
        it.network.server.moods["gw-a"] = Mood.FINE
        await trio.sleep(40.0)
        first, second = ends(it)
        assert isinstance(first, AttemptNotSent)
        assert isinstance(second, Transmitted)
        assert (first.number, second.number) == (1, 2)


async def test_a_light_that_is_gone_from_chirpstack_is_not_asked_about_for_ever(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        submit(it)
        await trio.sleep(1.0)
        it.network.script = fails("activation", error=lambda: NetworkUnknown("deleted"))
        await trio.sleep(60.0)
        assert [type(one) for one in ends(it)] == [AttemptRefused]
        calls = len(it.network.calls)
        await trio.sleep(3_600.0)
        assert len(it.network.calls) == calls


# ------------------------------------------------------------------ enqueues in doubt


@pytest.mark.parametrize("lost", [True, False])
async def test_an_enqueue_in_doubt_that_was_sent_is_told_whole(
    autojump_clock: Clock, lost: bool
) -> None:
    async with application() as (it, _):
        it.network.lose_txack = lambda _: lost
        it.network.script_after = fails("enqueue", error=lambda: NetworkTimeout("late"), times=1)
        submit(it)
        await trio.sleep(60.0)
        [queued] = it.queued()
        [end] = ends(it)
        assert it.news().index(queued) < it.news().index(end)
        assert isinstance(end, AttemptTransmitted if lost else Transmitted)
        assert len(it.network.server.enqueued) == 1


async def test_of_an_item_without_a_name_the_counter_tells_which_txack_is_its(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        light = it.network.server.add("light-1", "gw-a")
        assert light.activation is not None
        light.activation = msgspec.structs.replace(light.activation, f_cnt_down=3)
        it.network.lose_txack = lambda _: True
        it.network.script_after = fails("enqueue", error=lambda: NetworkTimeout("late"), times=1)
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(10.0)
        assert ends(it) == [AttemptTransmitted(1, "gw-a")]
        now = it.clock.now()
        it.dispatcher.transmitted("light-1", Transmitted(now, "of before", "gw-a", now + 0.2, 2))
        await trio.sleep(0.1)
        assert len(ends(it)) == 1
        it.dispatcher.transmitted("light-1", Transmitted(now, "ours", "gw-a", now + 0.2, 3))
        await trio.sleep(0.1)
        assert [one.queue_item_id for one in ends(it)[1:] if isinstance(one, Transmitted)] == [
            "ours"
        ]


# ------------------------------------------------------------------ told again


async def test_an_attempt_submitted_again_is_told_all_that_became_of_it(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        submit(it)
        await trio.sleep(20.0)
        first = [*it.queued(), *ends(it)]
        it.told.clear()
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(60.0)
        assert it.news() == first
        assert len(it.network.server.enqueued) == 1


# ------------------------------------------------------------------ after a restart


def queued_before(
    *, item_id: str = "item-1", expires_at: float = START + 20.123456, f_cnt_down: int = 3
) -> Attempt:
    """As a light has it that an earlier life of the dispatcher told that it is queued."""
    return msgspec.structs.replace(
        attempt(),
        stage=Stage.QUEUED,
        dev_addr="01020304",
        fence=5,
        f_cnt_down=f_cnt_down,
        queue_item_id=item_id,
        queued_at=START - 10.0,
        item_expires_at=expires_at,
    )


def put_before(it: RunningDispatcher, *, listed: bool = True, f_cnt_down: int = 3) -> Light:
    light = it.network.server.add("light-1", "gw-a")
    light.activation = Activation("01020304", 5, f_cnt_down)
    if listed:
        it.network.server.put("light-1", DATA, expires_at=START + 20.123456, now=START - 10.0)
    return light


async def test_an_item_of_an_earlier_life_that_still_waits_is_followed_to_its_txack(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, nursery):
        put_before(it)
        it.dispatcher.submit("light-1", queued_before(), hearings())
        await trio.sleep(3.0)
        assert ends(it) == it.queued() == [], "that it is queued the light knows already"
        assert it.dispatcher.statistics().in_flight == 1
        nursery.start_soon(it.network.run_scheduler)
        await trio.sleep(3.0)
        [end] = ends(it)
        assert isinstance(end, Transmitted)
        assert (end.number, end.queue_item_id) == (1, "item-1")
        assert len(it.network.server.enqueued) == 1


@pytest.mark.parametrize("expires_at", [START - 600.0 + 0.123456, START + 20.123456])
@pytest.mark.parametrize("item_id", ["item-1", ""])
async def test_an_item_of_an_earlier_life_that_is_gone_was_sent_if_the_counter_moved(
    autojump_clock: Clock, expires_at: float, item_id: str
) -> None:
    async with application() as (it, _):
        put_before(it, listed=False, f_cnt_down=4)
        it.dispatcher.submit(
            "light-1", queued_before(item_id=item_id, expires_at=expires_at), hearings()
        )
        await trio.sleep(5.0)
        assert ends(it) == [AttemptTransmitted(1, "gw-a")]
        assert it.network.server.enqueued == []


@pytest.mark.parametrize("dev_addr", ["01020304", "0a0b0c0d"])
async def test_and_was_not_if_it_stands_or_is_another_sessions(
    autojump_clock: Clock, dev_addr: str
) -> None:
    async with application() as (it, _):
        light = put_before(it, listed=False)
        light.activation = Activation(dev_addr, 5, 3 if dev_addr == "01020304" else 9)
        it.dispatcher.submit("light-1", queued_before(), hearings())
        await trio.sleep(5.0)
        assert [type(one) for one in ends(it)] == [AttemptNotSent]
        assert it.network.server.enqueued == [], "it is for the light to try again"


async def test_an_item_of_an_earlier_life_without_a_name_is_known_by_its_mark(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        put_before(it)
        it.dispatcher.submit("light-1", queued_before(item_id=""), hearings())
        await trio.sleep(3.0)
        assert ends(it) == []
        now = it.clock.now()
        it.dispatcher.transmitted("light-1", Transmitted(now, "of before", "gw-a", now + 0.2, 2))
        await trio.sleep(0.1)
        assert ends(it) == []
        it.dispatcher.transmitted("light-1", Transmitted(now, "item-1", "gw-a", now + 0.2, 3))
        await trio.sleep(0.1)
        assert [type(one) for one in ends(it)] == [Transmitted]


async def test_an_item_of_an_earlier_life_is_followed_though_its_gateway_is_away(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        put_before(it, listed=False, f_cnt_down=4)
        it.dispatcher.gateway_changed("gw-a", False)
        it.dispatcher.submit("light-1", queued_before(), hearings())
        await trio.sleep(5.0)
        assert ends(it) == [AttemptTransmitted(1, "gw-a")]


# ------------------------------------------------------------------ answers to inquiries


async def test_an_answer_names_the_frames_in_it_and_keeps_its_order(autojump_clock: Clock) -> None:
    async with application() as (it, _):
        it.network.lose_txack = lambda _: True
        submit(it)
        await trio.sleep(20.0)
        ours = Transmitted(START + 1.0, "item-1", "gw-a", START + 1.2, 0)
        older = Transmitted(START - 90.0, "item-0", "gw-a", START - 89.8, 9)
        uplink = UplinkHeard(START + 3.0, "01020304", 5, None)
        activation = Activation("01020304", 6, 1)
        asked = Inquired(7, (older, ours, uplink), activation)
        it.told.clear()
        it.dispatcher.inquired("light-1", asked)
        await trio.sleep(1.0)
        named = msgspec.structs.replace(ours, number=1)
        assert it.news() == [Inquired(7, (older, named, uplink), activation)]
        assert it.dispatcher.statistics().foreign == 0, "what is long over is paid"


async def test_a_replayed_txack_ends_the_item_and_a_replayed_log_does(
    autojump_clock: Clock,
) -> None:
    async with application(ticking=False) as (it, _):
        submit(it, "light-1", "light-2")
        await trio.sleep(15.0)
        assert it.dispatcher.statistics().in_flight == 2
        now = it.clock.now()
        for dev_eui, item in [(to, item.id) for _, to, item in it.network.server.enqueued]:
            event = (
                Transmitted(now - 1.0, item, "gw-a", now - 0.8, 0)
                if dev_eui == "light-1"
                else ItemDropped(now, item, "EXPIRED")
            )
            it.network.server.lights[dev_eui].queue.clear()
            it.dispatcher.inquired(dev_eui, Inquired(1, (event,)))
        await trio.sleep(0.5)
        assert it.dispatcher.statistics().in_flight == 0
        assert [type(one) for one in ends(it, "light-2")] == [AttemptNotSent]
        [answer] = [one for one in it.news("light-1") if isinstance(one, Inquired)]
        [told] = answer.events
        assert isinstance(told, Transmitted)
        assert told.number == 1
        await trio.sleep(90.0)
        assert ends(it, "light-1") == [], "it is told in the answer, and once"


async def test_frames_are_spaced_from_one_that_only_an_answer_told_of(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        it.network.server.add("light-1", "gw-a")
        before = Transmitted(START - 3.2, "item-0", "gw-a", START - 3.0, 2)
        it.dispatcher.inquired("light-1", Inquired(1, (before,)))
        it.dispatcher.submit("light-1", attempt(), hearings())
        await trio.sleep(30.0)
        [at] = it.enqueued("light-1")
        assert at >= -3.0 + POLICY.spacing_s


async def test_several_items_of_an_earlier_life_cost_no_air_again(autojump_clock: Clock) -> None:
    # found by the simulation: the second to end crashed the dispatcher
    async with application() as (it, _):
        for number in (1, 2):
            dev_eui = f"light-{number}"
            it.network.server.add(dev_eui, "gw-a").activation = Activation("01020304", 5, 3)
            it.dispatcher.submit(dev_eui, queued_before(), hearings())
        await trio.sleep(60.0)
        for number in (1, 2):
            assert [type(one) for one in ends(it, f"light-{number}")] == [AttemptNotSent]
        spent_s, _, _ = it.dispatcher.airtime("gw-a", it.clock.now())
        assert spent_s == 0.0, "it was charged when that life ended"


async def test_what_a_light_was_told_and_its_record_does_not_show_is_owed_to_it(
    autojump_clock: Clock,
) -> None:
    async with application() as (it, _):
        number = attempt().number
        assert it.dispatcher.owes("light-1", number, queued=False)  # it knows nothing of it
        submit(it, "light-1", "light-2")
        await trio.sleep(0.1)
        assert it.dispatcher.holds("light-2")
        assert not it.dispatcher.owes("light-2", number, queued=False)
        await trio.sleep(20.0)
        assert len(ends(it)) == 1
        assert it.dispatcher.owes("light-1", number, queued=False)
        assert it.dispatcher.owes("light-1", number, queued=True)
        assert not it.dispatcher.owes("light-1", number + 1, queued=True)
        sent = len(it.network.server.enqueued)
        submit(it, "light-1")
        await trio.sleep(20.0)
        assert len(ends(it)) == 2
        assert len(it.network.server.enqueued) == sent
