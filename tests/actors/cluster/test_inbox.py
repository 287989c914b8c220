"""Entries of an inbox are handed on in order, dealt with once, and never forgotten by the mark."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from actors.cluster import inbox_shard
from actors.cluster.inbox_handing import BEHIND_MOST
from actors.cluster.inbox_shard import PARKED_S, SEEN_MOST, TRIES_MOST
from actors.cluster.messages import CommandTaken, encode
from actors.cluster.watermark import Watermark
from store.engine.memory import Fate, MemoryEngine, MemoryServers, Request
from store.engine.places import id_order
from store.engine.port import Accept, AcceptResult, Commit, Post
from store.engine.shards import ALL_SHARDS
from store.port import Put, Table, outcome
from tests.actors.cluster.cluster_kit import Reading, asked, command, dev_euis, post, reading

SHARD = "07"
ONE, TWO = dev_euis(SHARD, 2)


@given(st.permutations(range(1, 9)), st.integers(0, 8))
def test_the_mark_is_the_newest_up_to_which_all_is_dealt_with(order: list[int], dealt: int) -> None:
    mark = Watermark("0")
    for number in range(1, 9):
        mark.begun(str(number))
    done = set()
    for number in order[:dealt]:
        mark.done(str(number))
        done.add(number)
        expected = next(one for one in range(9) if one + 1 not in done)
        assert mark.mark == str(expected)
        assert len(mark) == 8 - expected
    assert mark.idle is (dealt == 8)


def test_one_id_of_two_lines_of_history_is_two_entries() -> None:
    """A master whose clock is behind gives ids that the one before it had given."""
    mark = Watermark("0-0")
    mark.begun("7-0", "1:aa")
    mark.begun("7-0", "2:aa.bb")
    mark.done("7-0", "2:aa.bb")
    assert (mark.mark, len(mark)) == ("0-0", 2)
    mark.done("7-0", "1:aa")
    assert (mark.mark, mark.line, len(mark)) == ("7-0", "2:aa.bb", 0)


async def test_the_mark_is_stored_with_its_line_and_only_once_there_is_a_new_one(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        [before] = await post(kit.engine, SHARD, asked(ONE, "old"))
        kit.reader.take(SHARD, before)
        assert kit.reader.place(SHARD) == kit.reader.place("08") == "0-0"
        [newer] = await post(kit.engine, SHARD, asked(ONE, "new"))
        await trio.sleep(0.02)
        kit.lights.deal(0)
        [*_, entry] = (await kit.engine.read_inboxes({SHARD: "0-0"}, 9))[SHARD]
        assert kit.reader.place(SHARD) == f"{entry.line} {newer}"
        assert entry.line


async def test_what_is_posted_is_handed_on_after_the_bell_and_moves_the_mark(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        await trio.sleep(0.01)
        [first, second] = await post(kit.engine, SHARD, asked(ONE, "a"), asked(TWO, "b"))
        await trio.sleep(0.02)

        assert kit.lights.said == ["a", "b"]
        kit.lights.deal(1)
        assert kit.reader.mark(SHARD) == "0-0"
        kit.lights.deal(0)
        assert kit.reader.mark(SHARD) == second
        assert id_order(first) < id_order(second)


async def test_a_lost_bell_is_made_up_for_within_a_second(autojump_clock: object) -> None:
    async with reading() as kit:
        kit.engine.hears = lambda name: False
        kit.reader.take(SHARD, "0-0")
        await trio.sleep(0.5)
        await post(kit.engine, SHARD, asked(ONE))
        await trio.sleep(1.1)
        assert kit.lights.said == ["by hand"]


async def test_reading_begins_after_the_mark_and_not_before_the_shard_is_taken(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        [first, _] = await post(kit.engine, SHARD, asked(ONE, "old"), asked(ONE, "new"))
        await trio.sleep(2.0)
        assert kit.lights.said == []
        kit.reader.take(SHARD, first)
        await trio.sleep(0.1)
        assert kit.lights.said == ["new"]


async def test_a_command_without_room_waits_with_what_is_behind_it_and_holds_nobody_else(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        kit.lights.full.add(ONE)
        ids = await post(
            kit.engine, SHARD, command(ONE, "c1"), asked(ONE, "behind"), command(ONE, "c2"),
            asked(TWO, "other"),
        )  # fmt: skip
        await trio.sleep(1.0)
        assert kit.lights.said == ["other"]
        kit.lights.deal(0)
        assert kit.reader.mark(SHARD) == "0-0"
        kit.lights.full.clear()
        await trio.sleep(0.2)
        assert kit.lights.said == ["other", "c1", "behind"]
        kit.lights.deal(1, 2)
        await trio.sleep(0.2)
        assert kit.lights.said == ["other", "c1", "behind", "c2"]
        kit.lights.deal(3)
        assert kit.reader.mark(SHARD) == ids[-1]


@pytest.mark.parametrize("why", ["full", "parked"])
async def test_a_question_behind_a_command_without_room_is_refused_at_once(
    autojump_clock: object, why: str
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        {"full": kit.lights.full, "parked": kit.lights.parked}[why].add(ONE)
        before = await post(kit.engine, SHARD, command(ONE, "c1"), asked(ONE, "behind"))
        await post(kit.engine, SHARD, asked(ONE, ask=1), asked(ONE, ask=2), command(ONE, "c2"))
        await trio.sleep(0.3)
        assert (kit.lights.refused, kit.lights.said) == ([1, 2], [])
        assert kit.reader.statistics().waiting == 3
        assert kit.reader.mark(SHARD) < before[0]
        kit.lights.full.clear()
        kit.lights.parked.clear()
        kit.lights.at_once = True
        await trio.sleep(0.3)
        assert kit.lights.said == ["c1", "behind", "c2"]


async def test_a_question_waits_for_the_commands_before_it_that_their_light_deals_with(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        await post(kit.engine, SHARD, command(ONE, "c1"), command(ONE, "c2"), asked(ONE, ask=1))
        await trio.sleep(1.0)
        assert kit.lights.said == ["c1"]
        kit.lights.deal(0)
        await trio.sleep(0.2)
        assert (kit.lights.said, kit.lights.refused) == (["c1", "c2", "by hand"], [])


async def test_a_question_behind_as_many_events_as_may_wait_is_refused(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        behind = [asked(ONE) for _ in range(BEHIND_MOST)]
        await post(
            kit.engine, SHARD, command(ONE, "c1"), command(ONE, "c2"), *behind, asked(ONE, ask=1)
        )
        await trio.sleep(1.0)
        assert (kit.lights.said, kit.lights.refused) == (["c1"], [1])


async def test_an_event_behind_a_command_waits_no_longer_than_that_may(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        kit.lights.parked.add(ONE)
        ids = await post(
            kit.engine, SHARD, command(ONE, "c1"), asked(ONE), command(ONE, "c2"), asked(ONE)
        )
        await trio.sleep(PARKED_S - 1.0)
        assert kit.lights.said == []
        await trio.sleep(2.0)
        assert kit.lights.said == ["c1"], "it ends: it has waited its time"
        kit.lights.deal(0)
        await trio.sleep(1.0)
        assert kit.lights.said == ["c1", "c2"]
        kit.lights.deal(1)
        await trio.sleep(1.0)
        assert kit.reader.statistics().dropped == 2
        assert kit.reader.mark(SHARD) == ids[-1]


async def test_an_event_without_room_is_dropped_and_counted(autojump_clock: object) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        kit.lights.full.add(ONE)
        ids = await post(kit.engine, SHARD, asked(ONE))
        await trio.sleep(0.1)
        assert kit.reader.statistics().dropped == 1
        assert kit.reader.mark(SHARD) == ids[0]


async def test_poison_goes_to_the_dead_letters_and_the_mark_moves_on(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        await kit.engine.post([Post(SHARD, b"\xc1 no message")])
        ids = await post(kit.engine, SHARD, asked(ONE))
        await trio.sleep(0.1)
        kit.lights.crash(0)
        assert kit.reader.mark(SHARD) == ids[0]
        assert kit.reader.statistics().poisoned == 2
        assert [letter.message for letter in kit.dead_letters.recent(5)] == [b"\xc1 no message"]


async def test_an_entry_that_nobody_can_take_leaves_all_behind_it_in_their_turn(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.lights.poison = {"poison", "c1"}
        ids = await post(
            kit.engine, SHARD, asked(ONE, "poison"), command(TWO, "c1"), command(TWO, "c2"),
            asked(ONE, "behind"),
        )  # fmt: skip
        kit.reader.take(SHARD, "0-0")
        await trio.sleep(0.3)
        tries = TRIES_MOST + 1
        assert kit.lights.said == ["poison", "c1", "behind", *["c1"] * (tries - 1), "c2"]
        kit.lights.deal(2, -1)
        assert kit.reader.mark(SHARD) == ids[-1]
        assert len(kit.dead_letters.recent(9)) == kit.reader.statistics().poisoned == 1 + tries


async def test_a_command_that_crashed_its_light_is_tried_again_before_the_next_one(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        await post(kit.engine, SHARD, command(ONE, "c1"), command(ONE, "c2"), command(TWO, "t"))
        await trio.sleep(0.2)
        assert kit.lights.said == ["c1", "t"]
        del kit.lights.taken[1]
        for tries in range(4):
            await trio.sleep(0.2)
            message, place = kit.lights.taken[tries]
            assert isinstance(message, CommandTaken)
            assert message.request.command_id == "c1"
            assert place.tries == tries
            assert place.last_try is (tries == 3)
            if tries < 3:
                kit.lights.crash(tries)
        kit.lights.deal(3)
        await trio.sleep(0.2)
        assert kit.lights.said[4:] == ["c2"]


async def test_a_command_whose_light_stopped_before_it_is_offered_again(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        await post(kit.engine, SHARD, command(ONE, "c1"), command(ONE, "c2"))
        await trio.sleep(0.1)
        kit.lights.stop(0)
        await trio.sleep(0.2)
        assert kit.lights.said == ["c1", "c1"]
        assert kit.lights.taken[1][1].tries == 0
        kit.lights.deal(1)
        await trio.sleep(0.2)
        assert kit.lights.said == ["c1", "c1", "c2"]


async def test_a_command_that_its_light_has_is_not_handed_on_after_a_take(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        ids = await post(kit.engine, SHARD, command(ONE, "had"), command(ONE, "new"))
        kit.lights.stored.add("had")
        kit.reader.take(SHARD, "0-0")
        await trio.sleep(0.1)
        assert kit.lights.said == ["new"]
        kit.lights.deal(0)
        assert kit.reader.mark(SHARD) == ids[-1]

        kit.lights.looked_up.clear()
        await post(kit.engine, SHARD, command(ONE, "fresh"), command(ONE, "repeated", again=True))
        await trio.sleep(0.1)
        assert kit.lights.looked_up == ["repeated"]


async def test_leaving_waits_for_what_was_read_and_leaves_the_rest_to_the_next_owner(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        kit.lights.full.add(TWO)
        ids = await post(kit.engine, SHARD, asked(ONE, "a"), command(TWO, "waits"))
        await trio.sleep(0.1)
        with trio.move_on_after(1.0) as early:
            await kit.reader.leave(SHARD)
        assert early.cancelled_caught
        assert not kit.reader.reads(SHARD)
        await post(kit.engine, SHARD, asked(ONE, "too late"))
        kit.lights.deal(0)
        with trio.fail_after(1.0):
            await kit.reader.leave(SHARD)
        await trio.sleep(2.0)
        assert kit.lights.said == ["a"]
        assert kit.reader.mark(SHARD) == ids[0]


async def test_what_is_dealt_with_after_the_shard_is_lost_moves_nothing(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        kit.reader.take(SHARD, "0-0")
        await post(kit.engine, SHARD, asked(ONE))
        await trio.sleep(0.1)
        kit.reader.forget(SHARD)
        kit.reader.take(SHARD, "0-0")
        kit.lights.deal(0)
        assert kit.reader.mark(SHARD) == "0-0"


@pytest.mark.parametrize("seen_most", [SEEN_MOST, 1])
@pytest.mark.parametrize(("kept", "behind_s"), [(True, 10.0), (False, 10.0), (False, 3_600.0)])
async def test_an_engine_that_was_set_back_may_give_old_ids_to_new_commands(
    autojump_clock: object,
    monkeypatch: pytest.MonkeyPatch,
    kept: bool,
    behind_s: float,
    seen_most: int,
) -> None:
    """Also below all that were read or are remembered: a server that has no entry of an inbox dates
    the first by its own clock."""
    monkeypatch.setattr(inbox_shard, "SEEN_MOST", seen_most)
    wall = [1_750_000_000.0]
    servers = MemoryServers(replicas=1, wall=lambda: wall[0] + trio.current_time())
    async with reading(servers) as kit:
        kit.reader.take(SHARD, "0-0")
        before = ["kept"] if kept else []
        if kept:
            await post(kit.engine, SHARD, command(ONE, "kept"))
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        for replica in master.replicas:
            replica.held = True
        wall[0] += 5.0
        [lost] = await post(kit.engine, SHARD, asked(ONE, "lost"))
        await trio.sleep(0.1)
        assert kit.lights.said == [*before, "lost"]
        kit.lights.deal(*range(len(before) + 1))
        assert kit.reader.mark(SHARD) == lost

        servers.stop()
        await trio.sleep(4.0)
        wall[0] -= behind_s
        servers.fail_over()
        [new] = await post(kit.engine, SHARD, command(ONE, "new"))
        assert id_order(new) < id_order(lost)
        await trio.sleep(5.0)
        assert kit.lights.said == [*before, "lost", "new"]


@pytest.mark.parametrize("seed", range(20))
async def test_every_command_is_dealt_with_once_whatever_the_engine_and_the_lights_do(
    seed: int, autojump_clock: object
) -> None:
    chance = random.Random(seed)
    async with reading() as kit:
        kit.engine.fate = lambda request: (
            Fate(unanswered=True) if chance.random() < 0.2 else Fate(delay_s=chance.random() * 0.1)
        )
        kit.reader.take(SHARD, "0-0")
        dealt: list[str] = []
        sent: list[str] = []
        light: dict[str, str] = {}
        handled = 0

        def some() -> None:
            nonlocal handled
            while handled < len(kit.lights.taken) and chance.random() < 0.8:
                message, place = kit.lights.taken[handled]
                fate = chance.random()
                if place.last_try or fate < 0.7:
                    dealt.append(kit.lights.said[handled])
                    kit.lights.deal(handled)
                elif fate < 0.85:
                    kit.lights.crash(handled)
                else:
                    kit.lights.stop(handled)
                assert isinstance(message, CommandTaken)
                handled += 1

        for number in range(40):
            dev_eui = chance.choice([ONE, TWO])
            if chance.random() < 0.3:
                kit.lights.full ^= {dev_eui}
            sent.append(f"c{number}")
            light[sent[-1]] = dev_eui
            clean, kit.engine.fate = kit.engine.fate, lambda request: Fate()
            await post(kit.engine, SHARD, command(dev_eui, sent[-1]))
            kit.engine.fate = clean
            await trio.sleep(chance.random() * 0.3)
            some()
        kit.lights.full.clear()
        kit.engine.fate = lambda request: Fate()
        for _ in range(200):
            await trio.sleep(0.5)
            some()
        assert sorted(dealt) == sorted(sent)
        entries = (await kit.engine.read_inboxes({SHARD: "0-0"}, 1000))[SHARD]
        assert kit.reader.mark(SHARD) == entries[-1].id


async def accepted(kit: Reading, *ids: str, dev_eui: str = ONE, shard: str = SHARD) -> list[str]:
    """Have commands accepted, and the reader told as the acceptor does; the ids of the entries."""
    asked_for = [
        Accept(shard, dev_eui, one, b"{}", encode(command(dev_eui, one)), 1.0, by="us")
        for one in ids
    ]
    answers = await kit.engine.accept(asked_for)
    found = []
    for asked_one, answer in zip(asked_for, answers, strict=True):
        assert isinstance(answer, AcceptResult)
        kit.reader.accepted(asked_one, answer)
        found.append(answer.entry)
    return found


async def owning(kit: Reading, shard: str = SHARD, lights: Sequence[str] = (ONE, TWO)) -> None:
    """Own the shard with these lights, and have read what is in its inbox."""
    lease = await kit.engine.take(shard, (await kit.engine.look([shard]))[shard], "us")
    assert lease is not None
    writes = outcome([Put(Table.DEVICE, one, b"{}", 1.0) for one in lights])
    await kit.engine.commit([Commit(shard, lease.token, 1, writes)])
    kit.reader.take(shard, "0-0")
    await trio.sleep(0.1)


async def test_a_command_accepted_here_is_handed_on_at_once_and_never_again(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        await owning(kit)
        kit.engine.hears = lambda name: False
        ids = await accepted(kit, "c1", "c2")
        assert kit.lights.said == ["c1"]  # one of a light at a time, as ever
        assert kit.reader.mark(SHARD) == "0-0"
        kit.lights.deal(0)
        await trio.sleep(0.2)
        assert kit.lights.said == ["c1", "c2"]
        kit.lights.deal(1)
        assert kit.reader.mark(SHARD) == ids[-1]
        kit.reader.step_back()
        await trio.sleep(3.0)
        assert kit.lights.said == ["c1", "c2"]


async def test_a_command_accepted_here_waits_for_what_lies_before_it_unread(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        await owning(kit)
        kit.engine.hears = lambda name: False
        await post(kit.engine, SHARD, command(ONE, "theirs"))
        await accepted(kit, "ours")
        assert kit.lights.said == []
        await trio.sleep(0.1)
        assert kit.lights.said == ["theirs"]
        kit.lights.deal(0)
        await trio.sleep(0.2)
        assert kit.lights.said == ["theirs", "ours"]


async def test_a_command_accepted_here_waits_for_what_a_new_master_has_and_the_old_one_had_not(
    autojump_clock: object,
) -> None:
    """What was read last was the old master's alone, and is newer than what nobody read."""
    servers = MemoryServers(replicas=1)
    async with reading(servers) as kit:
        await owning(kit)
        kit.engine.hears = lambda name: False
        servers.fail_over(old_lives=True)
        others = MemoryEngine(servers)
        await others.open()
        await post(others, SHARD, command(ONE, "theirs"))
        await trio.sleep(0.01)
        await post(kit.engine, SHARD, asked(TWO, "ghost"))  # at the old master
        kit.reader.ring(SHARD)
        await trio.sleep(0.1)
        assert kit.lights.said == ["ghost"]
        kit.lights.deal(0)
        kit.engine.connected.clear()
        await accepted(kit, "ours")
        await trio.sleep(0.1)
        assert kit.lights.said == ["ghost", "theirs"]
        kit.lights.deal(1)
        await trio.sleep(0.2)
        assert kit.lights.said == ["ghost", "theirs", "ours"]


