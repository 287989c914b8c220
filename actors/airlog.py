"""What the gateways sent for us, kept in the store: a restart does not renew anybody's airtime.

The rule it keeps: one line for each txack, under the queue item's id, written in the same commit as
what the light's actor makes of it.
"""

import msgspec

from actors.device.events import Transmitted
from store.port import Append, Entry

STREAM = "air"
WINDOW_S = 3_600.0
"""The longest window of a duty cycle (ETSI EN 300 220)."""
LINES_MOST = 200_000
"""Read at a start: a hundred gateways at SF9 send that many in an hour, 100 bytes each: 20 MB."""


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A frame of ours that a gateway took; `airtime_s` is estimated from its modulation."""

    gateway_id: str
    airtime_s: float


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Sent)


def line(event: Transmitted) -> Append:
    """The line for a txack; one that came twice adds none. `at` is ChirpStack's clock."""
    sent = Sent(event.gateway_id, max(0.0, event.ends_at - event.at))
    entry = f"{event.queue_item_id}@{event.at:.3f}"
    return Append(STREAM, entry, event.at, _encoder.encode(sent))


def read_line(entry: Entry) -> Sent | None:
    """One line as stored; None for one that cannot be read."""
    try:
        return _decoder.decode(entry.value)
    except msgspec.MsgspecError:
        return None
