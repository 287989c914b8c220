"""What a light said, in its history: the bytes are stored, and are decoded when they are shown.

So a line of the log costs no more than the decoded fields alone did, and has everything: a status
heard by one gateway is

    {"kind":"status","detail":{"f_cnt":12345,"f_port":15,"raw":"...48 digits...","dr":5,"sf":7,
     "mhz":868.1,"heard":"0016c001f1500001,-97,7.5"}}

173 bytes, where 0.1.0 wrote 186 without payload and data rate. Each further gateway is 25 bytes
more. A light that reports every 30 minutes writes 48 such lines a day, 58 kB in the week that is
kept; 20,000 lights 1.2 GB. A command verified by its first frame adds seven lines (accepted, queued
downlink, txack, status, verified, and two phases), 0.7 kB. To make a line costs 3 us, to decode it
7 us. A record of a light holds nothing of this. Lines of 0.1.0 are shown as they were written.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from lorawan.kuando import OtherReport, Status, UnknownReport, parse_uplink

RAW_BYTES_MOST = 256
"""Of one payload; LoRaWAN has 242 at most."""
NOTE_CHARS = 200


class LineKind(StrEnum):
    """What a line of a light's history tells."""

    JOIN = "join"
    SESSION = "session"
    """A session began, by a join or by what ChirpStack or an uplink told of it."""
    STATUS = "status"
    UPLINK = "uplink"
    """An uplink that is no status, or that one was asked for."""
    STALE = "stale"
    """An uplink that came late or is doubtful, and proves nothing."""
    DOWNLINK = "downlink"
    """A frame of ours is in ChirpStack's queue."""
    TXACK = "txack"
    DROPPED = "dropped"
    """ChirpStack threw an item away."""
    GATEWAY_ERROR = "gateway_error"
    HELD = "held"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    COMMAND = "command"
    WITHDRAWN = "withdrawn"
    PHASE = "phase"
    SETUP = "setup"
    DRIFT = "drift"
    INQUIRY = "inquiry"
    HEALED = "healed"
    ACK = "ack"
    DEVICE_STATUS = "device_status"
    LOCATION = "location"
    LOG = "log"
    QUEUE = "queue"
    """ChirpStack's queue was emptied by hand."""
    REMOVED = "removed"
    UNREADABLE = "unreadable"


SPOKE = frozenset({"status", "uplink", "stale"})
"""Kinds of lines that hold what a light said."""


def note_of(f_port: int, report: OtherReport | UnknownReport) -> str:
    """What an uplink is that is no status."""
    kind = report.kind.value if isinstance(report, OtherReport) else "unknown payload"
    return f"{kind} on port {f_port}: {report.raw.hex()}"[:NOTE_CHARS]


def decoded(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    """The detail of a line as it is shown: with what its bytes say, and who heard it best."""
    if kind not in SPOKE:
        return detail
    try:
        data = bytes.fromhex(detail["raw"])
        f_port = int(detail["f_port"])
    except (KeyError, TypeError, ValueError):
        return detail  # of 0.1.0, or an uplink that no payload was told of
    return {**_said(f_port, data), **_best(detail.get("heard")), **detail}


def _said(f_port: int, data: bytes) -> dict[str, Any]:
    report = parse_uplink(f_port, data)
    if not isinstance(report, Status):
        return {"note": note_of(f_port, report)}
    light = report.light
    said = {
        "shows": f"{light.red},{light.green},{light.blue},{light.on},{light.off}",
        "received": report.downlinks_received,
        "sent": report.uplinks_sent,
        "light_rssi_dbm": report.rssi_dbm,
        "light_snr_raw": report.snr_raw,
        "software": report.sw_rev / 10,
        "hardware": report.hw_rev / 10,
    }
    if report.high_brightness is not None:
        said["high_brightness"] = report.high_brightness
    return said


def _best(heard: object) -> Mapping[str, Any]:
    """Of the gateways that heard it, the best one, by which the line is sorted."""
    if not isinstance(heard, str) or not heard:
        return {}
    first, *others = heard.split(";")
    try:
        gateway_id, rssi, snr = first.split(",")
        best = {"gateway": gateway_id, "rssi_dbm": int(rssi), "snr_db": float(snr)}
    except ValueError:
        return {}
    return {**best, "gateways": 1 + len(others)}
