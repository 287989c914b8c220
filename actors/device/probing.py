"""The probe that tells a light's answer delay from its forwarder's lag: two frames to one light.

The first is a colour that the light shows already, so that nobody sees anything. Right after its
txack the same colour is queued again. ChirpStack sends a light nothing by Class C for 5 s after a
frame (`class_c_lock_duration`), and opens RX1 to whatever waits when the light answers: so the
second frame leaves one RX1 delay after the answer, to the microsecond, whatever the lag of the
forwarder, and its own answer tells the delay (`actors/link/forwarders.py`).

The second frame is the only one of ours that is not spaced. That is safe: it leaves either in the
receive window of the light's own answer, when the light has carried out the first and listens, or,
where no answer came, 5 s after the first like ChirpStack's own repetitions. Should it be lost, the
light shows what it showed before. It is queued only once the first has left ChirpStack's queue, so
that there is still one item of ours at a time.

No command, no proof and no pursuit hangs on a probe: a command takes its place, a status of another
colour ends it, it waits for nothing that holds it, and it does not outlive a restart.
"""

from actors.device import events as ev
from actors.device.effects import NoteKind
from actors.device.firmware import heartbeat_only, with_reply
from actors.device.model import Attempt, Device, Phase, Probe, Pursuit, Stage
from actors.device.transition import Transition
from lorawan.kuando.frames import SetLight

FIRST_LIFE_S = 20.0
"""The first frame goes out soon, for the light is spaced and its gateway idle, or not at all."""
SECOND_LIFE_S = 9.0
"""The second frame leaves by the light's answer or 5 s later; after that it would measure nothing.
ChirpStack drops it then by itself."""
UNANSWERED = 2
"""Downlinks more than before the second frame was given away: both have arrived."""


def requested(transition: Transition, event: ev.ProbeRequested) -> None:
    """Begin where nothing else is on the way or wanted; else say why not."""
    device = transition.device
    why = hindrance(device, transition.now, transition.policy.spacing_s)
    shown = device.reported
    if why is not None or shown is None:
        transition.answer(why or "it has not reported")
        return
    reply = with_reply(device, Pursuit(shown, ""), transition.policy)
    transition.note(NoteKind.UPLINK, asked=event.reason)
    transition.submit(SetLight(shown, reply), retry=True, probe=Probe.FIRST, life_s=FIRST_LIFE_S)
    transition.answer(ASKED)


ASKED = "asked"
"""The answer to a `ProbeRequested` that was begun."""


def hindrance(device: Device, now: float, spacing_s: float) -> str | None:
    """Why a light cannot be probed now, in words; None where it can."""
    session = device.session
    if device.command is not None or not device.at_rest:
        return "something is on its way to it"
    if session is None or device.reported is None or not session.set_up:
        return "it has not got its settings in this session"
    if heartbeat_only(device):
        return "its software answers no downlink"
    wanted = device.wanted
    if wanted is not None and wanted.keep and wanted.light != device.reported:
        return "it does not show what is wanted"
    if device.unreachable:
        return "no gateway that hears it is online"
    if device.last_frame_at is not None and now - device.last_frame_at < spacing_s:
        return "a frame to it is only just over"
    return None


def first_is_out(transition: Transition, sent: Attempt) -> None:
    """A gateway took the first frame just now: the second is queued at once."""
    device = transition.device
    if device.phase is not Phase.IDLE or transition.answering is not None:
        return
    transition.submit(sent.frame, retry=True, probe=Probe.SECOND, life_s=SECOND_LIFE_S)


def answered(transition: Transition) -> None:
    """A status came while the light is idle: what was asked is answered, but a second frame that is
    about to leave by this very answer."""
    sent, report = transition.device.attempt, transition.device.session_report
    if sent is not None and sent.probe is Probe.SECOND and report is not None:
        same = isinstance(sent.frame, SetLight) and sent.frame.light == report.light
        if same and report.downlinks_received < sent.baseline + UNANSWERED:
            return
    transition.close_attempt()


def end(transition: Transition) -> None:
    """Whoever asked for it is gone, or it is held: nothing of it is sent that is not queued."""
    sent = transition.device.attempt
    if sent is None or sent.probe is Probe.NO:
        return
    if sent.stage in {Stage.SUBMITTED, Stage.HELD}:
        transition.close_attempt()
    else:
        transition.change_attempt(probe=Probe.NO)
