"""The firmware of one Busylight: bytes in, bytes out, and what it really shows.

It reads and writes the bytes by the vendor's documents, never through the codec under test, so that
an error of the codec is found. No clock, no radio, no randomness: times come in, reactions go out.
What the documents leave open is chosen by `FirmwareOptions`.

Source: Plenom Technical Documentation v4.2.2 (HW 1.2 and 1.5).
"""

import struct
from bisect import bisect_right
from collections import deque

import msgspec

from lorawan.kuando.light_state import LightState

_F_PORT = 15
_STATUS = struct.Struct("<iiII8B")
_INT32 = struct.Struct("<i")
_DEFAULT_INTERVAL_MIN = 30
WATCHDOG_UPLINKS = 240
"""Before software 6.1 a light restarts after so many uplinks without a downlink."""
_MISSED_REPLIES_MOST = 6
_F_CNT_GAP_MOST = 16_384
"""LoRaWAN 1.0.3, MAX_FCNT_GAP: a larger step is refused."""

BOOTING = LightState(red=255, green=255, blue=255, on=50, off=50)
"""White blink at power-on; the times are ours, only the blink is documented."""
JOINING = LightState(red=16, green=16, blue=0)
"""Faint yellow while it tries to join."""
DIM_GREEN = LightState(red=0, green=0x35, blue=0)
"""After a join: `000035FF00`."""

# One entry for each change of colour. At one change a minute that is a week; older ones go.
_SHOWN_KEPT = 10_000


class FirmwareOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the documents leave open.

    `auto_answers_commands`: whether 0601 also answers settings commands, itself included.
    `after_join`: reported as 000032 by units with software 5.6.
    `reply_watchdog`: from software 6.1, restart after 03nn unanswered (confirmed) heartbeats; what
    the device really counts is unknown, so the default is off.
    """

    auto_answers_commands: bool = False
    after_join: LightState = DIM_GREEN
    reply_watchdog: bool = False
    watchdog_uplinks: int = WATCHDOG_UPLINKS


class Shown(msgspec.Struct, frozen=True, gc=False):
    """From `since_s` the light showed `light` (None: no power), because of `cause`."""

    since_s: float
    light: LightState | None
    cause: str


class Reaction(msgspec.Struct, frozen=True, gc=False):
    """What a downlink makes the device do."""

    status: bool = False
    """Send one status uplink."""
    raw: bytes = b""
    """Send this instead, on the same port; empty for nothing."""
    restart: bool = False
    interval_changed: bool = False
    accepted: bool = True
    """False for a replayed or absurd counter: the device never saw it."""


_NOTHING = Reaction()
_DROPPED = Reaction(accepted=False)
_STATUS_NOW = Reaction(status=True)


class Busylight:
    """One light. Counters, settings and colours are those of the real thing.

    Public attributes are for oracles to read; only the methods change them.
    """

    __slots__ = (
        "_f_cnt_down_last",
        "adr",
        "auto_uplink",
        "dev_addr",
        "downlinks_received",
        "high_brightness",
        "hw_rev",
        "interval_min",
        "join_light",
        "joins",
        "missed_replies",
        "missed_replies_most",
        "options",
        "replays_dropped",
        "restarts",
        "rssi_dbm",
        "shown",
        "silent_uplinks",
        "silent_uplinks_most",
        "snr_raw",
        "sw_rev",
        "truth",
        "uplinks_sent",
    )

    adr: int
    auto_uplink: bool
    dev_addr: str
    downlinks_received: int
    interval_min: int
    missed_replies: int
    missed_replies_most: int
    rssi_dbm: int
    silent_uplinks: int
    silent_uplinks_most: int
    snr_raw: int
    uplinks_sent: int
    _f_cnt_down_last: int

    def __init__(self, sw_rev: int, hw_rev: int, options: FirmwareOptions) -> None:
        self.sw_rev = sw_rev
        self.hw_rev = hw_rev
        self.options = options
        self.truth: deque[Shown] = deque(maxlen=_SHOWN_KEPT)
        self.shown: LightState | None = None
        self.restarts = 0
        self.joins = 0
        self.replays_dropped = 0
        self.high_brightness = False
        self.join_light: LightState | None = None
        self.dev_addr = ""
        self._forget()

    # What happens to it

    def power_on(self, now_s: float) -> None:
        """Start: session and lasting settings are gone, the light blinks white."""
        self._forget()
        self.restarts += 1
        self._show(now_s, BOOTING, "power on")

    def power_off(self, now_s: float) -> None:
        """Unplugged: nothing is lit."""
        self._forget()
        self._show(now_s, None, "power off")

    def joining(self, now_s: float) -> None:
        """It asks for a session."""
        self._show(now_s, JOINING, "joining")

    def joined(self, now_s: float, dev_addr: str) -> None:
        """A join-accept arrived: a new session, counters from 0, dim green."""
        self._forget()
        self.dev_addr = dev_addr
        self.joins += 1
        self._show(now_s, self.join_light or self.options.after_join, "joined")

    def receive(
        self,
        now_s: float,
        *,
        f_cnt: int,
        f_port: int | None,
        data: bytes,
        rssi_dbm: int,
        snr_db: float,
    ) -> Reaction:
        """One decrypted downlink of this session; `f_port` None carries no payload."""
        if not 0 < f_cnt - self._f_cnt_down_last < _F_CNT_GAP_MOST:
            self.replays_dropped += 1
            return _DROPPED
        self._f_cnt_down_last = f_cnt
        self.silent_uplinks = 0
        self.missed_replies = 0
        if f_port is None:
            return _NOTHING
        self.downlinks_received += 1
        self.rssi_dbm = rssi_dbm
        self.snr_raw = round(snr_db * 4)
        if f_port != _F_PORT:
            return _NOTHING
        if len(data) in (5, 6):
            self._show(now_s, _light(data), "downlink")
            wanted = len(data) == 6 and data[5] == 1
            return _STATUS_NOW if wanted or self.auto_uplink else _NOTHING
        return self._command(data)

    def note_uplink(self) -> None:
        """A payload uplink was sent: it counts, also for the watchdog of software before 6.1."""
        self.uplinks_sent += 1
        self.silent_uplinks += 1

    def note_missed_reply(self) -> None:
        """A confirmed heartbeat went unanswered."""
        self.missed_replies += 1

    # What it says

    @property
    def watchdog_due(self) -> bool:
        """True when the network has been silent for too long and the device restarts itself."""
        if self.sw_rev < 61:
            return self.silent_uplinks >= self.silent_uplinks_most
        return self.options.reply_watchdog and self.missed_replies >= self.missed_replies_most

    def status(self) -> bytes:
        """The status uplink: 24 bytes, or 25 while high brightness is on."""
        light = self.shown or LightState(0, 0, 0, 0, 0)
        body = _STATUS.pack(
            self.rssi_dbm,
            self.snr_raw,
            self.downlinks_received,
            self.uplinks_sent,
            light.red,
            light.blue,
            light.green,
            light.on,
            light.off,
            self.sw_rev,
            self.hw_rev,
            self.adr,
        )
        return body + b"\x01" if self.high_brightness else body

    def showing_at(self, at_s: float) -> LightState | None:
        """What it really showed at this world time; None without power."""
        index = bisect_right(self.truth, at_s, key=lambda shown: shown.since_s)
        return self.truth[index - 1].light if index else None

    # Inside

    def _forget(self) -> None:
        """Everything that V4's table marks as not persistent, and the session."""
        self.dev_addr = ""
        self.rssi_dbm = 0
        self.snr_raw = 0
        self.downlinks_received = 0
        self.uplinks_sent = 0
        self.interval_min = _DEFAULT_INTERVAL_MIN
        self.auto_uplink = False
        self.adr = 1
        self.silent_uplinks = 0
        self.silent_uplinks_most = self.options.watchdog_uplinks
        self.missed_replies = 0
        self.missed_replies_most = _MISSED_REPLIES_MOST
        self._f_cnt_down_last = -1

    def _show(self, now_s: float, light: LightState | None, cause: str) -> None:
        self.shown = light
        self.truth.append(Shown(now_s, light, cause))

    def _command(self, data: bytes) -> Reaction:
        if len(data) == 2:
            reaction = self._short_command(data[0], data[1])
        elif len(data) == 7 and data[:2] == b"\x09\xff" and self.sw_rev >= 67:
            restored = data[2:] == b"\xff" * 5
            self.join_light = None if restored else _light(data[2:])
            reaction = _NOTHING
        elif len(data) == 9 and data[0] == 0x10 and self.sw_rev >= 61:
            reaction = Reaction(raw=b"\xff\x10")
        elif len(data) == 17 and data[0] == 0x11 and self.sw_rev >= 61:
            reaction = Reaction(raw=b"\xff\x11")
        else:
            return _NOTHING
        if reaction.raw or reaction.restart or reaction.status:
            return reaction
        if self.auto_uplink and self.options.auto_answers_commands:
            return Reaction(status=True, interval_changed=reaction.interval_changed)
        return reaction

    def _short_command(self, code: int, value: int) -> Reaction:
        match code:
            case 0xAA if value == 0:
                self.high_brightness = False
                self.join_light = None
                return Reaction(restart=True)
            case 0x01 if value == 0:
                self.adr = 1
            case 0x02 if value == 0:
                self.adr = 0
            case 0x03 if value > 0 and self.sw_rev >= 61:
                self.missed_replies_most = value
            case 0x03 if value > 0:
                self.silent_uplinks_most = value
            case 0x04 if value > 0:
                self.interval_min = value
                return Reaction(interval_changed=True)
            case 0x05 if self.sw_rev >= 56:
                return _STATUS_NOW
            case 0x06 if value in (0, 1) and self.sw_rev >= 56:
                self.auto_uplink = value == 1
            case 0x07 if value in (0, 1) and self.sw_rev >= 56 and self.hw_rev >= 15:
                self.high_brightness = value == 1
            case 0x09 if self.sw_rev >= 61:
                return self._inquiry(value)
            case _:
                pass
        return _NOTHING

    def _inquiry(self, which: int) -> Reaction:
        """0901..0904 need hardware 1.5; the values but ADR are made up."""
        if which == 5:
            return Reaction(raw=b"\x09\x05" + _INT32.pack(self.rssi_dbm))
        if which == 6:
            return Reaction(raw=b"\x09\x06" + _INT32.pack(self.snr_raw))
        if which in (1, 2, 3, 4) and self.hw_rev >= 15:
            value = {1: 35, 2: 0, 3: 1, 4: self.adr}[which]
            return Reaction(raw=bytes((9, which, value)))
        return _NOTHING


def _light(data: bytes) -> LightState:
    """On the wire: red, BLUE, green, on, off."""
    return LightState(red=data[0], blue=data[1], green=data[2], on=data[3], off=data[4])
