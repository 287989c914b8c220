"""The oracle of a cluster: what the engine has is what is stored, in whichever line of history.

A failover sets the engine back, and owners write again what it lost: a value that was stored before
is no news when it comes again. A house may show what is a little old, never what was not stored.

A verdict that a failover took comes back by whoever had acknowledged it. Only where that house is
gone, or does not answer, may the command go on from what the engine has, to another outcome.
"""

from collections import deque
from collections.abc import Collection

import trio

from actors.device.command import Command, CommandStatus
from actors.device.model import Device
from actors.device.records import command_record
from actors.storage.record_version import stamped
from simulation.harness.facts import DeviceFacts
from simulation.harness.oracle import Oracle, _commands, _devices, _encoder, mark_of
from simulation.harness.trace import Trace
from simulation.world.device import ServerDevice
from simulation.world.queue import QueueEntry
from simulation.world.world import World
from store.engine.memory import Master, MemoryServers
from store.engine.port import Accept, Accepted, AcceptResult, Commit
from store.engine.shards import shard_of
from store.memory import MemoryDisk
from store.port import Put, Table, Write

Mark = tuple[int, bytes]
STORED_KEPT = 64
"""Of one light: a frame goes out within seconds of being stored, unless it is held, and then it is
stored anew."""


class ClusterOracle(Oracle):
    """One for all houses."""

    def __init__(self, world: World, trace: Trace, servers: MemoryServers, need: int) -> None:
        super().__init__(world, trace)
        self.twice: dict[str, int] = {}
        """By light: enqueues that a house was stopped in front of; each may be one too many."""
        self.promised: dict[str, Command] = {}
        """Accepted by an old master only: it must come to the new one."""
        self._servers = servers
        self._need = need
        self._excused: set[str] = set()
        self._taken: dict[str, tuple[Command | None, CommandStatus]] = {}
        """By command whose verdict a failover took: what the engine has of it, and that verdict."""
        self._set_back: set[str] = set()
        """Commands that a failover took as a whole, whether they came back or not."""
        self._asked_by: dict[str, str] = {}
        """Which house, by its boot, accepted a command."""
        self._asked_s: dict[str, float] = {}
        """When any master stored a command first."""
        self._seen: set[tuple[str, bytes]] = set()
        """Stored by any master; `_judged` by one that everybody finds."""
        self._judged: set[tuple[str, bytes]] = set()
        self._attempted_at: dict[str, deque[tuple[Mark, Master, int]]] = {}
        """By light: what is to be sent, who stored that, and how much that master had then."""

    # ---------------------------------------------------------------- the engine

    def carried_out(self, master: Master, commit: Commit) -> None:
        """A commit, by any master."""
        outcome = commit.outcome
        self._stored_by(master, commit.shard, [*outcome.puts, *outcome.deletes, *outcome.appends])

    def accepted_by(self, master: Master, accept: Accept, answer: AcceptResult) -> None:
        """A command was stored, whoever owns its light."""
        if answer.accepted is Accepted.STORED:
            if accept.by:  # a repetition has nobody's
                self._asked_by.setdefault(accept.command_id, accept.by)
            self._asked_s.setdefault(accept.command_id, trio.current_time())
            put = Put(Table.COMMAND, accept.command_id, accept.record, accept.at)
            self._stored_by(master, accept.shard, [put])

    def _stored_by(self, master: Master, shard: str, writes: list[Write]) -> None:
        fresh: list[Write] = []
        current = self._servers.masters[self._servers.part_of(shard)] is master
        for write in writes:
            if isinstance(write, Put) and write.table is Table.DEVICE and self._need:
                self._to_be_copied(master, write)
            elif isinstance(write, Put) and not current and not self._need:
                self._attempted(write)
            if not isinstance(write, Put) or write.table not in {Table.COMMAND, Table.DEVICE}:
                fresh.append(write)
            elif not current:
                self._seen.add((write.key, write.value))  # may be shown, and be judged later
            elif (write.key, write.value) not in self._judged:
                self._seen.add((write.key, write.value))
                self._judged.add((write.key, write.value))
                fresh.append(write)
            else:
                self.counts["stored again"] += 1
                self._again(write)
        if current:
            self.committed(fresh)

    def _first_seen(self, command: Command) -> None:
        """In the order in which they were asked for: what an old master alone had may come to the
        new one behind what is newer."""
        super()._first_seen(command)
        facts = self.lights.get(command.dev_eui)
        if facts is not None:
            facts.commands.sort(key=lambda one: self._asked_s.get(one.id, one.since_s))
            for order, known in enumerate(facts.commands):
                known.order = order

    def _to_be_copied(self, master: Master, write: Put) -> None:
        device = _devices.decode(write.value) if write.key in self.lights else None
        if device is not None and device.attempt is not None:
            stored = self._attempted_at.setdefault(write.key, deque(maxlen=STORED_KEPT))
            stored.append((mark_of(device.attempt), master, master.written + 1))

    def calls_enqueue(self, dev_eui: str, data: bytes, expires_at: float) -> None:
        """Nothing is sent that only a master has, where a replica has to confirm."""
        super().calls_enqueue(dev_eui, data, expires_at)
        if not self._need or dev_eui not in self.lights:
            return
        micros = round((expires_at % 1.0) * 1e6) % 1_000_000
        if not any(
            sent == data and abs(mark - micros) <= 1 and master.copied_to(upto) >= self._need
            for (mark, sent), master, upto in self._attempted_at.get(dev_eui, ())
        ):
            self.breaks(dev_eui, "a frame was sent of which no replica had anything")

    def _attempted(self, write: Put) -> None:
        """What an old master alone has stored counts, where no replica has to confirm it."""
        facts = self.lights.get(write.key)
        if facts is not None:
            device = _devices.decode(write.value)
            if device.attempt is not None:
                facts.attempts.add(mark_of(device.attempt))

    def _again(self, write: Put) -> None:
        facts = self.lights.get(write.key)
        if facts is not None:
            facts.stored, facts.record = write.value, _devices.decode(write.value)
        known = self.commands.get(write.key)
        if known is not None:
            command = _commands.decode(write.value)
            if command.status.final:
                self._taken.pop(known.id, None)
            elif known.status.final and known.id not in self._taken:
                self.breaks(
                    known.dev_eui,
                    f"a command that was {known.status} is {command.status} again, and no failover"
                    " took its verdict",
                )
            known.newest = command

    def _judge(self, command: Command) -> None:
        known = self.commands.get(command.id)
        before, verdict = self._taken.get(command.id, (None, command.status))
        if known is not None and command.status is verdict:
            self._taken.pop(command.id, None)
        elif known is not None and known.dev_eui in self._excused:
            self.counts["verdicts lost with whoever knew them"] += 1
            del self._taken[command.id]
            known.newest, known.ended_s = before or command, None
        elif known is not None:
            self.breaks(known.dev_eui, f"a command that was {verdict} became {command.status}")
        super()._judge(command)

    def _pursued_since(self, facts: DeviceFacts, device: Device) -> float | None:
        """A command is stored before its light hears of it."""
        wanted = device.pursuit.command_id if device.pursuit is not None else ""
        return next((one.since_s for one in facts.commands if one.id == wanted), 0.0)

    def set_back(self, dev_eui: str) -> None:
        """A failover took something of this light."""
        disk = self.data_of(dev_eui)
        for known in self.lights[dev_eui].commands:
            record = disk.record(Table.COMMAND, known.id)
            stored = None if record is None else _commands.decode(record.value)
            if stored is None:
                self._set_back.add(known.id)
            if known.status.final and stored != known.newest:
                self._taken[known.id] = stored, known.status

    def excuse(self, dev_eui: str) -> None:
        """Whoever knew what a failover took of this light is gone, or does not answer now: it may
        be lost, and it may come back."""
        self._excused.add(dev_eui)

    def settle(self) -> None:
        """What may be lost, and did not come back, is lost: what the engine has is true. Of a
        command that nobody was told of that holds always."""
        for dev_eui, facts in self.lights.items():
            disk = self.data_of(dev_eui)
            for known in list(facts.commands):
                if not known.told and disk.record(Table.COMMAND, known.id) is None:
                    facts.commands.remove(known)
                    self.counts["commands lost that were never acknowledged"] += 1
        for dev_eui in sorted(self._excused):
            facts, disk = self.lights[dev_eui], self.data_of(dev_eui)
            record = disk.record(Table.DEVICE, dev_eui)
            if record is None:
                facts.stored = facts.record = None
            else:
                facts.stored, facts.record = record.value, _devices.decode(record.value)
            for known in list(facts.commands):
                stored = disk.record(Table.COMMAND, known.id)
                if stored is None:
                    facts.commands.remove(known)
                    self.counts["commands lost with whoever knew them"] += 1
                else:
                    known.newest = _commands.decode(stored.value)
        self._excused.clear()

    def data_of(self, dev_eui: str) -> MemoryDisk:
        """The records of the shard of a light, where everybody will look for them."""
        shard = shard_of(dev_eui)
        master = self._servers.masters[self._servers.part_of(shard)]
        assert master is not None  # noqa: S101 - a part always has one in the simulation
        return master.data.shard(shard).disk

    def who_accepted_what_is_lost(self, dev_eui: str) -> set[str]:
        """The boots of the houses that accepted commands of this light which the engine lacks as a
        whole; empty where it has all of them."""
        disk = self.data_of(dev_eui)
        return {
            self._asked_by.get(known.id, "")
            for known in self.lights[dev_eui].commands
            if disk.record(Table.COMMAND, known.id) is None
        }

    def missing(self, dev_eui: str) -> str | None:
        """What of a light was stored and is not in the engine."""
        facts, disk = self.lights[dev_eui], self.data_of(dev_eui)
        record = disk.record(Table.DEVICE, dev_eui)
        if facts.stored is not None and (record is None or record.value != facts.stored):
            return f"the record of {dev_eui}"
        for known in facts.commands:
            stored = disk.record(Table.COMMAND, known.id)
            if stored is None or _commands.decode(stored.value) != known.newest:
                return f"command #{known.order} ({known.status})"
        return None

    # ---------------------------------------------------------------- what is said and done

    def published(self, what: object) -> None:
        """Nothing is shown that was not stored; how old it may be is looked at in the end."""
        if isinstance(what, Device):
            facts = self.lights.get(what.dev_eui)
            if facts is None:
                return
            fresh = what.attempt is None and what.command is None
            value = stamped(_encoder.encode(what))
            if not fresh and (what.dev_eui, value) not in self._seen:
                self.breaks(what.dev_eui, "a state was shown that was never stored")
        elif isinstance(what, Command) and (what.id, command_record(what)) not in self._seen:
            self.breaks(what.dev_eui, "a command was shown as it was never stored")

    def accepted(self, command: Command) -> None:
        """A caller was told that its command is accepted."""
        if command.id in self.commands:
            super().accepted(command)
        else:
            self.promised[command.id] = command

    def by_one_key(self, dev_eui: str, made: Collection[str]) -> None:
        """Two only where no replica had to confirm the first, and a failover took it."""
        if not self._need and len(made) == 2 and not self._set_back.isdisjoint(made):
            self.counts["keys that a failover set free"] += 1
        else:
            super().by_one_key(dev_eui, made)

    def enqueued(self, device: ServerDevice, entry: QueueEntry) -> None:
        """At most one item of ours in the queue, and one for each time that a house was stopped
        between the guard of its lease and the enqueue."""
        dev_eui = device.info.dev_eui
        ours = sum(not item.foreign for item in device.queue)
        self.note(dev_eui, "in queue", entry.data.hex(), "foreign" if entry.foreign else "")
        if ours > 1 + self.twice.get(dev_eui, 0):
            self.breaks(dev_eui, f"{ours} items of ours are in the server's queue")
