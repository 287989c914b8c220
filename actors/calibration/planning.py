"""What is unknown, and which lights are to be probed for it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from actors.calibration.model import (
    PROBE_S,
    PROBES_MOST,
    Candidate,
    Kind,
    Need,
    Plan,
    Wish,
)
from actors.device.firmware import heartbeat_only
from actors.device.model import Device
from actors.device.probing import hindrance
from actors.downlink.policy import DispatchPolicy
from actors.downlink.route import UNKNOWN_GATEWAY, route_of, spreading_factor
from actors.link.forwarders import Forwarders
from lorawan.airtime import downlink_airtime_s
from lorawan.kuando import FRAME_BYTES_MOST

FRAMES = 2
"""Of one probe."""
EACH_MOST = 3
"""Probes of one light in a run, where there are few lights: three samples decide."""


def needs(
    devices: Mapping[str, Device],
    forwarders: Forwarders,
    dispatch: DispatchPolicy,
    lights: int,
    *,
    known_too: bool = False,
) -> list[Need]:
    """What is unknown of the firmware and the gateways that these lights use; firmware first, for
    what is known of it tells of the gateways. `known_too` adds what is known."""
    revisions: set[int] = set()
    gateways: set[str] = set()
    for device in devices.values():
        if _answers(device) and device.report is not None:
            revisions.add(device.report.sw_rev)
            gateways |= route_of(device.hearings, dispatch.prefer_margin_db).candidates
    gateways.discard(UNKNOWN_GATEWAY)
    found = [
        Need(Kind.FIRMWARE, str(sw_rev))
        for sw_rev in sorted(revisions)
        if known_too or forwarders.slots(sw_rev) < lights
    ]
    for gateway_id in sorted(gateways):
        facts = forwarders.gateway(gateway_id)
        if known_too or facts.lag is None:
            found.append(Need(Kind.FORWARDER, gateway_id))
    return found


def plan(
    wish: Wish,
    devices: Mapping[str, Device],
    forwarders: Forwarders,
    dispatch: DispatchPolicy,
    now: float,
    *,
    only: Sequence[Need] | None = None,
) -> Plan:
    """Which lights to probe for what is wished; `only` names the needs instead."""
    if wish.dev_euis:
        return _named(wish, devices, dispatch, now)
    if only is None:
        named = bool(wish.sw_revs or wish.gateway_ids)
        only = needs(devices, forwarders, dispatch, wish.lights, known_too=wish.again or named)
        if named:
            only = [need for need in only if _is_wished(need, wish)]
    able = _able(devices.values(), dispatch, now)
    chosen: list[Candidate] = []
    left_out: list[str] = []
    for need in only:
        suited = [one for one in able if _serves(one, need)]
        if not suited:
            left_out.append(f"{words(need)}: none of its lights can be probed now")
            continue
        # A gateway that alone may be chosen is the one; of others ChirpStack draws one.
        suited.sort(key=lambda one: need.kind is Kind.FORWARDER and len(one.gateway_ids) > 1)
        wanted = wish.lights - sum(_serves(one, need, alone=True) for one in chosen)
        again = Counter(one.dev_eui for one in chosen)
        more = (
            one
            for turn in range(EACH_MOST)
            for one in suited
            if again[one.dev_eui] + turn < EACH_MOST
        )
        chosen.extend(islice(more, max(0, wanted)))
    if len(chosen) > PROBES_MOST:
        left_out.append(f"{len(chosen) - PROBES_MOST} probes more, for another run")
        chosen = chosen[:PROBES_MOST]
    return _plan(tuple(only), _apart(chosen), dispatch, left_out)


def words(need: Need) -> str:
    """A need for people to read."""
    if need.kind is Kind.FIRMWARE:
        return f"software {int(need.name) / 10:g}"
    return f"gateway {need.name}"


def candidate(device: Device, dispatch: DispatchPolicy) -> Candidate:
    """A light as one to be probed."""
    route = route_of(device.hearings, dispatch.prefer_margin_db)
    sw_rev = device.report.sw_rev if device.report is not None else 0
    return Candidate(device.dev_eui, device.name, sw_rev, tuple(sorted(route.candidates)))


def _named(wish: Wish, devices: Mapping[str, Device], dispatch: DispatchPolicy, now: float) -> Plan:
    chosen, left_out = [], []
    for dev_eui in dict.fromkeys(wish.dev_euis):
        device = devices.get(dev_eui)
        why = "it is not known" if device is None else _why_not(device, dispatch, now)
        if device is None or why is not None:
            left_out.append(f"{dev_eui}: {why}")
        else:
            chosen.append(candidate(device, dispatch))
    return _plan((), chosen[:PROBES_MOST], dispatch, left_out)


def _plan(
    needed: tuple[Need, ...],
    chosen: Sequence[Candidate],
    dispatch: DispatchPolicy,
    left_out: Sequence[str],
) -> Plan:
    rx2 = dispatch.region.rx2(dispatch.rx2_dr)
    frames = FRAMES * len(chosen)
    return Plan(
        needs=needed,
        lights=tuple(chosen),
        frames=frames,
        airtime_s=round(frames * downlink_airtime_s(FRAME_BYTES_MOST, rx2), 3),
        takes_s=PROBE_S * len(chosen),
        left_out=tuple(left_out),
    )


def _able(devices: Iterable[Device], dispatch: DispatchPolicy, now: float) -> list[Candidate]:
    """Those that can be probed now. At a high spreading factor the second frame lasts so long that
    the light may speak soon after it: then short delays are seen, too. Of equal ones that which was
    sent nothing for longest."""
    fit = [device for device in devices if _why_not(device, dispatch, now) is None]
    fit.sort(
        key=lambda one: (-spreading_factor(one.hearings), one.last_frame_at or 0.0, one.dev_eui)
    )
    return [candidate(device, dispatch) for device in fit]


def _why_not(device: Device, dispatch: DispatchPolicy, now: float) -> str | None:
    if not device.hearings:
        return "no gateway is known to hear it"
    return hindrance(device, now, dispatch.spacing_s)


def _answers(device: Device) -> bool:
    return device.session_report is not None and not heartbeat_only(device)


def _is_wished(need: Need, wish: Wish) -> bool:
    if need.kind is Kind.FIRMWARE:
        return int(need.name) in wish.sw_revs
    return need.name in wish.gateway_ids


def _serves(one: Candidate, need: Need, *, alone: bool = False) -> bool:
    if need.kind is Kind.FIRMWARE:
        return str(one.sw_rev) == need.name
    return one.gateway_ids == (need.name,) or (not alone and need.name in one.gateway_ids)


def _apart(chosen: Sequence[Candidate]) -> list[Candidate]:
    """A light that comes twice comes again after the others: it is spaced."""
    rounds: dict[str, int] = {}
    keyed = []
    for number, one in enumerate(chosen):
        turn = rounds[one.dev_eui] = rounds.get(one.dev_eui, -1) + 1
        keyed.append((turn, number, one))
    return [one for _, _, one in sorted(keyed, key=lambda key: key[:2])]