async def test_what_another_master_has_before_it_comes_first_and_is_not_dropped(
    autojump_clock: object,
) -> None:
    """The reader's connection went over without its noticing, and the new clock was behind."""
    wall = [1_750_000_000.0]
    servers = MemoryServers(replicas=1, wall=lambda: wall[0] + trio.current_time())
    async with reading(servers) as kit:
        await owning(kit)
        await accepted(kit, "kept")
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True
        wall[0] += 5.0
        await post(kit.engine, SHARD, asked(TWO, "lost"))
        await trio.sleep(0.1)
        kit.lights.deal(0, 1)

        wall[0] -= 10.0
        servers.fail_over()
        others = MemoryEngine(servers)
        await others.open()
        kit.engine.hears = lambda name: False
        for before_s, one in ((0.0, "older"), (20.0, "newer")):
            wall[0] += before_s
            asked_for = Accept(SHARD, ONE, one, b"{}", encode(command(ONE, one)), 1.0)
            await others.accept([asked_for])
        kit.engine.connected.clear()  # another call of this process met the failover
        kit.reader.ring(SHARD)
        await trio.sleep(0.1)
        assert kit.lights.said == ["kept", "lost", "older"]
        kit.lights.deal(2)
        await trio.sleep(0.2)
        assert kit.lights.said == ["kept", "lost", "older", "newer"]


