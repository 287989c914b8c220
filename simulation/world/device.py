"""What the network server keeps of one device, and how it is configured.

State only; `rules` and `scheduler` change it as ChirpStack would.

Source: chirpstack/chirpstack v4.19, config.rs and storage/device.rs.
"""

from collections import deque

import msgspec

from lorawan.events.model import DeviceInfo, Event, Modulation, Reception
from simulation.world.queue import DeviceQueue


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The server's configuration, with its defaults; `class_c_timeout_s` is the profile's."""

    scheduler_interval_s: float = 1.0
    batch_size: int = 100
    scheduler_lock_s: float = 2.0
    class_a_lock_s: float = 5.0
    class_c_lock_s: float = 5.0
    deduplication_s: float = 0.2
    get_downlink_data_delay_s: float = 0.1
    prefer_min_margin_db: float = 10.0
    flush_queue_on_activate: bool = True
    class_c_timeout_s: float = 10.0
    frame_kept_s: float = 30.0
    """How long a published frame is remembered for its gateway's acknowledgement."""
    mac_downlinks: float = 0.0
    """Chance of a downlink with MAC commands alone after each of the first uplinks."""
    tenant_key: bool = False
    """With a tenant's API key an unknown device is answered as a refusal."""


class ServerDevice:
    """What the server knows of one device. `receptions` are those of the last uplink."""

    __slots__ = (
        "activated",
        "dev_addr",
        "disabled",
        "events",
        "f_cnt_down",
        "f_cnt_up",
        "info",
        "joined_before",
        "modulation",
        "queue",
        "receptions",
        "run_after_s",
        "rx2",
        "rx2_asked",
        "supports_class_c",
    )

    def __init__(self, info: DeviceInfo, retained_events: int) -> None:
        self.info = info
        self.queue = DeviceQueue()
        self.events: deque[Event] = deque(maxlen=retained_events)
        self.supports_class_c = True
        self.disabled = False
        self.activated = False
        self.joined_before = False
        self.dev_addr = ""
        self.f_cnt_up = 0
        self.f_cnt_down = 0
        self.receptions: tuple[Reception, ...] = ()
        self.modulation: Modulation | None = None
        self.run_after_s = 0.0
        self.rx2: Modulation | None = None
        """Of the session, as the server has it; None before the first."""
        self.rx2_asked: Modulation | None = None
        """Of the newest RXParamSetupReq: what the light's answer is taken to agree to, whatever
        was configured since."""

    def ask_rx2(self, modulation: Modulation) -> Modulation:
        """Note and return what an RXParamSetupReq asks for."""
        self.rx2_asked = modulation
        return modulation

    @property
    def class_c(self) -> bool:
        """Class C counts from the activation on."""
        return self.activated and self.supports_class_c
