"""Hooks in the store: records in `Table.META`, and the stream of events that they are told.

hook:ID               the hook
hook-position:ID      up to where it was delivered to
hook-log:ID:NN        its newest tries, written over in turn
hook-told             what was collected
hook-told:XX          what was told last of each light, gateway and alert, in 256 parts
fleet:hooks           the events (a stream), in the order of their places
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import structlog

from actors.outgoing.model import LOG_MOST, Event, Hook, Position, Told, Try
from actors.storage.record_version import checked, stamped
from store.port import Append, Delete, Entry, Put, Record, Streams, Table

log = structlog.get_logger()

STREAM = "fleet:hooks"
FAR = 1e12
"""Past every place and date."""
EVENTS_ONLY = Streams(only=(STREAM,))
HOOK, POSITION, LOG, TOLD = "hook:", "hook-position:", "hook-log:", "hook-told"
"""How the keys of the records begin."""

_encoder = msgspec.json.Encoder()
_hooks = msgspec.json.Decoder(Hook)
_positions = msgspec.json.Decoder(Position)
_tries = msgspec.json.Decoder(Try)
_events = msgspec.json.Decoder(Event)
_told = msgspec.json.Decoder(Told)


class _Part(msgspec.Struct, frozen=True):
    told: dict[str, str]


_parts = msgspec.json.Decoder(_Part)


class Kept(msgspec.Struct, frozen=True):
    """All that is stored of hooks, but the events."""

    hooks: Mapping[str, Hook] = {}
    positions: Mapping[str, Position] = {}
    logs: Mapping[str, Sequence[Try]] = {}
    """Oldest first."""
    told: Told = Told()
    parts: Mapping[str, str] = {}
    """What was told last, by what it is about."""


def read(records: Iterable[Record]) -> Kept:
    """All of it among the records of `Table.META`; what is odd is told and left."""
    hooks: dict[str, Hook] = {}
    positions: dict[str, Position] = {}
    logs: dict[str, list[Try]] = {}
    told, parts = Told(), dict[str, str]()
    for record in records:
        key = record.key
        try:
            if key.startswith(HOOK):
                hook = _hooks.decode(checked(record.value))
                hooks[hook.id] = hook
            elif key.startswith(POSITION):
                positions[key.removeprefix(POSITION)] = _positions.decode(checked(record.value))
            elif key.startswith(LOG):
                hook_id = key.removeprefix(LOG).rpartition(":")[0]
                logs.setdefault(hook_id, []).append(_tries.decode(checked(record.value)))
            elif key == TOLD:
                told = _told.decode(checked(record.value))
            elif key.startswith(f"{TOLD}:"):
                parts.update(_parts.decode(checked(record.value)).told)
        except msgspec.MsgspecError as error:
            log.warning("a stored hook is unreadable", record=key, error=str(error))
    return Kept(
        dict(sorted(hooks.items(), key=lambda each: each[1].name.casefold())),
        positions,
        {of: sorted(lines, key=lambda line: line.number) for of, lines in logs.items()},
        told,
        parts,
    )


def hook_put(hook: Hook, now: float) -> Put:
    """The write that keeps a hook."""
    return Put(Table.META, f"{HOOK}{hook.id}", stamped(_encoder.encode(hook)), now)


def hook_deletes(hook_id: str) -> list[Delete]:
    """The writes that forget a hook with all that was kept of it."""
    keys = [f"{HOOK}{hook_id}", f"{POSITION}{hook_id}"]
    keys += [f"{LOG}{hook_id}:{place:02}" for place in range(LOG_MOST)]
    return [Delete(Table.META, key) for key in keys]


def position_put(hook_id: str, position: Position, now: float) -> Put:
    """The write that keeps a hook's position."""
    return Put(Table.META, f"{POSITION}{hook_id}", stamped(_encoder.encode(position)), now)


def try_put(hook_id: str, line: Try) -> Put:
    """The write that keeps a line of a hook's log, in place of an old one."""
    key = f"{LOG}{hook_id}:{line.number % LOG_MOST:02}"
    return Put(Table.META, key, stamped(_encoder.encode(line)), line.at)


def told_put(told: Told, now: float) -> Put:
    """The write that keeps what was collected."""
    return Put(Table.META, TOLD, stamped(_encoder.encode(told)), now)


def part_of(key: str) -> int:
    """In which of the 256 parts lies what was told last of this."""
    return hashlib.blake2s(key.encode(), digest_size=1).digest()[0]


def part_put(part: int, told: Mapping[str, str], now: float) -> Put:
    """The write that keeps one part of what was told last."""
    value = stamped(_encoder.encode(_Part(dict(told))))
    return Put(Table.META, f"{TOLD}:{part:02x}", value, now)


def event_append(event_id: str, place: float, event: Event) -> Append:
    """The write that adds an event; one that is there already stays where it is."""
    return Append(STREAM, event_id, place, _encoder.encode(event))


def read_event(entry: Entry) -> Event | None:
    """An event as stored; None for what cannot be read, which is told and passed over."""
    try:
        return _events.decode(entry.value)
    except msgspec.MsgspecError as error:
        log.warning("a stored event is unreadable", entry=entry.entry, error=str(error))
        return None
