"""What a light is doing and why it does not show what it should: the texts of the dashboard.

Only what is known is said: that a frame was sent is never told as a colour that is shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from api.cli.show.colours import words
from api.cli.show.natural import natural
from api.cli.show.times import ago, span

Json = Mapping[str, Any]

STYLES = {
    "verified": "green",
    "working": "cyan",
    "held": "yellow",
    "failed": "red",
    "unreachable": "magenta",
    "quiet": "dim",
}
MARKS = {
    "verified": "✓",
    "working": "→",
    "held": "‖",
    "failed": "✗",
    "unreachable": "?",
    "quiet": "·",
}
ORDER = ("failed", "held", "unreachable", "working", "quiet", "verified")
"""The troubled first."""
REACHES = {
    "silent": "silent",
    "no_gateway_online": "no gateway",
    "never_heard": "not heard yet",
    "disabled": "disabled",
}
"""A word for each reachability but the good one."""


def kind_of(device: Json) -> str:
    """One of STYLES."""
    phase, reach = device["phase"], device["reachability"]
    if phase == "failed":
        return "failed"
    waits = phase != "idle" and (phase != "uninitialized" or device["wanted"] is not None)
    if device["command_status"] == "held" or (waits and reach in {"no_gateway_online", "disabled"}):
        return "held"
    if reach in {"silent", "no_gateway_online", "disabled"}:
        return "unreachable"
    if phase == "uninitialized":
        return "quiet" if device["wanted"] is None else "working"
    if waits:
        return "working"
    return "verified" if device["as_wanted"] is True else "quiet"


def state(device: Json) -> str:
    """One or two words."""
    kind, phase = kind_of(device), device["phase"]
    if kind == "failed":
        return "setup failed" if device["as_wanted"] is True else "failed"
    if kind in {"held", "verified"}:
        return kind
    if kind == "unreachable":
        return REACHES[device["reachability"]]
    if phase == "uninitialized":
        return "not heard yet" if kind == "quiet" else "waiting"
    if phase == "awaiting_verify":
        sent = {"accepted": "sending", "queued": "queued", "transmitted": "verifying"}
        return sent.get(device["command_status"] or "", "restoring")
    plain = {"initializing": "setting up", "retrying": "retrying"}
    return plain.get(phase, "nothing asked" if device["wanted"] is None else "differs")


def why(device: Json, gateways: Mapping[str, str] | None = None, now: float | None = None) -> str:
    """What it shows, what it should, and why they differ; and whether it can be reached at all.

    `gateways` are names. A colour that was not heard lately is told in the past tense, with its age
    where `now` is given.
    """
    sentence = _shown_and_wanted(device, gateways or {}, now)
    if kind_of(device) == "held" or device["reachable"]:
        return sentence
    return f"{sentence} {unreached(device, gateways or {}, now)}".rstrip()


def unreached(device: Json, names: Mapping[str, str], now: float | None) -> str:
    """Why a light cannot be heard or reached, as a sentence."""
    since, age = device["reachability_since"], ""
    if since is not None and now is not None:
        age = f" for {span(now - since)}"
    match device["reachability"]:
        case "silent":
            return f"It has not been heard{age}."
        case "no_gateway_online":
            return f"Every gateway that hears it is offline{age} ({_hearers(device, names)})."
        case "disabled":
            return f"It is disabled in ChirpStack{age}."
        case _:
            return ""  # never heard: said already by what it shows


def _shown_and_wanted(device: Json, names: Mapping[str, str], now: float | None) -> str:
    shown = words(device["reported"])
    wanted, current = device["wanted"], device["reported_current"]
    if device["reported"] is None:
        shows = "Nobody knows what it shows: it has not reported since it joined"
    elif current:
        shows = f"It shows {shown}"
    else:
        heard = "" if now is None else f", heard {ago(device['reported_at'], now)}"
        shows = f"It showed {shown}{heard}"
    if wanted is None:
        return f"{shows}, and nothing is asked of it."
    if device["as_wanted"] is True and kind_of(device) in {"verified", "unreachable"}:
        return f"{shows}, as it should."
    if device["as_wanted"] is True:
        return f"{shows}, as it should; {_because(device, names)}."
    link = "; it should show" if device["reported"] is None else ", but should show"
    return f"{shows}{link} {words(wanted)}: {_because(device, names)}."


def _hearers(device: Json, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(each) or each for each in device["gateways"])


def _because(device: Json, names: Mapping[str, str]) -> str:
    if kind_of(device) == "held":
        if device["reachability"] == "disabled":
            return "it is disabled in ChirpStack"
        if device["reachability"] == "no_gateway_online":
            return f"every gateway that hears it is offline ({_hearers(device, names)})"
        return str(device["command_reason"] or "the order waits until it may be sent")
    match device["phase"]:
        case "uninitialized":
            return "it hears nothing before its first report after a join"
        case "initializing":
            return "it gets its settings first"
        case "awaiting_verify":
            sent = {
                "accepted": "the order is stored and goes out next",
                "queued": "ChirpStack has the frame, but no gateway has sent it yet",
                "transmitted": "a gateway sent it, but the light has not confirmed it yet",
            }
            drifted = "it drifted and is being brought back"
            return sent.get(device["command_status"] or "", drifted)
        case "retrying":
            return "the last frame brought no proof, and another follows"
        case "failed" if device["as_wanted"] is True:
            return "but it does not take its settings"
        case "failed":
            return "the timed attempts brought no proof; its next sign of life starts another"
        case _:
            return "it drifted, and the order said not to bring it back"


STEPS = {
    "accepted": "accepted and stored",
    "waiting": "waiting",
    "held": "held",
    "queued": "in ChirpStack's queue",
    "transmitted": "sent by a gateway",
    "unproven": "no proof in time",
    "not_sent": "not sent",
    "evidence": "tried again on evidence",
    "overdue": "overdue, still pursued",
    "verified": "verified by the light",
    "superseded": "superseded by a newer command",
    "expired": "expired",
    "rejected": "rejected",
    "withdrawn": "withdrawn",
}


def step_words(step: Json, names: Mapping[str, str]) -> str:
    """One step of a command as a line without its time."""
    text = STEPS.get(step["kind"], str(step["kind"]))
    if (gateway := step["gateway_id"]) is not None:
        text += f" {names.get(gateway) or gateway}" if step["kind"] == "transmitted" else ""
    if step["attempt"]:
        text += f" (attempt {step['attempt']})"
    return f"{text}: {step['reason']}" if step["reason"] else text


UNLIKELY = 0.5


def risk_key(device: Json) -> tuple[bool, float]:
    """The worst first, as the service orders risks: lights that are warned of or unlikely to
    answer, then the others, each by chance, unknown ones last. An older service tells of none.
    """
    risk = device.get("risk") or {"chance_30s": None, "warnings": ()}
    chance = 2.0 if risk["chance_30s"] is None else risk["chance_30s"]
    return not (risk["warnings"] or chance < UNLIKELY), chance


def sort_key(device: Json, by: str) -> tuple[Any, ...]:
    """For sorting lights by one of the columns."""
    name, dev_eui = natural(device["name"]), device["dev_eui"]
    keys: dict[str, Sequence[Any]] = {
        "name": (name,),
        "dev-eui": (),
        "colour": (words(device["reported"]), name),
        "state": (ORDER.index(kind_of(device)), state(device), name),
        "since": (-device["since"],),
        "heard": (-(device["heard_at"] or 0.0),),
        "risk": risk_key(device),
    }
    return (*keys[by], dev_eui)
