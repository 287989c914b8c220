"""What an examination finds: one line a check, with a remedy where something is wrong. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Level(StrEnum):
    """How bad it is; `unknown` is for what cannot be found out, and says so."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line. `remedy` is empty where there is nothing to do."""

    check: str
    level: Level
    says: str
    remedy: str = ""


def ok(check: str, says: str) -> Diagnosis:
    """It is as it should be."""
    return Diagnosis(check, Level.OK, says)


def warning(check: str, says: str, remedy: str) -> Diagnosis:
    """It works, but not well or not for long."""
    return Diagnosis(check, Level.WARNING, says, remedy)


def problem(check: str, says: str, remedy: str) -> Diagnosis:
    """Lights will not be set or verified like this."""
    return Diagnosis(check, Level.PROBLEM, says, remedy)


def unknown(check: str, says: str, remedy: str = "") -> Diagnosis:
    """It could not be found out."""
    return Diagnosis(check, Level.UNKNOWN, says, remedy)


def broken(check: str, error: BaseException) -> Diagnosis:
    """The check itself failed, in a way that nobody thought of; its text may hold a secret."""
    kinds = sorted({type(each).__name__ for each in leaves(error)})
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f" ({Path(place.tb_frame.f_code.co_filename).name}"
    line = "" if place is None else f":{place.tb_lineno})"
    return problem(
        check,
        f"this check failed unexpectedly: {', '.join(kinds)}{where}{line}",
        "that is a mistake in Lamplighter: report it; the other checks were made",
    )


def leaves(error: BaseException) -> list[BaseException]:
    """The errors of a group, however nested; an error alone is its own."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]
