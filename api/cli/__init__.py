"""The command line: `lamplighter serve | setup | demo`."""

from api.cli.app import main

__all__ = ["main"]
