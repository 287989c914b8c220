"""Which session an uplink or a join belongs to, and what it adds to what is known of the light.

Events come lost, doubled, late and out of order, so each is placed before it is taken in, and no
clock has a say: `time` of an uplink is a gateway's, and an inquiry replays what is long over. Only
the newest uplink of the running session may change what the light is said to show.

An uplink is newer within its session by its counter (LoRaWAN FCnt, which restarts at a join). A
session begins with

* the first uplink or join ever heard of the light;
* an uplink or a join of a DevAddr that is not one of the sessions before;
* an uplink that counts on, with the light's own counters gone back: a life that had its DevAddr
  already, and no replay, for its counter was never told;
* the activation that ChirpStack reports: another DevAddr, or a next counter that is not above one
  that we had heard before we asked.

Whatever else does not fit (an uplink of a session before, a counter that was told of another
uplink, a second join to the same DevAddr) is doubtful: ChirpStack is asked which session runs. In
its answer the activation is read last, so it is younger than the events beside it: whatever these
are, none of them begins a session that the activation does not name.
"""

from enum import Enum

from actors.device import deduplication, loss_counting
from actors.device.command import CommandStatus, StepKind
from actors.device.effects import NoteKind
from actors.device.events import Inquired, Joined, Listed, UplinkHeard
from actors.device.inquiry import ask
from actors.device.model import Device, Hearing, Inquiry, Obstacle, Phase, Report, Session
from actors.device.reception_note import Words, noted, spoken
from actors.device.transition import Transition
from actors.reasons import Reason, ReasonCode
from actors.replace import replace
from lorawan.events import Reception
from lorawan.network import Activation

REQUIRED_SNR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Least SNR a LoRa demodulator needs, by spreading factor. Source: Semtech SX1276 data sheet."""

PREVIOUS_MOST = 4
"""Sessions remembered: a webhook late by more than four joins is not worth telling apart."""

MISSING_MOST = 16
"""Counters passed over that are remembered: a webhook late by more uplinks is asked about."""

DOUBTFUL_MOST = 4
"""Uplinks kept while ChirpStack is asked about them, 45 s at most: a light says one a minute, and
some come late. 0.3 kB each."""


class SessionPlace(Enum):
    """Where an uplink belongs."""

    NEWER = "newer"
    NEW_SESSION = "new session"
    DUPLICATE = "duplicate"
    STALE = "stale"
    DOUBTFUL = "doubtful"


def place(device: Device, event: UplinkHeard) -> SessionPlace:
    """Decide where an uplink that a webhook told belongs, without changing anything."""
    session = device.session
    if deduplication.known(device, event):
        return SessionPlace.DUPLICATE
    if session is None:
        return SessionPlace.NEW_SESSION
    if event.dev_addr != session.dev_addr:
        doubtful = event.dev_addr in session.previous
        return SessionPlace.DOUBTFUL if doubtful else SessionPlace.NEW_SESSION
    if event.f_cnt > session.f_cnt:
        return SessionPlace.NEW_SESSION if _went_back(device, event) else SessionPlace.NEWER
    return SessionPlace.STALE if event.f_cnt in session.missing else SessionPlace.DOUBTFUL


def place_replayed(device: Device, event: UplinkHeard, answer: Inquired) -> SessionPlace:
    """The same for an uplink within an inquiry's answer: the activation beside it has the word."""
    activation, session, where = answer.activation, device.session, place(device, event)
    if (
        activation is None
        or event.dev_addr != activation.dev_addr
        or event.f_cnt >= activation.f_cnt_up
        or (session is not None and event.dev_addr != session.dev_addr)
        or where is SessionPlace.DOUBTFUL
    ):
        return SessionPlace.DUPLICATE if where is SessionPlace.DUPLICATE else SessionPlace.STALE
    if where is SessionPlace.DUPLICATE and session is not None and not session.reused:
        # told before, but to a session that was ended by mistake and runs on
        return SessionPlace.NEWER if event.f_cnt > session.f_cnt else where
    return where


def accept_uplink(transition: Transition, event: UplinkHeard) -> bool:
    """Take an uplink in. True when it is the newest word of the running session."""
    device, answer = transition.device, transition.answering
    where = place(device, event) if answer is None else place_replayed(device, event, answer)
    match where:
        case SessionPlace.DUPLICATE:
            if answer is None:
                transition.change(duplicates=device.duplicates + 1)
            return False
        case SessionPlace.STALE:
            if deduplication.remember(transition, event):
                loss_counting.late(transition, event)
            _note_stale(transition, event)
            return False
        case SessionPlace.DOUBTFUL:
            _note_stale(transition, event)
            ask(transition, "an uplink does not fit the session that we know")
            _keep_until_answered(transition, event)
            return False
        case SessionPlace.NEW_SESSION:
            untold = device.session is not None
            begin_session(transition, event.dev_addr, transition.dated(event.at))
            if untold:
                ask(transition, "the light joined without our being told")
        case SessionPlace.NEWER:
            pass
    if event.device is not None and answer is None:  # a late one may carry the names of before
        _learn_names(transition, event)
    if answer is None:  # ChirpStack drops what a disabled device says
        found_disabled(transition, False)
    deduplication.remember(transition, event)
    _absorb(transition, event)
    return True


