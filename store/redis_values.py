"""The bytes of a record and of an entry in Redis: its time, then its value."""

import struct

from store.errors import StoreCorrupt
from store.port import Entry, Record

_AT = struct.Struct(">d")


def pack(at: float, value: bytes) -> bytes:
    """Time and value in one, as they are stored."""
    return _AT.pack(at) + value


def unpack(packed: bytes) -> tuple[float, bytes]:
    """Time and value. Raises StoreCorrupt for what is too short to be ours."""
    if len(packed) < _AT.size:
        raise StoreCorrupt(f"redis: a value of {len(packed)} bytes is not ours")
    return _AT.unpack_from(packed)[0], packed[_AT.size :]


def record_of(key: bytes, packed: bytes) -> Record:
    """One record as read back."""
    at, value = unpack(packed)
    return Record(key.decode(), value, at)


def entry_of(name: bytes, packed: bytes) -> Entry:
    """One stream entry as read back."""
    at, value = unpack(packed)
    return Entry(name.decode(), at, value)
