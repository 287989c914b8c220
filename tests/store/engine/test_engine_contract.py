"""What every engine promises, in memory as on a real server."""

import re

import pytest
import trio
from msgspec.structs import replace

from store.engine.feeds import FEED_BYTES, FEED_KEPT
from store.engine.places import id_order, is_older, place_of
from store.engine.port import (
    FEED_BELL,
    INBOX_MOST,
    Accepted,
    AcceptResult,
    Applied,
    Engine,
    FeedEntry,
    Lease,
    Member,
    Post,
)
from store.engine.shards import ALL_SHARDS
from store.errors import StoreClosed, StoreTaken
from store.port import Delete, Entry, Record, Streams, Table
from tests.store.engine.conftest import MakeEngine, opened_engine
from tests.store.engine.engine_samples import (
    LIGHT,
    SHARD,
    accept,
    all_of,
    commit,
    committed,
    line,
    put,
    taken,
    value,
)


async def test_a_shard_that_nobody_owned_has_an_empty_lease(engine: Engine) -> None:
    leases = await engine.look(ALL_SHARDS)
    assert leases == {shard: Lease() for shard in ALL_SHARDS}


async def test_a_lease_is_taken_once(engine: Engine) -> None:
    seen = (await engine.look([SHARD]))[SHARD]
    lease = await engine.take(SHARD, seen, "a")
    assert lease is not None
    assert await engine.take(SHARD, seen, "b") is None
    assert (await engine.look([SHARD]))[SHARD] == lease
    assert lease.token == f"{lease.epoch}.a"
    assert lease.owner == "a"
    assert (lease.beat, lease.seq) == (0, 0)
    assert lease.epoch == pytest.approx(await engine.time() * 1_000, abs=10_000)


async def test_a_take_repeated_after_an_unknown_outcome_gives_the_lease_that_it_made(
    engine: Engine,
) -> None:
    seen = (await engine.look([SHARD]))[SHARD]
    lease = await engine.take(SHARD, seen, "a")
    assert lease is not None
    assert await engine.take(SHARD, seen, "a") == lease
    again = await engine.take(SHARD, lease, "a")  # another call: a new epoch
    assert again is not None
    assert again.epoch > lease.epoch
    await committed(engine, commit(again, 1))
    assert await engine.take(SHARD, lease, "a") is None


async def test_a_renewal_and_a_commit_show_that_the_owner_is_alive(engine: Engine) -> None:
    lease = await taken(engine)
    assert (await engine.renew({SHARD: lease.token}))[SHARD].applied is Applied.DONE
    renewed = (await engine.look([SHARD]))[SHARD]
    assert renewed.moved_by != lease.moved_by
    assert await engine.take(SHARD, lease, "b") is None
    await committed(engine, commit(lease, 1))
    assert (await engine.look([SHARD]))[SHARD].moved_by != renewed.moved_by


async def test_a_confirmation_shows_leases_and_moves_none(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1), commit(lease, 2))
    before = await engine.look([SHARD, "01"])
    assert await engine.confirm([SHARD, "01"]) == before
    assert before[SHARD].seq == 2
    assert before["01"] == Lease()
    assert await engine.look([SHARD, "01"]) == before, "who looks on sees no sign of life"
    assert await engine.confirm([]) == {}
    assert await engine.take(SHARD, before[SHARD], "b") is not None
    assert await engine.take("01", Lease(), "b") is not None


async def test_many_leases_are_renewed_in_one_go_and_a_lost_one_is_told(engine: Engine) -> None:
    tokens = {shard: (await taken(engine, "a", shard)).token for shard in ("01", "02", "fleet")}
    other = await taken(engine, "b", "02")
    results = await engine.renew(tokens)
    assert {shard: result.applied for shard, result in results.items()} == {
        "01": Applied.DONE,
        "02": Applied.FENCED,
        "fleet": Applied.DONE,
    }
    assert results["02"].lease == other


async def test_who_gave_a_shard_owns_it_no_more(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1, inbox_mark="5-0", source_mark="7-1"))
    assert await engine.give(SHARD, lease.token)
    assert not await engine.give(SHARD, lease.token)
    [late] = await committed(engine, commit(lease, 2))
    assert late.applied is Applied.FENCED
    given = (await engine.look([SHARD]))[SHARD]
    assert (given.token, given.owner) == ("", "")
    after = await taken(engine, "b")
    assert after.epoch > lease.epoch
    assert (after.inbox_mark, after.source_mark) == ("5-0", "7-1")