def accept_join(transition: Transition, event: Joined) -> bool:
    """Take a join in. True when it ended the session that we thought was running."""
    session, at = transition.device.session, transition.dated(event.at)
    if not deduplication.remember(transition, event):
        return False
    transition.note_event(
        NoteKind.JOIN, deduplication.mark(event), event.at, dev_addr=event.dev_addr
    )
    if session is not None and event.dev_addr == session.dev_addr and not session.joined:
        transition.change(session=replace(session, joined=True))  # an uplink told of it before
        return False
    if transition.answering is not None:
        running = transition.answering.activation
        if session is not None or running is None or event.dev_addr != running.dev_addr:
            return False  # the activation was read after it
    elif session is not None and event.dev_addr in (session.dev_addr, *session.previous):
        ask(transition, "a join to a DevAddr that the light had before")
        return False
    transition.change(joins=transition.device.joins + 1)
    begin_session(transition, event.dev_addr, at, joined=True)
    return True


def accept_activation(transition: Transition, asked: Inquiry, running: Activation | None) -> None:
    """What ChirpStack says of the running session, read after we asked."""
    session = transition.device.session
    if running is None or session is None or session.number != asked.session:
        return  # a session that began meanwhile may be younger than what was read
    if running.dev_addr != session.dev_addr or running.f_cnt_up <= asked.f_cnt:
        begin_session(transition, running.dev_addr, transition.now)


def begin_session(
    transition: Transition, dev_addr: str, at: float, *, joined: bool = False
) -> None:
    """The light joined anew: settings and colour are gone, counters restarted, and nothing would
    be delivered to it before its first status."""
    pursuit, ended = transition.device.pursuit, transition.device.session
    session = Session(dev_addr=dev_addr, since=at, number=1, joined=joined)
    if ended is not None:
        before = tuple(one for one in (ended.dev_addr, *ended.previous) if one != dev_addr)
        session = replace(
            session,
            previous=before[:PREVIOUS_MOST],
            number=ended.number + 1,
            reused=dev_addr == ended.dev_addr,
        )
    transition.close_attempt()
    loss_counting.session_began(transition)
    transition.change(
        session=session,
        setup=None,
        pursuit=None if pursuit is None else replace(pursuit, proof=None, next_at=None),
    )
    transition.note(NoteKind.SESSION, dev_addr=dev_addr, at=at)
    transition.enter(Phase.UNINITIALIZED)
    transition.command_step(
        StepKind.WAITING,
        CommandStatus.ACCEPTED,
        reason=Reason(ReasonCode.JOINED_AGAIN),
    )


def found_disabled(transition: Transition, disabled: bool | None) -> None:
    """What ChirpStack says of the device's setting; None where it did not say."""
    known = transition.device.disabled_at is not None
    if disabled is not None and disabled is not known:
        transition.change(disabled_at=transition.now if disabled else None)


def found_obstacle(transition: Transition, obstacle: Obstacle | None) -> None:
    """What holds a frame of it says whether it is disabled, where that was looked up for it."""
    if obstacle in {Obstacle.DISABLED, Obstacle.CLASS_A, Obstacle.FOREIGN_ITEM}:
        found_disabled(transition, obstacle is Obstacle.DISABLED)


def gateway_health(transition: Transition, gateway_id: str, *, online: bool) -> bool:
    """Note the health of a gateway. True when it hears this light and its health is news."""
    hearings = transition.device.hearings
    news = any(h.gateway_id == gateway_id and h.online is not online for h in hearings)
    if news:
        away = transition.device.unreachable
        transition.change(
            hearings=tuple(
                replace(h, online=online) if h.gateway_id == gateway_id else h for h in hearings
            )
        )
        if away and not transition.device.unreachable:
            transition.change(reachable_at=transition.now)
    return news


def listed(transition: Transition, event: Listed) -> None:
    """Its names and tags, the empty ones included, are ChirpStack's."""
    if not event.told_by(transition.device):
        transition.change(
            name=event.name,
            application_id=event.application_id,
            application_name=event.application_name,
            profile_name=event.profile_name,
            tags=event.tags,
        )


