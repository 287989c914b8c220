"""The reasons of the dispatcher in words for a person.

The rule it keeps: times are UTC and say so; a reason names what is missing, never a state of ours.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from actors.dispatcher.suspicion import Suspect
from lorawan.network import QueueItem

EARLIER_ITEM = "an earlier item is still in ChirpStack's queue"
NOT_HEARD = "the light has not sent an uplink since it joined"
AIRTIME_OF = "airtime of gateway"
BYTES_SHOWN = 32
NEVER_JOINED = "the light never joined"


def clock_words(at: float, now: float) -> str:
    """A time (Unix seconds) as seen at `now`: `10:42 UTC`, with the date when it is far."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%H:%M} UTC" if abs(at - now) < 43_200.0 else f"{when:%Y-%m-%d %H:%M} UTC"


def offline(gateways: Iterable[tuple[str, float]], now: float) -> str:
    """Every gateway (name, offline since) that hears the light is away."""
    each = ", ".join(f"{name} (since {clock_words(since, now)})" for name, since in gateways)
    return f"every gateway that hears this light is offline: {each}"


def air_used_up(names: Iterable[str], until: float, now: float) -> str:
    """The duty cycle leaves no room on any of these gateways."""
    return f"{AIRTIME_OF} {', '.join(names)} is used up until {clock_words(until, now)}"


def no_answer(since: float, now: float, instead: str | None = None) -> str:
    """ChirpStack is away; `instead` is what something else answered in its place."""
    told = f" ({instead})" if instead else ""
    return f"ChirpStack does not answer since {clock_words(since, now)}{told}"


def refused(text: str) -> str:
    """The API key is wrong, for all lights."""
    return f"ChirpStack refuses our API key: {text or 'no reason given'}"


def forbidden(text: str) -> str:
    """The key may not touch this light."""
    told = f" ({text})" if text else ""
    return f"ChirpStack denies access to this light: deleted there, or of another tenant{told}"


DISABLED = "the light is disabled in ChirpStack: enable the device there"


def not_class_c(profile: bool | None) -> str:
    """The device cannot be sent to at any time."""
    if profile is False:
        return (
            "ChirpStack has the light as Class A: tick Class C (and not Class B) in its device"
            " profile, then let it join again"
        )
    return "ChirpStack has the light as Class A: its Class C begins when it joins again"


def foreign_item(item: QueueItem, since: float, now: float) -> str:
    """Somebody else's item is before ours, and stays."""
    pending = ", sent and waiting for its ACK" if item.is_pending else ""
    return (
        f"a foreign item blocks ChirpStack's queue since {clock_words(since, now)} or longer:"
        f" fPort {item.f_port}, bytes {item.data[:BYTES_SHOWN].hex() or 'none'}{pending};"
        " it is not ours, flush the queue if nobody needs it"
    )


def fault(text: str) -> str:
    """The server fails inside."""
    return f"ChirpStack fails on this light: {text or 'internal error'}"


def turn(
    names: Iterable[str], suspects: Iterable[tuple[str, Suspect]] = (), now: float = 0.0
) -> str:
    """Nothing is wrong with this light; others are before it."""
    text = f"waits for its turn at gateway {', '.join(names)}"
    told = [f"{name} takes none ({silence(one, now)})" for name, one in suspects]
    return f"{text}; gateway {', '.join(told)}" if told else text


def silence(one: Suspect, now: float) -> str:
    """What speaks against a gateway."""
    frames = "1 frame" if one.frames == 1 else f"{one.frames} frames"
    return f"{frames} since {clock_words(one.since, now)} and no txack"


def suspected(suspects: Iterable[tuple[str, Suspect]], now: float) -> str:
    """Every gateway that may send for this light takes no frames."""
    each = ", ".join(f"{name} ({silence(one, now)})" for name, one in suspects)
    return f"no gateway that ChirpStack may choose for this light takes frames: {each}"


def untaken(
    names: Iterable[str], suspects: Iterable[tuple[str, Suspect]], since: float, now: float
) -> str:
    """An item was sent, and no gateway acknowledged it."""
    text = f"no txack from gateway {' or '.join(names)} since {clock_words(since, now)}"
    told = [f"{name} is suspected ({silence(one, now)})" for name, one in suspects]
    again = "ChirpStack sends it again every 5 s"
    return "; ".join([text, *told, again])


def untried(since: float, now: float) -> str:
    """ChirpStack did not give the item to a gateway yet."""
    return (
        f"in ChirpStack's queue since {clock_words(since, now)}, and not sent yet: it waits "
        "5 s after an uplink of the light"
    )


def frame_refused(problem: str) -> str:
    """A gateway would not send it."""
    return f"a gateway refused the frame ({problem}); ChirpStack sends it again every 5 s"


def spaced(at: float, now: float) -> str:
    """Its time has not come."""
    when = datetime.fromtimestamp(at, UTC)
    text = f"{when:%H:%M:%S} UTC" if abs(at - now) < 43_200.0 else clock_words(at, now)
    return f"waits until {text}: frames to one light are kept apart, for it answers each"


def asked_again(at: float) -> str:
    """The last call for this light failed."""
    when = datetime.fromtimestamp(at, UTC)
    return f"ChirpStack did not answer; it is asked again at {when:%H:%M:%S} UTC"


def other_rate(spreading_factor: int) -> str:
    """RX2's data rate was changed in ChirpStack, and the light may be between the two."""
    return (
        f"RX2 was changed to SF{spreading_factor} in ChirpStack: until the light's next uplink "
        "ChirpStack sends at the old rate, which the light may not hear any more"
    )


def too_late(at: float, now: float) -> str:
    """The command ends before a frame could be out."""
    when = datetime.fromtimestamp(at, UTC)
    return f"not sent any more: the command ends at {when:%H:%M:%S} UTC"
