"""The keeper on an engine in memory, in virtual time."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio

from actors.cluster.keeper import KeeperTimes, core
from actors.cluster.keeper.messages import Looked, Take
from actors.cluster.keeper.state import State
from actors.cluster.keeper.view import Here, MemberSign, Owned, Why
from store.engine.memory import Fate, MemoryServers, Request
from store.engine.port import Lease, Member
from store.engine.shards import ALL_SHARDS, FLEET
from store.errors import StoreUnavailable
from tests.support.keeper_kit import House, Town

pytestmark = pytest.mark.timeout(120)
Clock = trio.testing.MockClock


@asynccontextmanager
async def town(servers: MemoryServers | None = None, *, need: int = 0) -> AsyncIterator[Town]:
    """A town, whose houses end with the test."""
    async with trio.open_nursery() as nursery:
        yield Town(nursery, servers, need=need)
        nursery.cancel_scope.cancel()


async def three(place: Town) -> tuple[House, House, House]:
    """Three houses among which the shards are divided."""
    houses = (await place.house("a"), await place.house("b"), await place.house("c"))
    await place.until(lambda: place.complete() and balanced(place))
    return houses


def weights(place: Town) -> dict[str, int]:
    """The load of each house in which anything runs."""
    return {
        house.boot: sum(8 if shard == FLEET else 1 for shard in house.running)
        for house in place.houses
        if house.running
    }


def balanced(place: Town) -> bool:
    """Whether nobody of three has more than a fair share and one."""
    loads = weights(place)
    return len(loads) == 3 and max(loads.values()) <= 72 // 3 + 1


async def test_one_alone_takes_everything_at_once(autojump_clock: Clock) -> None:
    async with town() as place:
        await place.house("a")
        assert await place.until(place.complete) < 0.5
        assert place.loads() == {"a": 65}


async def test_who_has_too_much_gives_until_loads_are_fair(autojump_clock: Clock) -> None:
    async with town() as place:
        await three(place)
        assert sum(weights(place).values()) == 72
        before = {shard: place.owners(shard) for shard in ALL_SHARDS}
        await trio.sleep(30.0)
        assert {shard: place.owners(shard) for shard in ALL_SHARDS} == before


async def test_no_shard_runs_in_two_houses_and_each_is_dark_for_a_moment_only(
    autojump_clock: Clock,
) -> None:
    async with town() as place:
        a = await place.house("a")
        await place.until(place.complete)
        await place.house("b")
        dark: dict[str, float] = {}
        most_s = 0.0
        for _ in range(1_500):
            await trio.sleep(0.01)
            for shard in ALL_SHARDS:
                owners = place.owners(shard)
                assert len(owners) <= 1
                dark[shard] = 0.0 if owners else dark.get(shard, 0.0) + 0.01
                most_s = max(most_s, dark[shard])
        assert 20 <= len(a.running) <= 37
        assert most_s <= 0.5


async def test_after_a_kill_everything_runs_elsewhere(autojump_clock: Clock) -> None:
    async with town() as place:
        a, _, _ = await three(place)
        a.kill()
        assert await place.until(place.complete) <= 8.0
        assert set(place.loads()) == {"b", "c"}
        assert max(weights(place).values()) <= 37


async def test_the_fleet_shard_is_taken_first(autojump_clock: Clock) -> None:
    async with town() as place:
        houses = await three(place)
        await trio.sleep(5.0)
        owner = next(house for house in houses if FLEET in house.running)
        others = [house for house in houses if house is not owner]
        began = {house.boot: len(house.log) for house in others}
        owner.kill()
        await place.until(place.complete)
        taker = next(house for house in others if FLEET in house.running)
        first = taker.log[began[taker.boot] :][:9]
        assert ("taken", FLEET) in first, "with the first eight light shards at the latest"


async def test_whoever_leaves_gives_everything_within_its_time(autojump_clock: Clock) -> None:
    async with town() as place:
        a, b, c = await three(place)
        began = trio.current_time()
        await a.keeper.leave()
        assert trio.current_time() - began < 10.0
        assert not a.running
        assert await place.until(place.complete) < 0.5
        assert not [entry for entry in a.log if entry[0] == "fenced"], "drained, not cut off"
        await trio.sleep(5.0)
        assert [member.boot for member in b.keeper.view().members] == ["b", "c"]
        assert {move.why for move in c.keeper.view().moves if move.before == "a"} == {Why.GIVEN}


async def test_a_look_that_is_answered_before_a_give_drops_nothing(autojump_clock: Clock) -> None:
    async with town() as place:
        a, _, _ = await three(place)
        place.ways["a"].fate = lambda asked: Fate(back_s=0.5 if asked.name == "give" else 0.0)
        await a.keeper.leave()
        assert not a.running
        await place.until(place.complete)
        assert not [entry for entry in a.log if entry[0] == "fenced"], "drained, not cut off"


async def test_the_last_one_leaves_quickly(autojump_clock: Clock) -> None:
    async with town() as place:
        a = await place.house("a")
        await place.until(place.complete)
        began = trio.current_time()
        await a.keeper.leave()
        assert trio.current_time() - began < 1.0
        b = await place.house("b")
        assert await place.until(lambda: len(b.running) == 65) < 0.5


async def test_after_an_outage_of_the_engine_nothing_has_moved(autojump_clock: Clock) -> None:
    async with town() as place:
        houses = await three(place)
        before = {shard: place.owners(shard) for shard in ALL_SHARDS}
        epochs = {shard: house.running[shard].epoch for house in houses for shard in house.running}
        place.servers.stop()
        await trio.sleep(12.0)
        assert all(house.keeper.valid_for_s(FLEET) == 0.0 for house in houses)
        assert not houses[0].keeper.view().reachable
        place.servers.go_on()
        await trio.sleep(20.0)
        assert {shard: place.owners(shard) for shard in ALL_SHARDS} == before
        now = {shard: house.running[shard].epoch for house in houses for shard in house.running}
        assert now == epochs
        assert not [entry for house in houses for entry in house.log if entry[0] == "fenced"]


async def test_a_failover_that_keeps_everything_moves_nothing(autojump_clock: Clock) -> None:
    async with town(MemoryServers(replicas=2, lag_s=0.001), need=1) as place:
        houses = await three(place)
        before = {shard: place.owners(shard) for shard in ALL_SHARDS}
        place.servers.stop()
        await trio.sleep(3.3)
        place.servers.fail_over()
        await trio.sleep(20.0)
        assert {shard: place.owners(shard) for shard in ALL_SHARDS} == before
        assert not [entry for house in houses for entry in house.log if entry[0] == "fenced"]


async def test_a_take_that_a_failover_forgot_is_made_again_and_nothing_stops(
    autojump_clock: Clock,
) -> None:
    async with town(MemoryServers(replicas=2, lag_s=0.001)) as place:
        a = await place.house("a")
        await place.until(place.complete)
        await trio.sleep(5.0)
        master = place.servers.masters[0]
        assert master is not None
        for replica in master.replicas:
            replica.held = True
        await a.keeper.leave()  # what follows is known to the master alone
        b = await place.house("b")
        await place.until(lambda: len(b.running) == 65)
        taken = {shard: lease.token for shard, lease in b.running.items()}
        place.servers.fail_over()
        await trio.sleep(5.0)
        assert len(b.running) == 65
        assert {shard for what, shard in b.log if what == "set back"} == set(ALL_SHARDS)
        assert not [entry for entry in b.log if entry[0] == "fenced"]
        assert all(lease.token != taken[shard] for shard, lease in b.running.items())
        assert all(b.keeper.valid_for_s(shard) > 0.0 for shard in ALL_SHARDS)
        assert b.keeper.view().moves[0].why is Why.FORGOTTEN


async def test_a_shard_that_another_took_since_is_left_though_the_new_server_s_clock_is_behind(
    autojump_clock: Clock,
) -> None:
    """The epoch of that later take is the lower one."""
    off_s = 0.0
    servers = MemoryServers(replicas=1, wall=lambda: 1_750_000_000.0 + trio.current_time() - off_s)
    async with town(servers) as place:
        a = await place.house("a")
        await place.until(place.complete)
        await trio.sleep(20.0)
        [master] = servers.masters
        assert master is not None
        await a.keeper.leave()
        await trio.sleep(1.0)
        master.catch_up()
        master.replicas[0].held = True
        b = await place.house("b")
        await place.until(lambda: len(b.running) == 65)
        ours = b.running["07"].epoch
        servers.fail_over()
        off_s = 10.0
        other = place.ways["a"]
        with suppress(StoreUnavailable):  # the connection broke
            await other.look(["07"])
        found = (await other.look(["07"]))["07"]
        assert found.token == "", "it was given"
        lease = await other.take("07", found, "c")
        assert lease is not None
        assert found.epoch < lease.epoch < ours
        await place.until(lambda: "07" not in b.running, 3.0)
        assert ("fenced", "07") in b.log
        assert ("set back", "07") not in b.log
        assert (await other.look(["07"]))["07"].owner == "c"


async def test_what_was_given_and_a_failover_gave_back_is_left_to_whoever_took_it_since(
    autojump_clock: Clock,
) -> None:
    """That one waits for what its owner before sends again, and has acknowledged more since."""
    servers = MemoryServers(replicas=1)
    async with town(servers) as place:
        a = await place.house("a")
        await place.until(place.complete)
        await trio.sleep(5.0)
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True
        b = await place.house("b")
        await place.until(lambda: len(b.running) >= 5, 30.0)
        taken, goes_on_s = set(b.running), trio.current_time() + 3.0

        def waits(what: str, shard: str) -> None:
            if what == "set back" and trio.current_time() < goes_on_s:
                raise StoreUnavailable("the owner before sends again what a failover took")

        b.trouble = waits
        a.log.clear()
        servers.fail_over()
        await trio.sleep(5.0)
        assert not taken & {shard for what, shard in a.log if what == "taken"}
        assert all(place.owners(shard) == ["b"] for shard in taken)
        assert all(b.keeper.valid_for_s(shard) > 0.0 for shard in taken)


async def test_a_shard_that_a_failover_made_free_is_left_to_whoever_had_it(
    autojump_clock: Clock,
) -> None:
    """That one alone knows what it had acknowledged, and may need a moment."""
    servers = MemoryServers(replicas=1)
    async with town(servers) as place:
        a = await place.house("a")
        await place.until(place.complete)
        await a.keeper.leave()
        await trio.sleep(1.0)
        [master] = servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True
        b, c = await place.house("b"), await place.house("c")
        await place.until(place.complete)
        await trio.sleep(15.0)
        before, goes_on_s = place.loads(), trio.current_time() + 3.0

        def waits(what: str, shard: str) -> None:
            if what == "set back" and trio.current_time() < goes_on_s:
                raise StoreUnavailable("the engine is slow")

        for house in (b, c):
            house.trouble = waits
            house.log.clear()
        servers.fail_over()
        await trio.sleep(5.0)
        assert not [one for house in (b, c) for one in house.log if one[0] in {"taken", "fenced"}]
        assert place.loads() == before


async def test_a_take_on_the_old_master_of_a_split_does_not_count(autojump_clock: Clock) -> None:
    async with town(MemoryServers(replicas=2, lag_s=0.001), need=1) as place:
        a, b, c = await three(place)
        before = set(a.running)
        old = place.servers.fail_over(old_lives=True)
        for house in (b, c):  # a stays where it was; they see the new master only
            place.ways[house.boot].connected.clear()
        place.ways["a"].finds = lambda _part: old
        await trio.sleep(11.0)
        assert all(a.keeper.valid_for_s(shard) == 0.0 for shard in ALL_SHARDS)
        owned = set(b.running) | set(c.running)
        assert owned == set(ALL_SHARDS)
        place.ways["a"].finds = lambda _part: place.servers.masters[0]
        old.read_only = True
        await trio.sleep(3.0)
        assert {shard for what, shard in a.log if what == "fenced"} >= before - set(a.running)
        await place.until(lambda: place.complete() and balanced(place))


async def test_a_house_that_stood_still_finds_its_shards_taken_and_takes_none_on_waking(
    autojump_clock: Clock,
) -> None:
    async with town() as place:
        a, b, c = await three(place)
        asleep = trio.Event()

        async def stand_still(_request: Request) -> None:
            await asleep.wait()

        place.ways["a"].before = stand_still
        mine = set(a.running)
        await trio.sleep(60.0)
        assert not mine & (set(ALL_SHARDS) - set(b.running) - set(c.running))
        assert not a.keeper.may_begin(FLEET)
        began = len(a.log)
        place.ways["a"].before = nothing
        asleep.set()
        await trio.sleep(0.1)
        assert not a.running
        await place.until(lambda: place.complete() and balanced(place))
        assert {what for what, _ in a.log[began:]} == {"fenced", "taken"}
        assert {move.why for move in a.keeper.view().moves[:5]} == {Why.GIVEN}


async def nothing(_request: Request) -> None:
    """It goes on."""


async def test_what_cannot_be_taken_back_begins_only_while_the_lease_holds_for_long(
    autojump_clock: Clock,
) -> None:
    async with town() as place:
        a = await place.house("a")
        await place.until(place.complete)
        await trio.sleep(3.0)
        assert 3.9 <= a.keeper.valid_for_s(FLEET) <= 6.0
        assert a.keeper.may_begin(FLEET)
        place.ways["a"].cut_off = True
        await trio.sleep(3.1)
        assert 0.0 < a.keeper.valid_for_s(FLEET) < 3.0
        assert not a.keeper.may_begin(FLEET)
        await trio.sleep(3.0)
        assert a.keeper.valid_for_s(FLEET) == 0.0
        assert {shard.here for shard in a.keeper.view().shards} == {Here.LAPSED}
        place.ways["a"].cut_off = False
        await trio.sleep(3.0)
        assert a.keeper.may_begin(FLEET)
        assert len(a.running) == 65


async def test_who_cannot_serve_loses_its_shards_and_gets_them_back(autojump_clock: Clock) -> None:
    async with town() as place:
        a, b, c = await three(place)
        a.can_serve = False
        await place.until(lambda: set(ALL_SHARDS) <= set(b.running) | set(c.running))
        await trio.sleep(10.0)
        assert not a.running
        assert place.complete()
        signs = {member.boot: member.sign for member in b.keeper.view().members}
        assert signs["a"] is MemberSign.LEAVING
        a.can_serve = True
        await place.until(lambda: place.complete() and balanced(place))


async def test_nobody_loses_anything_where_no_other_can_serve(autojump_clock: Clock) -> None:
    async with town() as place:
        a = await place.house("a")
        await place.until(place.complete)
        a.can_serve = False
        await trio.sleep(30.0)
        assert len(a.running) == 65
        a.can_serve = True
        await trio.sleep(3.0)
        assert a.keeper.may_begin(FLEET)


async def test_the_fleet_shard_goes_to_who_sees_the_network(autojump_clock: Clock) -> None:
    async with town() as place:
        houses = await three(place)
        owner = next(house for house in houses if FLEET in house.running)
        owner.sees_network = False
        await trio.sleep(25.0)
        assert FLEET in owner.running
        await trio.sleep(15.0)
        [now] = place.owners(FLEET)
        assert now != owner.boot
        await trio.sleep(10.0)
        assert place.owners(FLEET) == [now]
        assert place.complete()


async def test_the_fleet_shard_stays_where_nobody_sees_the_network(autojump_clock: Clock) -> None:
    async with town() as place:
        houses = await three(place)
        [owner] = place.owners(FLEET)
        for house in houses:
            house.sees_network = False
        await trio.sleep(45.0)
        assert place.owners(FLEET) == [owner]


async def test_a_shard_that_cannot_be_started_here_is_left_to_others(autojump_clock: Clock) -> None:
    async with town() as place:
        a = await place.house("a")

        def broken(what: str, shard: str) -> None:
            if what == "taken" and shard == "07":
                raise RuntimeError("these records crash every actor here")

        a.trouble = broken
        await place.until(lambda: len(a.running) == 64)
        await place.house("b")
        await place.until(place.complete)
        assert place.owners("07") == ["b"]
        assert a.log.count(("taken", "07")) == 1
        assert ("fenced", "07") in a.log


async def test_a_shard_whose_store_is_away_is_started_later(autojump_clock: Clock) -> None:
    async with town() as place:
        a = await place.house("a")
        tries = 0

        def away(what: str, shard: str) -> None:
            nonlocal tries
            if what == "taken" and shard == "07" and tries < 3:
                tries += 1
                raise StoreUnavailable("the node of this shard is silent")

        a.trouble = away
        assert await place.until(place.complete) < 5.0
        assert tries == 3


async def test_actors_that_do_not_end_in_time_are_stopped_before_the_shard_is_given(
    autojump_clock: Clock,
) -> None:
    async with town() as place:
        a = await place.house("a")
        await place.until(place.complete)
        a.drain_s = 1_000.0
        b = await place.house("b")
        await place.until(lambda: len(b.running) >= 5, 30.0)
        given = list(b.running)
        assert all(
            a.log.index(("leave", shard)) < a.log.index(("fenced", shard)) for shard in given
        )


async def test_a_keeper_that_crashed_goes_on_with_what_it_has(autojump_clock: Clock) -> None:
    async with town() as place:
        a = await place.house("a")
        await place.until(place.complete)
        epochs = {shard: lease.epoch for shard, lease in a.running.items()}
        running = dict(a.running)
        a.kill()
        a.running = running  # its actors are not the keeper's, and did not end with it
        await trio.sleep(2.0)
        await a.begin(place.nursery)
        await trio.sleep(20.0)
        assert {shard: lease.epoch for shard, lease in a.running.items()} == epochs
        assert a.keeper.may_begin(FLEET)


async def test_shards_on_a_silent_node_lapse_and_the_others_do_not(autojump_clock: Clock) -> None:
    async with town(MemoryServers(masters=3)) as place:
        await three(place)
        before = {shard: place.owners(shard) for shard in ALL_SHARDS}
        place.servers.stop(1)
        await trio.sleep(8.0)
        lapsed = {
            view.shard
            for house in place.houses
            for view in house.keeper.view().shards
            if view.here is Here.LAPSED
        }
        assert lapsed == {shard for shard in ALL_SHARDS if place.servers.part_of(shard) == 1}
        place.servers.go_on(1)
        await trio.sleep(10.0)
        assert {shard: place.owners(shard) for shard in ALL_SHARDS} == before


@pytest.mark.parametrize("names", ["ab", "abc", "abcd"])
async def test_who_is_parted_from_one_node_has_others_come_to_rest(
    autojump_clock: Clock, names: str
) -> None:
    """They take what lies there; nothing is given to and fro because two count differently."""
    async with town(MemoryServers(masters=3)) as place:
        houses = [await place.house(name) for name in names]
        await place.until(place.complete)
        await trio.sleep(30.0)
        place.ways["a"].parted.add(1)
        await trio.sleep(60.0)
        for house in houses:
            house.log.clear()
        await trio.sleep(60.0)
        assert [entry for house in houses for entry in house.log] == []
        held = {shard for house in houses[1:] for shard in house.running}
        assert {shard for shard in ALL_SHARDS if place.servers.part_of(shard) == 1} <= held
        place.ways["a"].parted.clear()
        await place.until(place.complete)


async def test_while_the_node_with_the_list_of_members_is_silent_the_dead_are_replaced_elsewhere(
    autojump_clock: Clock,
) -> None:
    async with town(MemoryServers(masters=3)) as place:
        a, b, c = await three(place)
        whole = [shard for shard in ALL_SHARDS if place.servers.part_of(shard) != 0]
        before = {shard: place.owners(shard) for shard in whole}
        place.servers.stop(0)
        await trio.sleep(20.0)
        assert {shard: place.owners(shard) for shard in whole} == before
        assert a.keeper.view().reachable
        a.kill()
        await place.until(lambda: all(len(place.owners(one)) == 1 for one in whole), 30.0)
        place.servers.go_on(0)
        await place.until(place.complete)
        assert set(place.loads()) == {b.boot, c.boot}


async def test_who_never_saw_the_list_of_members_takes_what_nobody_has_after_a_while(
    autojump_clock: Clock,
) -> None:
    async with town(MemoryServers(masters=3)) as place:
        whole = {shard for shard in ALL_SHARDS if place.servers.part_of(shard) != 0}
        place.servers.stop(0)
        a = await place.house("a")
        await trio.sleep(10.0)
        assert not a.running
        await trio.sleep(20.0)
        assert set(a.running) == whole
        place.servers.go_on(0)
        await place.until(place.complete)


async def test_shards_that_cannot_be_taken_do_not_keep_others_from_it(
    autojump_clock: Clock,
) -> None:
    """Half of the engine refuses writes, so that more shards than may start at once seem free."""
    servers = MemoryServers(masters=2, replicas=1)
    async with town(servers) as place:
        a, b = await place.house("a"), await place.house("b")
        await place.until(place.complete)
        await trio.sleep(20.0)
        calls: Counter[str] = Counter()

        async def count(request: Request) -> None:
            calls[request.name] += 1

        half = servers.masters[1]
        assert half is not None
        half.lacks_replicas = True
        b.kill()
        here = {shard for shard in ALL_SHARDS if servers.part_of(shard) == 0}
        await place.until(lambda: here <= set(a.running), 15.0)
        place.ways["a"].before = count
        await trio.sleep(60.0)
        assert calls["look"] <= 5 * 60.0, "some each second, of all leases"
        assert calls["take"] <= 32 * 60.0, "each of the other half once a second"
        half.lacks_replicas = False
        await place.until(lambda: len(a.running) == 65, 15.0)


async def test_everybody_sees_who_has_what(autojump_clock: Clock) -> None:
    async with town() as place:
        a, b, c = await three(place)
        await trio.sleep(2.0)
        views = [house.keeper.view() for house in (a, b, c)]
        for view in views:
            assert {one.shard: one.owner for one in view.shards} == {
                shard: place.owners(shard)[0] for shard in ALL_SHARDS
            }
            assert {one.owned for one in view.shards} == {Owned.OWNED}
            assert not view.unowned
            assert view.fair == 24
            assert [member.boot for member in view.members] == ["a", "b", "c"]
            assert {member.boot: member.load for member in view.members} == weights(place)
        a.kill()
        await trio.sleep(6.3)
        assert {one.boot for one in b.keeper.view().members if one.sign is MemberSign.SILENT} <= {
            "a"
        }
        await trio.sleep(70.0)
        assert [member.boot for member in b.keeper.view().members] == ["b", "c"]


async def test_nobody_takes_what_an_engine_has_lost(autojump_clock: Clock) -> None:
    """Neither whoever had it nor anybody else, and nothing runs in a lease any more."""
    async with town() as place:
        a, b, _ = await three(place)
        await trio.sleep(61.0)
        place.servers.empty()
        await trio.sleep(30.0)
        assert [lease.epoch for lease in (await a.engine.look(ALL_SHARDS)).values()] == [0] * 65
        assert {a.keeper.valid_for_s(shard) for shard in ALL_SHARDS} == {0.0}
        assert {one.owned for one in b.keeper.view().shards} == {Owned.LOST}
        assert not [what for what, _ in a.log + b.log if what in ("set back", "fenced")]


def test_who_slept_in_the_middle_of_a_look_takes_nothing_on_waking() -> None:
    """What was answered before the sleep says nothing of what others did since."""
    times, state = KeeperTimes(), State(boot="a")

    def look(sent: float, answered: float, beat: int) -> int:
        nonlocal state
        lease = Lease(token="5.b", epoch=5, owner="b", beat=beat, seq=1)
        told = Looked(sent, dict.fromkeys(ALL_SHARDS, lease), [Member("b", "b", "1", beat)])
        state, actions = core.step(state, told, answered, times)
        return sum(isinstance(action, Take) for action in actions)

    for second in range(1, 7):
        assert look(second - 0.01, float(second), second) == 0
    assert look(6.5, 66.0, 6) == 0
    assert look(67.0, 67.01, 66) == 0, "the other lives"
    for second in range(68, 73):
        assert look(second - 0.01, float(second), 66) == 0
    assert look(73.49, 73.5, 66) > 0, "and is dead in the end"