async def test_what_a_replaced_master_answers_is_not_taken_in_after_a_step_back(
    autojump_clock: object,
) -> None:
    """Also where what was being read began where the step back leads to again."""
    wall = [1_750_000_000.0]
    servers = MemoryServers(replicas=1, wall=lambda: wall[0] + trio.current_time())
    async with reading(servers) as kit:
        await owning(kit)
        kit.engine.hears = lambda name: False
        servers.fail_over(old_lives=True)
        await post(kit.engine, SHARD, asked(TWO, "ghost"))  # at the old master
        others = MemoryEngine(servers)
        await others.open()
        wall[0] -= 10.0
        await post(others, SHARD, command(ONE, "theirs"))

        async def found_out(request: Request) -> None:
            """Somebody else meets the failover while the old master's answer is on its way."""
            if request.name == "read_inboxes":
                kit.engine.after = nothing
                kit.engine.connected.clear()
                kit.reader.step_back()

        nothing, kit.engine.after = kit.engine.after, found_out
        kit.reader.step_back()
        await trio.sleep(3.0)
        assert kit.lights.said == ["theirs"]


async def test_a_part_of_the_engine_that_is_away_is_asked_each_second_and_the_others_go_on(
    autojump_clock: object,
) -> None:
    servers = MemoryServers(masters=3)
    there = next(one for one in ALL_SHARDS if servers.part_of(one) != servers.part_of(SHARD))
    [light] = dev_euis(there, 1)
    async with reading(servers) as kit:
        for shard, lights in ((SHARD, [ONE]), (there, [light])):
            await owning(kit, shard, lights)
        kit.engine.hears = lambda name: False
        servers.stop(servers.part_of(SHARD))
        reads: Counter[str] = Counter()

        async def count(request: Request) -> None:
            if request.name == "read_inboxes":
                reads.update(request.about)

        kit.engine.before = count
        await trio.sleep(2.0)
        reads.clear()
        for number in range(20):
            await accepted(kit, f"c{number}", shard=there, dev_eui=light)
            assert kit.lights.said == [f"c{one}" for one in range(number + 1)], "at once"
            kit.lights.deal(number)
            await trio.sleep(0.5)
        assert max(reads.values()) <= 11
        servers.go_on(servers.part_of(SHARD))
        await post(kit.engine, SHARD, asked(ONE, "again"))
        await trio.sleep(1.1)
        assert kit.lights.said[-1] == "again"


