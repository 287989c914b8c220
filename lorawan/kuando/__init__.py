"""The Kuando Busylight IoT Omega: its status, its downlinks, what a light shows."""

from lorawan.kuando.downlink import (
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
    AutoUplink,
    Frame,
    HighBrightness,
    RequestStatus,
    SetLight,
    StatusInterval,
)
from lorawan.kuando.light import AFTER_JOIN, Light
from lorawan.kuando.reports import OtherReport, UnknownReport, parse_uplink
from lorawan.kuando.status import Status

__all__ = [
    "AFTER_JOIN",
    "F_PORT",
    "AutoUplink",
    "ForbiddenDownlink",
    "Frame",
    "HighBrightness",
    "Light",
    "OtherReport",
    "PayloadRefused",
    "ReplyPolicy",
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
