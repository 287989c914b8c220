"""Which attempt goes to ChirpStack when: pure, no clock, no I/O.

Theory
------
Facts come in by methods (`submit`, `transmitted`, `gateway_changed`, the outcome of a call); what
is to be done comes out of `plan`, and only there: news for the lights, and calls. `next_at` says
when to plan again if nothing happens before. `now` is our clock (Unix seconds) and never goes back;
`chance` is a draw from [0, 1).

An attempt *waits* (for its time, for the end of a trouble, in line for its gateways); when its
gateways are about to be free ChirpStack is asked about the light (*look*); when nothing of ours is
in its queue and the gateways are free it is *enqueued*, and from then on its item is *in flight*.

The rule it keeps: between the look and the end of the enqueue nothing else is done to that light,
so that there are never two items of ours in its queue; and nothing is enqueued before its air is
set aside.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from actors.device.events import AttemptHeld, AttemptQueued, AttemptRefused, Transmitted
from actors.device.model import Attempt, Hearing
from actors.dispatcher import words
from actors.dispatcher.breaker import Breaker, backoff_s
from actors.dispatcher.calls import (
    Action,
    Enqueue,
    Enqueued,
    Failed,
    Failure,
    Look,
    Looked,
    News,
    Outcome,
    Tell,
)
from actors.dispatcher.flights import Flights, Item
from actors.dispatcher.judgement import (
    Adopt,
    Behind,
    Clear,
    Doubt,
    Mark,
    Sent,
    Unheard,
    judge,
    moved,
)
from actors.dispatcher.policy import DispatchPolicy
from actors.dispatcher.route import Route, last_heard_at, route_of, spreading_factor
from actors.dispatcher.tracks import Call, Track
from actors.dispatcher.waiting import Hold, Key, Line, Place, Waiting, WaitingRoom
from lorawan.airtime import downlink_airtime_s, uplink_airtime_s
from lorawan.events.model import Modulation
from lorawan.kuando import PayloadRefused, encode
from lorawan.network import Activation
