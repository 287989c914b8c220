"""The downlinks that we send, as values; `encode` in `downlink.py` turns them into bytes.

They are tagged so that an attempt can be stored with the frame it carries.
"""

import msgspec

from lorawan.kuando.light_state import LightState

F_PORT = 15
"""The one port of the device, both ways (Plenom v4.2.2)."""
FRAME_BYTES_MOST = 6
"""The longest frame of ours: a colour that asks for a reply."""


class SetLight(msgspec.Struct, frozen=True, gc=False, tag="light"):
    """Show this; `reply` appends the sixth byte that asks for one status uplink in answer."""

    light: LightState
    reply: bool


class AutoUplink(msgspec.Struct, frozen=True, gc=False, tag="auto_uplink"):
    """0601 or 0600: a status uplink after every downlink (from software 5.6; lost at restart)."""

    on: bool


class StatusInterval(msgspec.Struct, frozen=True, gc=False, tag="status_interval"):
    """04nn: one status uplink every nn minutes, 1-255 (default 30; lost at restart)."""

    minutes: int


class RequestStatus(msgspec.Struct, frozen=True, gc=False, tag="request_status"):
    """0501: one status uplink now (from software 5.6)."""


class HighBrightness(msgspec.Struct, frozen=True, gc=False, tag="high_brightness"):
    """0701 or 0700: high brightness, hardware 1.5 (survives a restart)."""

    on: bool


Frame = SetLight | AutoUplink | StatusInterval | RequestStatus | HighBrightness
