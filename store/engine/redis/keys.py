"""The names of our keys in Redis where many processes share a fleet.

All keys of a shard have one hash tag, hence lie on one node of a cluster, and in one script.

    {prefix:07}:lease            hash: token, epoch, owner, beat, seq, in, src, from, line
    {prefix:07}:device           hash key -> at and value, one such hash per table
    {prefix:07}:device:at        zset key by at, for retention
    {prefix:07}:stream:NAME      hash entry -> at and value
    {prefix:07}:at:NAME          zset entry by at, for ranges; ties in order of the entry
    {prefix:07}:streams          zset stream by a lower bound of its oldest at, for retention
    {prefix:07}:in               stream of messages to the owner
    {prefix:07}:feed             stream of what commits told, by `<epoch>-<seq>`
    {prefix:meta}:shape          hash: how many shards, by which hash, which layout
    {prefix:meta}:members        hash boot -> member
    {prefix:to:BOOT}             stream of replies to one process
    prefix:bell:07               channel: something new in this shard
"""

import re

from store.errors import StoreRefused
from store.port import Table

LEASE_FIELDS = ("token", "epoch", "owner", "beat", "seq", "in", "src")

TRIAL = "trial"
"""The bell that is rung to try whether it may be."""


class Keys:
    """The names of the keys under one prefix. Raises StoreRefused for a prefix with braces."""

    def __init__(self, prefix: str) -> None:
        if not prefix or set(prefix) & set("{}"):
            raise StoreRefused(f"redis: the prefix must be a word without braces, not {prefix!r}")
        self.prefix = prefix
        self.shape = self.of("meta") + ":shape"
        self.members = self.of("meta") + ":members"
        self.older_layout = "{" + prefix + "}:schema"
        """Where a store of one process has the number of its layout."""
        self.bells = f"{prefix}:bell:"
        self.bell_pattern = re.sub(r"([\\*?\[\]])", r"\\\1", self.bells) + "*"

    def of(self, shard: str) -> str:
        """What all keys of a shard begin with: its hash tag."""
        return "{" + self.prefix + ":" + shard + "}"

    def lease(self, shard: str) -> str:
        """Who owns the shard."""
        return f"{self.of(shard)}:lease"

    def inbox(self, shard: str) -> str:
        """Messages to the owner."""
        return f"{self.of(shard)}:in"

    def feed(self, shard: str) -> str:
        """What commits told."""
        return f"{self.of(shard)}:feed"

    def table(self, shard: str, table: Table) -> str:
        """The records of a table."""
        return f"{self.of(shard)}:{table}"

    def table_at(self, shard: str, table: Table) -> str:
        """The keys of a table by their time."""
        return f"{self.of(shard)}:{table}:at"

    def stream(self, shard: str, name: str) -> str:
        """The entries of a stream."""
        return f"{self.of(shard)}:stream:{name}"

    def stream_at(self, shard: str, name: str) -> str:
        """The names of a stream's entries by their time."""
        return f"{self.of(shard)}:at:{name}"

    def streams(self, shard: str) -> str:
        """The streams by the time of their oldest entries."""
        return f"{self.of(shard)}:streams"

    def replies(self, boot: str) -> str:
        """Messages to one process."""
        return "{" + self.prefix + ":to:" + boot + "}"

    def bell(self, name: str) -> str:
        """The channel of a shard, or of a process."""
        return self.bells + name
