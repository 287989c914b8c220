"""The command line `lamplighter`: the service itself, and a client of a running one."""

from api.cli.app import main

__all__ = ["main"]
