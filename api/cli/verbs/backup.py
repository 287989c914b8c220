"""`lamplighter backup` and `lamplighter restore`: the store in one file, and back."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import console, errors
from api.cli.exits import Exit
from api.cli.settings_option import Config, load

if TYPE_CHECKING:
    from api.settings.model import ApiSettings


def backup(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
    config: Config = None,
) -> None:
    """Copy the store into one file, while the service runs or not."""
    settings = load(config)
    raise typer.Exit(_backup(settings.store.url.get_secret_value(), file))


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` made.")],
    config: Config = None,
) -> None:
    """Put a backup in the place of the store; the service must not run."""
    settings = load(config)
    raise typer.Exit(_restore(settings, file))


def _backup(url: str, target: Path) -> Exit:
    from store import open as stores
    from store.errors import StoreError

    began = time.monotonic()
    try:
        done = stores.backup(url, target, time.time())
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


def _restore(settings: "ApiSettings", source: Path) -> Exit:
    from store import open as stores
    from store.errors import StoreError, StoreTaken

    try:
        done = stores.restore(
            settings.store.url.get_secret_value(),
            source,
            time.time(),
            need=settings.cluster.need,
            unsafe=settings.cluster.unsafe,
        )
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
