"""Why the service ended, as messages and an exit code."""

from actors.supervision import SupervisorGaveUp
from api.cli.console import errors
from api.cli.exits import Exit
from store.errors import StoreError, StoreTaken


def explain(group: BaseExceptionGroup[BaseException]) -> int:
    """Print expected failures; anything else is a bug and is raised. Returns the exit code."""
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
            return Exit.INTERRUPTED
        text = error.strerror if isinstance(error, OSError) and error.strerror else error
        errors.print(f"lamplighter: {text}", markup=False)
    return code


def store_error_behind(error: BaseException) -> BaseException:
    """The store's own error where an actor was given up because of it, else the error itself."""
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
