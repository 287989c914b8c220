"""Tells the service manager when the service is ready, that it lives, and when it ends (systemd).

Source: sd_notify(3): a datagram of `KEY=VALUE` lines to the socket that NOTIFY_SOCKET names, which
begins with `@` where it is in the abstract namespace. Without one nobody wants to know.
"""

import os
import socket

import structlog
import trio

log = structlog.get_logger()

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


def notify(*lines: str) -> bool:
    """Whether somebody was told. Never waits, never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        log.warning("the service manager could not be told", problem=str(error))
        return False
    return True


def watchdog_s() -> float | None:
    """Within which time the service manager wants to hear from this process; None: it does not.

    Source: sd_watchdog_enabled(3): WATCHDOG_USEC in microseconds, for the process of WATCHDOG_PID.
    """
    asked = os.environ.get("WATCHDOG_USEC", "")
    for_pid = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not asked.isdecimal() or int(asked) == 0 or for_pid != str(os.getpid()):
        return None
    return int(asked) / 1e6


async def tell_alive() -> None:
    """Say twice in that time that this process makes progress: whoever hangs is started anew.

    Until cancelled; returns at once where nobody wants to know.
    """
    within_s = watchdog_s()
    if within_s is None:
        return
    while True:
        notify(ALIVE)
        await trio.sleep(within_s / 2)
