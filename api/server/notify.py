"""Tells the service manager when the service is ready and when it ends (systemd's `Type=notify`).

Source: sd_notify(3): a datagram of `KEY=VALUE` lines to the socket that NOTIFY_SOCKET names, which
begins with `@` where it is in the abstract namespace. Without one nobody wants to know.
"""

import os
import socket

import structlog

log = structlog.get_logger()

READY = "READY=1"
STOPPING = "STOPPING=1"


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
