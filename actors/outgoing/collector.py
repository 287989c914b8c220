"""Collects the events that hooks are told, and stores each before anybody is told.

Theory. What the board announces is quick, and may be missed: by a restart, a take-over, a reader
that fell behind, a feed that was read anew. So it only hastens. What decides is stored: verdicts
are a stream, written in the commit that ends the command, which is looked through again and again
(an event has an id that follows from its command, so that to add it twice changes nothing). Of
lights, gateways and alerts it is stored what was told last, in the commit that stores the event,
and compared with what is shown at each beginning: changes that came and went unseen between two
looks are told as one.

Events lie in one stream of the fleet's shard, each at a place of its own: the date, and later than
the place before, whatever became of the clock. Who reads on from a place misses none.
"""

import math
import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
import trio

from actors.board.board import Board
from actors.board.changes import AlertView, Change, DeviceRemoved, GatewayView, Subject
from actors.board.subscription import Subscription
from actors.clocks.clock import Clock
from actors.device.command import Command
from actors.device.model import Device
from actors.device.records import read_command
from actors.device.verdict import FLEET_STREAM, Verdict, decode, device_stream
from actors.outgoing import events, repository
from actors.outgoing.events import verdict_id
from actors.outgoing.model import Event, Kind, LightRef, Told
from actors.storage.commits import Commits
from store.errors import StoreUnavailable
from store.port import Entry, Store, Table, Write

log = structlog.get_logger()

BEHIND_MOST = 10_000
"""As many changes as the board keeps."""
SWEEP_S = 30.0
RECENT_S = 300.0
"""Each sweep looks at verdicts from so long before the last one that succeeded."""
DEEP_S = 7_200.0
"""The first sweep, and one each `DEEP_EVERY_S`, looks back so far: for a verdict whose commit
waited for its part of the store."""
DEEP_EVERY_S = 600.0
PAGE = 1_000
KNOWN_MOST = 50_000
"""Ids of events that are known to be stored, 150 bytes each: 8 MB. Of more than these some are
added again, which changes nothing."""
COMMIT_MOST = 200
"""Events in one commit, some 1 kB each."""
COMING_S = 60.0
"""In a cluster, until the lights of all shards are on the board."""
CHUNK = 250
"""Things compared between two checkpoints, some 5 us each."""
OF_A_LIGHT_FIRST = 10
"""Verdicts of one light that are looked at with each new one: more where none of them is known."""


@dataclass(frozen=True, slots=True)
class CollectorPorts:
    """Whom it asks; `stored` is told after each commit with events, and must not wait."""

    board: Board
    store: Store
    store_writer: Commits
    clock: Clock
    stored: Callable[[], object]
    alone: bool = True


