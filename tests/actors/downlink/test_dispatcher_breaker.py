"""The circuit breaker: opens on an outage only, probes one at a time, closes on an answer."""

from actors.downlink import DispatchPolicy
from actors.downlink.breaker import Breaker, backoff_s
from actors.reasons import text_of

POLICY = DispatchPolicy(retry_jitter=0.0)


def test_a_failed_call_opens_it_and_any_answer_closes_it() -> None:
    breaker = Breaker(POLICY)
    breaker.unanswered(1, 10.0, 15.0, 0.5)
    assert breaker.trouble is not None
    assert breaker.trouble.since == 10.0
    assert not breaker.may_probe(15.9)
    assert breaker.may_probe(16.0)
    breaker.answered(17.0, enqueue=False)
    assert breaker.trouble is None


def test_one_slow_call_is_no_outage_while_others_are_answered() -> None:
    breaker = Breaker(POLICY)
    breaker.answered(12.0, enqueue=False)
    breaker.unanswered(1, 10.0, 25.0, 0.5)
    assert breaker.trouble is None


def test_calls_that_fail_together_count_once() -> None:
    breaker = Breaker(POLICY)
    for stamp in range(8):
        breaker.unanswered(stamp, 10.0, 10.0, 0.5)
    assert breaker.probe_at == 11.0


def test_one_probe_at_a_time_with_growing_pauses() -> None:
    breaker = Breaker(POLICY)
    breaker.unanswered(1, 0.0, 0.0, 0.5)
    pauses = []
    for stamp in range(2, 9):
        now = breaker.probe_at
        breaker.probe = stamp
        assert not breaker.may_probe(now + 100.0)
        breaker.unanswered(stamp, now, now, 0.5)
        pauses.append(breaker.probe_at - now)
    assert pauses == [2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0]


def test_word_from_elsewhere_that_it_answers_makes_the_next_probe_due() -> None:
    breaker = Breaker(POLICY)
    breaker.unanswered(1, 0.0, 0.0, 0.5)
    breaker.returned(0.25)
    assert breaker.may_probe(0.25)
    assert breaker.trouble is not None  # only its own answer ends the trouble


def test_what_answered_in_its_place_is_told() -> None:
    breaker = Breaker(POLICY)
    breaker.unanswered(1, 0.0, 0.0, 0.5, instead="HTTP 404")
    assert breaker.trouble is not None
    told = text_of(breaker.trouble.reason, 1.0)
    assert told == "ChirpStack does not answer since 00:00 UTC (HTTP 404)"


def test_an_abandoned_probe_makes_room_for_another() -> None:
    breaker = Breaker(POLICY)
    breaker.unanswered(1, 0.0, 0.0, 0.5)
    breaker.probe = 7
    breaker.abandon(6)
    assert not breaker.may_probe(5.0)
    breaker.abandon(7)
    assert breaker.may_probe(5.0)


def test_a_read_only_key_is_not_forgiven_for_reading() -> None:
    breaker = Breaker(POLICY)
    breaker.refused("no right", 5.0, enqueue=True)
    breaker.answered(6.0, enqueue=False)
    assert breaker.trouble is not None
    assert "no right" in text_of(breaker.trouble.reason, 0.0)
    assert breaker.probe_at == 15.0
    breaker.answered(66.0, enqueue=True)
    assert breaker.trouble is None


def test_a_refused_key_that_no_longer_answers_is_an_outage() -> None:
    breaker = Breaker(POLICY)
    breaker.refused("bad key", 5.0, enqueue=False)
    breaker.probe = 1
    breaker.unanswered(1, 65.0, 65.0, 0.5)
    assert breaker.trouble is not None
    assert breaker.trouble.refusal is None


def test_jitter_stays_within_its_bounds() -> None:
    policy = DispatchPolicy(retry_jitter=0.2)
    assert [backoff_s(1, policy, chance) for chance in (0.0, 0.5)] == [0.8, 1.0]
    assert 5.9 < backoff_s(1_000, policy, 0.999) <= 6.0
    assert 71.0 < backoff_s(1_000, policy, 0.999, most_s=60.0) <= 72.0
