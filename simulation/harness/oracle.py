"""The oracle sees lights, radio, network server and disk, and checks what the service says.

Every promise is checked at the very moment when it is given (a record is stored, a change
published, a call made, a frame sent). The first broken one ends the run.
"""

from collections import Counter, deque
from collections.abc import Collection, Sequence

import msgspec
import trio

from actors.device.command import Command, CommandStatus
from actors.device.model import Attempt, Device, Phase
from actors.storage.record_version import stamped
from lorawan.events.model import Event, TxAck, Uplink
from lorawan.kuando import encode
from simulation.harness import invariants
from simulation.harness.air_watch import AirWatch
from simulation.harness.facts import CommandFacts, DeviceFacts, status_of
from simulation.harness.trace import Trace
from simulation.world.device import ServerDevice
from simulation.world.frames import DownlinkFrame, UplinkFrame
from simulation.world.observer import Observer
from simulation.world.queue import QueueEntry
from simulation.world.world import World
from store.port import Put, Table, Write

HOUR_S = 3_600.0

_devices = msgspec.json.Decoder(Device)
_commands = msgspec.json.Decoder(Command)
_encoder = msgspec.json.Encoder()


class Violation(msgspec.Struct, frozen=True):
    """A broken truth, of which light, at which world time."""

    at_s: float
    about: str
    what: str


