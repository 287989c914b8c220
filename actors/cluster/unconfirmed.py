"""Commands in an inbox that no replica has yet, where replicas must confirm.

Theory. A master that was replaced may go on taking commands for some seconds, none of which a
replica confirms, so that no caller is told that they are accepted. They come to the new master
later, by whoever repeats them, behind what that took meanwhile and callers were told of. A light
that had one of them already would go back to the older command. So a command waits until it is
confirmed, which takes one call for all shards of a reading, some 1 ms; events do not.

What was read is read once more after that: the master that confirmed may be another one than the
one that was read, and confirms what itself has.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from actors.cluster.messages import command_in
from store.engine.port import InboxEntry, Lease
from store.errors import StoreUnavailable

Confirm = Callable[[Sequence[str]], Awaitable[Mapping[str, Lease]]]
"""See `Engine.confirm`."""


class InboxEngine(Protocol):
    """What is needed of the engine."""

    async def read_inboxes(
        self, after: Mapping[str, str], most: int
    ) -> Mapping[str, Sequence[InboxEntry]]:
        """Of each of these shards up to `most` entries after this id, oldest first."""
        ...


class Unconfirmed:
    """Tells of what was read whether it may be handed on. Without `confirm` all of it may."""

    def __init__(self, engine: InboxEngine, confirm: Confirm | None) -> None:
        self._engine = engine
        self._confirm = confirm
        self._unsure: set[str] = set()
        """Shards of the last answers, 65 at most: asked for after the others, who may have to wait
        for nobody."""

    async def among(
        self,
        found: Mapping[str, Sequence[InboxEntry]],
        after: Mapping[str, str],
        most: int,
        is_new: Callable[[str, InboxEntry], bool],
        take: Callable[[str], Awaitable[None]],
    ) -> set[str]:
        """The shards of which commands were read that replicas are not known to have.

        `found` was read after these ids, `most` entries of a shard; `is_new` says whether an entry
        is to be handed on. `take` is called with each of the other shards as soon as that is sure:
        what is no command does not wait for replicas, nor anything for those of another server.
        """
        asked = [
            shard
            for shard, entries in found.items()
            if self._confirm and any(is_new(shard, one) and command_in(one) for one in entries)
        ]
        for shard in [shard for shard in found if shard not in asked]:
            await take(shard)
        unsure = set(asked)
        for doubtful in (False, True):
            some = [shard for shard in asked if (shard in self._unsure) is doubtful]
            for shard in await self._sure({shard: found[shard] for shard in some}, after, most):
                unsure.discard(shard)
                await take(shard)
        self._unsure = (self._unsure - found.keys()) | unsure
        return unsure

    async def _sure(
        self, found: Mapping[str, Sequence[InboxEntry]], after: Mapping[str, str], most: int
    ) -> list[str]:
        """Those of which replicas have all that was read."""
        if self._confirm is None or not found:
            return []
        try:
            confirmed = await self._confirm(list(found))
            begins = {shard: after[shard] for shard in found if shard in confirmed}
            again = await self._engine.read_inboxes(begins, most) if begins else {}
        except StoreUnavailable:
            return []
        return [
            shard
            for shard, entries in found.items()
            if list(again.get(shard, ()))[: len(entries)] == list(entries)
        ]
