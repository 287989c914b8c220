"""Decodes events in JSON, the Protobuf JSON mapping that ChirpStack writes."""

import msgspec

from lorawan.events.kinds import event_kind
from lorawan.events.model import Event
from lorawan.events.refusal import check_size, refusal
from lorawan.events.translate import WIRE_TYPES, to_event
from lorawan.events.wire import decode_special

_DECODERS = {
    kind: msgspec.json.Decoder(wire, dec_hook=decode_special) for kind, wire in WIRE_TYPES.items()
}


def decode_json(kind: str, body: bytes) -> Event:
    """The event of `kind` in a JSON body. Raises `MalformedEvent` or `UnknownEventKind`."""
    decoder = _DECODERS[event_kind(kind)]
    check_size(body)
    try:
        wire = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error) from error
    return to_event(wire)
