"""Whether a light can be heard and spoken to now, beside what it showed last.

Theory. A light's record says what was heard; it does not change while nothing is heard, so that a
light that lost its power an hour ago still reads "verified". What can be said of it now depends on
four facts: whether ChirpStack serves the device at all, whether it spoke since it joined, whether a
gateway that hears it is online, and how long ago it spoke. The first that is wrong is reported,
because it explains those after it: a light behind a dead gateway falls silent, too. Only a light
that had been silent before its last gateway went offline is silent for a reason of its own.

All functions are pure. Times are Unix seconds on ChirpStack's clock or ours, never a gateway's or
a light's; none counts as later than the record in which it stands was made.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import msgspec

from actors.device.model import Device, Hearing, Obstacle, Stage


class Reach(StrEnum):
    """What can be said of a light now. The first is the only good one."""

    REACHABLE = "reachable"
    SILENT = "silent"
    """Not heard within three status intervals, though a gateway that heard it is online."""
    NO_GATEWAY_ONLINE = "no_gateway_online"
    """Every gateway that heard it lately is offline."""
    NEVER_HEARD = "never_heard"
    """No uplink since it joined, or none at all."""
    DISABLED = "disabled"
    """ChirpStack drops what it sends and keeps what is sent to it: the device is disabled there."""


class Reachability(msgspec.Struct, frozen=True, gc=False):
    """How a light can be reached. `since` is when it came to be so: for a silent light its last
    uplink, without a gateway the end of the last one, None where nobody knows."""

    reach: Reach
    since: float | None
    reported_current: bool
    """The colour was heard within three status intervals; otherwise it is spoken of in the past
    tense. False also where none is known."""

    @property
    def reachable(self) -> bool:
        """True where it was heard lately and a gateway that hears it is online."""
        return self.reach is Reach.REACHABLE


class GatewayLink(NamedTuple):
    """Whether a gateway is online, and since when; None where nobody knows."""

    online: bool
    since: float | None


GatewayLinks = Callable[[str], GatewayLink | None]
"""By gateway id; None for a gateway that is not watched."""


def reachability(
    device: Device,
    gateways: GatewayLinks,
    silent_after_s: float,
    now: float,
    *,
    disabled_since: float | None = None,
) -> Reachability:
    """What can be said of this light at `now`. `disabled_since` is None for one that is not."""
    current = _reported_at(device, now) + silent_after_s > now if device.reported else False
    reach, since = _reach(device, gateways, silent_after_s, now, disabled_since)
    return Reachability(reach, since, current)


def disabled_since(device: Device) -> float | None:
    """Since when it is known that the device is disabled in ChirpStack, None where it is not: that
    is looked up for lights whose frames do not go out, and with each inquiry, so for silent ones.
    """
    if device.disabled_at is not None:
        return device.disabled_at
    sent = device.attempt
    if sent is None or sent.obstacle is not Obstacle.DISABLED:
        return None
    return sent.submitted_at if sent.stage in {Stage.SUBMITTED, Stage.HELD} else None


def changes_at(device: Device, silent_after_s: float, now: float) -> float | None:
    """When time alone changes the answer next: the light falls silent, or its colour is no longer
    current. None when nothing but an event can change it."""
    heard_at = _heard_at(device, now)
    times = [] if heard_at is None else [heard_at + silent_after_s]
    if device.reported is not None:
        times.append(_reported_at(device, now) + silent_after_s)
    return min((at for at in times if at > now), default=None)


def _reach(
    device: Device,
    gateways: GatewayLinks,
    silent_after_s: float,
    now: float,
    disabled_since: float | None,
) -> tuple[Reach, float | None]:
    if disabled_since is not None:
        return Reach.DISABLED, disabled_since
    heard_at = _heard_at(device, now)
    silent = heard_at is not None and now >= heard_at + silent_after_s
    links = [_link(hearing, gateways) for hearing in device.hearings]
    if links and not any(link.online for link in links):
        ends = [link.since for link in links if link.since is not None]
        gone_at = max(ends) if len(ends) == len(links) else None
        if heard_at is None or gone_at is None or heard_at + silent_after_s > gone_at:
            return Reach.NO_GATEWAY_ONLINE, gone_at
    session = device.session
    if session is None or not session.heard:
        return Reach.NEVER_HEARD, device.since if session is None else session.since
    if silent:
        return Reach.SILENT, heard_at
    starts = [link.since for link in links if link.online and link.since is not None]
    return Reach.REACHABLE, max(session.since, min(starts, default=session.since))


def _link(hearing: Hearing, gateways: GatewayLinks) -> GatewayLink:
    known = gateways(hearing.gateway_id)
    return GatewayLink(hearing.online, None) if known is None else known


def _heard_at(device: Device, now: float) -> float | None:
    heard_at = device.heard_at
    return None if heard_at is None else min(heard_at, _made_at(device, now))


def _reported_at(device: Device, now: float) -> float:
    report = device.report
    return 0.0 if report is None else min(report.at, _made_at(device, now))


def _made_at(device: Device, now: float) -> float:
    """When the record was made: nothing in it is later, whatever a clock elsewhere said."""
    return min(device.stepped_at, now) if device.stepped_at else now
