"""`lamplighter move`: the fleet from one store into another, once, while no service runs."""

import time
from typing import Annotated

import typer

from api.cli.console import console, errors
from api.cli.exits import Exit
from api.cli.settings_option import Config, load


def move(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            envvar="LAMPLIGHTER_MOVE_FROM",
            help="URL of the old store; as a variable where it holds a password.",
        ),
    ],
    target: Annotated[
        str | None,
        typer.Option(
            "--to",
            envvar="LAMPLIGHTER_MOVE_TO",
            help="URL of the new, empty one; `store.url` of the settings where it is not given.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Move the fleet from one store into another, empty one; no service may run.

    What an older version left in a Redis is moved where it lies: name the same URL twice. The old
    store is kept.
    """
    from store import open as stores
    from store.errors import StoreError, StoreTaken

    settings = load(config)
    to = settings.store.url.get_secret_value() if target is None else target
    need, unsafe = settings.cluster.need, settings.cluster.unsafe
    began = time.monotonic()
    try:
        done = stores.move(source, to, time.time(), need=need, unsafe=unsafe)
    except StoreError as error:
        errors.print(f"lamplighter: {error}", markup=False)
        raise typer.Exit(
            Exit.STORE_TAKEN if isinstance(error, StoreTaken) else Exit.FAILED
        ) from None
    took_s = time.monotonic() - began
    console().print(
        f"moved and counted: {done.records} records, {done.entries} lines of history, "
        f"in {took_s:.1f} s; the old store is kept",
        markup=False,
        highlight=False,
    )
    raise typer.Exit(Exit.OK)
