"""ChirpStack's streams in memory: an `EventSource`, and the server that writes them. For virtual
time; it does to the reader what a real Redis may do."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence

import trio

from lorawan.stream.entries import BEGINNING, EntryId, StreamEntry
from lorawan.stream.errors import StreamUnavailable
from lorawan.stream.position import Look, Page

LATE = EntryId(2**62)
"""After every entry."""


class MemoryStreams:
    """The server. `clock` is its own, in Unix seconds; histories are exact, as before 4.18."""

    def __init__(
        self, clock: Callable[[], float], *, history: int = 10, device_history: int = 10
    ) -> None:
        self.history = history
        self.device_history = device_history
        self.away: str | None = None
        """Why it does not answer, if it does not."""
        self.unread: set[str] = set()
        """Devices whose own streams lie on a server that does not answer."""
        self._clock = clock
        self._all: list[StreamEntry] = []
        self._of: dict[str, list[StreamEntry]] = {}
        self._last = BEGINNING
        self._added = trio.Event()

    def add(self, dev_eui: str, kind: str, body: bytes) -> EntryId:
        """ChirpStack writes an event; ids rise even where the clock goes back."""
        now = EntryId(round(self._clock() * 1000))
        last = self._last
        self._last = now if now > last else EntryId(last.ms, last.number + 1)
        entry = StreamEntry(self._last, kind, body)
        for entries, most in (
            (self._all, self.history),
            (self._of.setdefault(dev_eui, []), self.device_history),
        ):
            entries.append(entry)
            del entries[: max(0, len(entries) - most)]
        self._added.set()
        self._added = trio.Event()
        return self._last

    def fail_over(self, lost: int) -> None:
        """Another server takes over, which lacks the newest entries and numbers on from there."""
        gone = self._all[len(self._all) - lost :]
        del self._all[len(self._all) - lost :]
        for entries in self._of.values():
            entries[:] = [entry for entry in entries if entry not in gone]
        self._last = self._all[-1].id if self._all else BEGINNING

    def lose_all(self) -> None:
        """Redis is emptied, or another one takes its place."""
        self.fail_over(len(self._all))
        self._of.clear()

    @property
    def now_ms(self) -> int:
        """Its clock."""
        return round(self._clock() * 1000)

    def entries(self, after: EntryId, most: int) -> list[StreamEntry]:
        """Of all devices, oldest first."""
        start = bisect_right(self._all, after, key=lambda entry: entry.id)
        return self._all[start : start + most]

    def of(self, dev_eui: str, since: EntryId, until: EntryId | None) -> list[StreamEntry]:
        """Of one device, oldest first."""
        entries = self._of.get(dev_eui, [])
        start = bisect_left(entries, since, key=lambda entry: entry.id)
        end = bisect_right(entries, until or LATE, key=lambda entry: entry.id)
        return entries[start:end]

    def keeps(self, entry_id: EntryId) -> bool:
        """Whether the stream of all devices holds this entry."""
        start = bisect_left(self._all, entry_id, key=lambda entry: entry.id)
        return start < len(self._all) and self._all[start].id == entry_id

    @property
    def newest(self) -> EntryId | None:
        """Of all devices."""
        return self._all[-1].id if self._all else None

    async def wait_added(self) -> None:
        """Until an entry is added."""
        await self._added.wait()


class MemorySource:
    """An `EventSource` over a `MemoryStreams`."""

    def __init__(self, streams: MemoryStreams) -> None:
        self._streams = streams

    async def look(self) -> Look:
        """As the port says."""
        await self._answered()
        return Look(self._streams.now_ms, self._streams.newest)

    async def read(
        self, after: EntryId, known: EntryId | None, *, most: int, wait_s: float
    ) -> Page:
        """As the port says."""
        await self._answered()
        if not self._streams.entries(after, 1):
            with trio.move_on_after(wait_s):
                await self._streams.wait_added()
        await self._answered()
        kept = known is None or self._streams.keeps(known)
        return Page(self._streams.entries(after, most), self._streams.now_ms, kept)

    async def of_devices(
        self, dev_euis: Sequence[str], since: EntryId, until: EntryId | None, *, most: int
    ) -> Mapping[str, Sequence[StreamEntry]]:
        """As the port says."""
        await self._answered()
        answering = [one for one in dev_euis if one not in self._streams.unread]
        if dev_euis and not answering:
            raise StreamUnavailable("one server is away")
        return {one: self._streams.of(one, since, until)[-most:] for one in answering}

    async def close(self) -> None:
        """As the port says."""
        await trio.lowlevel.checkpoint()

    async def _answered(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._streams.away is not None:
            raise StreamUnavailable(self._streams.away)
