"""What was acknowledged to somebody, and what of it must be in the engine at the end.

What a failover took is made good by whoever knows it: the owner of the shard, or the process that
accepted the command. It may be lost only with that process: one that was killed, or that stood
still or was parted from the engine while it should have done so.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from store.engine.memory import Master, MemoryServers
from store.port import Table


class Told(msgspec.Struct):
    """The newest that was acknowledged of one key, and by which house (its boot)."""

    value: int
    house: str


class LedgerWatch:
    """Acknowledged counts of lights, and commands by their status."""

    def __init__(
        self, servers: MemoryServers, breaks: Callable[[str, str], None], *, strict: bool
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.lights: dict[tuple[str, str], Told] = {}
        """By shard and DevEUI."""
        self.commands: dict[tuple[str, str], Told] = {}
        """By shard and id: 0 accepted, 1 obeyed."""
        self.owed: dict[tuple[str, Table, str], Told] = {}
        """What a failover took and nobody has brought back yet."""
        self._strict = strict
        """What a replica has confirmed is in every line of history from then on."""
        self._servers = servers
        self._breaks = breaks

    def acknowledged(self, house: str, shard: str, dev_eui: str, count: int) -> None:
        """A light's record is durable, by what its owner was told."""
        known = self.lights.get((shard, dev_eui))
        if known is not None and known.value >= count:
            if self._owner(shard) != house:
                return  # it stood still since then, and is told so only now
            self._breaks(dev_eui, f"{house} stored {count}, {known.value} was acknowledged")
        self.lights[shard, dev_eui] = told = Told(count, house)
        self._owe(shard, Table.DEVICE, dev_eui, told)

    def accepted(self, house: str, shard: str, command_id: str) -> None:
        """A caller was told that its command is accepted."""
        self.counts["accepted"] += 1
        told = self.commands.setdefault((shard, command_id), Told(0, house))
        self._owe(shard, Table.COMMAND, command_id, told)

    def obeyed(self, house: str, shard: str, command_id: str) -> None:
        """Its light has it."""
        self.counts["obeyed"] += 1
        self.commands[shard, command_id] = told = Told(1, house)
        self._owe(shard, Table.COMMAND, command_id, told)

    def failed_over(self, part: int, _old: Master) -> None:
        """Another line of history begins: what was acknowledged and is not in it is owed."""
        for shard, table, key, told in self._all():
            if self._servers.part_of(shard) == part:
                self._owe(shard, table, key, told)

    @property
    def owing(self) -> set[str]:
        """Houses that know something which a failover took."""
        return {told.house for told in self.owed.values()}

    def lost_its_memory(self, house: str) -> None:
        """A house was killed, or could not bring anything back: what it owed may be lost."""
        self._paid()
        for (shard, table, key), told in list(self.owed.items()):
            if told.house == house:
                del self.owed[shard, table, key]
                known = self.lights if table is Table.DEVICE else self.commands
                known.pop((shard, key), None)
                self.counts["lost with the process that knew it"] += 1

    def missing(self) -> list[str]:
        """What was acknowledged and is not there."""
        return [
            f"{shard}: {table} {key} at {told.value}, acknowledged by {told.house}"
            for shard, table, key, told in self._all()
            if not self._there(shard, table, key, told)
        ]

    def disobeyed(self) -> list[tuple[str, str]]:
        """Shard and id of what was accepted and is not obeyed, by what is stored: whoever obeyed
        may have died, or may have been parted, before it was told that this is durable."""
        return [
            (shard, command_id)
            for (shard, command_id), told in self.commands.items()
            if not self._there(shard, Table.COMMAND, command_id, Told(1, told.house))
        ]

    def _owner(self, shard: str) -> str:
        master = self._servers.masters[self._servers.part_of(shard)]
        return "" if master is None else master.data.shard(shard).lease.owner

    def _owe(self, shard: str, table: Table, key: str, told: Told) -> None:
        """It is not where everybody will look for it; that may be an old master's work, too."""
        self.owed.pop((shard, table, key), None)
        if not self._there(shard, table, key, told):
            self.counts["acknowledged, and not there"] += 1
            if self._strict:
                self._breaks(key, f"{told.house} acknowledged what no replica had confirmed")
            self.owed[shard, table, key] = told

    def _paid(self) -> None:
        for (shard, table, key), told in list(self.owed.items()):
            if self._there(shard, table, key, told):
                del self.owed[shard, table, key]

    def _all(self) -> list[tuple[str, Table, str, Told]]:
        lights = [(shard, Table.DEVICE, key, told) for (shard, key), told in self.lights.items()]
        return lights + [
            (shard, Table.COMMAND, key, told) for (shard, key), told in self.commands.items()
        ]

    def _there(self, shard: str, table: Table, key: str, told: Told) -> bool:
        master = self._servers.masters[self._servers.part_of(shard)]
        record = None if master is None else master.data.shard(shard).disk.record(table, key)
        if record is None:
            return False
        stored = msgspec.json.decode(record.value)
        value = stored["count"] if table is Table.DEVICE else int(stored["status"] == "obeyed")
        return bool(value >= told.value)
