"""The engine as one process sees it."""

from collections.abc import Callable, Mapping, Sequence

import trio

from store.engine.memory.data import Data, Ring
from store.engine.memory.servers import META, Master, Script, replies_to
from store.engine.memory.way import Way
from store.engine.port import (
    Accept,
    AcceptResult,
    Commit,
    FeedEntry,
    InboxEntry,
    Lease,
    Member,
    Post,
    Reading,
    Result,
    Snapshot,
)
from store.errors import StoreClosed, StoreError, StoreTaken
from store.port import ALL_STREAMS, Entry, Record, Streams, Table


class MemoryEngine(Way):
    """An `Engine` on `MemoryServers`; what may go wrong on the way is told by `Way`."""

    @property
    def durability_warnings(self) -> Sequence[str]:
        """Why an acknowledged commit may be lost here: always, and why."""
        return ("memory: nothing survives the end of the process",)

    async def open(self) -> None:
        """Connect; idempotent."""
        if self.is_closed:
            raise StoreClosed("memory: the engine is closed")
        self.is_open = True
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        """Refuse everything from now on; idempotent."""
        self.is_closed = True
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def time(self) -> float:
        """The engine's clock, Unix seconds."""
        return await self.read_one("time", (), META, lambda _data: self.servers.wall())

    # --------------------------------------------------------------------- leases and members

    async def look(self, shards: Sequence[str]) -> Mapping[str, Lease]:
        """The leases of these shards."""
        return await self.read_each(
            "look", shards, lambda data, shard: data.shard(shard).lease, some=True
        )

    async def confirm(self, shards: Sequence[str]) -> Mapping[str, Lease]:
        """The leases of these shards, once replicas have all that was stored of them until now."""

        def script(shard: str) -> Script:
            return lambda data, _now_ms, _ring: data.shard(shard).lease

        answers = await self.write("confirm", [(shard, script(shard)) for shard in shards])
        return {
            shard: answer
            for shard, answer in zip(shards, answers, strict=True)
            if not isinstance(answer, StoreError)
        }

    async def take(self, shard: str, seen: Lease, boot: str) -> Lease | None:
        """Become the owner, if the lease has not moved since it was `seen`; else None."""
        leap = self._leaps.next(boot)

        def script(data: Data, now_ms: int, _ring: Ring) -> Lease | None:
            return data.take(shard, seen, boot, leap, now_ms)

        [lease] = await self.write("take", [(shard, script)])
        return lease  # type: ignore[no-any-return]

    async def renew(self, tokens: Mapping[str, str]) -> Mapping[str, Result]:
        """Raise the beat of these shards, by token: DONE, or FENCED. All of them in one go."""

        def script(shard: str, token: str) -> Script:
            return lambda data, _now_ms, _ring: data.renew(shard, token)

        answers = await self.write("renew", [(s, script(s, t)) for s, t in tokens.items()])
        return {
            shard: answer
            for shard, answer in zip(tokens, answers, strict=True)
            if not isinstance(answer, StoreError)
        }

    async def give(self, shard: str, token: str) -> bool:
        """Own it no more, and ring; False where the token is not the shard's any more."""
        [given] = await self.write(
            "give", [(shard, lambda data, _now_ms, ring: data.give(shard, token, ring))]
        )
        return bool(given)

    async def tell_member(self, member: Member) -> None:
        """Show this process to the others. Not durable."""

        def script(data: Data, _now_ms: int, _ring: Ring) -> None:
            data.members[member.boot] = member

        await self.write("tell_member", [(META, script)], need=0)

    async def members(self) -> Sequence[Member]:
        """Every process that was told of and did not leave, dead ones too."""
        return await self.read_one(
            "members", (), META, lambda data: [one for _, one in sorted(data.members.items())]
        )

    async def forget_member(self, boot: str) -> None:
        """It left, or is long dead."""

        def script(data: Data, _now_ms: int, _ring: Ring) -> None:
            data.members.pop(boot, None)

        await self.write("forget_member", [(META, script)], need=0)

    # ---------------------------------------------------------------------------- commits

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Result | StoreError]:
        """Carry out commits, of one shard in the order of their numbers; one answer for each."""

        def script(commit: Commit) -> Script:
            return lambda data, _now_ms, ring: data.commit(commit, ring)

        return await self.write("commit", [(one.shard, script(one)) for one in commits])

    async def accept(self, accepts: Sequence[Accept]) -> Sequence[AcceptResult | StoreError]:
        """Store commands and put them into inboxes, whoever owns the shards; one answer for each.

        The same command id again changes nothing and is KNOWN.
        """

        def script(accept: Accept) -> Script:
            return lambda data, now_ms, ring: data.accept(accept, now_ms, ring)

        return await self.write("accept", [(one.shard, script(one)) for one in accepts])

    async def prune(
        self,
        shard: str,
        token: str,
        *,
        tables: Sequence[Table],
        before: float,
        most: int,
        which: Streams = ALL_STREAMS,
    ) -> int:
        """As `Store.prune`, of one shard. Raises StoreTaken where the token is not its any more."""

        def script(data: Data, _now_ms: int, _ring: Ring) -> int | None:
            return data.prune(shard, token, tables, before, most, which)

        [gone] = await self.write("prune", [(shard, script)])
        if gone is None:
            raise StoreTaken(f"memory: shard {shard} is owned by another process")
        return int(gone)

    # ---------------------------------------------------------------------- inboxes and feeds

    async def post(self, posts: Sequence[Post]) -> Sequence[bool | None]:
        """Put messages into inboxes; False for each that had no room. Waits for no replica."""

        def script(post: Post) -> Script:
            return lambda data, now_ms, ring: data.post(post.shard, post.message, now_ms, ring)

        answers = await self.write("post", [(one.shard, script(one)) for one in posts], need=0)
        return [None if isinstance(answer, StoreError) else answer for answer in answers]

    async def read_inboxes(
        self, after: Mapping[str, str], most: int
    ) -> Mapping[str, Sequence[InboxEntry]]:
        """Of each of these shards up to `most` entries after this id, oldest first."""
        return await self.read_each(
            "read_inboxes",
            list(after),
            lambda data, shard: data.shard(shard).inbox.after(after[shard], most),
            some=True,
        )

    async def read_feeds(
        self, after: Mapping[str, tuple[int, int]], most: int
    ) -> Mapping[str, Sequence[FeedEntry]]:
        """Of each of these shards up to `most` entries after this (epoch, seq), oldest first."""
        return await self.read_each(
            "read_feeds",
            list(after),
            lambda data, shard: _feed(data, shard, after[shard], most),
            some=True,
        )

    async def reply(self, boot: str, message: bytes) -> None:
        """A message to one process; lost where it is dead. Kept for 60 s."""

        def script(data: Data, now_ms: int, ring: Ring) -> None:
            data.reply(boot, message, now_ms, ring)

        await self.write("reply", [(replies_to(boot), script)], need=0)

    async def replies(self, boot: str, after: str, most: int) -> Sequence[InboxEntry]:
        """The messages to this process after this id, oldest first."""

        def read(data: Data) -> list[InboxEntry]:
            stream = data.replies.get(boot)
            return stream.after(after, most) if stream is not None else []

        return await self.read_one("replies", (boot,), replies_to(boot), read)

    async def hear(
        self,
        ring: Callable[[str], None],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Call `ring` with the name of a shard or a process, until cancelled."""
        self.check()

        def rung(master: Master, name: str) -> None:
            part = self.servers.part_of_bell(name)
            heard = master is self.connected.get(part, master) and part not in self.parted
            if heard and not self.cut_off and not self.deaf and self.hears(name):
                ring(name)

        self.servers.listeners.append(rung)
        try:
            task_status.started()
            await trio.sleep_forever()
        finally:
            self.servers.listeners.remove(rung)

    # ------------------------------------------------------------------------------ reading

    async def snapshot(self, shard: str, tables: Sequence[Table]) -> Snapshot:
        """These tables of a shard and its lease, at one instant."""

        def read(data: Data) -> Snapshot:
            one = data.shard(shard)
            return Snapshot(one.lease, {table: one.disk.records(table) for table in tables})

        return await self.read_one("snapshot", (shard,), shard, read)

    async def read(self, shard: str, table: Table, keys: Sequence[str]) -> Reading:
        """A record of this table for each key, and the shard's lease, at one instant."""

        def read(data: Data) -> Reading:
            one = data.shard(shard)
            return Reading(one.lease, [one.disk.record(table, key) for key in keys])

        return await self.read_one("read", (shard,), shard, read)

    async def get(self, keys: Sequence[tuple[str, Table, str]]) -> Sequence[Record | None]:
        """One record for each (shard, table, key)."""
        found = await self.read_each(
            "get",
            list(dict.fromkeys(shard for shard, _, _ in keys)),
            lambda data, shard: {
                (table, key): data.shard(shard).disk.record(table, key)
                for name, table, key in keys
                if name == shard
            },
        )
        return [found[shard][table, key] for shard, table, key in keys]

    async def streams(self, shard: str) -> Sequence[str]:
        """The names of a shard's streams that hold entries."""
        found = await self.read_each(
            "streams", [shard], lambda data, name: data.shard(name).disk.streams()
        )
        return found[shard]

    async def entries(
        self,
        shards: Sequence[str],
        stream: str,
        *,
        since: float,
        until: float,
        most: int,
        newest_first: bool = True,
    ) -> Sequence[Entry]:
        """As `Store.entries`, merged over these shards."""
        each = await self.read_each(
            "entries",
            shards,
            lambda data, shard: data.shard(shard).disk.entries(stream, since, until),
        )
        found = [entry for entries in each.values() for entry in entries]
        found.sort(key=lambda entry: (entry.at, entry.entry), reverse=newest_first)
        return found[: max(most, 0)]


def _feed(data: Data, name: str, after: tuple[int, int], most: int) -> list[FeedEntry]:
    entries = data.shard(name).feed
    return [one for one in entries if (one.epoch, one.seq) > after][: max(most, 0)]
