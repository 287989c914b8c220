"""The schema of our SQLite file, and how an older one is brought up to it."""

import sqlite3
from pathlib import Path

from store.errors import StoreRefused
from store.sqlite_connection import transaction

# Marks the file as ours ("LAMP"): a wrong path must not add tables to another program's file.
APPLICATION_ID = 0x4C414D50

# Step n brings a file from user_version n to n + 1. Steps are only ever added.
#
# record: clustered by (tbl, key), so that a scan reads pages in order; `at` finds the old ones.
# entry: its identity is (stream, entry), because a repeated webhook arrives with the same entry
# but may carry a later `at`. History is read by (stream, at); a WITHOUT ROWID index ends in the
# primary key, so entry_by_stream is (stream, at, entry), the order of the contract. `at` alone
# only ever grows at its right edge, which is cheap, and finds what to prune.
# about: facts of the file itself: who opened it last; in a backup, when and from what it was made.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE record (
            tbl TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (tbl, key)) WITHOUT ROWID""",
        "CREATE INDEX record_by_at ON record (tbl, at)",
        """CREATE TABLE entry (
            stream TEXT NOT NULL, entry TEXT NOT NULL, at REAL NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (stream, entry)) WITHOUT ROWID""",
        "CREATE INDEX entry_by_stream ON entry (stream, at)",
        "CREATE INDEX entry_by_at ON entry (at)",
    ),
    ("CREATE TABLE about (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",),
)


def migrate(writer: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the newest schema, one transaction a step."""
    application, version, tables = (
        writer.execute(query).fetchone()[0]
        for query in (
            "PRAGMA application_id",
            "PRAGMA user_version",
            "SELECT count(*) FROM sqlite_schema",
        )
    )
    check_kind(path, application, version, tables)
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        with transaction(writer):
            for statement in step:
                writer.execute(statement)
            writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            writer.execute(f"PRAGMA user_version = {number}")


def check_kind(path: Path, application: int, version: int, tables: int) -> None:
    """Raise StoreRefused for a database of another program, or of a newer version."""
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreRefused(f"{path}: a database of another program")
    if version > len(MIGRATIONS):
        raise StoreRefused(
            f"{path}: schema {version} was written by a newer version; "
            f"this one knows schemas up to {len(MIGRATIONS)}"
        )
