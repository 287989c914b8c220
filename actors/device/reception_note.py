"""Who heard an uplink, in a few bytes of the line of history that the uplink has anyway.

There is no record for it; an uplink heard by four gateways costs 100 bytes more.
"""

from collections.abc import Iterable

from lorawan.events import Reception

HEARD_MOST = 50
"""Gateways noted of one uplink, the best first: 1.5 kB at the worst."""


def noted(receptions: Iterable[Reception]) -> str:
    """All gateways of one uplink as one word, the best first: `id,rssi,snr;id,rssi,snr`."""
    best = sorted(receptions, key=lambda one: (-one.snr_db, one.gateway_id))[:HEARD_MOST]
    return ";".join(f"{one.gateway_id},{one.rssi_dbm},{one.snr_db:g}" for one in best)