class Oracle(Observer):
    """Watches one run. `broken` is set by the first violation."""

    def __init__(self, world: World, trace: Trace, *, prompt: bool = False) -> None:
        self.violation: Violation | None = None
        self.broken = trio.Event()
        self.counts: Counter[str] = Counter()
        self.lights: dict[str, DeviceFacts] = {
            dev_eui: DeviceFacts(dev_eui, station.light.truth)
            for dev_eui, station in world.stations.items()
        }
        self.commands: dict[str, CommandFacts] = {}
        self.took_s: list[float] = []
        """Of each verified command, from its first record to its verdict."""
        self.air = AirWatch(world)
        self._prompt = prompt
        self._world = world
        self._trace = trace
        self._told: dict[str, tuple[str, int]] = {}
        self._parked: set[str] = set()
        self._radio: dict[str, deque[tuple[float, float]]] = {}
        self._air_s: dict[str, float] = {}
        self._budget_s = world.region.rx2_duty_cycle * HOUR_S
        self.airtime_most_s = 0.0

    def breaks(self, about: str, what: str | None) -> None:
        """A truth does not hold (None: it does)."""
        if what is not None and self.violation is None:
            self.violation = Violation(trio.current_time(), about, what)
            self.note(about, "VIOLATION", what)
            self.broken.set()

    def note(self, about: str, what: str, *detail: object) -> None:
        """Into the trace."""
        self._trace.now_s = trio.current_time()
        self._trace.note(about, what, *detail)

    # ---------------------------------------------------------------- the world

    def event_made(self, event: Event) -> None:
        """The server made an event."""
        self.note(event.device.dev_eui, "told", type(event).__name__.lower())
        facts = self.lights[event.device.dev_eui]
        if isinstance(event, TxAck):
            facts.txacks.append(trio.current_time())
        if isinstance(event, Uplink):
            self.air.told(trio.current_time(), event)
            status = status_of(event, trio.current_time())
            if status is not None:
                facts.statuses.append(status)
                self._told[event.deduplication_id] = (facts.dev_eui, len(facts.statuses) - 1)

    def taken(self, event: Event) -> None:
        """The service took a webhook."""
        if isinstance(event, Uplink):
            self.air.taken(event)
            dev_eui, index = self._told.get(event.deduplication_id, ("", 0))
            facts = self.lights.get(dev_eui)
            if facts is not None and dev_eui not in self._parked:
                status = facts.statuses[index]
                if facts.heard is None or status.at_s >= facts.heard.at_s:
                    facts.heard, facts.heard_s = status, trio.current_time()

    def frame_sent(
        self, gateway_id: str, frame: DownlinkFrame, frequency_hz: int, airtime_s: float
    ) -> None:
        """Airtime of ours, and what may have reached a light."""
        now_s = trio.current_time()
        self.note(frame.dev_eui, "on air", gateway_id, frame.f_cnt, frame.data.hex())
        if frame.is_join_accept:
            return
        self.lights[frame.dev_eui].frames.append(now_s)
        if frame.f_port is None:
            return
        if not frame.foreign and frequency_hz == self._world.region.rx2_frequency_hz:
            self._spend(gateway_id, now_s, airtime_s)
            met = self.air.frame_sent(now_s, gateway_id, frame, airtime_s)
            if self._prompt:
                self.breaks(frame.dev_eui, met)

    def frame_received(self, frame: DownlinkFrame) -> None:
        """For the story, and for what answers to it."""
        self.note(frame.dev_eui, "received", frame.f_cnt, frame.data.hex())
        self.air.frame_received(trio.current_time(), frame)

    def uplink_sent(self, frame: UplinkFrame) -> None:
        """For the story only."""
        self.note(frame.dev_eui, "uplink", frame.dev_addr, frame.f_cnt, frame.data.hex())

    def enqueued(self, device: ServerDevice, entry: QueueEntry) -> None:
        """At most one item of ours in the queue."""
        dev_eui = device.info.dev_eui
        ours = sum(not item.foreign for item in device.queue)
        self.note(dev_eui, "in queue", entry.data.hex(), "foreign" if entry.foreign else "")
        if not entry.foreign:
            record = self.lights[dev_eui].record
            pursued = record is None or record.phase is not Phase.IDLE
            self.air.enqueued(trio.current_time(), dev_eui, entry, pursued=pursued)
        if ours > 1:
            self.breaks(dev_eui, f"{ours} items of ours are in the server's queue")

    def flushed(self, device: ServerDevice, *, in_flight: bool) -> None:
        """Nothing that may be in flight is flushed."""
        self.note(device.info.dev_eui, "flushed", in_flight)
        if in_flight:
            self.breaks(device.info.dev_eui, "a queue was flushed with an item in flight")

    def _spend(self, gateway_id: str, now_s: float, airtime_s: float) -> None:
        window = self._radio.setdefault(gateway_id, deque())
        window.append((now_s, airtime_s))
        self._air_s[gateway_id] = self._air_s.get(gateway_id, 0.0) + airtime_s
        while window and window[0][0] <= now_s - HOUR_S:
            self._air_s[gateway_id] -= window.popleft()[1]
        spent_s = self._air_s[gateway_id]
        self.airtime_most_s = max(self.airtime_most_s, spent_s)
        if spent_s > self._budget_s + invariants.BUDGET_SLACK_S:
            self.breaks(
                "service", f"gateway {gateway_id} sent {spent_s:.1f} s for us within an hour"
            )

    # ---------------------------------------------------------------- the disk

    def committed(self, writes: Sequence[Write]) -> None:
        """These writes are on the disk from now on."""
        self._trace.now_s = trio.current_time()
        self._trace.commit(writes)
        puts = [write for write in writes if isinstance(write, Put)]
        commands = [_commands.decode(put.value) for put in puts if put.table is Table.COMMAND]
        for command in commands:  # all are there before any is judged
            self._first_seen(command)
        for command in commands:
            self._judge(command)
        for put in puts:
            if put.table is Table.DEVICE:
                self.runs(put.key)
                self._stored(put)

    def _first_seen(self, command: Command) -> None:
        if command.id not in self.commands and command.dev_eui in self.lights:
            facts = self.lights[command.dev_eui]
            known = CommandFacts(
                command.id,
                command.dev_eui,
                command.light,
                trio.current_time(),
                len(facts.commands),
                command,
            )
            self.commands[command.id] = known
            facts.commands.append(known)

    def _judge(self, command: Command) -> None:
        known = self.commands.get(command.id)
        if known is None:
            return
        now_s = trio.current_time()
        if command.status is not known.status or command is known.newest:
            self.note(known.dev_eui, "command", f"#{known.order}", command.status.value)
        self.breaks(
            known.dev_eui, invariants.command_step(self.lights[known.dev_eui], known, command)
        )
        known.newest = command
        if command.status.final and known.ended_s is None:
            known.ended_s = now_s
            self.counts[command.status.value] += 1
            if command.status == "verified":
                self.took_s.append(now_s - known.since_s)

    def _stored(self, write: Put) -> None:
        facts = self.lights.get(write.key)
        if facts is None:
            return
        device = _devices.decode(write.value)
        before, facts.stored, facts.record = facts.record, write.value, device
        if before is None or before.phase is not device.phase:
            self.note(write.key, "phase", device.phase.value)
        if device.attempt is not None:
            facts.attempts.add(mark_of(device.attempt))
        self.breaks(write.key, invariants.never_failed_while_shown(device))
        since_s = self._pursued_since(facts, device)
        self.breaks(write.key, invariants.attempts_of_pursuit(facts, device, since_s))
        self.breaks(write.key, invariants.something_wakes_it(device))
        if self._prompt:
            at_s = (device.last_frame_at or 0.0) - self._world.kernel.right_at
            self.breaks(write.key, invariants.dated_as_sent(facts, at_s))

    def _pursued_since(self, facts: DeviceFacts, device: Device) -> float | None:
        """When the light was told of what it pursues; None: as soon as that was stored."""
        return None

    # ---------------------------------------------------------------- what is said

    def published(self, what: object) -> None:
        """The outside sees nothing that is not stored."""
        if isinstance(what, Device):
            facts = self.lights.get(what.dev_eui)
            if facts is None:
                return
            fresh = facts.stored is None and what.attempt is None and what.command is None
            if not fresh and facts.stored != stamped(_encoder.encode(what)):
                self.breaks(what.dev_eui, "a state was shown that is not the stored one")
        elif isinstance(what, Command) and what.dev_eui in self.lights:
            known = self.commands.get(what.id)
            if known is None or known.newest != what:
                self.breaks(what.dev_eui, "a command was shown as it is not stored")

    def calls_enqueue(self, dev_eui: str, data: bytes, expires_at: float) -> None:
        """The dispatcher is about to queue something: that it wants to must be on the disk."""
        micros = round((expires_at % 1.0) * 1e6) % 1_000_000
        self.note(dev_eui, "enqueue", data.hex(), f"{micros:06}")
        facts = self.lights.get(dev_eui)
        if facts is not None and not any(
            sent == data and abs(mark - micros) <= 1 for mark, sent in facts.attempts
        ):
            self.breaks(dev_eui, "a frame was sent of which nothing was stored")

    def accepted(self, command: Command) -> None:
        """A caller was told that its command is accepted."""
        known = self.commands.get(command.id)
        name = "unknown" if known is None else f"#{known.order}"
        self.note(command.dev_eui, "accepted", name, command.light)
        self.counts["accepted"] += 1
        if known is None:
            self.breaks(command.dev_eui, f"command {command.id} was accepted and is not stored")
        else:
            known.told = True

    def by_one_key(self, dev_eui: str, made: Collection[str]) -> None:
        """Callers who asked by the same idempotency key were given these commands."""
        if len(made) > 1:
            self.breaks(dev_eui, f"one idempotency key made two commands: {sorted(made)}")

    def takes_back(self, command_id: str) -> None:
        """Somebody is about to ask for that."""
        known = self.commands.get(command_id)
        if known is not None:
            known.taken_back = True

    def taken_back(self, command: Command) -> None:
        """Who asked for it was told that the command is withdrawn."""
        known = self.commands.get(command.id)
        if known is None or known.status is not CommandStatus.WITHDRAWN:
            is_now = "unknown" if known is None else known.status.value
            self.breaks(command.dev_eui, f"told that a command is withdrawn, which is {is_now}")

    def crashed(self, dev_eui: str, *, parked: bool = False) -> None:
        """A light's actor crashed: what was in its hand is lost, and may be asked for again. One
        that is parked takes nothing in, until it is revived or runs elsewhere."""
        facts = self.lights.get(dev_eui)
        if facts is not None:
            facts.heard = None
        if parked:
            self._parked.add(dev_eui)

    def runs(self, dev_eui: str) -> None:
        """A light's actor runs."""
        self._parked.discard(dev_eui)

    def poisoned(self, actor_id: str) -> None:
        """An actor crashed over a message that nobody can handle: once for each of them."""
        self.counts["crashes over poison"] += 1
        if self.counts["crashes over poison"] > self.counts["poison"]:
            self.breaks("service", f"{actor_id} crashed again over the same message")

    def killed(self) -> None:
        """So is what was in all hands. A parked light stays parked, until its actor runs again."""
        for facts in self.lights.values():
            facts.heard = None

    def look_around(self) -> None:
        """What no single moment shows."""
        now_s = trio.current_time()
        if self._prompt:
            self.breaks("service", self.air.needless())
        for dev_eui, facts in self.lights.items():
            self.breaks(dev_eui, invariants.never_failed_while_told(facts, now_s))
            self.breaks(dev_eui, invariants.newest_is_shown(facts, now_s))


def mark_of(attempt: Attempt) -> tuple[int, bytes]:
    """By what an attempt is known in the server's queue."""
    return attempt.marker_us, encode(attempt.frame)
