"""What the reader of inboxes keeps of one shard. Pure."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from actors.cluster.messages import CommandTaken, ForLight, Message
from actors.cluster.watermark import Watermark
from actors.messaging.reply import ToldReply
from lorawan.shared_text import shared
from store.engine.places import goes_on_elsewhere, id_order
from store.engine.port import InboxEntry

BEGINNING = "0-0"
SEEN_MOST = 4_096
"""Entries that are known again, for each shard; 200 bytes each, of a busy shard's last minutes."""
PARKED_S = 60.0
"""For so long what is for a parked light waits: a command, and an event behind it, which would keep
others from their end. What an inbox holds of a shard is kept from its oldest entry on that is not
dealt with, and one light must not fill it for all others."""
TRIES_MOST = 3
"""A command that crashed its light so often ends."""


class Taken(Enum):
    """What became of an entry that was handed on."""

    DONE = "done"
    LATER = "later"
    """Its place will be told."""
    NO_ROOM = "no room"
    """Its light takes nothing now."""


class Place(msgspec.Struct, frozen=True):
    """Where a message came from, and who is to be told that it was dealt with."""

    shard: str
    id: str
    reply: ToldReply[None]
    tries: int = 0
    """How often it crashed its light."""
    waits_s: float = 0.0
    """Since it was read here."""
    line: str = ""
    """The line of history of its id, if it is known."""
    refused: bool = False
    """A question that is not handed on: what comes before it waits for room. Whoever asked is to be
    told."""

    @property
    def last_try(self) -> bool:
        """Whether it crashed its light too often."""
        return self.tries >= TRIES_MOST


class Waiting(msgspec.Struct, frozen=True):
    """An entry that is handed on, or waits to be."""

    id: str
    message: Message
    tries: int = 0
    since: float = 0.0
    """When it was read, in Trio's time."""
    line: str = ""

    @property
    def is_command(self) -> bool:
        """Whether it must not be dropped."""
        return isinstance(self.message, CommandTaken)

    @property
    def is_question(self) -> bool:
        """Whether somebody waits for what its light says, some seconds."""
        return isinstance(self.message, ForLight) and bool(self.message.asker)

    @property
    def light(self) -> str:
        """The DevEUI of its light; empty where it is for none, or for many."""
        return getattr(self.message, "dev_eui", "")


@dataclass(slots=True)
class InboxShard:
    """Where the reading of one shard stands."""

    name: str
    watermark: Watermark
    after: str
    """Read up to this one."""
    checking: bool = True
    """What is read may have been dealt with before: commands are looked for in the store."""
    leaving: bool = False
    lines: dict[str, deque[Waiting]] = field(default_factory=dict)
    """By light: a command without room, and what came behind it."""
    in_hand: set[str] = field(default_factory=set)
    """Lights that have a command, and did not deal with it yet."""
    line: str = ""
    """The line of history that was read last (`store/engine/places.py`)."""
    taken_at: str = ""
    """The mark that was stored when the shard was taken."""
    _from: str = ""
    _steps_back: int = 0
    _seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By id what was in it, and its line; the first read comes first."""

    def __post_init__(self) -> None:
        self._from = self.taken_at = self.after

    @property
    def waiting(self) -> int:
        """Entries that wait for room."""
        return sum(map(len, self.lines.values()))

    @property
    def heads(self) -> Iterator[Waiting]:
        """Of each light's line the one that goes next."""
        return (line[0] for line in self.lines.values() if line)

    @property
    def place(self) -> tuple[int, str]:
        """Where the reading stands. Another one after each step back, also where that leads to the
        same entry: what is being read from there may be a replaced master's."""
        return self._steps_back, self.after

    def step_back(self) -> None:
        """Look again at all that is there, which is what is not dealt with, and the last seconds.

        An engine that was set back may have no entry of this inbox any more, and dates new ones by
        its own clock, which may be behind by any time.
        """
        self._steps_back += 1
        self.after = self._from = BEGINNING
        self.checking = True

    def comes_next(self, entry_id: str, before: str) -> bool:
        """Whether everything up to the entry `before` this one was read, and this one was not."""
        if self.checking or id_order(entry_id) <= id_order(self.after):
            return False
        return not before or before == self.after

    def went_over(self, entries: Sequence[InboxEntry]) -> bool:
        """Whether these, just read, are another master's than what was read before: it may have
        unread ones before them, under ids that its clock made lower. They must come first, also
        because a mark beyond them would have them dropped."""
        line = next((one.line for one in reversed(entries) if one.line), "")
        if not line or not goes_on_elsewhere(line, self.line):
            return False
        self.line = line
        return self.after != self._from

    def was_another(self, entry_id: str, before: str) -> bool:
        """Whether what was read last lay in the inbox of a master that was replaced: it is not
        there, between the entry `before` this one and this one. What is may be unread."""
        order = id_order(self.after)
        return bool(before) and id_order(before) < order < id_order(entry_id)

    def went_past(self, entry: InboxEntry) -> bool:
        """Whether it lies before what was read last, and was not read: another master dates by
        another clock."""
        return id_order(entry.id) <= id_order(self.after) and not self.was_seen(entry)

    def was_seen(self, entry: InboxEntry) -> bool:
        """Whether this very entry was read here before, or is older than what is remembered of its
        line of history: ids of another line may be lower, and new."""
        known = self._seen.get(entry.id)
        if known is not None and known[0] == hash(entry.message):
            return True
        if len(self._seen) < SEEN_MOST:
            return False
        first, (_, line) = next(iter(self._seen.items()))
        return entry.line == line and id_order(entry.id) < id_order(first)

    def note_seen(self, entry: InboxEntry) -> None:
        """It was read."""
        self._seen[entry.id] = hash(entry.message), shared(entry.line)
        if len(self._seen) > SEEN_MOST:
            del self._seen[next(iter(self._seen))]

    def put_back(self, one: Waiting) -> None:
        """Into the line of its light, in the order of the inbox."""
        line = self.lines.setdefault(one.light, deque())
        order = id_order(one.id)
        at = next((at for at, other in enumerate(line) if id_order(other.id) > order), len(line))
        line.insert(at, one)
