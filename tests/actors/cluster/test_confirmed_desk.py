"""Nothing that a fail-over can take back is handed to the dispatcher, and all else is at once."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.cluster.confirmed_desk import ConfirmedDesk
from actors.cluster.desk import Desk
from actors.cluster.follower import Position
from actors.device.model import Attempt, Device, Hearing, Stage
from actors.replace import replace
from lorawan.kuando.frames import RequestStatus
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.port import Commit, Lease
from store.errors import StoreUnavailable
from store.port import Put, Table, outcome
from tests.actors.cluster.cluster_kit import dev_euis

SHARD, OTHER = "07", "08"
[LIGHT] = dev_euis(SHARD, 1)
[FAR] = dev_euis(OTHER, 1)
NOW = 1_750_000_000.0
SLOW_S = 0.3
"""Of a replica: far more than a call to the master takes."""


def asking(dev_eui: str = LIGHT, number: int = 1) -> Device:
    """A light whose attempt is to be handed over."""
    attempt = Attempt(number, RequestStatus(), 1, 0.0, 0.0, False, handed_over=1)
    return Device(dev_eui=dev_eui, attempt=attempt)


class Told:
    """The dispatcher, and when it was given something."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []
        self.withdrawn: list[str] = []

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        self.given.append((dev_eui, attempt.number))
        self.attempt = attempt

    def withdraw(self, dev_eui: str) -> None:
        self.withdrawn.append(dev_eui)


class Kit:
    """An owner of shards on one engine, and the desk of another process that sees what it does."""

    def __init__(self, need: int) -> None:
        self.servers = MemoryServers(replicas=2, lag_s=SLOW_S)
        self.owner = MemoryEngine(self.servers, need=need)
        self.engine = MemoryEngine(self.servers, need=need)
        self.told = Told()
        self.sure: set[str] = set()
        self.at: dict[str, Position] = {}
        self.confirmed: list[list[str]] = []
        self.desk = ConfirmedDesk(
            Desk(self.told),
            self._confirm if need else None,
            random.Random(1),
            is_sure=self.sure.__contains__,
            shown=self.at.get,
            now=lambda: NOW,
        )

    async def _confirm(self, shards: object) -> object:
        assert isinstance(shards, list)
        self.confirmed.append(shards)
        return await self.engine.confirm(shards)

    async def take(self, shard: str = SHARD) -> Lease:
        lease = await self.owner.take(shard, (await self.owner.look([shard]))[shard], "b")
        assert lease is not None
        return lease

    def commit(self, lease: Lease, device: Device, seq: int = 1, shard: str = SHARD) -> None:
        """At the master, whose replicas do not have it yet; and shown here at once."""
        [master] = self.servers.masters
        assert master is not None
        put = Put(Table.DEVICE, device.dev_eui, b"%d" % seq, 1.0)
        one = Commit(shard, lease.token, seq, outcome([put]), b"")
        master.run([lambda data, now_ms, ring: data.commit(one, ring)])
        self.at[shard] = (lease.epoch, seq)
        self.desk.changed(device)


@asynccontextmanager
async def kit_with(need: int = 1) -> AsyncIterator[Kit]:
    kit = Kit(need)
    await kit.owner.open()
    await kit.engine.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kit.desk.run)
        yield kit
        nursery.cancel_scope.cancel()


async def test_what_no_replica_has_is_not_handed_over_before_one_has_it(
    autojump_clock: object,
) -> None:
    async with kit_with() as kit:
        kit.commit(await kit.take(), asking())
        await trio.sleep(SLOW_S / 2)
        assert kit.told.given == []
        assert len(kit.desk) == 1
        await trio.sleep(SLOW_S)
        assert kit.told.given == [(LIGHT, 1)]
        assert len(kit.desk) == 0
        assert kit.confirmed == [[SHARD]]


async def test_what_a_failover_takes_is_never_handed_over(autojump_clock: object) -> None:
    async with kit_with() as kit:
        lease = await kit.take()
        await trio.sleep(2 * SLOW_S)
        kit.commit(lease, asking())
        await trio.sleep(SLOW_S / 2)
        kit.servers.fail_over()
        await trio.sleep(10.0)
        assert kit.told.given == []
        kit.at[SHARD] = (lease.epoch, 0)  # read anew: it asks for nothing
        kit.desk.changed(Device(dev_eui=LIGHT))
        await trio.sleep(10.0)
        assert kit.told.given == []
        assert len(kit.desk) == 0


async def test_what_the_next_owner_has_found_is_handed_over_once_its_shard_was_read_anew(
    autojump_clock: object,
) -> None:
    async with kit_with() as kit:
        device = asking()
        first = await kit.take()
        again = await kit.take()
        kit.at[SHARD] = (first.epoch, 1)
        kit.desk.changed(device)
        await trio.sleep(10.0)
        assert kit.told.given == [], "what is shown is of an epoch that is over"
        kit.at[SHARD] = (again.epoch, 0)  # and the light's record is the same
        await trio.sleep(1.0)
        assert kit.told.given == [(LIGHT, 1)]


