"""The options and arguments that several verbs share, and how a verb is run.

A mistake of the user ends with a message and exit code 2, a failure of the environment with a
message and 1, Ctrl-C with 130 and without a traceback; a bug is raised.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from actors.plain_text import one_line
from api.cli.client.errors import ClientError
from api.cli.client.place import Place
from api.cli.completion import complete_light
from api.cli.console import errors
from api.cli.exits import Exit

At = Annotated[
    str, typer.Option("--at", envvar="LAMPLIGHTER_AT", help="Address of the running service.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="LAMPLIGHTER_TOKEN", help="Its token, if it wants one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of words.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV for a spreadsheet, instead of words.")]
DevEui = Annotated[
    str,
    typer.Argument(
        metavar="DEVICE", help="A light: its name or DevEUI.", autocompletion=complete_light
    ),
]
DevEuis = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DEVICE]...",
        help="Which lights, by name or DevEUI.",
        autocompletion=complete_light,
    ),
]


def one_form(as_json: bool, as_csv: bool) -> None:
    """Ends with exit code 2 where both are asked for."""
    if as_json and as_csv:
        raise typer.BadParameter("--csv and --json do not go together")


def place(at: str, token: str | None) -> Place:
    """Where to ask; ends with exit code 2 when that makes no sense."""
    try:
        return Place.of(at, token)
    except ClientError as error:
        raise fail(error) from None


def run(verb: Callable[..., Awaitable[Exit]], *args: object) -> typer.Exit:
    """Run a verb; raise what this returns."""
    import trio

    try:
        return typer.Exit(trio.run(_until_interrupted, verb, args))
    except ClientError as error:
        return fail(error)
    except BrokenPipeError:
        return _unread()
    except KeyboardInterrupt:
        return typer.Exit(Exit.INTERRUPTED)
    except BaseExceptionGroup as group:
        if group.split(BrokenPipeError)[1] is None:
            return _unread()
        interrupted, rest = group.split(KeyboardInterrupt)
        if interrupted is not None and rest is None:
            return typer.Exit(Exit.INTERRUPTED)
        told, rest = group.split(ClientError)
        if told is None or rest is not None:
            raise
        return fail(_first(told))


async def _until_interrupted(
    verb: Callable[..., Awaitable[Exit]], args: tuple[object, ...]
) -> Exit:
    """Run a verb until it ends or Ctrl-C cancels it.

    A KeyboardInterrupt is raised in whatever line is running: in a destructor or a callback it is
    lost, and the verb would go on.
    """
    import trio

    token = trio.lowlevel.current_trio_token()
    with trio.CancelScope() as scope:

        def interrupted(*_: object) -> None:
            token.run_sync_soon(scope.cancel, idempotent=True)

        before = signal.signal(signal.SIGINT, interrupted)
        try:
            return await verb(*args)
        finally:
            signal.signal(signal.SIGINT, before)
    return Exit.INTERRUPTED


def _unread() -> typer.Exit:
    """Who read our output left, as `head` does: no more words, not from the interpreter either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return typer.Exit(Exit.FAILED)


def fail(error: ClientError) -> typer.Exit:
    """Say what went wrong; the exit to raise."""
    errors.print(f"lamplighter: {one_line(str(error), 2_000)}", markup=False)
    return typer.Exit(error.exit)


def _first(group: BaseExceptionGroup[ClientError]) -> ClientError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
