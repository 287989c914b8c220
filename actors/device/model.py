"""What Lamplighter knows of one light: immutable values, stored and shown as they are.

They have no behaviour: `machine.py` makes new values from old ones, the store keeps them as JSON,
the board shows them. Fields ending in `_at` or `_until` (and `since`) are Unix seconds UTC.
"""

from enum import IntEnum, StrEnum

import msgspec

from actors.device.command import Command
from actors.device.uplink_heard import UplinkHeard
from actors.link.judgement import AttemptJudged
from actors.link.loss_counters import LossCounters
from actors.reasons import Reason
from lorawan.kuando.frames import Frame
from lorawan.kuando.light_state import LightState


class Phase(StrEnum):
    """The states of the device machine; `machine.py` says what each means."""

    UNINITIALIZED = "uninitialized"
    INITIALIZING = "initializing"
    IDLE = "idle"
    AWAITING_VERIFY = "awaiting_verify"
    RETRYING = "retrying"
    FAILED = "failed"


class Session(msgspec.Struct, frozen=True, gc=False):
    """One life between two joins. `f_cnt` is the highest uplink counter heard, -1 before any."""

    dev_addr: str
    since: float
    f_cnt: int = -1
    heard_at: float = 0.0
    set_up: bool = False
    """The settings (0601, 04nn) were carried out in this session."""
    previous: tuple[str, ...] = ()
    """DevAddrs of the last sessions before this one, newest first: their uplinks may come late."""
    number: int = 0
    """Counts the sessions of this light: two of them may have the same DevAddr and date."""
    joined: bool = False
    """Its join was told; another join to the same DevAddr is another session's."""
    reused: bool = False
    """It has the DevAddr of the session before: what was told of that is none of this one's."""
    interval_min: int | None = None
    """Status interval that it was told last, minutes; None while it was told none."""
    missing: tuple[int, ...] = ()
    """Uplink counters passed over, the last few: an uplink with one of these is merely late."""

    @property
    def heard(self) -> bool:
        """True once an uplink of this session arrived."""
        return self.f_cnt >= 0


class Report(msgspec.Struct, frozen=True, gc=False):
    """The newest status heard of the light, of whichever session `dev_addr` names."""

    at: float
    dev_addr: str
    f_cnt: int
    light: LightState
    downlinks_received: int
    uplinks_sent: int
    sw_rev: int
    hw_rev: int
    rssi_dbm: int
    snr_raw: int
    high_brightness: int | None = None
    session: int = 0
    """Number of its session: two sessions may have the same DevAddr."""
    server_at: float | None = None
    """When ChirpStack received it, on ChirpStack's clock; None where it does not say."""
    told_at: float = 0.0
    """When we were told of it, on our clock."""


class Hearing(msgspec.Struct, frozen=True, gc=False):
    """A gateway that heard the light lately. `margin_db` is SNR minus what the uplink needed."""

    gateway_id: str
    heard_at: float
    rssi_dbm: int
    snr_db: float
    margin_db: float
    latest: bool
    """It heard the newest uplink: ChirpStack sends through one of these."""
    online: bool = True
    spreading_factor: int | None = None
    """Of that uplink, where it was told; None in records of 0.1.0."""


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What the light should show, by which command, and whether to bring it back to that."""

    light: LightState
    command_id: str
    since: float
    keep: bool = True
    by: str = ""
    """Who gave the command."""


class Stage(StrEnum):
    """How far an attempt has come."""

    SUBMITTED = "submitted"  # the dispatcher has it
    HELD = "held"  # the dispatcher says why it cannot go out
    QUEUED = "queued"  # ChirpStack has it
    TRANSMITTED = "transmitted"  # a gateway took it


class Obstacle(StrEnum):
    """What keeps every frame from a light until a person does something in ChirpStack."""

    DISABLED = "disabled"
    CLASS_A = "class_a"
    FOREIGN_ITEM = "foreign_item"
    DENIED = "denied"


class Probe(IntEnum):
    """Which of the two frames of a probe an attempt is, see `probing.py`."""

    NO = 0
    FIRST = 1
    SECOND = 2


class Attempt(msgspec.Struct, frozen=True):
    """One frame on its way to the light; a device has at most one."""

    number: int
    """Counts up through the life of the device; names the attempt to the dispatcher."""
    frame: Frame
    marker_us: int
    """0-999999, the microseconds of the item's expiry: by these we know our item again."""
    submitted_at: float
    not_before: float
    retry: bool
    """True unless a caller waits for it and it is the first of its pursuit: those go first."""
    expires_at: float | None = None
    """End of the command's time to live, on our clock: no item of it may outlive that."""
    baseline: int = 0
    """Downlinks the light had received, by its newest status before the submission."""
    heard: int = -1
    """Highest uplink counter of the session at the submission."""
    due_at: float | None = None
    """When the machine must look at it again."""
    stage: Stage = Stage.SUBMITTED
    reason: str | None = None
    cause: Reason | None = None
    """The same as a code with values; None in records of before."""
    obstacle: Obstacle | None = None
    """What held it last, if a person has to remove that; None again once it is queued."""
    dev_addr: str = ""
    """The session that the server had, read before the enqueue."""
    f_cnt_down: int | None = None
    """That session's next downlink counter, read before the enqueue."""
    fence: int = 0
    """The server's next uplink counter, read before the enqueue."""
    queue_item_id: str | None = None
    """Of the item, by which people find it in ChirpStack. This and the five around it are as the
    dispatcher told them; it has them back should it have forgotten the attempt."""
    queued_at: float | None = None
    item_expires_at: float | None = None
    ends_at: float | None = None
    """Estimated end of transmission, on ChirpStack's clock: txack plus airtime."""
    air_until: float | None = None
    """The same on our clock, counted from when we were told."""
    gateway_id: str | None = None
    probe: Probe = Probe.NO
    """Such a one may be given up at any time: nothing hangs on it."""
    sw_rev: int | None = None
    """Software revision of the light, by its newest status."""
    expected: float = 0.9
    """Chance that a light that is well answers it, by its own counts of lost frames."""
    spacing_s: float | None = None
    """Least time to the frame before; None in a record of 0.1.0, and there as the policy says."""
    gap_s: float | None = None
    """From the end of the frame before of the same pursuit, where there was one."""
    handed_over: int = 0
    """How often it was given to the dispatcher: with the number this tells, of the record alone,
    what the dispatcher has to be given (`actors/cluster/desk.py`). 0 in older records."""


