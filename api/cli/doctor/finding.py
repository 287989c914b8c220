"""What an examination finds: one line a check, with a remedy where something is wrong. Pure."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is; `unknown` is for what cannot be found out, and says so."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One line. `remedy` is empty where there is nothing to do."""

    check: str
    level: Level
    says: str
    remedy: str = ""


def ok(check: str, says: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Level.OK, says)


def warning(check: str, says: str, remedy: str) -> Finding:
    """It works, but not well or not for long."""
    return Finding(check, Level.WARNING, says, remedy)


def problem(check: str, says: str, remedy: str) -> Finding:
    """Lights will not be set or verified like this."""
    return Finding(check, Level.PROBLEM, says, remedy)


def unknown(check: str, says: str, remedy: str = "") -> Finding:
    """It could not be found out."""
    return Finding(check, Level.UNKNOWN, says, remedy)
