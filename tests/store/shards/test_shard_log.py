"""Numbers, answers and what is kept: one shard's log, without an engine."""

import pytest

from store.engine.port import Applied, Lease, Result
from store.port import Append, Put, Table, outcome
from store.shards import shard_log
from store.shards.shard_log import KEPT_COMMITS, KEPT_S, Answer, Kept, ShardLog
from tests.store.shards.house import A, light

OURS = Lease(token="5.a", epoch=5, owner="a")
MARKS = ("7-0", "9-0")


def log_with(commits: int) -> tuple[ShardLog, list[Kept]]:
    log = ShardLog("07", OURS)
    return log, [log.append(outcome([light(A, b"%d" % n)]), MARKS) for n in range(1, commits + 1)]


def at(seq: int, token: str = OURS.token, epoch: int = OURS.epoch) -> Lease:
    return Lease(token=token, epoch=epoch, seq=seq)


def done(seq: int) -> Result:
    return Result(Applied.DONE, at(seq))


def confirm(log: ShardLog, kept: list[Kept], now: float = 0.0) -> None:
    for one in kept:
        assert log.answered(one, done(one.seq), now) is Answer.GOES_ON


def test_commits_are_numbered_from_the_lease_on() -> None:
    log = ShardLog("07", at(3))
    assert [log.append(outcome([]), MARKS).seq for _ in range(3)] == [4, 5, 6]


def test_what_is_sent_is_the_same_each_time() -> None:
    log, [one, _] = log_with(2)
    assert log.wire(one) == log.wire(one)
    assert (log.wire(one).inbox_mark, log.wire(one).source_mark) == MARKS
    assert [kept.seq for kept in log.to_send(9)] == [1, 2]
    assert [kept.seq for kept in log.to_send(1)] == [1]


def test_an_unknown_outcome_leaves_it_to_be_sent_and_a_repetition_settles_it() -> None:
    log, [one] = log_with(1)
    assert log.unsettled
    assert log.answered(one, Result(Applied.REPEATED, at(1)), 0.0) is Answer.GOES_ON
    assert not log.unsettled
    assert log.replayed == 0


def test_a_gap_sends_everything_after_the_engine_s_number_again() -> None:
    log, kept = log_with(5)
    confirm(log, kept[:4])
    assert log.answered(kept[4], Result(Applied.GAP, at(2)), 1.0) is Answer.GOES_ON
    assert [one.seq for one in log.to_send(9)] == [3, 4, 5]
    assert log.confirmed == 2
    confirm(log, kept[2:])
    assert log.replayed == 2  # the third of them had never been acknowledged
    assert log.lost == 0


def test_a_lower_number_of_a_lease_that_was_looked_at_does_the_same() -> None:
    log, kept = log_with(3)
    confirm(log, kept)
    assert log.stands_at(at(3)) is Answer.GOES_ON
    assert not log.unsettled
    assert log.stands_at(at(1)) is Answer.GOES_ON
    assert [one.seq for one in log.to_send(9)] == [2, 3]


def test_an_older_lease_is_a_failover_and_a_newer_one_another_owner() -> None:
    log, [one] = log_with(1)
    fenced = Applied.FENCED
    assert log.answered(one, Result(fenced, at(9, "4.b", 4)), 0.0) is Answer.SET_BACK
    assert log.answered(one, Result(fenced, at(0, "6.b", 6)), 0.0) is Answer.FENCED
    assert log.answered(one, Result(fenced, at(0, "", 5)), 0.0) is Answer.FENCED


def test_what_is_kept_no_longer_is_beyond_a_replay() -> None:
    log, kept = log_with(KEPT_COMMITS + 10)
    confirm(log, kept)
    log.forget_old(KEPT_S + 1.0)
    assert log.kept == KEPT_COMMITS
    assert log.stands_at(at(10)) is Answer.GOES_ON
    assert log.stands_at(at(9)) is Answer.TOO_FAR


def test_commits_are_kept_for_half_a_minute_however_many() -> None:
    log, kept = log_with(1_000)
    confirm(log, kept)
    log.forget_old(KEPT_S - 1.0)
    assert log.kept == 1_000


def test_unconfirmed_commits_are_never_forgotten() -> None:
    log, _ = log_with(1_000)
    log.forget_old(1e9)
    assert log.kept == 1_000


def test_memory_is_bounded_whatever_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_log, "KEPT_BYTES_MOST", 5_000)
    log, kept = log_with(100)
    confirm(log, kept)
    log.forget_old(0.0)
    assert log.kept_bytes <= 5_000
    assert log.kept == 5_000 // kept[0].bytes


def test_a_new_lease_numbers_all_that_is_kept_anew_after_the_records_in_memory() -> None:
    log, kept = log_with(3)
    confirm(log, kept)
    line = log.append(outcome([Append(A, "e", 1.0, b"line")]), ("8-0", "9-0"))
    mine = [light(A, b"older than the log"), light("0018b200000000a3", b"of before")]
    log.begin_anew(at(0, "6.a", 6), at(1, "4.b", 4), mine)

    sent = [log.wire(one) for one in log.to_send(9)]
    assert [one.seq for one in sent] == [1, 2, 3, 4, 5]
    assert {one.token for one in sent} == {"6.a"}
    assert sent[0].outcome == outcome([mine[1]])
    assert [put.value for one in sent for put in one.outcome.puts][1:] == [b"1", b"2", b"3"]
    assert line.seq == 5  # whoever waits for it goes on waiting
    assert log.lost == 0


def test_ends_of_commands_that_are_in_no_memory_come_first_and_kept_ones_over_them() -> None:
    log, kept = log_with(1)
    confirm(log, kept)
    mine = Put(Table.COMMAND, "c1", b"verified", 1.0)
    log.append(outcome([mine]), MARKS)
    ends = [
        Put(Table.COMMAND, "c1", b"superseded", 1.0),
        Put(Table.COMMAND, "c0", b"superseded", 1.0),
        Append("verdicts", "c0", 1.0, b"superseded"),
    ]
    log.begin_anew(at(0, "6.a", 6), at(1, "4.b", 4), [], ends)
    sent = [log.wire(one).outcome for one in log.to_send(9)]
    assert sent == [outcome(ends[1:]), outcome([light(A, b"1")]), outcome([mine])]


def test_what_a_replay_cannot_reach_is_counted() -> None:
    log, kept = log_with(KEPT_COMMITS + 10)
    confirm(log, kept)
    log.forget_old(KEPT_S + 1.0)
    log.begin_anew(at(0, "6.a", 6), at(7), [light(A)])
    assert log.lost == 3  # 8, 9 and 10
    assert len(log.to_send(999)) == KEPT_COMMITS  # its newest record is in them


def test_many_records_go_in_commits_of_the_engine_s_measure() -> None:
    log, _ = log_with(1)
    puts = [Put(Table.DEVICE, f"{number:016x}", b"", 1.0) for number in range(300)]
    log.begin_anew(at(0, "6.a", 6), at(0, "4.b", 4), puts)
    assert [len(one.outcome.puts) for one in log.to_send(9)] == [96, 96, 96, 12, 1]