class Proof(msgspec.Struct, frozen=True, gc=False):
    """From where on a status proves something: after the first enqueue of a pursuit.

    A status counts when it belongs to session `dev_addr`, its uplink counter is at least `fence`
    (the server's next expected counter, read before the enqueue: causal, no clock involved) and
    its downlink counter is above `baseline`.
    """

    dev_addr: str
    baseline: int
    fence: int
    attempts: int = 0
    """Frames of the open command that were on air before: in an older session."""


class Unanswered(msgspec.Struct, frozen=True, gc=False):
    """The newest frame of a pursuit that no status answered in time: a proof may yet come."""

    judged: AttemptJudged
    """As it was told."""
    air_until: float
    ends_at: float | None = None


class Pursuit(msgspec.Struct, frozen=True):
    """The light is being brought to `goal`, for an open command or to restore what is wanted."""

    goal: LightState
    command_id: str
    restoring: bool = False
    """True when no caller waits: the light drifted from what an ended command wanted."""
    attempts: int = 0
    """Transmitted and unproven so far; only these are counted."""
    unsent: int = 0
    """Items in a row that no gateway took; they cost no attempt but are spaced out."""
    next_at: float | None = None
    """When the next attempt is due (phase RETRYING), None when only evidence starts one."""
    proof: Proof | None = None
    refused_reply: bool = False
    """A colour with the sixth byte arrived, by the light's own counter, and changed nothing."""
    contested: bool = False
    """A frame of before may have been out when it began: an echo may be that one's."""
    timed: int | None = None
    """How many attempts there were when another was no longer worth its air; 0 while it is. None
    before the first failure, in a fixed plan, and in records of 0.1.0."""
    unanswered: Unanswered | None = None


class Setup(msgspec.Struct, frozen=True):
    """The settings of this session are on their way."""

    step: int = 0
    """Index into the steps that this software revision needs."""
    attempts: int = 0
    """Rounds that ended without proof."""
    extra: int = 0
    """Frames of earlier rounds that may have arrived since the baseline without being told."""
    unsent: int = 0
    """Items in a row that no gateway took."""
    proof: Proof | None = None
    next_at: float | None = None
    """When the next frame is due; None while one is on its way, or only evidence starts one."""


class Inquiry(msgspec.Struct, frozen=True, gc=False):
    """ChirpStack was asked what became of things; no answer yet."""

    number: int
    asked_at: float
    session: int = 0
    """Number of the session that ran when it was asked."""
    f_cnt: int = -1
    """Highest uplink counter of that session then: the server had it before it answered."""
    doubtful: tuple[UplinkHeard, ...] = ()
    """Uplinks that were told and did not fit the session that we know. The answer says which
    session runs, and may not hold them: ChirpStack can be set to retain nothing."""


