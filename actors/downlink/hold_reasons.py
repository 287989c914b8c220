"""The reasons of the dispatcher: each as a code with its values.

A reason names what is missing, never an internal state. The planner knows no dates
(`dispatcher.py`): moments in a reason are steady times until `dated` makes dates of them.
"""

from collections.abc import Iterable

from actors.downlink.suspicion import Suspect
from actors.downlink.unproven_gateways import PROBE_EACH_S, Unproven
from actors.reasons import GatewayTold, Reason
from actors.reasons import ReasonCode as Code
from lorawan.network import QueueItem

EARLIER_ITEM = Reason(Code.EARLIER_ITEM)
NOT_HEARD = Reason(Code.NO_UPLINK_SINCE_JOIN)
NEVER_JOINED = Reason(Code.NEVER_JOINED)
DISABLED = Reason(Code.LIGHT_DISABLED)
BEING_ASKED = Reason(Code.BEING_ASKED)
BYTES_SHOWN = 32


def gateway(gateway_id: str, name: str, one: Suspect | Unproven | None = None) -> GatewayTold:
    """A gateway, and what speaks against it."""
    if one is None:
        return GatewayTold(gateway_id, name)
    return GatewayTold(gateway_id, name, one.since, one.frames)


def offline(gateways: Iterable[GatewayTold]) -> Reason:
    """Every gateway that hears the light is away since then."""
    return Reason(Code.GATEWAYS_OFFLINE, (tuple(gateways),))


def air_used_up(gateways: Iterable[GatewayTold], until: float) -> Reason:
    """The duty cycle leaves no room on any of these gateways."""
    return Reason(Code.AIRTIME_USED_UP, (tuple(gateways), until))


def no_answer(since: float, instead: str | None = None) -> Reason:
    """ChirpStack is away; `instead` is what something else answered in its place."""
    return Reason(Code.CHIRPSTACK_NO_ANSWER, (since, instead or ""))


def refused(text: str) -> Reason:
    """The API key is wrong, for all lights."""
    return Reason(Code.KEY_REFUSED, (text,))


def forbidden(text: str) -> Reason:
    """The key may not touch this light."""
    return Reason(Code.ACCESS_DENIED, (text,))


def not_class_c(profile: bool | None) -> Reason:
    """The device cannot be sent to at any time."""
    return Reason(Code.CLASS_A if profile is False else Code.CLASS_A_UNTIL_JOIN)


def foreign_item(item: QueueItem, since: float) -> Reason:
    """Somebody else's item is before ours, and stays."""
    code = Code.FOREIGN_ITEM_PENDING if item.is_pending else Code.FOREIGN_ITEM
    return Reason(code, (since, item.f_port, item.data[:BYTES_SHOWN].hex() or "none"))


def fault(text: str) -> Reason:
    """The server fails inside."""
    return Reason(Code.CHIRPSTACK_FAILS, (text,))


def turn(gateways: Iterable[GatewayTold], suspects: Iterable[GatewayTold] = ()) -> Reason:
    """Nothing is wrong with this light; others are before it."""
    return Reason(Code.GATEWAY_TURN, (tuple(gateways), tuple(suspects)))


def suspected(suspects: Iterable[GatewayTold]) -> Reason:
    """Every gateway that may send for this light takes no frames."""
    return Reason(Code.GATEWAYS_SUSPECTED, (tuple(suspects),))


def unproven(gateways: Iterable[GatewayTold]) -> Reason:
    """Frames are taken and no light answers."""
    return Reason(Code.GATEWAYS_UNPROVEN, (tuple(gateways), PROBE_EACH_S))


def untaken(
    gateways: Iterable[GatewayTold], suspects: Iterable[GatewayTold], since: float
) -> Reason:
    """An item was sent, and no gateway acknowledged it."""
    return Reason(Code.NO_TXACK, (tuple(gateways), since, tuple(suspects)))


def untried(since: float) -> Reason:
    """ChirpStack did not give the item to a gateway yet."""
    return Reason(Code.NOT_SENT_YET, (since,))


def frame_refused(problem: str) -> Reason:
    """A gateway would not send it."""
    return Reason(Code.GATEWAY_REFUSED_FRAME, (problem,))


def spaced(at: float) -> Reason:
    """Its time has not come."""
    return Reason(Code.FRAMES_SPACED, (at,))


def waits_for(until: float) -> Reason:
    """The same, where more is not known."""
    return Reason(Code.WAITS_FOR_TIME, (until,))


def asked_again(at: float) -> Reason:
    """The last call for this light failed."""
    return Reason(Code.ASKED_AGAIN, (at,))


def other_rate(spreading_factor: int) -> Reason:
    """RX2's data rate was changed in ChirpStack, and the light may be between the two."""
    return Reason(Code.RX2_CHANGED, (spreading_factor,))


def too_late(at: float) -> Reason:
    """The command ends before a frame could be out."""
    return Reason(Code.COMMAND_ENDS, (at,))
