"""The pacer: when the next frame may be ordered, by who listens and what is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from actors.downlink.pacing.gateway_pacing import FrameToPace
from actors.downlink.pacing.pace import Rule
from actors.downlink.pacing.pacer import Pacer
from actors.link.judgement import AttemptJudged

AIRTIME_S, ANSWER_S, GAP_S = 0.185, 0.267, 0.0425
QUICK = tuple(0.05 + 0.25 * n / 199 for n in range(200))
STEADY = (1.0,) * 200


@dataclass
class Facts:
    delays_s: Sequence[float] = QUICK
    lags_s: dict[str, float] = field(default_factory=dict)
    stations: set[str] = field(default_factory=set)

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        return self.delays_s if sw_rev == 68 else ()

    def lag_s(self, gateway_id: str) -> float | None:
        return self.lags_s.get(gateway_id)

    def lag_beyond_s(self, gateway_id: str, other_id: str) -> float | None:
        lags_s = (self.lags_s.get(gateway_id), self.lags_s.get(other_id))
        return None if None in lags_s else lags_s[0] - lags_s[1]  # type: ignore[operator]

    def is_basics_station(self, gateway_id: str) -> bool:
        return gateway_id in self.stations


def frame(*gateways: str, listeners: int | None = None, sw_rev: int | None = 68) -> FrameToPace:
    some = gateways or ("a",)
    return FrameToPace(frozenset(some), frozenset(some[:listeners]), AIRTIME_S, ANSWER_S, sw_rev)


class Driven:
    """A pacer, and frames through it one after the other."""

    def __init__(self, facts: Facts, tick_s: float = 1.0) -> None:
        self.it = Pacer(facts, tick_s)
        self.now = 1_000.0
        self.token = 0

    def order(self, what: FrameToPace, dev_eui: str | None = None) -> int:
        self.token += 1
        self.it.ordered(self.token, dev_eui or f"light-{self.token}", what, self.now)
        return self.token

    def ack(
        self,
        token: int,
        gateway_id: str = "a",
        after_s: float = 0.1,
        *,
        locked: bool = False,
        slot_s: float = 0.0,
    ) -> None:
        ordered_at, self.now = self.now, self.now + after_s
        self.it.acknowledged(
            token,
            gateway_id,
            ordered_at=ordered_at,
            told_at=self.now - 0.03,
            airtime_s=AIRTIME_S,
            locked=locked,
            now=self.now,
            slot_s=slot_s,
        )

    def judge(self, count: int, *, answered: bool = True) -> None:
        self.it.pace(frame())  # a gateway that was never asked for is nobody's
        for number in range(count):
            self.it.judged(AttemptJudged(number, "a", True, answered, 0.95))

    def wait_s(self, what: FrameToPace, *around: str) -> float:
        """From now to the next order."""
        return self.it.order_at(what, around or tuple(what.paced_by)) - self.now


def test_of_unknown_lights_one_at_a_time_until_five_have_answered() -> None:
    it = Driven(Facts(QUICK[:4], {"a": 0.0}))
    it.ack(it.order(frame()))
    assert it.wait_s(frame()) == pytest.approx(AIRTIME_S + ANSWER_S + 8.0)
    view = it.it.told("a")
    assert view is not None
    assert (view.frames, view.reason) == (1, "slow start: too few answers are known")


def test_an_unknown_light_that_has_answered_lets_the_next_one_go_at_once() -> None:
    it = Driven(Facts(()))
    it.ack(it.order(frame(), "light-1"))
    it.now += 0.9
    assert it.it.awaits("light-1")
    assert it.it.heard("light-1", it.now)
    assert it.wait_s(frame()) <= 0.0
    assert not it.it.awaits("light-1")


def test_where_the_lag_is_unknown_frames_go_one_by_one_and_leave_room_for_the_slowest() -> None:
    it = Driven(Facts(STEADY))
    it.judge(200)
    it.ack(it.order(frame()))
    assert it.it.pace(frame()).frames == 1
    assert it.wait_s(frame()) == pytest.approx(AIRTIME_S + ANSWER_S + 1.0, abs=0.1)


def test_a_batch_grows_with_clean_answers_and_its_frames_may_go_before_the_first_txack() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    assert it.it.pace(frame()).frames == 1
    it.judge(3 + 6 + 9)
    planned = it.it.pace(frame()).frames
    assert planned > 1
    it.order(frame())
    for _ in range(planned - 1):
        assert it.it.joins_at(frame(), it.now) == it.now  # the tick is coarse: all at once
        it.order(frame())
    assert it.it.joins_at(frame(), it.now) is None


def test_another_kind_of_frame_and_one_too_late_do_not_join_a_batch() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    it.judge(60)
    it.order(frame())
    assert it.it.joins_at(frame(sw_rev=None), it.now) is None
    assert it.it.joins_at(frame("a", "b", listeners=1), it.now) is None
    assert it.it.joins_at(frame(), it.now + 0.2) is None


def test_the_next_batch_is_timed_by_the_first_txack_of_this_one() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    it.judge(60)
    pace = it.it.pace(frame())
    first, second = it.order(frame()), it.order(frame())
    it.ack(first)
    began_at = it.now
    it.now -= 0.1
    it.ack(second, after_s=0.2)
    assert it.wait_s(frame()) + it.now == pytest.approx(began_at + pace.cycle_s)


def test_a_batch_whose_answers_are_all_in_is_over() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    it.judge(60)
    tokens = [it.order(frame(), f"light-{n}") for n in (1, 2)]
    assert not it.it.heard("light-1", it.now)  # before its txack: events come in any order
    for token in tokens:
        it.ack(token, after_s=0.05)
    it.now += 1.2
    assert it.it.heard("light-2", it.now)
    assert it.wait_s(frame()) <= 0.0


def test_two_listeners_need_no_more_than_frame_and_answer_whatever_the_delay_is() -> None:
    for facts in (Facts((), {"a": 0.0, "b": 0.0}), Facts(STEADY, {"a": 0.0, "b": 0.0})):
        it = Driven(facts)
        it.ack(it.order(frame("a", "b")), "b")
        assert it.it.pace(frame("a", "b")).rule is Rule.TWO_LISTEN
        assert it.wait_s(frame("a", "b")) == pytest.approx(AIRTIME_S + ANSWER_S)


def test_three_listeners_need_the_longer_of_frame_and_answer() -> None:
    names = ("a", "b", "c")
    it = Driven(Facts(STEADY, dict.fromkeys(names, 0.0)))
    it.ack(it.order(frame(*names)), "c")
    assert it.wait_s(frame(*names)) == pytest.approx(ANSWER_S)


def test_a_gateway_beside_one_that_listens_may_send_as_soon_as_nothing_is_on_the_air() -> None:
    it = Driven(Facts(QUICK[:2], {"a": 0.0, "b": 0.0}))
    it.ack(it.order(frame("a")))
    assert it.wait_s(frame("b"), "a", "b") == pytest.approx(AIRTIME_S)
    assert it.wait_s(frame("a"), "a", "b") > 8.0
    assert it.wait_s(frame("b"), "b") < 0.0  # where no light hears both


def test_forwarders_with_different_lags_do_not_meet_on_the_air() -> None:
    """The one's frame starts a second after its txack, the other's at once."""
    for lags_s, more_s in (({"a": 1.0, "b": 0.08}, 0.92), ({}, 1.0), ({"a": 0.08, "b": 1.0}, 0.0)):
        it = Driven(Facts(QUICK, lags_s))
        it.ack(it.order(frame("a")))
        assert it.wait_s(frame("b"), "a", "b") == pytest.approx(AIRTIME_S + more_s)


def test_a_basics_station_sends_one_frame_in_eleven_airtimes_and_no_batches() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}, {"a"}))
    it.judge(200)
    assert it.it.pace(frame()).frames == 1
    it.ack(it.order(frame(), "light-1"))
    assert it.wait_s(frame()) >= 11 * AIRTIME_S
    it.it.heard("light-1", it.now + 0.4)  # its band is shut all the same
    assert it.wait_s(frame()) >= 11 * AIRTIME_S


def test_the_next_frame_is_ordered_ahead_by_what_orders_always_take() -> None:
    it = Driven(Facts(QUICK, {"a": 0.0}), tick_s=0.1)
    for n in range(30):
        it.now += 5.0
        it.ack(it.order(frame()), after_s=0.08 + 0.002 * n)
    cycle_s = it.it.pace(frame()).cycle_s
    assert it.wait_s(frame()) == pytest.approx(cycle_s - 0.086, abs=0.01)


def test_a_late_txack_slows_a_gateway_unless_the_light_itself_was_held_back() -> None:
    for locked in (False, True):
        it = Driven(Facts(STEADY, {"a": 0.0}))
        it.judge(60)
        for _ in range(5):
            it.now += 5.0
            it.ack(it.order(frame()))
        it.now += 5.0
        it.ack(it.order(frame()), after_s=4.9, locked=locked)
        view = it.it.told("a")
        assert view is not None
        assert view.late_txacks == (0 if locked else 1)
        assert (it.it.pace(frame()).frames == 1) is not locked


def test_a_slow_webhook_is_no_fault_of_the_gateway() -> None:
    it = Driven(Facts(QUICK, {"a": 0.0}))
    for _ in range(6):
        it.now += 5.0
        it.ack(it.order(frame()))
    it.now += 5.0
    ordered_at, it.now = it.now, it.now + 8.0
    it.it.acknowledged(
        it.order(frame()),
        "a",
        ordered_at=ordered_at,
        told_at=ordered_at + 0.07,
        airtime_s=AIRTIME_S,
        locked=False,
        now=it.now,
    )
    view = it.it.told("a")
    assert view is not None
    assert view.late_txacks == 0


def test_missing_first_answers_and_refusals_slow_a_gateway() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    it.ack(it.order(frame()))
    it.judge(60)
    before = it.it.pace(frame())
    assert before.frames > 1
    it.judge(12, answered=False)
    view = it.it.told("a")
    assert view is not None
    assert view.answers_missing >= 1
    assert view.slower > 1.0
    assert view.reason == "one gateway listens; slower: first answers were missing"
    it.it.refused({"a"}, AIRTIME_S, it.now)
    assert it.it.pace(frame()).frames == 1


def test_a_late_proof_and_a_retry_say_nothing_of_the_pace() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    it.ack(it.order(frame()))
    for number in range(200):
        it.it.judged(AttemptJudged(number, "a", False, False, 0.95))
        it.it.judged(AttemptJudged(number, "a", True, False, 0.95, late=True))
        it.it.judged(AttemptJudged(number, None, True, False, 0.95))
    view = it.it.told("a")
    assert view is not None
    assert view.answers_missing == 0


def test_what_is_kept_is_bounded_by_gateways_and_frames_in_flight() -> None:
    it = Driven(Facts(STEADY, {"a": 0.0}))
    for n in range(1_000):
        it.now += 5.0
        token = it.order(frame(sw_rev=n % 50), f"light-{n}")
        if n % 3:
            it.ack(token)
        else:
            it.it.over(token)
    assert len(it.it._awaited) <= 1
    assert len(it.it._in_flight) == 0
    assert len(it.it._gateways["a"].plans) <= 8


def test_lights_that_never_answer_are_not_waited_for_for_ever() -> None:
    """Twenty frames at 8 s, then 2 s each; an answer begins it anew."""
    facts = Facts(())
    it = Driven(facts)
    for _ in range(20):
        it.ack(it.order(frame()))
        assert it.wait_s(frame()) == pytest.approx(AIRTIME_S + ANSWER_S + 8.0, abs=0.11)
        it.now += 9.0
    it.ack(it.order(frame()))
    assert it.wait_s(frame()) == pytest.approx(AIRTIME_S + ANSWER_S + 2.0, abs=0.11)
    facts.delays_s = QUICK
    assert it.it.pace(frame()).rule is Rule.LAG_UNKNOWN


def test_settings_that_ask_for_no_answer_do_not_start_slowly() -> None:
    it = Driven(Facts(()))
    settings = FrameToPace(frozenset({"a"}), frozenset({"a"}), AIRTIME_S, ANSWER_S, 68, asks=False)
    it.ack(it.order(settings))
    assert it.wait_s(settings) == pytest.approx(AIRTIME_S + ANSWER_S + 0.35)


def test_a_frame_that_waits_for_a_receive_window_keeps_the_neighbour_back_until_it_has_left() -> (
    None
):
    driven = Driven(Facts(lags_s={"a": 0.08, "b": 0.08}))
    driven.it.pace(frame("b"))
    driven.ack(driven.order(frame("a")))
    at_once_s = driven.wait_s(frame("b"), "a", "b")
    waiting = Driven(Facts(lags_s={"a": 0.08, "b": 0.08}))
    waiting.it.pace(frame("b"))
    waiting.ack(waiting.order(frame("a")), slot_s=1.0)
    assert waiting.wait_s(frame("b"), "a", "b") == pytest.approx(at_once_s + 1.0)


def test_a_frame_of_somebody_else_is_on_the_air_as_well() -> None:
    driven = Driven(Facts(lags_s={"a": 0.08, "b": 0.08}))
    driven.it.on_air("a", AIRTIME_S, 1.0, driven.now)
    driven.it.pace(frame("b"))
    assert driven.it.order_at(frame("b"), ("a", "b")) >= driven.now + 1.0
