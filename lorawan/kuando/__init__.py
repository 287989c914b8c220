"""The Kuando Busylight IoT Omega: what is sent to it, and what it says.

Source: Plenom, Technical Documentation v4.2.2 (hardware 1.2 and 1.5), and the codecs that Plenom
submitted to The Things Network.
"""

from lorawan.kuando.downlink import (
    DownlinkError,
    ForbiddenDownlink,
    PayloadRefused,
    ReplyPolicy,
    answers_downlinks,
    encode,
    guard,
    wants_reply,
)
from lorawan.kuando.frames import (
    F_PORT,
    FRAME_BYTES_MOST,
    AutoUplink,
    Frame,
    HighBrightness,
    RequestStatus,
    SetLight,
    StatusInterval,
)
from lorawan.kuando.light_state import AFTER_JOIN, LightState
from lorawan.kuando.reports import OtherReport, Report, ReportKind, UnknownReport, parse_uplink
from lorawan.kuando.status import STATUS_BYTES_MOST, Status

__all__ = [
    "AFTER_JOIN",
    "FRAME_BYTES_MOST",
    "F_PORT",
    "STATUS_BYTES_MOST",
    "AutoUplink",
    "DownlinkError",
    "ForbiddenDownlink",
    "Frame",
    "HighBrightness",
    "LightState",
    "OtherReport",
    "PayloadRefused",
    "ReplyPolicy",
    "Report",
    "ReportKind",
    "RequestStatus",
    "SetLight",
    "Status",
    "StatusInterval",
    "UnknownReport",
    "answers_downlinks",
    "encode",
    "guard",
    "parse_uplink",
    "wants_reply",
]