async def test_a_commit_needs_its_token_and_its_number(engine: Engine) -> None:
    old = await taken(engine)
    first, gap = await committed(engine, commit(old, 1), commit(old, 3))
    [again] = await committed(engine, commit(old, 1, put(b"other")))
    new = await taken(engine, "b")
    [late] = await committed(engine, commit(old, 2))
    assert first.applied is Applied.DONE
    assert (first.lease.token, first.lease.seq) == (old.token, 1)
    assert (gap.applied, gap.lease.seq) == (Applied.GAP, 1)
    assert again.applied is Applied.REPEATED
    assert late.applied is Applied.FENCED
    assert late.lease == new
    assert await value(engine) == b"1"


async def test_no_token_is_nobodys_token(engine: Engine) -> None:
    lease = await taken(engine)
    await engine.give(SHARD, lease.token)
    [result] = await committed(engine, commit(Lease(), 1))
    assert result.applied is Applied.FENCED
    assert (await engine.renew({SHARD: ""}))[SHARD].applied is Applied.FENCED
    assert not await engine.give(SHARD, "")
    with pytest.raises(StoreTaken):
        await engine.prune(SHARD, "", tables=[], before=1.0, most=1)


async def test_commits_of_one_shard_in_one_go_are_in_order(engine: Engine) -> None:
    lease = await taken(engine)
    other = await taken(engine, "a", "08")
    results = await committed(
        engine,
        commit(lease, 1),
        commit(other, 1, put(b"o"), shard="08"),
        commit(lease, 2),
        commit(lease, 3),
    )
    assert [result.applied for result in results] == [Applied.DONE] * 4
    assert (await value(engine), await value(engine, "08")) == (b"3", b"o")


async def test_a_commit_leaves_the_last_value_the_first_entry_and_no_more(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(
        engine,
        commit(lease, 1, put(b"x"), put(b"y", "00bb"), line("1", 10.0), line("2", 5.5)),
        commit(lease, 2, put(b"z", at=2.5), Delete(Table.DEVICE, "00bb"), line("1", 99.0)),
    )
    assert await all_of(engine, Table.DEVICE) == [Record(LIGHT, b"z", 2.5)]
    found = await engine.entries([SHARD], LIGHT, since=0, until=100, most=9, newest_first=False)
    assert found == [Entry("2", 5.5, b"2"), Entry("1", 10.0, b"1")]


async def test_a_request_larger_than_a_commit_goes_whole(engine: Engine) -> None:
    lease = await taken(engine)
    many = [put(b"x", f"{number:016x}", table=Table.COMMAND) for number in range(5_000)]
    lines = [line(str(number), 1.0, f"{number:016x}") for number in range(1_500)]
    [result] = await committed(engine, commit(lease, 1, *many, *lines))
    assert result.applied is Applied.DONE
    assert len(await all_of(engine, Table.COMMAND)) == 5_000
    assert len(await engine.streams(SHARD)) == 1_500


async def test_a_commit_tells_its_feed_under_epoch_and_number(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1, feed=b"one"), commit(lease, 2, feed=b""))
    new = await taken(engine, "b")
    await committed(engine, commit(new, 1, feed=b"three"))
    feeds = await engine.read_feeds({SHARD: (0, 0), "01": (0, 0)}, 10)
    assert feeds[SHARD] == [
        FeedEntry(lease.epoch, 1, b"one"),
        FeedEntry(lease.epoch, 2, b""),
        FeedEntry(new.epoch, 1, b"three"),
    ]
    assert list(feeds["01"]) == []
    later = await engine.read_feeds({SHARD: (lease.epoch, 1)}, 1)
    assert later[SHARD] == [FeedEntry(lease.epoch, 2, b"")]


