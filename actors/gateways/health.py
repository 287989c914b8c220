"""Whether a gateway is alive, judged from what the server says of it.

Theory
------
`last_seen_at` is a time on ChirpStack's clock, and only the gateway's stats move it. Compared with
our clock it would call every gateway dead when the clocks differ. So what counts is that it moved:
a gateway was alive at some moment between the last list and this one. The moment itself is taken
from `last_seen_at` where it lies between the two, which it does when the clocks agree; otherwise it
is the time of this list. Only the first list leaves nothing to compare with: there `last_seen_at`
is believed, and the second list corrects it within one poll.

Time in which ChirpStack did not answer us does not count as silence of the gateways, for their
stats had nowhere to go either.

The rule it keeps: pure; times passed in are Unix seconds on our clock unless they say otherwise.
"""

from dataclasses import dataclass, replace

from lorawan.network import GatewayInfo


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one gateway.

    `info` is what the server last listed, None for one that it does not list. `alive_at` is when it
    last gave a sign of life, on our clock; None means never.
    """

    gateway_id: str
    info: GatewayInfo | None = None
    alive_at: float | None = None
    heard_at: float | None = None
    online: bool = True
    since: float = 0.0


def listed(before: Health | None, info: GatewayInfo, listed_before_at: float, now: float) -> Health:
    """The gateway is in the server's list; `listed_before_at` is when the last list came."""
    known = before if before is not None else Health(info.gateway_id, since=now)
    seen_at, was = info.last_seen_at, None if known.info is None else known.info.last_seen_at
    alive_at = known.alive_at
    if seen_at is not None and known.info is None:
        alive_at = newest(alive_at, min(seen_at, now))
    elif seen_at is not None and (was is None or seen_at > was):
        plausible = listed_before_at <= seen_at <= now
        alive_at = newest(alive_at, seen_at if plausible else now)
    return replace(known, info=info, alive_at=alive_at)


def heard(before: Health | None, gateway_id: str, at: float, now: float) -> Health:
    """An uplink came through the gateway; `at` is its time, never taken for later than now."""
    known = before if before is not None else Health(gateway_id, since=now)
    at = min(at, now)
    return replace(known, alive_at=newest(known.alive_at, at), heard_at=newest(known.heard_at, at))


def acknowledged(before: Health, at: float, now: float) -> Health:
    """The gateway took a downlink; `at` is the time of its txack, never taken for later than now.

    It says that the gateway is there, not that it hears anything.
    """
    return replace(before, alive_at=newest(before.alive_at, min(at, now)))


def excused(before: Health, away_s: float, now: float) -> Health:
    """ChirpStack was away for so long, up to now: the gateway could not be seen."""
    if before.alive_at is None:
        return before
    return replace(before, alive_at=min(before.alive_at + away_s, now))


def judged(before: Health, offline_after_s: float, now: float) -> Health:
    """Online or offline, as of now.

    A listed gateway is offline without a sign of life within `offline_after_s`. One that the server
    does not list sends us no stats (it may be another tenant's), so nothing speaks against it.
    """
    online = not silent(before, offline_after_s, now)
    return before if online is before.online else replace(before, online=online, since=now)


def silent(one: Health, silent_after_s: float, now: float) -> bool:
    """Whether a gateway of which stats are to be expected gave no sign of life for so long."""
    alive_at = one.alive_at
    return one.info is not None and (alive_at is None or now - alive_at > silent_after_s)


def returned(before: Health, after: Health, silent_after_s: float, now: float) -> bool:
    """Whether the newest sign of life ended a silence."""
    if after.alive_at is None or silent(after, silent_after_s, now):
        return False
    return silent(before, silent_after_s, after.alive_at)


def newest(one: float | None, other: float) -> float:
    """The later of two times, the first of which may be missing."""
    return other if one is None else max(one, other)
