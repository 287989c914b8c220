"""What a process committed just before it gave a shard away comes back from its memory, too."""

from collections.abc import Callable

import pytest
import trio

from store.engine.memory import MemoryServers, Request
from store.errors import StoreUnavailable
from tests.store.shards.house import IN_A, IN_B, A, B, House, again, light, step

MakeHouse = Callable[..., House]


class Move:
    """A shard goes from one process to another while no replica hears of anything."""

    def __init__(self, house: MakeHouse) -> None:
        self.servers = MemoryServers(replicas=1)
        self.giver = house("giver", on=self.servers)
        self.taker = house("taker", on=self.servers)

    async def begin(self, tail: int = 40) -> None:
        """Ten steps that a replica has, and more that none has."""
        await self.giver.take(IN_A)
        await self.taker.store.open()
        for number in range(1, tail + 1):
            if number == 11:
                await trio.sleep(1.0)
                self.hold()
            await self.giver.store.commit(step(A, number))

    def hold(self) -> None:
        [master] = self.servers.masters
        assert master is not None
        master.catch_up()
        master.replicas[0].held = True

    async def give(self) -> None:
        token = self.giver.store.owned[IN_A].token
        self.giver.store.disown(IN_A)
        assert await self.giver.engine.give(IN_A, token)

    async def take(self) -> None:
        """As the keeper does: what was seen last is what is taken."""
        self.taker.store.observed(await again(lambda: self.taker.engine.look([IN_A])))
        await self.taker.take(IN_A)
        await self.taker.store.announce(IN_A)
        self.taker.store.listen(records=lambda _: [light(A, b"40")])

    async def check(self, house: House, for_s: float = 1.0) -> None:
        """As its writer does, for so long."""
        with trio.move_on_after(for_s):
            while True:
                await again(house.store.check)
                await trio.sleep(0.1)


ALL = [f"e{number}" for number in range(1, 41)]


@pytest.mark.parametrize("first", ["giver", "taker"])
async def test_both_the_giver_s_last_commits_and_the_taker_s_come_back_in_their_order(
    house: MakeHouse, autojump_clock: object, first: str
) -> None:
    move = Move(house)
    await move.begin()
    await move.give()
    await move.take()
    await move.taker.store.commit(step(A, 41))
    move.servers.fail_over()
    assert await move.giver.lines(A) == ALL[:10]

    async with trio.open_nursery() as nursery:
        for one in sorted((move.giver, move.taker), key=lambda one: one.store.boot != first):
            nursery.start_soon(move.check, one, 4.0)
            await trio.sleep(1.0)
    assert await move.taker.lines(A) == [*ALL, "e41"]
    assert await move.taker.value(A) == b"41"
    assert (await move.taker.lease(IN_A)).owner == "taker"
    assert move.taker.fenced == move.taker.lost == move.giver.lost == []
    assert sum(move.giver.replayed) == 30, "whoever alerts is told"


async def test_a_give_that_was_lost_as_well_leaves_the_shard_to_be_taken_with_everything(
    house: MakeHouse, autojump_clock: object
) -> None:
    move = Move(house)
    await move.begin()
    await move.give()
    move.servers.fail_over()
    await move.check(move.giver)
    assert await move.giver.lines(A) == ALL
    seen = await move.giver.lease(IN_A)
    await trio.sleep(7.0)
    await move.check(move.giver)
    assert await move.giver.lease(IN_A) == seen, "nobody renews it"
    await move.take()
    assert await move.taker.lines(A) == ALL


async def test_a_giver_that_is_gone_is_waited_for_in_vain_and_not_for_long(
    house: MakeHouse, autojump_clock: object
) -> None:
    move = Move(house)
    await move.begin()
    await move.give()
    await move.take()
    await move.taker.store.commit(step(A, 41))
    move.servers.fail_over()
    since = trio.current_time()
    await move.taker.until_written(step(A, 42))
    assert trio.current_time() - since < 5.0, "before anybody takes the lease for expired"
    assert await move.taker.lines(A) == [*ALL[:10], "e41", "e42"]


async def test_nobody_waits_where_the_owner_before_lost_nothing(
    house: MakeHouse, autojump_clock: object
) -> None:
    move = Move(house)
    await move.begin(tail=10)
    await trio.sleep(1.0)
    move.hold()
    await move.give()
    await move.take()
    move.servers.fail_over()
    since = trio.current_time()
    await move.taker.until_written(step(A, 41))
    assert trio.current_time() - since < 1.0
    assert await move.taker.lines(A) == [*ALL[:10], "e41"]


@pytest.mark.parametrize("why", ["half a minute passed", "somebody else has it"])
async def test_what_is_not_its_own_to_send_is_left_alone(
    house: MakeHouse, autojump_clock: object, why: str
) -> None:
    move = Move(house)
    await move.begin()
    await move.give()
    if why == "half a minute passed":
        await trio.sleep(31.0)
    move.servers.fail_over()
    if why == "somebody else has it":
        await move.take()
    before = await move.taker.lease(IN_A)
    await move.check(move.giver)
    assert await move.taker.lines(A) == ALL[:10]
    assert await move.taker.lease(IN_A) == before
    assert move.giver.replayed == []


async def test_a_shard_that_is_owned_again_while_another_one_is_sent_again_is_no_error(
    house: MakeHouse, autojump_clock: object
) -> None:
    servers = MemoryServers(replicas=1)
    one = house(on=servers)
    await one.take(IN_A, IN_B)
    for dev_eui in (A, B):
        await one.store.commit(step(dev_eui, 1))
    await trio.sleep(1.0)
    [master] = servers.masters
    assert master is not None
    master.replicas[0].held = True
    for dev_eui in (A, B):
        await one.store.commit(step(dev_eui, 2))
    leases = one.store.owned
    for shard in leases:
        one.store.disown(shard)
    servers.fail_over()
    with pytest.raises(StoreUnavailable):  # the connection broke
        await one.store.check()

    async def owned_again(request: Request) -> None:
        """As the keeper does meanwhile, with both."""
        if request.name == "commit":
            for shard, lease in leases.items():
                one.store.own(shard, lease)
        await trio.lowlevel.checkpoint()

    one.engine.before = owned_again
    for _ in range(2):
        await one.store.check()
    assert [await one.lines(dev_eui) for dev_eui in (A, B)] == [["e1", "e2"]] * 2
    assert sum(one.replayed) == 2
