"""The events that the network server makes, and the retained log that it keeps of them.

What ChirpStack leaves out is left out here: a gateway's error names no queue item, and a flushed
item is never mentioned again.

Source: chirpstack/chirpstack v4.19, integration/mod.rs, downlink/tx_ack.rs, uplink/data.rs.
"""

from collections import Counter
from collections.abc import Callable

from lorawan.events.model import Ack, Event, Join, Log, TxAck, Uplink
from simulation.world.device import ServerDevice
from simulation.world.frames import Slot, UplinkFrame
from simulation.world.kernel import Kernel
from simulation.world.queue import Dropped, QueueEntry
from simulation.world.region import RX2_AFTER_RX1_S, RadioRegion
from simulation.world.tx_status import TxStatus


class EventLog:
    """Makes events, retains them with their device, and hands them to `tell`."""

    def __init__(
        self,
        kernel: Kernel,
        region: RadioRegion,
        counts: Counter[str],
        tell: Callable[[Event], None],
    ) -> None:
        self._kernel = kernel
        self._region = region
        self._counts = counts
        self._tell = tell

    def join(
        self, device: ServerDevice, heard_s: float, gateway_at: float, deduplication_id: str
    ) -> None:
        """A join-accept was handed to a gateway. `gateway_at` is all that the body says of time."""
        self._emit(
            device,
            Join(
                device=device.info,
                at=self._kernel.epoch_at + heard_s,
                dev_addr=device.dev_addr,
                deduplication_id=deduplication_id,
                gateway_at=gateway_at,
            ),
        )

    def uplink(
        self,
        device: ServerDevice,
        frame: UplinkFrame,
        heard_s: float,
        gateway_at: float,
        deduplication_id: str,
    ) -> None:
        """A valid uplink; its receptions are the device's newest."""
        self._emit(
            device,
            Uplink(
                device=device.info,
                at=self._kernel.epoch_at + heard_s,
                dev_addr=device.dev_addr,
                f_cnt=frame.f_cnt,
                f_port=frame.f_port,
                data=frame.data,
                deduplication_id=deduplication_id,
                confirmed=frame.confirmed,
                dr=self._region.uplink_data_rates.get(frame.modulation.spreading_factor, 0),
                receptions=device.receptions,
                modulation=frame.modulation,
                frequency_hz=frame.frequency_hz,
                gateway_at=gateway_at,
            ),
        )

    def counter_refused(
        self, device: ServerDevice, frame: UplinkFrame, deduplication_id: str
    ) -> None:
        """An uplink counter that was seen before; the uplink is dropped, an ACK in it is lost."""
        context = {"deduplication_id": deduplication_id, "f_cnt_up": str(frame.f_cnt)}
        if frame.f_cnt == device.f_cnt_up - 1:
            text = "Uplink was flagged as re-transmission / frame-counter did not increment"
            self._log(device, "WARNING", "UPLINK_F_CNT_RETRANSMISSION", text, context)
        else:
            text = "Frame-counter reset or rollover detected"
            self._log(device, "WARNING", "UPLINK_F_CNT_RESET", text, context)

    def txack(
        self,
        device: ServerDevice,
        entry: QueueEntry,
        *,
        downlink_id: int,
        gateway_id: str,
        f_cnt_down: int,
        slot: Slot,
    ) -> None:
        """A gateway took the frame of this item."""
        self._emit(
            device,
            TxAck(
                device=device.info,
                at=self._kernel.now_at,
                queue_item_id=entry.id,
                gateway_id=gateway_id,
                f_cnt_down=f_cnt_down,
                downlink_id=downlink_id,
                modulation=slot.modulation,
                frequency_hz=slot.frequency_hz,
                rx_delay_s=self._rx_delay_s(slot),
            ),
        )

    def _rx_delay_s(self, slot: Slot) -> float | None:
        """None for Class C; RX2 is the second slot of an answered uplink."""
        if slot.start_s is None:
            return None
        on_rx2 = slot.frequency_hz == self._region.rx2_frequency_hz
        return self._region.rx1_delay_s + (RX2_AFTER_RX1_S if on_rx2 else 0.0)

    def gateway_error(self, device: ServerDevice, status: TxStatus) -> None:
        """A gateway refused a frame; the context is empty, as in the original."""
        self._log(device, "ERROR", "DOWNLINK_GATEWAY", status.value, {})

    def ack(self, device: ServerDevice, entry: QueueEntry, *, acknowledged: bool) -> None:
        """A confirmed item was acknowledged, or given up."""
        self._emit(
            device,
            Ack(
                device=device.info,
                at=self._kernel.now_at,
                queue_item_id=entry.id,
                acknowledged=acknowledged,
                f_cnt_down=entry.f_cnt_down,
            ),
        )

    def dropped(self, device: ServerDevice, entry: QueueEntry, reason: Dropped) -> None:
        """An item left the head of its queue without being sent."""
        match reason:
            case Dropped.NOT_ACKNOWLEDGED:
                self.ack(device, entry, acknowledged=False)
            case Dropped.EXPIRED:
                text = "Device queue-item discarded because it has expired"
                self._log(device, "ERROR", "EXPIRED", text, {"queue_item_id": entry.id})
            case Dropped.TOO_LARGE:
                text = "Device queue-item discarded because it exceeds the max. payload size"
                context = {
                    "max_payload_size": str(self._region.payload_bytes_most),
                    "item_size": str(len(entry.data)),
                    "queue_item_id": entry.id,
                }
                self._log(device, "ERROR", "DOWNLINK_PAYLOAD_SIZE", text, context)

    def _log(
        self, device: ServerDevice, level: str, code: str, description: str, context: dict[str, str]
    ) -> None:
        self._emit(
            device,
            Log(
                device=device.info,
                at=self._kernel.now_at,
                level=level,
                code=code,
                description=description,
                queue_item_id=context.get("queue_item_id"),
                context=context,
            ),
        )

    def _emit(self, device: ServerDevice, event: Event) -> None:
        device.events.append(event)
        self._counts[f"event_{type(event).__name__.lower()}"] += 1
        self._tell(event)
