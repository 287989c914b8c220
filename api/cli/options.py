"""The options and arguments that several verbs share, and how a verb is run.

A mistake of the user ends with a message and exit code 2, a failure of the environment with a
message and 1, Ctrl-C with 130 and without a traceback; a bug is raised.
"""

import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

import trio
import typer

from actors.plain_text import one_line
from api.cli.client.errors import ClientError, Mistaken
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import errors
from api.cli.exits import Exit

COMPLETE_S = 2.0
"""A shell that waits longer for a completion is no help."""
COMPLETE_MOST = 200

_EUI = re.compile(r"[0-9a-f]{16}")


def complete_dev_eui(context: typer.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    """DevEUIs of the running service that begin like this, with their names."""
    given = context.params
    try:
        place = Place.of(given.get("at") or DEFAULT_AT, given.get("token"))
        return trio.run(_lights_like, place, incomplete.lower())
    except Exception:  # noqa: BLE001 whatever it is, a completion must not write on the prompt
        return []


async def _lights_like(place: Place, incomplete: str) -> list[tuple[str, str]]:
    from api.cli.client.http import Client

    query = {"search": incomplete or None, "limit": COMPLETE_MOST}
    with trio.fail_after(COMPLETE_S):
        async with Client(place) as client:
            page = await client.get("/devices", query)
    found = [(device["dev_eui"], device["name"]) for device in page["devices"]]
    return [each for each in found if each[0].startswith(incomplete)]


At = Annotated[
    str, typer.Option("--at", envvar="LAMPLIGHTER_AT", help="Address of the running service.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="LAMPLIGHTER_TOKEN", help="Its token, if it wants one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of words.")]
DevEui = Annotated[
    str,
    typer.Argument(
        metavar="DEV_EUI", help="16 hexadecimal digits.", autocompletion=complete_dev_eui
    ),
]
DevEuis = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DEV_EUI]...", help="Which lights.", autocompletion=complete_dev_eui),
]


def read_dev_eui(text: str) -> str:
    """The DevEUI in the service's spelling; colons, dashes and blanks are allowed. Raises
    Mistaken."""
    dev_eui = re.sub(r"[-:. ]", "", text).lower()
    if not _EUI.fullmatch(dev_eui):
        raise Mistaken(f"a DevEUI is 16 hexadecimal digits, not {text!r}")
    return dev_eui


def place(at: str, token: str | None) -> Place:
    """Where to ask; ends with exit code 2 when that makes no sense."""
    try:
        return Place.of(at, token)
    except ClientError as error:
        raise fail(error) from None


def run(verb: Callable[..., Awaitable[Exit]], *args: object) -> typer.Exit:
    """Run a verb; raise what this returns."""
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
