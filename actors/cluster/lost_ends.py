"""Finds the commands that would stay open for ever where a shard that was set back is taken again.

Theory. What the engine has is a state that once was: each open command is that of its light, or it
waits in the inbox. What is put over it comes from memory, which has read, or made, later steps. The
commits by which these commands ended may be in no memory any more: their owner gave the shard, told
us by the feed or the record what it had stored, and is gone. So before it is put over, what is
there is read once more, and the commands that no light of ours pursues get their end: the one that
was shown here, or else the one that follows from their light's record (`lost_end.py`).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from actors.clocks.clock import Clock
from actors.cluster.inbox import READ_MOST
from actors.cluster.light_side import GONE, rejected
from actors.cluster.messages import command_in
from actors.cluster.unconfirmed import InboxEngine
from actors.device.command import Command
from actors.device.events import CommandRequested
from actors.device.lost_end import lost_end
from actors.device.model import Device
from actors.device.records import command_writes, read_command, read_device
from actors.device.requests import known_ids
from store.engine.places import is_older
from store.engine.port import Lease, Snapshot
from store.errors import StoreUnavailable
from store.port import Record, Table, Write


class LostEndsEngine(InboxEngine, Protocol):
    """What is needed of the engine."""

    async def snapshot(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """These tables of a shard and its lease, at one instant."""
        ...

    async def get(self, keys: Sequence[tuple[str, Table, str]]) -> Sequence[Record | None]:
        """One record for each (shard, table, key)."""
        ...


class Shown(Protocol):
    """The board of this process."""

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every light by DevEUI."""
        ...

    def command(self, command_id: str) -> Command | None:
        """An open command, or one that ended lately."""
        ...

    def publish(self, subject: Command) -> None:
        """Show this from now on."""
        ...


class LostEnds:
    """For `ShardStore.listen`. `knows` tells whether the lights of a shard were read under our
    lease, `announce` returns once all that was committed of a shard is durable, and `stored` reads
    what that is."""

    def __init__(
        self,
        engine: LostEndsEngine,
        board: Shown,
        clock: Clock,
        knows: Callable[[str], bool],
        announce: Callable[[str], Awaitable[None]],
        stored: Callable[[str, Table, Sequence[str]], Awaitable[Sequence[Record | None]]],
    ) -> None:
        self._engine = engine
        self._board = board
        self._clock = clock
        self._knows = knows
        self._announce = announce
        self._stored = stored
        self._found: dict[str, list[Command]] = {}

    async def of(self, shard: str, found: Lease) -> Sequence[Write]:
        """What is to be written where the shard is taken from this lease. Raises StoreError, and
        StoreUnavailable where the lease has moved."""
        self._found.pop(shard, None)
        if not self._knows(shard):
            return ()  # its lights are not read yet: nothing is put over what is there
        snapshot = await self._engine.snapshot(shard, (Table.DEVICE,))
        if snapshot.lease.moved_by != found.moved_by:
            raise StoreUnavailable(f"shard {shard}: its lease moves")
        candidates = list(_open_commands(snapshot.tables[Table.DEVICE]))
        candidates += await self._overtaken(shard, found.inbox_mark)
        now = self._clock.now()
        ends = {one.id: end for one in candidates if (end := self._end(one, now)) is not None}
        self._found[shard] = list(ends.values())
        return [write for end in ends.values() for write in command_writes(end, now)]

    def shown(self, command_id: str) -> Command | None:
        """A command as it ended, where that is shown here."""
        command = self._board.command(command_id)
        return command if command is not None and command.status.final else None

    async def show(self, shard: str) -> None:
        """Show what was found, once it is stored, and as it is: a light that crashed may have ended
        a command, and not shown it. Raises StoreUnavailable: again, then, and StoreTaken where
        others own the shard."""
        found = self._found.get(shard)
        if not found:
            return
        await self._announce(shard)
        records = await self._stored(shard, Table.COMMAND, [command.id for command in found])
        if self._found.get(shard) is found:
            del self._found[shard]
            for command in _readable(records):
                # Shown: its light may have come to it since.
                if command.status.final and self.shown(command.id) is None:
                    self._board.publish(command)

    async def _overtaken(self, shard: str, after: str) -> list[Command]:
        """The commands in the inbox that their lights have dealt with: our mark is beyond them."""
        ids: list[str] = []
        while True:
            entries = (await self._engine.read_inboxes({shard: after}, READ_MOST))[shard]
            for entry in entries:
                taken = command_in(entry)
                light = None if taken is None else self._board.devices.get(taken.dev_eui)
                if taken is not None and light is not None and _told(light, taken.request):
                    ids.append(taken.request.command_id)
            if len(entries) < READ_MOST:
                break
            after = entries[-1].id
        records = await self._engine.get([(shard, Table.COMMAND, one) for one in ids])
        return [command for command in _readable(records) if not command.status.final]

    def _end(self, command: Command, now: float) -> Command | None:
        shown, light = self.shown(command.id), self._board.devices.get(command.dev_eui)
        if shown is not None:
            return shown
        return rejected(command, GONE, now) if light is None else lost_end(light, command, now)


def _readable(records: Sequence[Record | None]) -> Iterator[Command]:
    """Those that are there; a newer program's are not ours to end."""
    for record in records:
        if record is not None:
            with suppress(msgspec.MsgspecError):
                yield read_command(record)


def _open_commands(records: Sequence[Record]) -> Iterator[Command]:
    for record in records:
        try:
            command = read_device(record).command
        except msgspec.MsgspecError:
            continue
        if command is not None and not command.status.final:
            yield command


def _told(light: Device, request: CommandRequested) -> bool:
    """Whether the light was told of this command, or of a newer one."""
    if request.command_id in {*known_ids(light), *light.withdrawn}:
        return True
    newest = light.newest
    return bool(request.place and newest and is_older(request.place, newest.place, request.line))