async def test_a_feed_forgets_what_is_old_and_never_what_is_new(engine: Engine) -> None:
    lease = await taken(engine)
    for first in range(1, 3 * FEED_KEPT, 64):
        await committed(engine, *(commit(lease, first + more) for more in range(64)))
    feed = (await engine.read_feeds({SHARD: (0, 0)}, 10_000))[SHARD]
    assert FEED_KEPT <= len(feed) <= 2 * FEED_KEPT
    assert [entry.seq for entry in feed] == list(range(feed[0].seq, 3 * FEED_KEPT + 1))


async def test_a_feed_of_large_commits_remembers_fewer(engine: Engine) -> None:
    """As a reader that is further behind takes a snapshot, whose size has a bound."""
    lease, large = await taken(engine), b"x" * (FEED_BYTES // 8)
    await committed(engine, *(commit(lease, seq) for seq in range(1, 31)))
    for seq in range(31, 51):
        await committed(engine, commit(lease, seq, feed=large))
    feed = (await engine.read_feeds({SHARD: (0, 0)}, 100))[SHARD]
    assert [entry.seq for entry in feed] == list(range(43, 51))
    await committed(engine, commit(lease, 51, feed=b"x" * (FEED_BYTES + 1)))
    await committed(engine, commit(lease, 52))
    feed = (await engine.read_feeds({SHARD: (lease.epoch, 50)}, 100))[SHARD]
    assert [entry.seq for entry in feed] == [51, 52]


async def test_an_inbox_is_read_in_order_and_trimmed_up_to_its_mark(engine: Engine) -> None:
    lease = await taken(engine)
    assert list(await engine.post([Post(SHARD, b"1"), Post("08", b"x"), Post(SHARD, b"2")])) == [
        True,
        True,
        True,
    ]
    await engine.post([Post(SHARD, b"3")])
    found = (await engine.read_inboxes({SHARD: "0-0", "09": "0-0"}, 2))[SHARD]
    assert [entry.message for entry in found] == [b"1", b"2"]
    rest = (await engine.read_inboxes({SHARD: found[-1].id}, 500))[SHARD]
    assert [entry.message for entry in rest] == [b"3"]
    assert id_order(rest[0].id) > id_order(found[-1].id) > id_order(found[0].id)
    await committed(engine, commit(lease, 1, inbox_mark=rest[0].id))
    await committed(engine, commit(lease, 2))  # no mark: the one before stays
    assert (await engine.look([SHARD]))[SHARD].inbox_mark == rest[0].id
    left = (await engine.read_inboxes({SHARD: "0-0"}, 500))[SHARD]
    assert [entry.message for entry in left] in ([], [b"3"])
    await engine.post([Post(SHARD, b"4")])
    new = (await engine.read_inboxes({SHARD: rest[0].id}, 500))[SHARD]
    assert [entry.message for entry in new] == [b"4"]


async def test_a_mark_of_another_line_of_history_leaves_what_may_be_unread(engine: Engine) -> None:
    """After a fail-over its owner sends again what was lost, with marks of the master before; of
    the new one's entries some may have the same ids."""
    lease = await taken(engine)
    await engine.post([Post(SHARD, b"1"), Post(SHARD, b"2")])
    entries = (await engine.read_inboxes({SHARD: "0-0"}, 500))[SHARD]
    elsewhere = place_of("1:0badcafe", entries[1].id)
    [result] = await committed(engine, commit(lease, 1, put(b"x"), inbox_mark=elsewhere))
    assert result.lease.inbox_mark == "0-0"
    assert (await engine.look([SHARD]))[SHARD].inbox_mark == "0-0"
    assert list((await engine.read_inboxes({SHARD: "0-0"}, 500))[SHARD]) == list(entries)

    ours = place_of(entries[0].line, entries[0].id)
    assert ours.endswith(f" {entries[0].id}"), "each engine of this contract tells its line"
    [result] = await committed(engine, commit(lease, 2, inbox_mark=ours))
    assert result.lease.inbox_mark == entries[0].id
    assert (await engine.look([SHARD]))[SHARD].inbox_mark == entries[0].id
    left = (await engine.read_inboxes({SHARD: entries[0].id}, 500))[SHARD]
    assert [entry.message for entry in left] == [b"2"]


async def test_a_full_inbox_takes_no_more(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1))
    put_in = await engine.post([Post(SHARD, b"x")] * (INBOX_MOST + 2))
    assert list(put_in) == [True] * INBOX_MOST + [False] * 2
    assert await engine.accept([accept("c")]) == [AcceptResult(Accepted.FULL, "c")]
    entries = (await engine.read_inboxes({SHARD: "0-0"}, INBOX_MOST))[SHARD]
    newest, before = entries[-10].id, entries[-1].id
    await committed(engine, commit(lease, 2, inbox_mark=newest))
    [stored] = await engine.accept([accept("c")])
    assert stored == AcceptResult(Accepted.STORED, "c", stored.entry, before, stored.line)
    assert id_order(stored.entry) > id_order(before)


