"""What the history has of an uplink and of a downlink: bytes, data rate, and who heard it, in a few
words. There is no record for it; `actors/storage/event_lines.py` has what a line costs, and decodes
it when it is shown.
"""

from collections.abc import Iterable

from actors.device.events import Transmitted, UplinkHeard
from actors.device.model import Attempt
from lorawan.events import Reception
from lorawan.kuando.downlink import encode
from lorawan.kuando.frames import F_PORT

HEARD_MOST = 50
"""Gateways noted of one uplink, the best first: 1.5 kB at the worst."""

Words = dict[str, str | int | float | None]


def noted(receptions: Iterable[Reception]) -> str:
    """All gateways of one uplink as one word, the best first: `id,rssi,snr;id,rssi,snr`."""
    best = sorted(receptions, key=lambda one: (-one.snr_db, one.gateway_id))[:HEARD_MOST]
    return ";".join(f"{one.gateway_id},{one.rssi_dbm},{one.snr_db:g}" for one in best)


def spoken(event: UplinkHeard) -> Words:
    """An uplink as it came. Empty where its payload is not told."""
    if event.raw is None:
        return {}
    words: Words = {"f_cnt": event.f_cnt, "f_port": event.f_port, "raw": event.raw.hex()}
    words["dr"] = event.dr
    if event.spreading_factor is not None:
        words["sf"] = event.spreading_factor
    if event.frequency_hz:
        words["mhz"] = event.frequency_hz / 1e6
    words["heard"] = noted(event.receptions)
    return words


def sent_words(sent: Attempt, item: str, f_cnt: int) -> Words:
    """A frame of ours that ChirpStack took into its queue; `f_cnt` is the counter that it gets if
    nothing goes before it."""
    carries = str(sent.frame.__struct_config__.tag)
    words: Words = {"attempt": sent.number, "carries": carries, "f_port": F_PORT}
    return words | {"raw": encode(sent.frame).hex(), "f_cnt": f_cnt, "item": item}


def txack_words(event: Transmitted) -> Words:
    """A frame that a gateway took, ours or another's."""
    words: Words = {"gateway": event.gateway_id, "item": event.queue_item_id}
    words["f_cnt"] = event.f_cnt_down
    if event.number is not None:
        words["attempt"] = event.number
    if event.modulation is not None:
        words["sf"] = event.modulation.spreading_factor
    if event.frequency_hz:
        words["mhz"] = event.frequency_hz / 1e6
    return words
