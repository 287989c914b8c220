"""Where the command line writes: results to standard output, errors to standard error.

Control characters in a name or in another program's error are shown as text and never reach the
terminal. Output that is no terminal gets whole lines, however long; JSON is written without
colours.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from actors.plain_text import plain

PIPE_COLUMNS = 1_000


class PlainConsole(Console):
    """Writes no control characters but its own; rich lets most of them through."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments to write; their own colours are no part of their text."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(plain(segment.text), segment.style)


errors = PlainConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def console() -> PlainConsole:
    """For results."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return PlainConsole(highlight=False, width=PIPE_COLUMNS if piped else None)


def print_json(value: Any) -> None:
    """One JSON value, indented."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_file(content: bytes) -> None:
    """A file of the service's, as it is."""
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def print_line(value: Any) -> None:
    """One JSON value on one line, at once."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