async def test_a_message_is_never_put_below_the_mark_of_what_is_dealt_with(
    engine: Engine,
) -> None:
    """After a fail-over the clock may be behind, and the owner puts its own mark back."""
    lease = await taken(engine)
    ahead = int((await engine.time() + 3_600) * 1_000)
    await engine.post([Post(SHARD, b"old")])
    await committed(engine, commit(lease, 1, inbox_mark=f"{ahead}-7"))
    await engine.post([Post(SHARD, b"1"), Post(SHARD, b"2")])
    [stored] = await engine.accept([accept("c")])
    found = (await engine.read_inboxes({SHARD: f"{ahead}-7"}, 500))[SHARD]
    assert [entry.message for entry in found] == [b"1", b"2", b"c"]
    assert (found[1].id, found[2].id) == (stored.before, stored.entry)


async def test_a_command_is_accepted_once_by_id_and_by_key(engine: Engine) -> None:
    lease = await taken(engine)
    assert await engine.accept([accept("c0")]) == [AcceptResult(Accepted.UNKNOWN, "c0")]
    await committed(engine, commit(lease, 1))
    answers = await engine.accept(
        [
            accept("c1", key="k", fingerprint="red"),
            accept("c1", key="k", fingerprint="red"),
            accept("c2", key="k", fingerprint="red"),
            accept("c3", key="k", fingerprint="blue"),
            accept("c4"),
        ]
    )
    found = (await engine.read_inboxes({SHARD: "0-0"}, 500))[SHARD]
    [first, second] = [entry.id for entry in found]
    [history] = {entry.line for entry in found}
    assert answers == [
        AcceptResult(Accepted.STORED, "c1", first, "", history),
        AcceptResult(Accepted.KNOWN, "c1"),
        AcceptResult(Accepted.KNOWN, "c1"),
        AcceptResult(Accepted.REUSED, "c1"),
        AcceptResult(Accepted.STORED, "c4", second, first, history),
    ]
    assert [one.key for one in await all_of(engine, Table.COMMAND)] == ["c1", "c4"]
    assert [one.key for one in await all_of(engine, Table.IDEMPOTENCY)] == ["k"]
    assert [entry.message for entry in found] == [b"c1", b"c4"]


async def test_each_entry_tells_which_line_of_history_it_belongs_to(engine: Engine) -> None:
    """By that it is known after a failover which of two commands was accepted first."""
    lease = await taken(engine)
    await committed(engine, commit(lease, 1))
    await engine.post([Post(SHARD, b"before any command")])
    [one, two] = await engine.accept([accept("c1"), accept("c2")])
    assert isinstance(one, AcceptResult)
    assert isinstance(two, AcceptResult)
    await engine.post([Post(SHARD, b"after it")])
    found = (await engine.read_inboxes({SHARD: "0-0"}, 500))[SHARD]
    assert re.fullmatch(r"1:[0-9a-f]{8}", one.line)
    assert [entry.line for entry in found] == [one.line] * 4
    assert one.line == two.line
    assert not is_older(place_of(two.line, two.entry), place_of(one.line, one.entry))


async def test_a_key_whose_record_cannot_be_read_belongs_to_nobody(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1, put(b"1"), put(b"?", "k", table=Table.IDEMPOTENCY)))
    [result] = await engine.accept([accept("c1", key="k", fingerprint="red")])
    assert result == AcceptResult(Accepted.REUSED, "")


