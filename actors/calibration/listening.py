"""What the webhooks tell of frames and answers, put as `actors/link/forwarders.py` takes it."""

from collections.abc import Callable, Mapping

from actors.device.events import Transmitted, UplinkHeard
from actors.device.model import Device, Stage
from actors.link.forwarder_records import Answer
from actors.link.forwarders import Forwarders, Heard, Taken
from actors.link.lag import SlotDelay
from lorawan.airtime import downlink_airtime_s, uplink_airtime_s
from lorawan.events.model import Modulation
from lorawan.kuando import FRAME_BYTES_MOST, encode

UPLINK_BANDWIDTH_HZ = 125_000
STATUS_BYTES = 24
"""25 while high brightness is on."""

Overheard = Transmitted | UplinkHeard


class AirListener:
    """Hears every txack and uplink as ChirpStack tells it, with ChirpStack's own time.

    `asked_at` gives the steady time at which a queue item was asked for. `also` hears the same,
    and what it taught.
    """

    def __init__(
        self,
        forwarders: Forwarders,
        devices: Callable[[], Mapping[str, Device]],
        asked_at: Callable[[str], float | None],
        steady: Callable[[], float],
    ) -> None:
        self._forwarders = forwarders
        self._devices = devices
        self._asked_at = asked_at
        self._steady = steady
        self.also: Callable[[str, Overheard, SlotDelay | Answer | None], None] = _nobody

    def overheard(self, dev_eui: str, message: object, server_at: float | None) -> None:
        """A txack or an uplink; of anything else, and without a time of ChirpStack's, nothing is
        learned. Never fails."""
        if isinstance(message, Transmitted):
            self._taken(dev_eui, message, message.at if server_at is None else server_at)
            self.also(dev_eui, message, None)
        elif isinstance(message, UplinkHeard):
            self.also(dev_eui, message, self._heard(dev_eui, message, server_at))

    def _taken(self, dev_eui: str, told: Transmitted, at: float) -> None:
        if told.modulation is None:
            return
        try:
            airtime_s = downlink_airtime_s(self._payload_bytes(dev_eui), told.modulation)
        except ValueError:  # no LoRa as the formula knows it
            return
        self._forwarders.taken(
            dev_eui, Taken(told.gateway_id, at, airtime_s, rx_delay_s=told.rx_delay_s)
        )
        asked_at = self._asked_at(told.queue_item_id)
        if asked_at is not None and told.rx_delay_s is None:
            self._forwarders.ordered(told.gateway_id, self._steady() - asked_at)

    def _heard(
        self, dev_eui: str, told: UplinkHeard, at: float | None
    ) -> SlotDelay | Answer | None:
        status, spreading_factor = told.status, told.spreading_factor
        if at is None or status is None or spreading_factor is None:
            return None
        longer = status.high_brightness is not None
        modulation = Modulation(spreading_factor, UPLINK_BANDWIDTH_HZ)
        return self._forwarders.heard(
            dev_eui,
            Heard(
                at=at,
                dev_addr=told.dev_addr,
                f_cnt=told.f_cnt,
                downlinks_received=status.downlinks_received,
                sw_rev=status.sw_rev,
                airtime_s=uplink_airtime_s(STATUS_BYTES + longer, modulation),
            ),
        )

    def _payload_bytes(self, dev_eui: str) -> int:
        """Of the frame on its way, which no txack tells; else of the longest of ours."""
        device = self._devices().get(dev_eui)
        sent = None if device is None else device.attempt
        if sent is None or sent.stage is Stage.TRANSMITTED:
            return FRAME_BYTES_MOST
        return len(encode(sent.frame))


def _nobody(dev_eui: str, message: Overheard, taught: SlotDelay | Answer | None) -> None:
    """Nobody listens."""
