"""`lamplighter backup` and `lamplighter restore`: the store in one file, and back."""

import time
from pathlib import Path

from api.cli.console import console, errors
from api.cli.exits import Exit
from api.settings.model import ApiSettings
from store.errors import StoreError, StoreTaken
from store.open import backup, restore


def run_backup(settings: ApiSettings, target: Path) -> int:
    """Copy the store, in use or not; the exit code."""
    began = time.monotonic()
    try:
        done = backup(settings.store.url.get_secret_value(), target, time.time())
    except StoreError as error:
        errors.print(f"lamplighter: {error}", markup=False)
        return Exit.FAILED
    took_s = time.monotonic() - began
    console().print(
        f"{done.path}: {done.records} records, {done.entries} lines of history, "
        f"{done.size_bytes / 1e6:.1f} MB, in {took_s:.1f} s",
        markup=False,
        highlight=False,
    )
    return Exit.OK


def run_restore(settings: ApiSettings, source: Path) -> int:
    """Put a copy in the place of the store; the exit code."""
    try:
        done = restore(settings.store.url.get_secret_value(), source, time.time())
    except StoreError as error:
        errors.print(f"lamplighter: {error}", markup=False)
        return Exit.STORE_TAKEN if isinstance(error, StoreTaken) else Exit.FAILED
    lines = [f"restored: {done.records} records, {done.entries} lines of history"]
    if done.kept is not None:
        lines.append(f"what was there before is kept in {done.kept}")
    lines.append(
        "started now, the service sends nothing that was wanted before until you decide: "
        "`lamplighter restored` shows what that is, `--resume` sends it, "
        "`--keep-shown` keeps what the lights show"
    )
    for line in lines:
        console().print(line, markup=False, highlight=False)
    return Exit.OK