def _absorb(transition: Transition, event: UplinkHeard) -> None:
    session = transition.device.session
    assert session is not None  # noqa: S101 - a session was begun if there was none
    at = transition.dated(event.at)
    passed = range(max(session.f_cnt + 1, event.f_cnt - MISSING_MOST), event.f_cnt)
    missing = (*session.missing, *passed)[-MISSING_MOST:]
    before = transition.device.session_report
    loss_counting.uplink(transition, event.f_cnt - session.f_cnt - 1 if session.heard else 0)
    transition.change(
        session=replace(session, f_cnt=event.f_cnt, heard_at=at, missing=missing),
        uplinks=transition.device.uplinks + 1,
        hearings=_hearings(transition, event, at),
    )
    status = event.status
    if status is None:
        transition.note_event(
            NoteKind.UPLINK,
            deduplication.mark(event),
            event.at,
            **(spoken(event) or _told_of(event, note=event.note)),
        )
        return
    transition.change(
        report=Report(
            at=at,
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
            session=session.number,
            server_at=event.at,
            told_at=transition.now,
        )
    )
    loss_counting.status(transition, before)
    light = status.light
    transition.note_event(
        NoteKind.STATUS,
        deduplication.mark(event),
        event.at,
        **(
            spoken(event)
            or _told_of(
                event,
                received=status.downlinks_received,
                shows=f"{light.red},{light.green},{light.blue},{light.on},{light.off}",
            )
        ),
    )


def _told_of(event: UplinkHeard, **words: str | int | None) -> Words:
    """The line of an uplink of which the payload is not told."""
    best = max(event.receptions, key=lambda r: r.snr_db, default=Reception(gateway_id=""))
    heard: Words = {"gateway": best.gateway_id, "rssi_dbm": best.rssi_dbm, "snr_db": best.snr_db}
    return {"f_cnt": event.f_cnt, **words, **heard, "heard": noted(event.receptions)}


def _hearings(transition: Transition, event: UplinkHeard, at: float) -> tuple[Hearing, ...]:
    factor = event.spreading_factor
    known_factor = factor if factor in REQUIRED_SNR_DB else None
    needed = REQUIRED_SNR_DB[known_factor or 12]
    known = {h.gateway_id: h for h in transition.device.hearings}
    fresh = {
        r.gateway_id: Hearing(
            gateway_id=r.gateway_id,
            heard_at=at,
            rssi_dbm=r.rssi_dbm,
            snr_db=r.snr_db,
            margin_db=r.snr_db - needed,
            latest=True,
            online=known[r.gateway_id].online if r.gateway_id in known else True,
            spreading_factor=known_factor,
        )
        for r in event.receptions
    }
    oldest = at - transition.policy.hearing_kept_s
    older = [
        replace(h, latest=False)
        for h in transition.device.hearings
        if h.gateway_id not in fresh and h.heard_at >= oldest
    ]
    ranked = sorted(fresh.values(), key=lambda h: -h.margin_db) + older
    return tuple(ranked[: transition.policy.hearings_most])


def _went_back(device: Device, event: UplinkHeard) -> bool:
    """Whether the light's own counters fell although its uplink counter rose: another life."""
    report, status = device.session_report, event.status
    if report is None or status is None or report.dev_addr != event.dev_addr:
        return False
    return (
        status.uplinks_sent < report.uplinks_sent
        or status.downlinks_received < report.downlinks_received
    )


def _keep_until_answered(transition: Transition, event: UplinkHeard) -> None:
    """The answer places it, whether it holds it or not. A repetition takes no second place."""
    inquiry = transition.device.inquiry
    if inquiry is not None and all(one.id != event.id for one in inquiry.doubtful):
        doubtful = (*inquiry.doubtful, event)[-DOUBTFUL_MOST:]
        transition.change(inquiry=replace(inquiry, doubtful=doubtful))


def _note_stale(transition: Transition, event: UplinkHeard) -> None:
    """Late or doubtful. In an answer it is what a lost webhook would have told: no sign of one
    that came late."""
    if transition.answering is None:
        transition.change(stale=transition.device.stale + 1)
    transition.note_event(
        NoteKind.STALE,
        deduplication.mark(event),
        event.at,
        dev_addr=event.dev_addr,
        **(spoken(event) or {"f_cnt": event.f_cnt}),
    )


def _learn_names(transition: Transition, event: UplinkHeard) -> None:
    info = event.device
    assert info is not None  # noqa: S101 - asked by the caller
    if not (info.application_id or info.device_profile_name):
        return  # it says nothing of the light but its DevEUI
    listed(
        transition,
        Listed(
            name=info.device_name,
            application_id=info.application_id,
            application_name=info.application_name,
            profile_name=info.device_profile_name,
            tags=info.tags,
        ),
    )
