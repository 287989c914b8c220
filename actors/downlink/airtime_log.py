"""What the gateways sent for us in the last hour, kept in the store: a restart renews no airtime.

There is one record for each gateway, written anew with each charge of the dispatcher, whether a
txack told of the frame or it only may have been sent. A crash loses what is not yet written, for
which the dispatcher keeps a little of each budget back, and what was in flight, which it charges
again when it starts.

A date cannot tell how old a frame is: the clock may be set, by years on a board without a battery,
while the service runs or between two runs. The time since the host booted can, as long as it is the
same boot. After a reboot the dates are all there is; a clock that went back meanwhile counts every
frame as just sent.
"""

import math
from collections.abc import Iterable

import msgspec

from actors.downlink.airtime_budget import AirtimeCharge
from store.port import Entry, Put, Record, Table

STREAM = "air"
"""Where 0.1.0 kept a line for each charge; they are read for an hour after an upgrade."""
KEY = "air/"
"""Begins the key of a gateway's record."""
WINDOW_S = 3_600.0
"""The longest window of a duty cycle (ETSI EN 300 220)."""
BUCKET_S = 60
"""Charges of one minute leave the window together, at the end of it: 61 numbers for a gateway, some
700 bytes, and none counts for less than its hour."""
LINES_MOST = 200_000
"""Lines of 0.1.0 read at a start: a hundred gateways at SF9 sent that many in an hour."""


class AirtimeRecord(msgspec.Struct, frozen=True, gc=False):
    """A gateway's hour as stored."""

    host: str
    """Names the boot of the host of which `elapsed_s` counts; empty where that is not known."""
    elapsed_s: float
    """Time since that boot, when this was written."""
    spent_ms: tuple[tuple[int, int], ...]
    """For each minute since that boot, by the number of its end: milliseconds on air."""


class AirtimeEntry(msgspec.Struct, frozen=True, gc=False):
    """A line of 0.1.0: what a gateway sent, or may have sent."""

    gateway_id: str
    airtime_s: float


_encoder = msgspec.json.Encoder()
_record = msgspec.json.Decoder(AirtimeRecord)
_line = msgspec.json.Decoder(AirtimeEntry)


class AirtimeLog:
    """The records of all gateways; one for each that ever sent for us. `host` names the boot of the
    host, empty where it is not known."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._spent_ms: dict[str, dict[int, int]] = {}

    def charged(self, charges: Iterable[AirtimeCharge], elapsed_s: float, now: float) -> list[Put]:
        """What to store after these charges, of which `at` counts as `elapsed_s` does: seconds
        since the boot. `now` is the date, Unix seconds."""
        gateways = {}
        for gateway_id, at, airtime_s in charges:
            self._add(gateway_id, at, math.ceil(airtime_s * 1_000.0))
            gateways[gateway_id] = self._spent_ms[gateway_id]
        oldest = _bucket(elapsed_s - WINDOW_S)
        puts = []
        for gateway_id, spent_ms in sorted(gateways.items()):
            for bucket in [bucket for bucket in spent_ms if bucket < oldest]:
                del spent_ms[bucket]
            record = AirtimeRecord(self._host, elapsed_s, tuple(sorted(spent_ms.items())))
            puts.append(Put(Table.META, KEY + gateway_id, _encoder.encode(record), now))
        return puts

    def restore(
        self, records: Iterable[Record], elapsed_s: float, now: float
    ) -> list[AirtimeCharge]:
        """What was sent before this start, at seconds since the boot; nothing of a record that
        cannot be read."""
        charges = []
        for record in records:
            if not record.key.startswith(KEY):
                continue
            try:
                stored = _record.decode(record.value)
            except msgspec.MsgspecError:
                continue
            gateway_id = record.key.removeprefix(KEY)
            same = bool(self._host) and stored.host == self._host
            shift_s = 0.0
            if not same or stored.elapsed_s > elapsed_s:
                shift_s = elapsed_s - max(0.0, now - record.at) - stored.elapsed_s
            for bucket, spent_ms in stored.spent_ms:
                at = min(bucket * BUCKET_S + shift_s, elapsed_s)
                if at > elapsed_s - WINDOW_S:
                    self._add(gateway_id, at, spent_ms)
                    charges.append(AirtimeCharge(gateway_id, at, spent_ms / 1_000.0))
        return charges

    def _add(self, gateway_id: str, at: float, spent_ms: int) -> None:
        spent = self._spent_ms.setdefault(gateway_id, {})
        bucket = _bucket(at)
        spent[bucket] = spent.get(bucket, 0) + spent_ms


def read_line(entry: Entry) -> AirtimeEntry | None:
    """One line of 0.1.0; None for one that cannot be read."""
    try:
        return _line.decode(entry.value)
    except msgspec.MsgspecError:
        return None


def _bucket(at: float) -> int:
    return math.ceil(at / BUCKET_S)
