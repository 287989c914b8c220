"""How many files and sockets this process may have open."""

import resource

import structlog

log = structlog.get_logger()

RESERVED = 128
"""Descriptors that are no connections: store, ChirpStack, log, files of the dashboard being sent
(at most 40 threads), wake-up pipes, with room."""


def raise_limit() -> int:
    """Raise the soft limit to the hard one, and say so; the number of descriptors allowed.

    The soft limit is 1,024 on most systems only because of select(), which nothing here uses.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:
            log.warning("file descriptor limit stays", limit=soft, hard=hard, error=str(error))
        else:
            log.info("file descriptor limit raised", was=soft, limit=hard)
    return allowed()


def allowed() -> int:
    """The number of descriptors that this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 30


def connections_possible(wanted: int) -> int:
    """`wanted`, or as many as the limit on descriptors leaves room for; at least one."""
    return max(1, min(wanted, allowed() - RESERVED))
