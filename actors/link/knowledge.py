"""What all lights together taught, as one frozen value that the device machine is handed.

It is replaced as a whole, and only when a value changed noticeably, so that it costs nothing per
event. Until something is known the careful value holds.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

UPLINK_LOSS = 0.07
DOWNLINK_LOSS = 0.03
"""Share of frames lost until it is known: indoors a few in a hundred, and a gateway sends with
more power than a light."""
DARK_PER_DAY = 0.035
"""Lights that lose their power in a day, of each one: so 1 % are dark for seven hours on average.
A guess until silences were counted."""
DAY_S = 86_400.0


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the fleet's lights now."""

    answer_waits_s: Mapping[int, float] = MappingProxyType({})
    """By software revision, how long after a frame's end (less the airtime of the answer) an answer
    is waited for. A revision without an entry is not known yet."""
    spacing_proven: frozenset[int] = frozenset()
    """Software revisions for which frames 5 s apart are as safe as frames 10 s apart."""
    refusing_reply: frozenset[int] = frozenset()
    """Software revisions known to refuse a colour with the sixth byte."""
    uplink_loss: float = UPLINK_LOSS
    """Share of the uplinks that are lost, in the fleet as a whole."""
    downlink_loss: float = DOWNLINK_LOSS
    """The same of the downlinks that a gateway took."""
    dark_per_s: float = DARK_PER_DAY / DAY_S
    """Rate at which one light falls silent for good, or for hours, per second."""


NOTHING_KNOWN = Knowledge()
"""Before anything was learned."""