class Foreign(msgspec.Struct, frozen=True, gc=False):
    """The light came to show a colour that no frame of ours can have set, see
    `foreign_sender.py`."""

    at: float
    light: LightState


class Newest(msgspec.Struct, frozen=True, gc=False):
    """The newest command that the light was told of: whatever comes from a place before is older,
    though it comes later. `command_id` is empty where everything was taken back there."""

    command_id: str
    place: str
    """See `store/engine/places.py`."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one light. This is the record in the store."""

    dev_eui: str
    name: str = ""
    application_id: str = ""
    application_name: str = ""
    profile_name: str = ""
    tags: dict[str, str] = {}
    phase: Phase = Phase.UNINITIALIZED
    since: float = 0.0
    session: Session | None = None
    report: Report | None = None
    hearings: tuple[Hearing, ...] = ()
    wanted: Wanted | None = None
    wanted_before: Wanted | None = None
    """What was wanted before the open command: wanted again, should that end unfulfilled."""
    command: Command | None = None
    """The open command, if any."""
    pursuit: Pursuit | None = None
    setup: Setup | None = None
    attempt: Attempt | None = None
    inquiry: Inquiry | None = None
    queued_until: float | None = None
    """Until then a frame of ours, of whichever attempt, may be in ChirpStack's queue. None once
    the dispatcher told what became of the newest."""
    last_frame_at: float | None = None
    """Estimated end of the newest frame of ours to this light."""
    attempts_made: int = 0
    """Attempt numbers given out so far."""
    inquiries_made: int = 0
    inquired_at: float | None = None
    uplinks: int = 0
    duplicates: int = 0
    stale: int = 0
    missed: int = 0
    """Events that no webhook told of, and an inquiry found."""
    losses: LossCounters | None = None
    """How many frames are lost on their way to it and from it; None before anything was counted."""
    reachable_at: float | None = None
    """When the last outage of all gateways that hear it was over: nobody heard it before."""
    told: tuple[str, ...] = ()
    """Marks of the events told last, the newest last (see `deduplication.py`)."""
    refuses_reply: int | None = None
    """Software revision with which this light took colours only without the sixth byte."""
    without_proven: int = 0
    """Pursuits in a row that only a colour without it ended."""
    healed: int = 0
    """Times that the record was found with nothing to wake it (see `liveness.py`)."""
    joins: int = 0
    unsettled_until: float | None = None
    """Until then frames of an earlier wish may be out; None once a newer one was proven."""
    foreign: tuple[Foreign, ...] = ()
    """The last changes of its colour by somebody else."""
    disabled_at: float | None = None
    """When it was found to be disabled in ChirpStack; None where it is not, as far as known."""
    last_error: str | None = None
    last_error_at: float | None = None
    stepped_at: float = 0.0
    """When this record was made, on our clock: nothing in it is younger."""
    inbox: str = ""
    """Id of the newest entry of its shard's inbox that was dealt with, in the same commit; empty
    where there are no inboxes."""
    inbox_line: str = ""
    """The line of history of that id (`store/engine/places.py`)."""
    newest: Newest | None = None
    """None where commands have no place."""
    withdrawn: tuple[str, ...] = ()
    """Ids of the commands that were taken back last, the newest last: told again they are none."""
    wanted_last: str = ""
    """Id of the command that was wanted when somebody wanted nothing any more: told again it is
    none."""

    @property
    def reported(self) -> LightState | None:
        """What the light shows as far as is known: the newest status of the running session."""
        return None if self.session_report is None else self.session_report.light

    @property
    def session_report(self) -> Report | None:
        """The newest status, if it is of the running session."""
        report, session = self.report, self.session
        if report is None or session is None:
            return None
        same = (report.dev_addr, report.session) == (session.dev_addr, session.number)
        return report if same else None

    @property
    def heard_at(self) -> float | None:
        """When the newest uplink of any session arrived."""
        if self.session is not None and self.session.heard:
            return self.session.heard_at
        return self.report.at if self.report is not None else None

    @property
    def at_rest(self) -> bool:
        """True while it is idle and no frame of ours is out, not even a question for its status."""
        return self.phase is Phase.IDLE and self.attempt is None

    @property
    def awaits_retry(self) -> bool:
        """True while something is unproven and waits for its time, or for evidence."""
        return self.phase in {Phase.RETRYING, Phase.FAILED}

    @property
    def pursuit_to_retry(self) -> Pursuit | None:
        """The pursuit whose next attempt waits, perhaps for its time; settings would come first."""
        return self.pursuit if self.phase is Phase.RETRYING and self.setup is None else None

    @property
    def unreachable(self) -> bool:
        """True while every gateway that hears the light is offline."""
        return bool(self.hearings) and not any(hearing.online for hearing in self.hearings)