async def test_a_newer_record_takes_the_place_of_one_that_waits(autojump_clock: object) -> None:
    async with kit_with() as kit:
        lease = await kit.take()
        kit.commit(lease, asking(number=1), 1)
        await trio.sleep(SLOW_S / 3)
        kit.commit(lease, asking(number=2), 2)
        await trio.sleep(10.0)
        assert kit.told.given == [(LIGHT, 2)]
        kit.commit(lease, asking(number=3), 3)
        kit.commit(lease, Device(dev_eui=LIGHT), 4)
        await trio.sleep(10.0)
        assert kit.told.given == [(LIGHT, 2)]
        assert kit.told.withdrawn == [LIGHT]


async def test_all_that_wait_are_confirmed_by_one_call(autojump_clock: object) -> None:
    async with kit_with() as kit:
        first, second = await kit.take(SHARD), await kit.take(OTHER)
        kit.commit(first, asking(LIGHT))
        kit.commit(second, asking(FAR), shard=OTHER)
        await trio.sleep(10.0)
        assert sorted(kit.told.given) == sorted([(LIGHT, 1), (FAR, 1)])
        assert kit.confirmed == [[SHARD, OTHER]]


async def test_what_this_process_owns_was_confirmed_before_it_is_shown() -> None:
    async with kit_with() as kit:
        kit.sure.add(SHARD)
        kit.desk.changed(asking())
        assert kit.told.given == [(LIGHT, 1)]
        assert kit.confirmed == []


async def test_what_waits_of_a_shard_that_came_to_this_process_needs_no_further_word(
    autojump_clock: object,
) -> None:
    async with kit_with() as kit:
        kit.desk.changed(asking())  # of a shard that is not shown by a known commit now
        await trio.sleep(1.0)
        assert kit.told.given == []
        kit.sure.add(SHARD)
        await trio.sleep(1.0)
        assert kit.told.given == [(LIGHT, 1)]


async def test_where_no_replica_is_asked_for_nothing_waits() -> None:
    async with kit_with(need=0) as kit:
        kit.desk.changed(asking())
        assert kit.told.given == [(LIGHT, 1)]


async def test_what_gives_the_dispatcher_nothing_asks_the_engine_nothing(
    autojump_clock: object,
) -> None:
    async with kit_with() as kit:
        lease = await kit.take()
        kit.commit(lease, asking(), 1)
        await trio.sleep(10.0)
        attempt = asking().attempt
        assert attempt is not None
        held = replace(attempt, stage=Stage.HELD, reason="why")
        kit.commit(lease, Device(dev_eui=LIGHT, attempt=held), 2)
        kit.commit(lease, Device(dev_eui=FAR), 1, OTHER)
        await trio.sleep(10.0)
        assert kit.told.given == [(LIGHT, 1)]
        assert len(kit.confirmed) == 1


async def test_a_new_dispatcher_is_given_what_is_open_once_it_is_confirmed(
    autojump_clock: object,
) -> None:
    async with kit_with() as kit:
        kit.commit(await kit.take(), asking())
        await trio.sleep(10.0)
        kit.sure.add(OTHER)
        kit.told.given.clear()
        kit.desk.start([asking(LIGHT), asking(FAR)])
        assert kit.told.given == [(FAR, 1)]
        await trio.sleep(10.0)
        assert kit.told.given == [(FAR, 1), (LIGHT, 1)]
        kit.desk.changed(asking(LIGHT, 2))
        kit.desk.removed(LIGHT)
        await trio.sleep(10.0)
        assert len(kit.desk) == 0
        assert kit.told.withdrawn == [LIGHT]


async def test_an_engine_that_confirms_nothing_is_asked_less_and_less_often(
    autojump_clock: object,
) -> None:
    async with kit_with() as kit:
        kit.commit(await kit.take(), asking())
        kit.servers.stop()
        with pytest.raises(StoreUnavailable):
            await kit.engine.confirm([SHARD])
        await trio.sleep(60.0)
        assert kit.told.given == []
        assert 30 < len(kit.confirmed) < 90
        kit.servers.go_on()
        await trio.sleep(3.0)
        assert kit.told.given == [(LIGHT, 1)]


@pytest.mark.parametrize("need", [0, 1])
@pytest.mark.parametrize("apart_s", [-90_000.0, -60.0, 60.0, 90_000.0])
async def test_how_long_a_command_has_left_is_counted_by_the_clock_of_its_own_process(
    autojump_clock: object, need: int, apart_s: float
) -> None:
    """A day and an hour are more than the life of a command: a dispatcher whose clock is ahead by
    that took each for expired."""
    async with kit_with(need) as kit:
        its_now = NOW - apart_s
        device = asking()
        assert device.attempt is not None
        attempt = replace(
            device.attempt,
            submitted_at=its_now,
            not_before=its_now + 8.0,
            expires_at=its_now + 600.0,
        )
        device = replace(device, stepped_at=its_now, attempt=attempt)
        kit.commit(await kit.take(), device)
        await trio.sleep(2 * SLOW_S)
        given = kit.told.attempt
        assert (given.submitted_at, given.not_before) == (NOW, NOW + 8.0)
        assert given.expires_at == NOW + 600.0

        kit.sure.add(SHARD)
        kit.desk.start([device])
        assert kit.told.attempt == attempt, "of one that was made long ago nothing can be told"


async def test_a_record_that_is_a_little_late_keeps_its_dates(autojump_clock: object) -> None:
    async with kit_with(0) as kit:
        device = replace(asking(), stepped_at=NOW - 5.0)
        kit.commit(await kit.take(), device)
        assert kit.told.attempt == device.attempt
