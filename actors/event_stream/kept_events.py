"""The events that ChirpStack keeps of one light, read from its own stream where we can reach that.

Over gRPC the same takes two seconds: that stream never says that it has sent the last one.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from lorawan.events.errors import EventError
from lorawan.events.model import Event
from lorawan.stream.entries import BEGINNING, decoded
from lorawan.stream.errors import StreamError
from lorawan.stream.source import EventSource

log = structlog.get_logger()

EVENTS_MOST = 256
"""As many as are read over gRPC at most."""

Replay = Callable[[str], Awaitable[Sequence[Event]]]
"""The events that are kept of a device, oldest first."""


def kept_events(source: EventSource, trustworthy: Callable[[], bool], otherwise: Replay) -> Replay:
    """Read from `source` while it is `trustworthy`, and `otherwise` where that fails.

    Raises what `otherwise` raises.
    """

    async def read(dev_eui: str) -> Sequence[Event]:
        if not trustworthy():
            return await otherwise(dev_eui)
        try:
            found = await source.of_devices([dev_eui], BEGINNING, None, most=EVENTS_MOST)
        except StreamError as error:
            log.info("events asked for over gRPC", dev_eui=dev_eui, error=str(error))
            return await otherwise(dev_eui)
        events: list[Event] = []
        for entry in found[dev_eui]:
            try:
                events.append(decoded(entry))
            except EventError as error:
                log.warning("kept event unreadable", dev_eui=dev_eui, error=str(error)[:200])
        return events

    return read
