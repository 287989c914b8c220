"""Why something is so: codes with values for programs, and the one sentence of each for people."""

from actors.reasons.code import ReasonCode
from actors.reasons.reason import GatewayTold, Reason, Value, other
from actors.reasons.saying import dated, named, text_of

__all__ = ["GatewayTold", "Reason", "ReasonCode", "Value", "dated", "named", "other", "text_of"]
