"""What one step of a light leaves in the store: one commit, all or nothing.

The record, the commands that changed, the verdicts and the history of one step are written
together, so that a crash between any two of them cannot happen.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec
from msgspec.structs import force_setattr

from actors.device.command import Command
from actors.device.effects import CommandChanged, Effect, Note
from actors.device.events import CommandRequested, DeviceEvent
from actors.device.model import Device
from actors.device.verdict import verdict_writes
from actors.replace import replace
from actors.storage.audit import append_of
from actors.storage.history import line
from actors.storage.idempotency import KeyRecord, stored_key
from actors.storage.record_version import checked, stamped
from lorawan.kuando.light_state import LightState
from lorawan.shared_text import shared, shared_tags
from store.port import Append, Put, Record, Table, Write

LIGHTS_SHARED_MOST = 256
"""A fleet shows a few colours. Of more than these the others are merely not shared."""

_encoder = msgspec.json.Encoder()
_devices = msgspec.json.Decoder(Device)
_commands = msgspec.json.Decoder(Command)


class _Older(msgspec.Struct, frozen=True):
    """What a record of 0.1.0 kept under another name."""

    in_queue: tuple[str, float] | None = None
    """An item of ours in ChirpStack's queue, and its expiry."""


_older = msgspec.json.Decoder(_Older)


def writes_of(
    device: Device, effects: list[Effect], event: DeviceEvent, now: float, entry: str
) -> list[Write]:
    """The writes of one step. `entry` is unique to the step, `now` Unix seconds."""
    writes: list[Write] = [device_put(device, now)]
    newest = {e.command.id: e.command for e in effects if isinstance(e, CommandChanged)}
    for command in newest.values():
        writes.extend(command_writes(command, now))
    if isinstance(event, CommandRequested):
        writes.extend(_beside_command(event, now))
    notes = (effect for effect in effects if isinstance(effect, Note))
    writes.extend(
        note_line(
            device.dev_eui,
            note.entry or f"{entry}-{index}",
            now if note.at is None else note.at,
            note,
        )
        for index, note in enumerate(notes)
    )
    return writes


def command_writes(command: Command, now: float) -> list[Write]:
    """A command, and its verdict once it has ended."""
    return [Put(Table.COMMAND, command.id, command_record(command), now), *verdict_writes(command)]


def _beside_command(event: CommandRequested, now: float) -> Iterator[Write]:
    """Its idempotency key, and who gave it; told twice they are the same once more."""
    if event.idempotency_key is not None:
        fingerprint = event.idempotency_fingerprint
        yield stored_key(KeyRecord(event.idempotency_key, fingerprint, event.command_id, now))
    if event.audit is not None:
        yield append_of(event.audit)


def note_line(dev_eui: str, entry: str, at: float, note: Note) -> Append:
    """The line of history for a note of the machine."""
    return line(dev_eui, entry, at, note.kind.value, note.detail)


def device_put(device: Device, now: float) -> Put:
    """The write of a light's record by itself."""
    return Put(Table.DEVICE, device.dev_eui, stamped(_encoder.encode(device)), now)


def light_puts(device: Device, now: float) -> list[Put]:
    """The writes of a light's record and of its open command."""
    puts, command = [device_put(device, now)], device.command
    if command is not None:
        puts.append(Put(Table.COMMAND, command.id, command_record(command), now))
    return puts


def record_in(writes: list[Write]) -> bytes:
    """The light's own record among the writes of a step."""
    first = writes[0]
    assert isinstance(first, Put)  # noqa: S101 - `writes_of` puts it first
    return first.value


def command_record(command: Command) -> bytes:
    """A command as it is stored."""
    return stamped(_encoder.encode(command))


def read_device(record: Record) -> Device:
    """One stored light. Raises msgspec.MsgspecError for what is not one."""
    value = checked(record.value)
    device = _devices.decode(value)
    _share_values(device)
    if b'"in_queue":[' not in value:
        return device
    queued = _older.decode(value).in_queue
    return device if queued is None else replace(device, queued_until=queued[1])


def _share_values(device: Device) -> None:
    """Keep once what the records of a fleet, or the parts of this one, have in common; nobody else
    has this one yet. Until a restart they have it in common anyway: it came in one event.
    """
    put = force_setattr
    put(device, "application_id", shared(device.application_id))
    put(device, "application_name", shared(device.application_name))
    put(device, "profile_name", shared(device.profile_name))
    if device.tags:
        put(device, "tags", shared_tags(device.tags))
    report, session, wanted = device.report, device.session, device.wanted
    heard_at = None if report is None else report.at
    for hearing in device.hearings:
        put(hearing, "gateway_id", shared(hearing.gateway_id))
        if hearing.heard_at == heard_at:
            put(hearing, "heard_at", heard_at)
    if wanted is not None:
        put(wanted, "light", _shared_light(wanted.light))
    if report is None:
        return
    put(report, "light", _shared_light(report.light))
    if session is not None:
        if session.dev_addr == report.dev_addr:
            put(session, "dev_addr", report.dev_addr)
        if session.heard_at == heard_at:
            put(session, "heard_at", heard_at)


@lru_cache(maxsize=LIGHTS_SHARED_MOST)
def _shared_light(light: LightState) -> LightState:
    """The same; of equal ones the first that was seen lately."""
    return light


def read_command(record: Record) -> Command:
    """One stored command. Raises msgspec.MsgspecError for what is not one."""
    return _commands.decode(checked(record.value))
