"""The spread of times and attempts, and who is worst and why."""

from actors.device.command import CommandStatus
from actors.device.verdict import Verdict
from actors.metrics.reliability import WORST_MOST, assess, histogram

VERIFIED, EXPIRED = CommandStatus.VERIFIED, CommandStatus.EXPIRED


def verdict(dev_eui: str, status: CommandStatus, took_s: float, attempts: int = 1) -> Verdict:
    return Verdict(dev_eui, status, 0.0, took_s, attempts, attempts)


def test_a_value_at_a_bound_is_below_it() -> None:
    buckets = histogram((5.0, 10.0), [0.0, 5.0, 5.1, 10.0, 10.1, 99.0])
    assert [(one.most, one.count) for one in buckets] == [(5.0, 2), (10.0, 2), (None, 2)]


def test_the_worst_come_first_with_reasons_and_the_good_not_at_all() -> None:
    verdicts = [
        *[verdict("good", VERIFIED, 4.0)] * 9,
        *[verdict("slow", VERIFIED, 80.0)] * 3,
        *[verdict("dear", VERIFIED, 50.0, 2)] * 3,
        verdict("dead", EXPIRED, 900.0, 5),
        verdict("odd", CommandStatus.REJECTED, 1.0, 0),
        *[verdict("odd", VERIFIED, 4.0)] * 3,
        verdict("fought over", CommandStatus.SUPERSEDED, 1.0, 0),
    ]
    figures = assess(verdicts, 24.0)
    assert (figures.commands, figures.verified) == (len(verdicts), 18)
    assert [light.dev_eui for light in figures.worst] == ["dead", "odd", "dear", "slow"]
    assert [light.why for light in figures.worst] == [
        "1 of 1 commands expired",
        "1 of 4 commands were rejected",
        "2.0 attempts for each success",
        "the slowest of 3 took 80 s",
    ]
    assert figures.worst[0].attempts_per_success is None


def test_one_in_twenty_is_told_of_twenty() -> None:
    figures = assess([verdict("slow", VERIFIED, 80.0)] * 20, 24.0)
    assert figures.worst[0].why == "one in twenty of 20 takes 80 s or more"
    assert figures.worst[0].time_to_verify_p95_s == 80.0
    figures = assess([verdict("slow", VERIFIED, 80.0)] * 19, 24.0)
    assert figures.worst[0].why == "the slowest of 19 took 80 s"
    few = figures.worst[0]
    assert (few.time_to_verify_p95_s, few.time_to_verify_most_s, few.verified) == (None, 80.0, 19)


def test_the_list_is_bounded_and_nothing_is_nothing() -> None:
    many = [verdict(f"{n:02}", EXPIRED, 9.0) for n in range(50)]
    assert len(assess(many, 1.0).worst) == WORST_MOST
    empty = assess([], 1.0)
    assert (empty.worst, sum(one.count for one in empty.time_to_verify)) == ([], 0)
