"""`lamplighter serve`: run the service until a signal, and explain its failures."""

import structlog
import trio

from actors.supervision import SupervisorGaveUp
from api.cli.console import errors
from api.cli.exits import Exit
from api.logging import configure
from api.server.signals import Load
from api.service import serve_until_signal
from api.settings.model import ApiSettings
from store.errors import StoreError, StoreTaken

log = structlog.get_logger()


def run_service(settings: ApiSettings, load: Load | None = None) -> int:
    """Run it; SIGHUP reads the tokens again with `load`.

    The exit code: 0 after a polite stop, 1 when something cannot be had or kept.
    """
    configure(settings.logs)
    try:
        trio.run(serve_until_signal, settings, load)
    except BaseExceptionGroup as group:
        return explain(group)
    return 0


def explain(group: BaseExceptionGroup[BaseException]) -> int:
    """Expected failures in words; anything else is a bug and is raised. Returns the exit code."""
    expected, unexpected = group.split((StoreError, OSError, SupervisorGaveUp, KeyboardInterrupt))
    if unexpected is not None:
        raise unexpected
    assert expected is not None  # noqa: S101 - a group is never empty
    code = Exit.FAILED
    for one in leaves(expected):
        error = store_error_behind(one)
        if isinstance(error, StoreTaken):
            code = Exit.STORE_TAKEN
        if isinstance(error, KeyboardInterrupt):
            return 130
        words = error.strerror if isinstance(error, OSError) and error.strerror else error
        errors.print(f"lamplighter: {words}", markup=False)
    return code


def store_error_behind(error: BaseException) -> BaseException:
    """The store's own words where a part was given up because of them, else the error itself."""
    cause: BaseException | None = error
    while isinstance(cause, SupervisorGaveUp):
        cause = cause.__cause__
    return cause if isinstance(cause, StoreError) else error


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors of a group, however nested."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found
