"""Which session an uplink or a join belongs to, and what it adds to what is known of the light.

The rule it keeps: events come lost, doubled, late and out of order, so each is placed before it is
believed. Only the newest uplink of the running session may change what the light is said to show.

An uplink is newer within its session by its counter (LoRaWAN FCnt, which restarts at a join), never
by its time of arrival. Between sessions (another DevAddr) only ChirpStack's own clock can tell, and
where that says "older" the server is asked which session runs now, for its clock may have been set
back.
"""

from enum import Enum

from actors.device.effects import NoteKind
from actors.device.events import Joined, UplinkHeard
from actors.device.heard import noted
from actors.device.inquiry import ask
from actors.device.model import Device, Hearing, Report, Session
from actors.device.turn import Turn, replace
from lorawan.events import Reception

REQUIRED_SNR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Least SNR a LoRa demodulator needs, by spreading factor. Source: Semtech SX1276 data sheet."""

PREVIOUS_MOST = 4
"""Sessions remembered: a webhook late by more than four joins is not worth telling apart."""


class Place(Enum):
    """Where an uplink belongs."""

    NEWER = "newer"
    NEW_SESSION = "new session"
    DUPLICATE = "duplicate"
    STALE = "stale"
    DOUBTFUL = "doubtful"


def place(device: Device, event: UplinkHeard) -> Place:
    """Decide where an uplink belongs, without changing anything."""
    session, report = device.session, device.report
    if session is None:
        return Place.NEW_SESSION
    if event.dev_addr != session.dev_addr:
        if event.at <= max(session.since, session.heard_at):
            return Place.STALE if event.dev_addr in session.previous else Place.DOUBTFUL
        return Place.DOUBTFUL if event.dev_addr in session.previous else Place.NEW_SESSION
    restarted = (
        event.status is not None
        and report is not None
        and report.dev_addr == session.dev_addr
        and event.at > session.heard_at
        and event.status.uplinks_sent < report.uplinks_sent
        and event.status.downlinks_received <= report.downlinks_received
    )
    if restarted:  # the same DevAddr drawn twice: rare, and the light's own counters give it away
        return Place.NEW_SESSION
    if event.f_cnt > session.f_cnt:
        return Place.NEWER
    return Place.DUPLICATE if event.f_cnt == session.f_cnt else Place.STALE


def believe(turn: Turn, event: UplinkHeard) -> bool:
    """Take an uplink in. True when it is the newest word of the running session."""
    device = turn.device
    if event.device is not None:
        _learn_names(turn, event)
    where = place(device, event)
    match where:
        case Place.DUPLICATE:
            turn.change(duplicates=device.duplicates + 1)
            return False
        case Place.STALE | Place.DOUBTFUL:
            turn.change(stale=device.stale + 1)
            turn.note(NoteKind.STALE, dev_addr=event.dev_addr, f_cnt=event.f_cnt, at=event.at)
            if where is Place.DOUBTFUL:
                ask(turn, "an uplink of another session came late, or the server's clock jumped")
            return False
        case Place.NEW_SESSION:
            begin_session(turn, event.dev_addr, event.at)
        case Place.NEWER:
            pass
    _absorb(turn, event)
    return True


def believe_join(turn: Turn, event: Joined) -> bool:
    """Take a join in. True when it ended the session that we thought was running."""
    session = turn.device.session
    turn.note(NoteKind.JOIN, dev_addr=event.dev_addr, at=event.at)
    if session is not None:
        same = event.dev_addr == session.dev_addr
        if same or event.at <= max(session.since, session.heard_at):
            return False  # told before by an uplink, or by a newer join
    turn.change(joins=turn.device.joins + 1)
    begin_session(turn, event.dev_addr, event.at)
    return True


def begin_session(turn: Turn, dev_addr: str, at: float) -> None:
    """The light joined anew: its settings and colour are gone, its counters restarted."""
    pursuit, ended = turn.device.pursuit, turn.device.session
    previous = () if ended is None else (ended.dev_addr, *ended.previous)[:PREVIOUS_MOST]
    turn.close_attempt()
    turn.change(
        session=Session(dev_addr=dev_addr, since=at, previous=previous),
        setup=None,
        orphans=(),
        pursuit=None if pursuit is None else replace(pursuit, proof=None, next_at=None),
    )
    turn.note(NoteKind.SESSION, dev_addr=dev_addr, at=at)


def gateway_health(turn: Turn, gateway_id: str, *, online: bool) -> bool:
    """Note the health of a gateway. True when it hears this light and its health is news."""
    hearings = turn.device.hearings
    news = any(h.gateway_id == gateway_id and h.online is not online for h in hearings)
    if news:
        turn.change(
            hearings=tuple(
                replace(h, online=online) if h.gateway_id == gateway_id else h for h in hearings
            )
        )
    return news


def _absorb(turn: Turn, event: UplinkHeard) -> None:
    session = turn.device.session
    assert session is not None  # noqa: S101 - a session was begun if there was none
    turn.change(
        session=replace(session, f_cnt=event.f_cnt, heard_at=event.at),
        uplinks=turn.device.uplinks + 1,
        hearings=_hearings(turn, event),
    )
    best = max(event.receptions, key=lambda r: r.snr_db, default=Reception(gateway_id=""))
    status = event.status
    if status is None:
        turn.note(
            NoteKind.UPLINK,
            f_cnt=event.f_cnt,
            note=event.note,
            gateway=best.gateway_id,
            heard=noted(event.receptions),
        )
        return
    turn.change(
        report=Report(
            at=event.at,
            dev_addr=event.dev_addr,
            f_cnt=event.f_cnt,
            light=status.light,
            downlinks_received=status.downlinks_received,
            uplinks_sent=status.uplinks_sent,
            sw_rev=status.sw_rev,
            hw_rev=status.hw_rev,
            rssi_dbm=status.rssi_dbm,
            snr_raw=status.snr_raw,
            high_brightness=status.high_brightness,
        )
    )
    light = status.light
    turn.note(
        NoteKind.STATUS,
        f_cnt=event.f_cnt,
        received=status.downlinks_received,
        shows=f"{light.red},{light.green},{light.blue},{light.on},{light.off}",
        gateway=best.gateway_id,
        rssi_dbm=best.rssi_dbm,
        snr_db=best.snr_db,
        gateways=len(event.receptions),
        heard=noted(event.receptions),
    )


def _hearings(turn: Turn, event: UplinkHeard) -> tuple[Hearing, ...]:
    needed = REQUIRED_SNR_DB.get(event.spreading_factor or 12, -20.0)
    known = {h.gateway_id: h for h in turn.device.hearings}
    fresh = {
        r.gateway_id: Hearing(
            gateway_id=r.gateway_id,
            heard_at=event.at,
            rssi_dbm=r.rssi_dbm,
            snr_db=r.snr_db,
            margin_db=r.snr_db - needed,
            latest=True,
            online=known[r.gateway_id].online if r.gateway_id in known else True,
        )
        for r in event.receptions
    }
    oldest = event.at - turn.policy.hearing_kept_s
    older = [
        replace(h, latest=False)
        for h in turn.device.hearings
        if h.gateway_id not in fresh and h.heard_at >= oldest
    ]
    ranked = sorted(fresh.values(), key=lambda h: -h.margin_db) + older
    return tuple(ranked[: turn.policy.hearings_most])


def _learn_names(turn: Turn, event: UplinkHeard) -> None:
    info, device = event.device, turn.device
    assert info is not None  # noqa: S101 - asked by the caller
    names = {
        "name": info.device_name or device.name,
        "application_id": info.application_id or device.application_id,
        "application_name": info.application_name or device.application_name,
        "profile_name": info.device_profile_name or device.profile_name,
        "tags": info.tags or device.tags,
    }
    if any(getattr(device, field) != value for field, value in names.items()):
        turn.change(**names)
