"""The reasons of the dispatcher in words for a person.

Times are UTC and say so; a reason names what is missing, never an internal state.

The planner knows no dates (`dispatcher.py`), so a reason holds its moments as steady times, between
two marks, until `dated` writes them out.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from actors.downlink.suspicion import Suspect
from actors.downlink.unproven_gateways import PROBE_EACH_S, Unproven
from lorawan.network import QueueItem

EARLIER_ITEM = "an earlier item is still in ChirpStack's queue"
NOT_HEARD = "the light has not sent an uplink since it joined"
AIRTIME_OF = "airtime of gateway"
BYTES_SHOWN = 32
NEVER_JOINED = "the light never joined"


FAR_S = 43_200.0
"""A moment so far from now is told with its day."""
_MOMENT = re.compile("\x02(-?[0-9.]+)(s?)\x03")


def moment(at: float, *, to_the_second: bool = False) -> str:
    """A steady time, to be written out by `dated`."""
    return f"\x02{at:.3f}{'s' if to_the_second else ''}\x03"


def dated(text: str, date_ahead_s: float, now: float) -> str:
    """A reason with its moments as dates: `10:42 UTC`, with the day when it is far from `now`.

    The date is `date_ahead_s` ahead of the steady time, of which `now` is.
    """

    def written(found: re.Match[str]) -> str:
        at = float(found[1])
        try:
            when = datetime.fromtimestamp(at + date_ahead_s, UTC)
        except (ValueError, OverflowError, OSError):
            return "some time"
        if abs(at - now) >= FAR_S:
            return f"{when:%Y-%m-%d %H:%M} UTC"
        return f"{when:%H:%M:%S} UTC" if found[2] else f"{when:%H:%M} UTC"

    return _MOMENT.sub(written, text)


def offline(gateways: Iterable[tuple[str, float]]) -> str:
    """Every gateway (name, offline since) that hears the light is away."""
    each = ", ".join(f"{name} (since {moment(since)})" for name, since in gateways)
    return f"every gateway that hears this light is offline: {each}"


def air_used_up(names: Iterable[str], until: float) -> str:
    """The duty cycle leaves no room on any of these gateways."""
    return f"{AIRTIME_OF} {', '.join(names)} is used up until {moment(until)}"


def no_answer(since: float, instead: str | None = None) -> str:
    """ChirpStack is away; `instead` is what something else answered in its place."""
    told = f" ({instead})" if instead else ""
    return f"ChirpStack does not answer since {moment(since)}{told}"


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


def foreign_item(item: QueueItem, since: float) -> str:
    """Somebody else's item is before ours, and stays."""
    pending = ", sent and waiting for its ACK" if item.is_pending else ""
    return (
        f"a foreign item blocks ChirpStack's queue since {moment(since)} or longer:"
        f" fPort {item.f_port}, bytes {item.data[:BYTES_SHOWN].hex() or 'none'}{pending};"
        " it is not ours, flush the queue if nobody needs it"
    )


def fault(text: str) -> str:
    """The server fails inside."""
    return f"ChirpStack fails on this light: {text or 'internal error'}"


def turn(names: Iterable[str], suspects: Iterable[tuple[str, Suspect]] = ()) -> str:
    """Nothing is wrong with this light; others are before it."""
    text = f"waits for its turn at gateway {', '.join(names)}"
    told = [f"{name} takes none ({silence(one)})" for name, one in suspects]
    return f"{text}; gateway {', '.join(told)}" if told else text


def silence(one: Suspect) -> str:
    """What speaks against a gateway."""
    frames = "1 frame" if one.frames == 1 else f"{one.frames} frames"
    return f"{frames} since {moment(one.since)} and no txack"


def suspected(suspects: Iterable[tuple[str, Suspect]]) -> str:
    """Every gateway that may send for this light takes no frames."""
    each = ", ".join(f"{name} ({silence(one)})" for name, one in suspects)
    return f"no gateway that ChirpStack may choose for this light takes frames: {each}"


def unproven(gateways: Iterable[tuple[str, Unproven]]) -> str:
    """Frames are taken and no light answers."""
    each = ", ".join(
        f"{name} ({one.frames} frames since {moment(one.since)}, and no status in reply)"
        for name, one in gateways
    )
    return (
        f"no light answers through gateway {each}: look at its antenna and its transmitter; one"
        f" light is tried every {PROBE_EACH_S:g} s"
    )


def untaken(names: Iterable[str], suspects: Iterable[tuple[str, Suspect]], since: float) -> str:
    """An item was sent, and no gateway acknowledged it."""
    text = f"no txack from gateway {' or '.join(names)} since {moment(since)}"
    told = [f"{name} is suspected ({silence(one)})" for name, one in suspects]
    again = "ChirpStack sends it again every 5 s"
    return "; ".join([text, *told, again])


def untried(since: float) -> str:
    """ChirpStack did not give the item to a gateway yet."""
    return (
        f"in ChirpStack's queue since {moment(since)}, and not sent yet: it waits "
        "5 s after an uplink of the light"
    )


def frame_refused(problem: str) -> str:
    """A gateway would not send it."""
    return f"a gateway refused the frame ({problem}); ChirpStack sends it again every 5 s"


def spaced(at: float) -> str:
    """Its time has not come."""
    until = moment(at, to_the_second=True)
    return f"waits until {until}: frames to one light are kept apart, for it answers each"


def asked_again(at: float) -> str:
    """The last call for this light failed."""
    return f"ChirpStack did not answer; it is asked again at {moment(at, to_the_second=True)}"


RX2_CHANGED = "RX2 was changed"


def other_rate(spreading_factor: int) -> str:
    """RX2's data rate was changed in ChirpStack, and the light may be between the two."""
    return (
        f"{RX2_CHANGED} to SF{spreading_factor} in ChirpStack: until the light's next uplink "
        "ChirpStack sends at the old rate, which the light may not hear any more"
    )


def too_late(at: float) -> str:
    """The command ends before a frame could be out."""
    return f"not sent any more: the command ends at {moment(at, to_the_second=True)}"
