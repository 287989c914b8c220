"""ChirpStack's InternalService, of which only StreamDeviceEvents matters.

It polls as the real one does. It starts at the oldest event kept, sends up to `BATCH` events,
waits one poll interval, looks again, and never ends by itself; a DevEUI that is not in lower case
names a stream that nobody writes.
Source: chirpstack/src/stream/event.rs.
"""

# ruff: noqa: N802 -- the methods are named by the protocol.

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
from chirpstack_api import api

from lorawan.chirpstack.wire import to_timestamp
from lorawan.events.model import Event
from simulation.world.server.access import Rights
from simulation.world.server.backend_calls import BackendCalls, checked_eui

BATCH = 10
"""Entries that ChirpStack reads from Redis at one look."""

STREAMS_MOST = 64
"""Each stream holds one of the server's threads while it is open."""

Render = Callable[[Event], tuple[str, bytes]]
"""An event as the kind and the JSON body that a webhook would carry."""


class InternalServicer(api.InternalServiceServicer):  # type: ignore[misc]
    """Streams the events of a device."""

    def __init__(self, calls: BackendCalls, render: Render, poll_s: float) -> None:
        self._calls = calls
        self._render = render
        self._poll_s = poll_s
        self._free = threading.BoundedSemaphore(STREAMS_MOST)

    def StreamDeviceEvents(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Events as they are kept, then as they come, until the client leaves."""
        rights = self._calls.access.enter(context)
        dev_eui = checked_eui(context, request.dev_eui)
        if not self._free.acquire(blocking=False):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many streams")
        try:
            ended = threading.Event()
            if not context.add_callback(ended.set):
                return
            context.send_initial_metadata(())
            yield from self._stream(context, rights, dev_eui, request.dev_eui, ended)
        finally:
            self._free.release()

    def _stream(
        self,
        context: grpc.ServicerContext,
        rights: Rights,
        dev_eui: str,
        key: str,
        ended: threading.Event,
    ) -> Iterator[Any]:
        newest: Event | None = None
        sent = 0
        while not ended.is_set():
            kept = self._calls.ask(context, rights, self._calls.backend.replay, dev_eui)
            for event in _after(kept, newest)[:BATCH] if key == dev_eui else ():
                newest = event
                sent += 1
                yield self._item(event, sent)
            ended.wait(self._poll_s)

    def _item(self, event: Event, number: int) -> Any:
        kind, body = self._render(event)
        at = event.at or 0.0  # the pretend server dates all that it keeps
        return api.LogItem(
            id=f"{round(at * 1000)}-{number}",
            time=to_timestamp(at),
            description=kind,
            body=body.decode(),
        )


def _after(kept: Sequence[Event], newest: Event | None) -> Sequence[Event]:
    """What follows the newest event sent; everything when that one is no longer kept."""
    if newest is not None:
        for index in range(len(kept) - 1, -1, -1):
            if kept[index] is newest:
                return kept[index + 1 :]
        for index in range(len(kept) - 1, -1, -1):
            if kept[index] == newest:
                return kept[index + 1 :]
    return kept
