"""The exit codes of `lamplighter`, for scripts; docs/cli.md explains each.

The rule it keeps: a code never changes its meaning. Anything that is not 0 has said why on standard
error, or in the JSON on standard output.
"""

from enum import IntEnum


class Exit(IntEnum):
    """What a verb ends with."""

    OK = 0
    """Done; of a command: verified by the light itself."""
    FAILED = 1
    """A failure of the world: no answer, a service that cannot, a problem that `doctor` found."""
    MISTAKE = 2
    """A mistake of the person: wrong words, no such light, a token that is not accepted."""
    UNVERIFIED = 3
    """Accepted and pursued, but not verified within the time that was waited."""
    HELD = 4
    """Accepted, but nothing may be sent now (no gateway online, no airtime left)."""
    OVERDUE = 5
    """Accepted, but the timed attempts are spent; it is still pursued on evidence."""
    SUPERSEDED = 6
    """A newer command took its place."""
    EXPIRED = 7
    """Its time to live ended first."""
    REJECTED = 8
    """ChirpStack will never take it."""
    PARTLY = 9
    """Of many lights some failed, or the rollout was stopped or cancelled before its end."""
    STORE_TAKEN = 10
    """Of `serve`: another process has the store, or took it over. Not to be started again: two on
    one store would take it from each other (`RestartPreventExitStatus=10`)."""
    INTERRUPTED = 130
    """Ended by Ctrl-C. What was accepted is pursued nevertheless."""
