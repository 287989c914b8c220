"""The parts of hypercorn, wsproto and h11 that we use though they are no public promise.

We take hypercorn's reading and writing of HTTP/1.1 and websockets, as base classes of `protocol.py`
and `websocket.py`; accepting, closing and all limits are ours (`accept_loop.py`, `connection.py`).
Nothing of theirs is replaced: another hypercorn in the same process stays as it is.

Every part is looked for at import, so that a version that lacks one is refused in words, and not
by an error in the middle of some connection. `pyproject.toml` bounds all three versions.
"""

from importlib.metadata import version
from typing import Any, cast

import h11
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Request
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.ws_stream import FrameTooLargeError, Handshake, WebsocketBuffer, WSStream
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from wsproto.extensions import PerMessageDeflate

__all__ = [
    "STREAM_ID",
    "ASGIWrapper",
    "Closed",
    "Event",
    "FrameTooLargeError",
    "H11Protocol",
    "H11WSConnection",
    "Handshake",
    "Lifespan",
    "PerMessageDeflate",
    "RawData",
    "Request",
    "TaskGroup",
    "Updated",
    "WSStream",
    "WebsocketBuffer",
    "WorkerContext",
    "check",
]

Parts = tuple[tuple[object, tuple[str, ...]], ...]

# Examples, because attributes of an instance cannot be looked for in its class.
_nothing = cast("Any", None)
_context = WorkerContext(None)
_around = (_nothing, Config(), _context, _nothing)
_protocol = H11Protocol(*_around, _nothing, False, None, None, _nothing)
_websocket = WSStream(*_around, False, None, None, _nothing, STREAM_ID)

NEEDED: Parts = (
    (
        _protocol,
        (
            "handle",
            "initiate",
            "stream",
            "stream_send",
            "connection",
            "connection_state",
            "keep_alive_requests",
            "_create_stream",
            "_send_error_response",
            "_send_h11_event",
        ),
    ),
    (_websocket, ("handle", "buffer", "_accept")),  # and `handshake`, which a request brings
    (Handshake([], "1.1"), ("accept", "extensions")),
    (WebsocketBuffer(1), ("extend", "length", "max_length")),
    (Lifespan, ("handle_lifespan", "wait_for_startup", "wait_for_shutdown")),
    (TaskGroup, ("spawn", "spawn_app")),
    (_context, ("terminated", "event_class", "mark_request")),
    (PerMessageDeflate(), ("_inbound_compressed", "_inbound_is_compressible", "_decompressor")),
    (h11.Connection(h11.SERVER), ("next_event", "trailing_data", "their_state", "our_state")),
)


def check(needed: Parts = NEEDED) -> None:
    """Raises ImportError, which names the part, where one of them is not as we know it."""
    for owner, names in needed:
        for name in names:
            if not hasattr(owner, name):
                installed = ", ".join(f"{p} {version(p)}" for p in ("hypercorn", "wsproto", "h11"))
                raise ImportError(
                    f"{type(owner).__name__} has no {name}: the web server does not know these "
                    f"versions ({installed}); pyproject.toml names the ones that it knows"
                )


check()
