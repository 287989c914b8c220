"""Whether a gateway is alive, judged from what the server says of it.

Theory
------
`last_seen_at` is a time on ChirpStack's clock, and only the gateway's stats move it. Compared with
our clock it would call every gateway dead when the clocks differ. So what counts is that it moved:
a gateway was alive at some moment between the last list and this one. The moment itself is taken
from `last_seen_at` where it lies between the two, which it does when the clocks agree; otherwise it
is the time of this list. Only the first list leaves nothing to compare with: there `last_seen_at`
is taken as it is, and the second list corrects it within one poll.

How long a gateway may say nothing hangs on how often it speaks. ChirpStack knows the interval of
each (`stats_interval`) and says so when it is asked; until then its own judgement (`state`, two
intervals by its own clock) keeps a gateway from being called dead too early. Where the two are
wrong, because the forwarder was given another interval than ChirpStack, the gaps between the stats
show it: where the shortest of the last three is longer, it counts.

Time in which ChirpStack did not answer us does not count as silence of the gateways, because it may
not have taken their stats either.

All functions are pure; times are Unix seconds on our clock unless it is said otherwise.
"""

import msgspec

from actors.gateways.policy import WatchPolicy
from actors.replace import replace
from lorawan.network import GatewayInfo, GatewayState

GAPS_KEPT = 3
"""One outage makes one long gap; three in a row are how often the gateway speaks."""
SILENT_INTERVALS = 3.0
"""Two lost stats are no silence."""
OFFLINE_INTERVALS = 3.5
"""Half an interval more, for the wait between two polls and for a slow backhaul."""


class Health(msgspec.Struct, frozen=True):
    """What is known of one gateway. A struct, for each uplink rewrites those of its gateways.

    `info` is what the server last listed, None for one that it does not list. `alive_at` is when it
    last gave a sign of life, on our clock; None means never.
    """

    gateway_id: str
    info: GatewayInfo | None = None
    alive_at: float | None = None
    heard_at: float | None = None
    online: bool = True
    since: float = 0.0
    gaps_s: tuple[float, ...] = ()
    """Between the newest stats, by the server's clock."""


def listed(before: Health | None, info: GatewayInfo, listed_before_at: float, now: float) -> Health:
    """The gateway is in the server's list; `listed_before_at` is when the last list came."""
    known = before if before is not None else Health(info.gateway_id, since=now)
    seen_at, was = info.last_seen_at, None if known.info is None else known.info.last_seen_at
    alive_at, gaps_s = known.alive_at, known.gaps_s
    if seen_at is not None and known.info is None:
        alive_at = newest(alive_at, min(seen_at, now))
    elif seen_at is not None and (was is None or seen_at > was):
        plausible = listed_before_at <= seen_at <= now
        alive_at = newest(alive_at, seen_at if plausible else now)
        if was is not None:
            gaps_s = (*gaps_s, seen_at - was)[-GAPS_KEPT:]
    return replace(known, info=info, alive_at=alive_at, gaps_s=gaps_s)


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


def interval_s(one: Health, policy: WatchPolicy) -> float | None:
    """How often its stats come, None where that is not known. Gaps no longer than two of our polls
    may be due to our polling, and say nothing."""
    configured = None if one.info is None else one.info.stats_interval_s
    seen = min(one.gaps_s) if len(one.gaps_s) == GAPS_KEPT else 0.0
    if seen <= 2 * policy.poll_s:
        return configured
    return seen if configured is None else max(seen, configured)


def offline_after_s(one: Health, policy: WatchPolicy) -> float:
    """Without a sign of life for so long it is offline: more than three of its own intervals."""
    return max(policy.offline_after_s, OFFLINE_INTERVALS * (interval_s(one, policy) or 0.0))


def silent_after_s(one: Health, policy: WatchPolicy) -> float:
    """Without a sign of life for so long it is looked for: three of its own intervals."""
    return max(policy.silent_after_s, SILENT_INTERVALS * (interval_s(one, policy) or 0.0))


def moved(before: Health, by_s: float) -> Health:
    """The machine's clock was set by so much: what was so long ago still is."""
    return replace(
        before,
        alive_at=None if before.alive_at is None else before.alive_at + by_s,
        heard_at=None if before.heard_at is None else before.heard_at + by_s,
        since=before.since + by_s,
    )


def judged(before: Health, policy: WatchPolicy, now: float) -> Health:
    """Online or offline, as of now.

    A listed gateway is offline without a sign of life within `offline_after_s`. One that the server
    does not list sends us no stats (it may be another tenant's), so nothing speaks against it.
    """
    if before.online and _fresh(before, policy.offline_after_s, now):
        return before  # most of all: an uplink came through it just now
    online = not _quiet(before, offline_after_s(before, policy), policy, now)
    return before if online is before.online else replace(before, online=online, since=now)


def silent(one: Health, policy: WatchPolicy, now: float) -> bool:
    """Whether a gateway of which stats are to be expected gave no sign of life for so long."""
    if _fresh(one, policy.silent_after_s, now):
        return False
    return _quiet(one, silent_after_s(one, policy), policy, now)


def returned(before: Health, after: Health, policy: WatchPolicy, now: float) -> bool:
    """Whether the newest sign of life ended a silence."""
    if after.alive_at is None or silent(after, policy, now):
        return False
    return silent(before, policy, after.alive_at)


def look_again_s(one: Health, policy: WatchPolicy, now: float) -> float:
    """How soon a gateway is to be looked for again.

    While it is silent every two seconds, and the longer it is away the less often: a light that
    waited for it waits at most 1/450 longer. An outage costs 400 polls in its first quarter of an
    hour, 1,600 until it has lasted for four hours, and no more than the usual ones from then on.
    """
    if not silent(one, policy, now):
        return policy.poll_s
    away_s = now - max(one.since, one.alive_at or 0.0)
    if away_s > policy.given_up_after_s:
        return policy.poll_s
    return min(policy.poll_s, max(policy.silent_poll_s, away_s / policy.patience))


def _fresh(one: Health, least_s: float, now: float) -> bool:
    """Whether it gave a sign of life within what every gateway has at the least."""
    return one.alive_at is not None and now - one.alive_at <= least_s


def _quiet(one: Health, limit_s: float, policy: WatchPolicy, now: float) -> bool:
    info, alive_at = one.info, one.alive_at
    if info is None:
        return False
    if alive_at is not None and now - alive_at <= limit_s:
        return False
    # The server judges by its own clock; we know better once we know how often the gateway speaks.
    server_says = info.state is GatewayState.ONLINE and interval_s(one, policy) is None
    return not server_says


def newest(one: float | None, other: float) -> float:
    """The later of two times, the first of which may be missing."""
    return other if one is None else max(one, other)
