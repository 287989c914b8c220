"""Idempotency keys: which request a key belongs to, so that a repeated one makes no second command.

A key is claimed before its command is handed on, without waiting in between, so
that of two equal requests in the same instant exactly one makes the command. The record is stored
in the same commit as the command; a claim whose command never got there is released.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec

from actors.storage.record_version import checked, stamped
from store.port import Put, Record, Table

KEYS_MOST = 100_000
"""A record is about 400 bytes in memory: 40 MB, and more than one request per second for a day.
Past that the oldest is forgotten: a repetition of it would count as new."""
RETENTION_S = 86_400.0
"""Callers repeat within seconds or minutes; a day covers an outage of the caller overnight."""


class KeyRecord(msgspec.Struct, frozen=True, gc=False):
    """Whose key it is. `fingerprint` tells the request's content, `created_at` is Unix seconds."""

    key: str
    fingerprint: str
    command_id: str
    created_at: float


class KeyUse(Enum):
    """What became of a claim that does not lead to an earlier command."""

    NEW = "new"
    """The key is now held for the command named in the claim."""
    REUSED = "reused"
    """The key belongs to another request."""


@dataclass(frozen=True, slots=True)
class KeyStatistics:
    """Keys held now, how many fit, and how many were forgotten before their time."""

    held: int
    capacity: int
    forgotten_early: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(KeyRecord)


def stored_key(record: KeyRecord) -> Put:
    """The write that makes a key outlive the process; belongs in the commit of its command."""
    return Put(Table.IDEMPOTENCY, record.key, stamped(_encoder.encode(record)), record.created_at)


def read_key(record: Record) -> KeyRecord:
    """One stored key. Raises msgspec.MsgspecError for what is not one."""
    return _decoder.decode(checked(record.value))


class IdempotencyKeys:
    """Every key of the last day, in memory; lookups cost a dictionary access."""

    def __init__(self, *, keys_most: int = KEYS_MOST, retention_s: float = RETENTION_S) -> None:
        self._most = keys_most
        self._retention_s = retention_s
        self._records: dict[str, KeyRecord] = {}  # oldest first
        self._forgotten_early = 0
        self._reserved: set[str] = set()

    def reserve(self, key: str) -> None:
        """Whose key this is cannot be read: nobody gets it."""
        self._reserved.add(key)

    def restore(self, records: Iterable[KeyRecord], now: float) -> None:
        """Take in what the store kept, in place of all that is held."""
        self._records = {
            record.key: record for record in sorted(records, key=lambda one: one.created_at)
        }
        self._forget(now)

    def claim(self, key: str, fingerprint: str, command_id: str, now: float) -> KeyUse | str:
        """Hold `key` for a command, or tell to which command an equal request led before."""
        self._forget(now)
        if key in self._reserved:
            return KeyUse.REUSED
        known = self._records.get(key)
        if known is None:
            self._records[key] = KeyRecord(key, fingerprint, command_id, now)
            self._forget(now)
            return KeyUse.NEW
        return known.command_id if known.fingerprint == fingerprint else KeyUse.REUSED

    def release(self, key: str, command_id: str) -> None:
        """The command was not accepted: the key is free again, unless it is another command's."""
        known = self._records.get(key)
        if known is not None and known.command_id == command_id:
            del self._records[key]

    def statistics(self) -> KeyStatistics:
        """Counters, now."""
        return KeyStatistics(len(self._records), self._most, self._forgotten_early)

    def _forget(self, now: float) -> None:
        while self._records:
            oldest = next(iter(self._records.values()))
            expired = oldest.created_at < now - self._retention_s
            if not expired and len(self._records) <= self._most:
                return
            self._forgotten_early += not expired
            del self._records[oldest.key]
