"""The POSTs of the benches, ready to be sent.

Bodies are built with ChirpStack's own messages, as its HTTP integration does.
"""

from collections.abc import Sequence

import msgspec

from lorawan.events import TxAck, Uplink
from lorawan.kuando.light_state import LightState
from simulation.world.bodies import json_body, protobuf_body
from tests.bench import fleet

JSON, PROTOBUF = "application/json", "application/octet-stream"


def webhooks(events: Sequence[Uplink | TxAck], media_type: str = JSON) -> list[bytes]:
    """The HTTP requests that ChirpStack would make of these events."""
    render = json_body if media_type == JSON else protobuf_body
    requests = []
    for kind, body in map(render, events):
        head = (
            f"POST /api/v1/webhooks/chirpstack?event={kind} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def command(number: int, light: LightState) -> bytes:
    """The HTTP request for a colour, answered as soon as it is stored."""
    body = msgspec.json.encode({"red": light.red, "green": light.green, "blue": light.blue})
    head = (
        f"POST /api/v1/downlink/{fleet.dev_eui(number)} HTTP/1.1\r\nHost: localhost\r\n"
        f"Prefer: respond-async\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