async def test_a_command_accepted_again_changes_nothing_that_became_of_it(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1))
    await engine.accept([accept("c1")])
    await committed(engine, commit(lease, 2, put(b"verified", "c1", table=Table.COMMAND)))
    await committed(engine, commit(lease, 3, Delete(Table.DEVICE, LIGHT)))
    assert await engine.accept([accept("c1")]) == [AcceptResult(Accepted.KNOWN, "c1")]
    [record] = await engine.get([(SHARD, Table.COMMAND, "c1")])
    assert record is not None
    assert record.value == b"verified"


async def test_replies_reach_one_process(engine: Engine) -> None:
    await engine.reply("a", b"1")
    await engine.reply("a", b"2")
    await engine.reply("b", b"3")
    found = await engine.replies("a", "0-0", 10)
    assert [entry.message for entry in found] == [b"1", b"2"]
    assert [entry.message for entry in await engine.replies("a", found[0].id, 10)] == [b"2"]
    assert list(await engine.replies("c", "0-0", 10)) == []


async def test_members_are_shown_until_they_are_forgotten(engine: Engine) -> None:
    member = Member(boot="a", name="one", version="0.2.0", beat=1, load=9, clock_ahead_s=0.25)
    await engine.tell_member(member)
    await engine.tell_member(Member(boot="b", name="two", version="0.2.0", beat=4, leaving=True))
    assert {one.boot for one in await engine.members()} == {"a", "b"}
    await engine.forget_member("b")
    assert list(await engine.members()) == [member]


async def test_bells_ring_after_commit_entry_give_and_reply(engine: Engine) -> None:
    lease = await taken(engine)
    heard: list[str] = []
    rung = trio.Event()

    def ring(name: str) -> None:
        heard.append(name)
        rung.set()

    async def rings(name: str) -> None:
        nonlocal rung
        with trio.fail_after(5):
            await rung.wait()
        rung = trio.Event()
        assert heard == [name]
        heard.clear()

    async with trio.open_nursery() as nursery:
        await nursery.start(engine.hear, ring)
        await committed(engine, commit(lease, 1))
        await rings(FEED_BELL + SHARD)
        await committed(engine, replace(commit(lease, 2), rings=False))
        await engine.post([Post("08", b"x")])
        await rings("08")
        await engine.accept([accept("c")])
        await rings(SHARD)
        await engine.accept([replace(accept("c2"), by=lease.owner)])  # who asks knows of it
        await engine.accept([replace(accept("c3"), by="another")])
        await rings(SHARD)
        await engine.reply("boot", b"x")
        await rings("boot")
        await engine.give(SHARD, lease.token)
        await rings(SHARD)
        nursery.cancel_scope.cancel()


async def test_single_records_are_read_with_the_lease(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1, put(b"1")), commit(lease, 2, put(b"2", "00bb")))
    read = await engine.read(SHARD, Table.DEVICE, ["00bb", "none", LIGHT])
    assert read.records == [Record("00bb", b"2", 1.0), None, Record(LIGHT, b"1", 1.0)]
    assert (read.lease.token, read.lease.seq) == (lease.token, 2)
    none = await engine.read("08", Table.COMMAND, [])
    assert (none.records, none.lease) == ([], Lease())


async def test_a_snapshot_shows_tables_and_lease(engine: Engine) -> None:
    lease = await taken(engine)
    alert = put(b"alert", "a", table=Table.ALERT, at=3.0)
    [result] = await committed(engine, commit(lease, 1, put(b"x"), alert, inbox_mark="5-0"))
    seen = await engine.snapshot(SHARD, [Table.DEVICE, Table.ALERT, Table.META])
    assert seen.lease == result.lease
    assert {table: list(records) for table, records in seen.tables.items()} == {
        Table.DEVICE: [Record(LIGHT, b"x", 1.0)],
        Table.ALERT: [Record("a", b"alert", 3.0)],
        Table.META: [],
    }


async def test_entries_of_many_shards_are_merged(engine: Engine) -> None:
    for shard, ages in (("01", (1.0, 4.0)), ("02", (2.0, 4.0)), ("03", ())):
        lease = await taken(engine, "a", shard)
        lines = [line(f"{shard}-{at}", at, "verdicts") for at in ages]
        await committed(engine, commit(lease, 1, *lines, shard=shard))

    async def found(*, most: int = 9, until: float = 9.0, newest_first: bool) -> list[str]:
        entries = await engine.entries(
            ["01", "02", "03", "04"],
            "verdicts",
            since=1.0,
            until=until,
            most=most,
            newest_first=newest_first,
        )
        return [entry.entry for entry in entries]

    assert await found(newest_first=True) == ["02-4.0", "01-4.0", "02-2.0", "01-1.0"]
    assert await found(newest_first=False, most=3) == ["01-1.0", "02-2.0", "01-4.0"]
    assert await found(newest_first=False, until=4.0) == ["01-1.0", "02-2.0"]
    assert await found(newest_first=True, most=0) == []


