"""The one sentence of each code, and the names of its values in the order in which they are stored.

A sentence stays as it is: people search for it, and older clients know it. Names say what a value
is: `since` and `until` are moments told to the minute, `at` to the second, `copied_at` with its
day as well, each in Unix seconds; `lights` is a number, said with its noun.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from actors.reasons.code import ReasonCode as Code

MINUTES = frozenset({"since", "until"})
SECONDS = frozenset({"at"})
DATES = frozenset({"copied_at"})
SILENT = "({frames} since {since} and no txack)"


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with `{name}` for each value."""

    text: str
    names: tuple[str, ...] = ()
    bare: str | None = None
    """Instead of `text` where a value is empty."""
    each: Mapping[str, str] = field(default_factory=dict)
    """How one of several gateways is told, by the name of the value; its name alone else."""
    between: Mapping[str, str] = field(default_factory=dict)
    """What stands between them; a comma else."""


_IN_SENTENCES = {
    Code.OTHER: Sentence("{text}", ("text",)),
    # ---------------------------------------------------------------- a frame is not out yet
    Code.GATEWAYS_OFFLINE: Sentence(
        "every gateway that hears this light is offline: {gateways}",
        ("gateways",),
        each={"gateways": "{name} (since {since})"},
    ),
    Code.AIRTIME_USED_UP: Sentence(
        "airtime of gateway {gateways} is used up until {until}", ("gateways", "until")
    ),
    Code.CHIRPSTACK_NO_ANSWER: Sentence(
        "ChirpStack does not answer since {since} ({instead})",
        ("since", "instead"),
        bare="ChirpStack does not answer since {since}",
    ),
    Code.KEY_REFUSED: Sentence(
        "ChirpStack refuses our API key: {text}",
        ("text",),
        bare="ChirpStack refuses our API key: no reason given",
    ),
    Code.ACCESS_DENIED: Sentence(
        "ChirpStack denies access to this light: deleted there, or of another tenant ({text})",
        ("text",),
        bare="ChirpStack denies access to this light: deleted there, or of another tenant",
    ),
    Code.LIGHT_DISABLED: Sentence("the light is disabled in ChirpStack: enable the device there"),
    Code.CLASS_A: Sentence(
        "ChirpStack has the light as Class A: tick Class C (and not Class B) in its device"
        " profile, then let it join again"
    ),
    Code.CLASS_A_UNTIL_JOIN: Sentence(
        "ChirpStack has the light as Class A: its Class C begins when it joins again"
    ),
    Code.FOREIGN_ITEM: Sentence(
        "a foreign item blocks ChirpStack's queue since {since} or longer: fPort {f_port}, bytes"
        " {bytes}; it is not ours, flush the queue if nobody needs it",
        ("since", "f_port", "bytes"),
    ),
    Code.FOREIGN_ITEM_PENDING: Sentence(
        "a foreign item blocks ChirpStack's queue since {since} or longer: fPort {f_port}, bytes"
        " {bytes}, sent and waiting for its ACK; it is not ours, flush the queue if nobody needs"
        " it",
        ("since", "f_port", "bytes"),
    ),
    Code.CHIRPSTACK_FAILS: Sentence(
        "ChirpStack fails on this light: {text}",
        ("text",),
        bare="ChirpStack fails on this light: internal error",
    ),
    Code.GATEWAY_TURN: Sentence(
        "waits for its turn at gateway {gateways}; gateway {suspects}",
        ("gateways", "suspects"),
        bare="waits for its turn at gateway {gateways}",
        each={"suspects": "{name} takes none " + SILENT},
    ),
    Code.GATEWAYS_SUSPECTED: Sentence(
        "no gateway that ChirpStack may choose for this light takes frames: {suspects}",
        ("suspects",),
        each={"suspects": "{name} " + SILENT},
    ),
    Code.GATEWAYS_UNPROVEN: Sentence(
        "no light answers through gateway {gateways}: look at its antenna and its transmitter;"
        " one light is tried every {each_s} s",
        ("gateways", "each_s"),
        each={"gateways": "{name} ({frames} since {since}, and no status in reply)"},
    ),
    Code.NO_TXACK: Sentence(
        "no txack from gateway {gateways} since {since}; {suspects}; ChirpStack sends it again"
        " every 5 s",
        ("gateways", "since", "suspects"),
        bare="no txack from gateway {gateways} since {since}; ChirpStack sends it again every 5 s",
        each={"suspects": "{name} is suspected " + SILENT},
        between={"gateways": " or ", "suspects": "; "},
    ),
    Code.NOT_SENT_YET: Sentence(
        "in ChirpStack's queue since {since}, and not sent yet: it waits 5 s after an uplink of"
        " the light",
        ("since",),
    ),
    Code.GATEWAY_REFUSED_FRAME: Sentence(
        "a gateway refused the frame ({problem}); ChirpStack sends it again every 5 s",
        ("problem",),
    ),
    Code.FRAMES_SPACED: Sentence(
        "waits until {at}: frames to one light are kept apart, for it answers each", ("at",)
    ),
    Code.ASKED_AGAIN: Sentence("ChirpStack did not answer; it is asked again at {at}", ("at",)),
    Code.RX2_CHANGED: Sentence(
        "RX2 was changed to SF{spreading_factor} in ChirpStack: until the light's next uplink"
        " ChirpStack sends at the old rate, which the light may not hear any more",
        ("spreading_factor",),
    ),
    Code.COMMAND_ENDS: Sentence("not sent any more: the command ends at {at}", ("at",)),
    Code.EARLIER_ITEM: Sentence("an earlier item is still in ChirpStack's queue"),
    Code.NO_UPLINK_SINCE_JOIN: Sentence("the light has not sent an uplink since it joined"),
    Code.NEVER_JOINED: Sentence("the light never joined"),
    Code.BEING_ASKED: Sentence("ChirpStack is being asked"),
    Code.WAITS_FOR_TIME: Sentence("waits for its time, {until}", ("until",)),
    Code.STORE_RESTORED: Sentence(
        "the store was restored from a copy of {copied_at}; confirm with `lamplighter restored`",
        ("copied_at",),
        bare="the store was restored from a copy of unknown age; confirm with `lamplighter"
        " restored`",
    ),
    Code.STORE_SET_BACK: Sentence(
        "the store {cause}; confirm with `lamplighter restored`", ("cause",)
    ),
    # ---------------------------------------------------------------- a command waits for its light
    Code.NOT_REPORTED: Sentence("the light has not reported since it joined"),
    Code.SETTINGS_FIRST: Sentence("the light is being given its settings first"),
    Code.SETTINGS_NOT_TAKEN: Sentence("the light does not take its settings"),
    Code.JOINED_AGAIN: Sentence("the light joined again; waiting for its first status"),
    Code.ANSWERS_NO_DOWNLINK: Sentence(
        "its software {software} answers no downlink: it is told to report every {minutes} min",
        ("software", "minutes"),
    ),
    # ---------------------------------------------------------------- an attempt ended
    Code.FRAME_NOT_TAKEN: Sentence("no gateway took the frame"),
    Code.FRAME_EXPIRED: Sentence("no gateway took the frame before it expired"),
    Code.FRAME_DISCARDED: Sentence("ChirpStack discarded the frame: {problem}", ("problem",)),
    Code.LIGHT_UNKNOWN: Sentence("ChirpStack does not know this light: {text}", ("text",)),
    Code.DOWNLINK_INVALID: Sentence("ChirpStack calls the downlink invalid: {text}", ("text",)),
    Code.NO_ANSWER_IN_WINDOW: Sentence("no answer within the verification window"),
    Code.NOT_CARRIED_OUT: Sentence("the light reported without having carried it out"),
    Code.NO_PROOF: Sentence("no proof after the timed attempts; tried again on evidence"),
    # ---------------------------------------------------------------- and another began
    Code.TRIED_AGAIN: Sentence("tried again: {what}", ("what",)),
    Code.NO_GATEWAY_LISTENED: Sentence("no gateway that hears the light was online to hear it"),
    Code.GATEWAY_HEARD_AGAIN: Sentence("gateway {gateway_id} is heard again", ("gateway_id",)),
    Code.GATEWAY_BACK: Sentence("gateway {gateway_id} is back", ("gateway_id",)),
    Code.GATEWAY_ANSWERED_AGAIN: Sentence(
        "frames through gateway {gateway_id} are answered again", ("gateway_id",)
    ),
    Code.LIGHT_HEARD: Sentence("the light was heard"),
    Code.OTHER_STATE_SHOWN: Sentence("the light shows another state"),
    # ---------------------------------------------------------------- a command ended
    Code.COMMAND_EXPIRED: Sentence("{reason}; {shown}", ("reason", "shown")),
    Code.TIME_TO_LIVE_OVER: Sentence("its time to live is over"),
    Code.STATUS_SHOWS_COLOUR: Sentence(
        "its newest status shows the colour, which does not prove that this command set it"
    ),
    Code.STATUS_SHOWS: Sentence(
        "its newest status shows red {red}, green {green}, blue {blue}, on {on}, off {off}",
        ("red", "green", "blue", "on", "off"),
    ),
    Code.COMMAND_WITHDRAWN: Sentence(
        "withdrawn by {by}; {left}", ("by", "left"), bare="withdrawn; {left}"
    ),
    Code.WITHDRAWN_BEFORE: Sentence("it was withdrawn"),
    Code.NOTHING_SENT: Sentence("nothing of it was sent"),
    Code.MAY_STILL_BE_TAKEN: Sentence("{what}: the light may still take it", ("what",)),
    Code.MAY_BE_TAKEN_AND_BROUGHT_BACK: Sentence(
        "{what}: the light may still take it, and is then brought back", ("what",)
    ),
    Code.FRAME_IN_QUEUE: Sentence("its frame is in ChirpStack's queue"),
    Code.FRAME_UNANSWERED: Sentence("its frame was transmitted and is not answered"),
    Code.FRAME_MAY_BE_IN_QUEUE: Sentence("a frame of it may be in ChirpStack's queue"),
    Code.FRAMES_UNANSWERED: Sentence("frames of it were transmitted and not answered"),
    Code.LIGHT_REMOVED: Sentence(
        "the light was removed: {why}", ("why",), bare="the light was removed"
    ),
    Code.BY_HAND: Sentence("by hand"),
    Code.NOT_LISTED: Sentence("ChirpStack does not list it any more"),
    Code.LIGHT_GONE: Sentence("its light was removed, or its record cannot be read"),
    Code.ACTOR_CRASHED: Sentence("its light's actor crashed over it"),
    Code.ACTOR_PARKED: Sentence("its light's actor crashed too often, and nobody revived it"),
    # ---------------------------------------------------------------- a light of a rollout, or all
    Code.ROLLOUT_OVERTAKEN: Sentence("a newer command took its place"),
    Code.ROLLOUT_OVERTAKEN_BEFORE: Sentence("a newer command came before its turn"),
    Code.ROLLOUT_REJECTED: Sentence(
        "rejected: {reason}", ("reason",), bare="rejected: without a reason"
    ),
    Code.ROLLOUT_EXPIRED: Sentence("expired: {reason}", ("reason",), bare="expired: never proven"),
    Code.ROLLOUT_OVERDUE: Sentence("overdue: not proven in time, still pursued"),
    Code.ROLLOUT_NOT_COMMANDED: Sentence("no command could be given: {refusal}", ("refusal",)),
    Code.ROLLOUT_RECORD_UNREADABLE: Sentence("the record of its command cannot be read"),
    Code.ROLLOUT_COMMAND_LOST: Sentence("its command is not known any more"),
    Code.ROLLOUT_FAILURES: Sentence("{lights} failed, at most {most} may", ("lights", "most")),
    Code.ROLLOUT_CANCELLED: Sentence("cancelled; commands given before go on"),
}

SENTENCES: Mapping[Code, Sentence] = MappingProxyType(_IN_SENTENCES)
