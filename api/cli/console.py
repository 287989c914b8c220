"""Where the command line writes: results to standard output, what went wrong to standard error.

The rule it keeps: not on a terminal, lines are as long as they need to be, so that a pipe gets
whole lines; JSON goes out plain.
"""

import os
import sys
from typing import Any

import msgspec
from rich.console import Console

PIPE_COLUMNS = 1_000

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def console() -> Console:
    """For results."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=PIPE_COLUMNS if piped else None)


def print_json(value: Any) -> None:
    """One JSON value, indented."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_line(value: Any) -> None:
    """One JSON value on one line, at once."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
