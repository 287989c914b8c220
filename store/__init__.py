"""What must outlive the process: one small interface, with SQLite and Redis behind it."""

from store.errors import (
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreRefused,
    StoreRewound,
    StoreTaken,
    StoreUnavailable,
)
from store.memory import MemoryDisk, MemoryStore
from store.open import open_store, store_from_url
from store.port import Append, Delete, Entry, Put, Record, Store, Table, Write

__all__ = [
    "Append",
    "Delete",
    "Entry",
    "MemoryDisk",
    "MemoryStore",
    "Put",
    "Record",
    "Store",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreRefused",
    "StoreRewound",
    "StoreTaken",
    "StoreUnavailable",
    "Table",
    "Write",
    "open_store",
    "store_from_url",
]
