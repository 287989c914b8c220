"""What the gateways sent for us, kept in the store: a restart does not renew anybody's airtime.

There is a line for each charge of the dispatcher, whether a txack told of the frame or it only may
have been sent. A crash loses what is not yet written, for which the dispatcher keeps a little of
each budget back, and what was in flight, which it charges again when it starts.
"""

import msgspec

from store.port import Append, Entry

STREAM = "air"
WINDOW_S = 3_600.0
"""The longest window of a duty cycle (ETSI EN 300 220)."""
LINES_MOST = 200_000
"""Read at a start: a hundred gateways at SF9 send that many in an hour, 100 bytes each: 20 MB."""


class AirtimeEntry(msgspec.Struct, frozen=True, gc=False):
    """What a gateway sent for us, or may have sent; estimated from its modulation."""

    gateway_id: str
    airtime_s: float


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AirtimeEntry)


def line(entry: str, gateway_id: str, at: float, airtime_s: float) -> Append:
    """The line for one charge; `entry` is unique to it, `at` Unix seconds on our clock."""
    return Append(STREAM, entry, at, _encoder.encode(AirtimeEntry(gateway_id, airtime_s)))


def read_line(entry: Entry) -> AirtimeEntry | None:
    """One line as stored; None for one that cannot be read."""
    try:
        return _decoder.decode(entry.value)
    except msgspec.MsgspecError:
        return None