async def test_a_part_of_the_engine_that_does_not_even_refuse_holds_up_none_of_the_others(
    autojump_clock: object,
) -> None:
    servers = MemoryServers(masters=3)
    there = next(one for one in ALL_SHARDS if servers.part_of(one) != servers.part_of(SHARD))
    [light] = dev_euis(there, 1)
    async with reading(servers) as kit:
        for shard in (SHARD, there):
            kit.reader.take(shard, "0-0")
        await trio.sleep(0.1)
        kit.engine.fate = lambda request: Fate(lost=SHARD in request.about)
        await trio.sleep(5.0)
        for number in range(20):
            await post(kit.engine, there, asked(light, f"{number}"))
            await trio.sleep(0.1)
            assert kit.lights.said == [f"{one}" for one in range(number + 1)]
            kit.lights.deal(number)
            await trio.sleep(0.27)
        kit.engine.fate = lambda request: Fate()
        await post(kit.engine, SHARD, asked(ONE, "again"))
        await trio.sleep(3.0)
        assert kit.lights.said[-1] == "again"


async def test_a_part_where_commands_cannot_be_looked_for_keeps_none_of_the_others(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        [light] = dev_euis("08", 1)
        await post(kit.engine, SHARD, command(ONE, "c1"))
        await post(kit.engine, "08", command(light, "c2"))
        kit.lights.unknown.add(SHARD)
        kit.reader.take(SHARD, "0-0")
        kit.reader.take("08", "0-0")
        await trio.sleep(5.0)
        assert kit.lights.said == ["c2"]
        kit.lights.unknown.clear()
        await trio.sleep(1.1)
        assert kit.lights.said == ["c2", "c1"]


async def test_a_command_accepted_while_the_inbox_is_read_keeps_its_place(
    autojump_clock: object,
) -> None:
    """The reading that was under way shows it as well: it is handed on once."""
    async with reading() as kit:
        await owning(kit)
        kit.engine.fate = lambda request: Fate(delay_s=0.05) if "read" in request.name else Fate()
        kit.reader.ring(SHARD)
        await trio.sleep(0.01)
        [first] = await accepted(kit, "c1")
        await post(kit.engine, SHARD, asked(TWO, "behind"))
        await trio.sleep(0.3)
        assert kit.lights.said == ["c1", "behind"]
        kit.lights.deal(0, 1)
        assert id_order(kit.reader.mark(SHARD)) > id_order(first)


async def test_a_command_that_is_known_already_is_looked_for_in_the_inbox(
    autojump_clock: object,
) -> None:
    """The answer to the first try was lost, and no bell rang for it."""
    async with reading() as kit:
        await owning(kit)
        kit.engine.hears = lambda name: False
        message = encode(command(ONE, "c1"))
        asked_for = Accept(SHARD, ONE, "c1", b"{}", message, 1.0, by="us")
        await kit.engine.accept([asked_for])
        [again] = await kit.engine.accept([asked_for])
        assert isinstance(again, AcceptResult)
        kit.reader.accepted(asked_for, again)
        await trio.sleep(0.1)
        assert kit.lights.said == ["c1"]


async def test_a_command_accepted_for_a_shard_that_is_left_stays_for_its_next_owner(
    autojump_clock: object,
) -> None:
    async with reading() as kit:
        await owning(kit)
        await kit.reader.leave(SHARD)
        await accepted(kit, "c1")
        await trio.sleep(2.0)
        assert kit.lights.said == []
        kit.reader.take(SHARD, "0-0")
        await trio.sleep(0.1)
        assert kit.lights.said == ["c1"]


async def test_a_command_accepted_here_has_waited_for_no_time_yet(autojump_clock: object) -> None:
    """Its light may be on the way: by how long it waits it is judged to be given up."""
    async with reading() as kit:
        await owning(kit)
        await trio.sleep(100.0)
        await accepted(kit, "c1")
        assert [place.waits_s for _, place in kit.lights.taken] == [0.0]
