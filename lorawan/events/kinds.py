"""The kinds of event, as the `event` parameter of ChirpStack's HTTP integration names them."""

from enum import StrEnum

from lorawan.events.errors import UnknownEventKind


class EventKind(StrEnum):
    """The value of `?event=`, and the field name in ChirpStack's Redis streams."""

    UP = "up"
    JOIN = "join"
    ACK = "ack"
    TXACK = "txack"
    LOG = "log"
    STATUS = "status"
    LOCATION = "location"


def event_kind(kind: str) -> EventKind:
    """The kind of this name. Raises `UnknownEventKind`."""
    try:
        return EventKind(kind)
    except ValueError as error:
        raise UnknownEventKind(kind) from error