async def test_one_look_gets_records_of_many_shards(engine: Engine) -> None:
    for shard in ("01", "02"):
        lease = await taken(engine, "a", shard)
        await committed(engine, commit(lease, 1, put(shard.encode()), shard=shard))
    found = await engine.get([(shard, Table.DEVICE, LIGHT) for shard in ("02", "03", "01")])
    assert [record and record.value for record in found] == [b"02", None, b"01"]


async def test_retention_drops_what_is_old_a_little_at_a_time(engine: Engine) -> None:
    lease = await taken(engine)
    old = [put(b"x", f"old{n}", table=Table.COMMAND, at=float(n)) for n in range(3)]
    new = [put(b"x", "new", table=Table.COMMAND, at=50.0), put(b"light", at=1.0)]
    lines = [line(str(at), float(at), name) for name in ("a", "b") for at in (1, 2, 60)]
    await committed(engine, commit(lease, 1, *old, *new, *lines))

    async def prune(most: int) -> int:
        tables = [Table.COMMAND, Table.ALERT]
        return await engine.prune(SHARD, lease.token, tables=tables, before=50.0, most=most)

    assert await prune(0) == 0
    assert await prune(2) == 2
    assert await prune(100) == 5
    assert await prune(100) == 0
    assert [one.key for one in await all_of(engine, Table.COMMAND)] == ["new"]
    assert await value(engine) == b"light"
    for name in ("a", "b"):
        left = await engine.entries([SHARD], name, since=0, until=99, most=9)
        assert [entry.entry for entry in left] == ["60"]
    assert await engine.prune(SHARD, lease.token, tables=[], before=99.0, most=9) == 2
    assert list(await engine.streams(SHARD)) == []


async def test_retention_reaches_every_stream_of_a_shard(engine: Engine) -> None:
    lease = await taken(engine)
    lines = [line("1", 1.0, f"{number:04d}") for number in range(250)]
    await committed(engine, commit(lease, 1, *lines))
    assert await engine.prune(SHARD, lease.token, tables=[], before=2.0, most=1_000) == 250


async def test_retention_of_many_streams_that_are_named_ends_where_nothing_is_old(
    engine: Engine,
) -> None:
    lease = await taken(engine)
    named = Streams(only=tuple(f"{number:04d}" for number in range(120)))
    await committed(engine, commit(lease, 1, line("1", 1.0, "0007"), line("1", 1.0, "other")))

    async def prune() -> int:
        return await engine.prune(
            SHARD, lease.token, tables=[], before=2.0, most=1_000, which=named
        )

    with trio.fail_after(5.0):
        assert await prune() == 1
        assert await prune() == 0
    assert list(await engine.streams(SHARD)) == ["other"]


async def test_retention_belongs_to_the_owner(engine: Engine) -> None:
    lease = await taken(engine)
    await committed(engine, commit(lease, 1, put(b"x", "c", table=Table.COMMAND)))
    await taken(engine, "b")
    with pytest.raises(StoreTaken):
        await engine.prune(SHARD, lease.token, tables=[Table.COMMAND], before=9.0, most=9)
    assert len(await all_of(engine, Table.COMMAND)) == 1


async def test_another_process_sees_what_was_committed(make_engine: MakeEngine) -> None:
    async with opened_engine(make_engine()) as one, opened_engine(make_engine()) as two:
        lease = await taken(one)
        await committed(one, commit(lease, 1))
        assert await value(two) == b"1"
        await two.open()  # again: nothing
    with pytest.raises(StoreClosed):
        await one.look([SHARD])


async def test_an_engine_is_opened_first(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with pytest.raises(StoreClosed):
        await engine.look([SHARD])
    await engine.close()
    await engine.close()
