"""Where the command line says what went wrong: standard error, as plain text."""

from rich.console import Console

errors = Console(stderr=True, highlight=False, soft_wrap=True)
