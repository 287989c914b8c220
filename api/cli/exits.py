"""The exit codes of `lamplighter`, for scripts; docs/cli.md explains each.

A code never changes its meaning. Anything that is not 0 has said why on standard error, or in the
JSON on standard output.
"""

from enum import IntEnum


class Exit(IntEnum):
    """What a verb ends with."""

    OK = 0
    """Done; of `send`: verified by the light itself (with `--no-wait`: stored)."""
    FAILED = 1
    """A failure of the world: no answer, a service that cannot, a problem that `doctor` found."""
    MISTAKE = 2
    """A mistake of the person: wrong words, no such light, a token that is not accepted."""
    UNVERIFIED = 3
    """Accepted and pursued, but not over within the time that was waited."""
    HELD = 4
    """Of `send`: held, nothing may be sent now (no gateway online, no airtime); it is pursued."""
    OVERDUE = 5
    """Of `send`: overdue, the timed attempts are spent; it is still pursued on evidence."""
    SUPERSEDED = 6
    """Of `send`: superseded by a newer command."""
    EXPIRED = 7
    """Of `send`: its time to live ended first."""
    REJECTED = 8
    """Of `send`: rejected by ChirpStack for good."""
    PARTLY = 9
    """Of many lights some failed, or the rollout was stopped or cancelled before its end."""
    STORE_TAKEN = 10
    """Of `serve`, `restore`, `move`: another process has the store, or took it over. Do not start
    it again: two on one store would take it from each other (`RestartPreventExitStatus=10`)."""
    WITHDRAWN = 11
    """Of `send`: somebody took the command back. Of `cancel`: there was nothing to take back."""
    INTERRUPTED = 130
    """Ended by Ctrl-C. What was accepted is pursued nevertheless."""