class Collector:
    """`run` it while anybody wants events; made anew by each incarnation of its actor."""

    def __init__(self, ports: CollectorPorts, kept: repository.Kept) -> None:
        self._ports = ports
        self._told = kept.told
        self._parts: dict[int, dict[str, str]] = {}
        for key, state in kept.parts.items():
            self._parts.setdefault(repository.part_of(key), {})[key] = state
        self._changed: set[int] = set()
        self._lights: dict[str, LightRef] = {}
        """Of lights on the board, by which a removed one is filtered: only with STATES wanted, and
        then some 100 bytes each, for the values are the device's own."""
        self._known: dict[str, None] = {}
        self._place = 0.0
        self._swept_at = self._deep_at = -math.inf
        self.collected = self.found = 0
        """Counted: events stored; verdicts that only a sweep found."""

    async def restore(self) -> None:
        """Find the newest place. Raises StoreError."""
        newest = await self._ports.store.entries(
            repository.STREAM, since=-repository.FAR, until=repository.FAR, most=PAGE
        )
        self._place = newest[0].at if newest else 0.0
        self._known.update(dict.fromkeys(entry.entry for entry in newest))

    def next_place(self) -> float:
        """A place in the order of events, later than all before."""
        self._place = max(self._ports.clock.now(), math.nextafter(self._place, math.inf))
        return self._place

    async def run(self, kinds: Collection[Kind], asked_at: float) -> None:
        """Collect events of these kinds, of which those new here were asked for at this date, until
        cancelled. Raises StoreError for what is no passing failure."""
        while True:
            try:
                await self.restore()
                break
            except StoreUnavailable as error:
                log.warning("events cannot be read", error=str(error))
                await trio.sleep(1.0)
        while True:
            with self._ports.board.subscribe(BEHIND_MOST) as following:
                await self._begin(kinds, following, asked_at)
                gone_at = trio.current_time() + (0.0 if self._ports.alone else COMING_S)
                self._deep_at = -math.inf
                await self._follow(kinds, following, gone_at)
            log.info("hooks start over", reason=following.closed_reason)
            await trio.sleep(1.0)

    # ---------------------------------------------------------------- how it begins

    async def _begin(
        self, kinds: Collection[Kind], following: Subscription, asked_at: float
    ) -> None:
        """Compare what is shown with what was told last."""
        told, now = self._told, self._ports.clock.now()
        snapshot = following.snapshot
        found: list[tuple[str, Event]] = []
        if Kind.STATES not in told.kinds:  # of lights of long ago nothing is told
            self._forget_lights()
        if snapshot is not None:
            everything: tuple[Subject, ...] = (
                *snapshot.devices,
                *snapshot.gateways,
                *snapshot.alerts,
            )
            for count, subject in enumerate(everything, start=1):
                for kind, event_id, event in self._news(subject, kinds, now):
                    if kind in told.kinds:
                        found.append((event_id, event))
                if count % CHUNK == 0:
                    await trio.lowlevel.checkpoint()
        if set(kinds) != set(told.kinds):
            began = Kind.VERDICTS in kinds and Kind.VERDICTS not in told.kinds
            told = Told(
                kinds=tuple(sorted(kinds)),
                mark=told.mark or now,
                verdicts_from=asked_at if began else told.verdicts_from,
            )
        await self._store(found, told)

    # ---------------------------------------------------------------- what is announced

    async def _follow(
        self, kinds: Collection[Kind], following: Subscription, gone_at: float
    ) -> None:
        while True:
            sweep_at = self._swept_at + SWEEP_S
            if trio.current_time() >= sweep_at:
                await self._sweep(kinds)
                if trio.current_time() >= gone_at:
                    gone_at = math.inf
                    await self._tell_gone(kinds)
                continue
            batch = None
            with trio.move_on_at(min(sweep_at, gone_at)):
                try:
                    batch = await anext(following)
                except StopAsyncIteration:
                    return
            if batch is None:
                if trio.current_time() >= gone_at:
                    gone_at = math.inf
                    await self._tell_gone(kinds)
                continue
            await self._take(batch, kinds)

    async def _take(self, batch: Sequence[Change], kinds: Collection[Kind]) -> None:
        now = self._ports.clock.now()
        found: list[tuple[str, Event]] = []
        for change in batch:
            what = change.what
            if isinstance(what, Command):
                if Kind.VERDICTS in kinds and what.status.final:
                    found += await self._verdicts_before(what)
            else:
                found += [(event_id, it) for _, event_id, it in self._news(what, kinds, now)]
        await self._store(found)

    async def _verdicts_before(self, command: Command) -> Sequence[tuple[str, Event]]:
        """How this command ended, and those of its light before it of which no news came: so that
        they are told in their order."""
        if verdict_id(command.id) in self._known:
            return ()
        since = self._since(DEEP_S)
        most, entries = 0, None
        try:
            while entries is None or (len(entries) == most and not self._knows_any(entries)):
                most = min(max(most * 10, OF_A_LIGHT_FIRST), PAGE)
                entries = await self._ports.store.entries(
                    device_stream(command.dev_eui),
                    since=since,
                    until=repository.FAR,
                    most=most,
                )
                if most == PAGE:
                    break
            return await self._unknown(reversed(entries))
        except StoreUnavailable as error:  # the next sweep finds it
            log.warning("the verdicts of a light cannot be read", error=str(error))
            return ()

    def _news(
        self, what: Subject, kinds: Collection[Kind], now: float
    ) -> Iterable[tuple[Kind, str, Event]]:
        """What is to be told of this, if anything; notes it as told."""
        match what:
            case Device() if Kind.STATES in kinds:
                self._lights[what.dev_eui] = events.light_ref(what)
                if self._is_new(f"light {what.dev_eui}", events.state_of(what)):
                    yield Kind.STATES, self._event_id("light"), events.of_device(what, now)
            case DeviceRemoved() if Kind.STATES in kinds:
                yield from self._gone(what, now)
            case GatewayView() if Kind.GATEWAYS in kinds:
                if self._is_new(f"gateway {what.gateway_id}", str(what.online)):
                    yield Kind.GATEWAYS, self._event_id("gateway"), events.of_gateway(what, now)
            case AlertView() if Kind.ALERTS in kinds:
                yield from self._alert(what, now)

    def _alert(self, view: AlertView, now: float) -> Iterable[tuple[Kind, str, Event]]:
        key, state = f"alert {view.id}", events.alert_state(view)
        if view.closed_at is not None:
            # told once, by an id of its own; of those that stay on the board for days only new ones
            known = self._forget(key)
            event_id = f"alert-{view.id}-{_hex(view.closed_at)}"
            recent = known or view.closed_at >= self._told.mark - RECENT_S
            if recent and event_id not in self._known:
                yield Kind.ALERTS, event_id, events.of_alert(view, now)
        elif self._is_new(key, state):
            yield Kind.ALERTS, self._event_id("alert"), events.of_alert(view, now)

    def _gone(self, removed: DeviceRemoved, now: float) -> Iterable[tuple[Kind, str, Event]]:
        if self._forget(f"light {removed.dev_eui}"):
            light = self._lights.pop(removed.dev_eui, LightRef(removed.dev_eui))
            event = events.of_removed(removed, light, now)
            yield Kind.STATES, self._event_id("light"), event

    async def _tell_gone(self, kinds: Collection[Kind]) -> None:
        """Lights that were removed while nobody looked."""
        if Kind.STATES not in kinds:
            return
        now, devices = self._ports.clock.now(), self._ports.board.devices
        found: list[tuple[str, Event]] = []
        for told in [dict(part) for part in self._parts.values()]:
            for key in told:
                what, _, dev_eui = key.partition(" ")
                if what == "light" and dev_eui not in devices:
                    removed = DeviceRemoved(dev_eui, "", "it is known no longer")
                    found += [(event_id, it) for _, event_id, it in self._gone(removed, now)]
        await self._store(found)

    def _forget_lights(self) -> None:
        for key in [key for told in self._parts.values() for key in told]:
            if key.startswith("light "):
                self._forget(key)

    def _is_new(self, key: str, state: str) -> bool:
        part = repository.part_of(key)
        told = self._parts.setdefault(part, {})
        if told.get(key) == state:
            return False
        told[key] = state
        self._changed.add(part)
        return True

    def _forget(self, key: str) -> bool:
        part = repository.part_of(key)
        if self._parts.get(part, {}).pop(key, None) is None:
            return False
        self._changed.add(part)
        return True

    def _event_id(self, what: str) -> str:
        """Of an event that is told once, in the commit that notes it as told: its place names it,
        for no two events have the same."""
        return f"{what}-{_hex(self.next_place())}"

    # ---------------------------------------------------------------- what is stored

    async def _sweep(self, kinds: Collection[Kind]) -> None:
        """Look through the stored verdicts for those of which no news came."""
        now_s, now = trio.current_time(), self._ports.clock.now()
        deep = now_s >= self._deep_at + DEEP_EVERY_S
        self._swept_at = now_s
        if Kind.VERDICTS in kinds:
            try:
                await self._look_through(self._since(DEEP_S if deep else RECENT_S))
            except StoreUnavailable as error:
                log.warning("stored verdicts cannot be read", error=str(error))
                return
        if deep:
            self._deep_at = now_s
        await self._store([], msgspec.structs.replace(self._told, mark=now))

    def _since(self, back_s: float) -> float:
        """From which date on verdicts are looked at. A clock that was set back since dates them
        before what was noted by it."""
        now, told = self._ports.clock.now(), self._told
        since = min(told.mark or now, now) - back_s
        return since if told.verdicts_from > now else max(since, told.verdicts_from)

    async def _look_through(self, since: float) -> None:
        """Raises StoreError."""
        # a verdict may be dated ahead of a clock that was set back since
        while True:
            page = await self._ports.store.entries(
                FLEET_STREAM, since=since, until=repository.FAR, most=PAGE, newest_first=False
            )
            found = await self._unknown(page)
            self.found += len(found)
            await self._store(found)
            if len(page) < PAGE:
                return
            since = max(page[-1].at, math.nextafter(since, math.inf))

    def _knows_any(self, entries: Sequence[Entry]) -> bool:
        return any(verdict_id(entry.entry) in self._known for entry in entries)

    async def _unknown(self, entries: Iterable[Entry]) -> Sequence[tuple[str, Event]]:
        found = []
        for entry in entries:
            event_id = verdict_id(entry.entry)
            if event_id not in self._known:
                event = await self._verdict(entry)
                if event is not None:
                    found.append((event_id, event))
        return found

    async def _verdict(self, entry: Entry) -> Event | None:
        try:
            verdict: Verdict = decode(entry.value)
            record = await self._ports.store.get(Table.COMMAND, entry.entry)
            device = self._ports.board.devices.get(verdict.dev_eui)
            command = None if record is None else read_command(record)
        except msgspec.MsgspecError as error:
            log.warning("a stored verdict is unreadable", command=entry.entry, error=str(error))
            return None
        if command is None or not command.status.final:
            return events.of_verdict(entry.entry, verdict, device)
        return events.of_command(command, device)

    async def _store(self, found: Sequence[tuple[str, Event]], told: Told | None = None) -> None:
        """Store events with what is noted of them: all of it, or (of many) the rest later."""
        changed, self._changed = self._changed, set()
        now = self._ports.clock.now()
        notes: list[Write] = [
            repository.part_put(part, self._parts.get(part, {}), now) for part in sorted(changed)
        ]
        if told is not None and told != self._told:
            notes.append(repository.told_put(told, now))
        for first in range(0, max(len(found), 1), COMMIT_MOST):
            some = found[first : first + COMMIT_MOST]
            writes: list[Write] = [
                repository.event_append(event_id, self.next_place(), event)
                for event_id, event in some
            ]
            if first + COMMIT_MOST >= len(found):  # noted as told only once all of it is stored
                writes += notes
            if writes:
                await self._ports.store_writer.commit(writes)
            for event_id, _ in some:
                self._known[event_id] = None
            self.collected += len(some)
            if some:
                self._ports.stored()
        while len(self._known) > KNOWN_MOST:
            del self._known[next(iter(self._known))]
        if told is not None:
            self._told = told


def _hex(number: float) -> str:
    """All of it, without the dot that separates the parts of what is signed."""
    return struct.pack(">d", number).hex()
