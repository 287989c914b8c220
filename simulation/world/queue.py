"""The network server's queue of one device, and what happens at its head.

Strictly first in, first out. Only the head is ever examined, so an item that expired in the middle
is still listed, and one that is pending blocks all behind it.

Source: chirpstack/chirpstack, downlink/data.rs and storage/device_queue.rs (v4.19).
"""

from collections import deque
from collections.abc import Iterator
from enum import Enum

import msgspec

from lorawan.network import QueueItem


class QueueEntry(msgspec.Struct):
    """One queued downlink. `timeout_s` (world time) is set while `is_pending`."""

    id: str
    f_port: int
    data: bytes
    confirmed: bool = False
    expires_at: float | None = None
    is_pending: bool = False
    timeout_s: float | None = None
    f_cnt_down: int = 0
    foreign: bool = False
    """Queued by somebody else's program; the server does not know."""

    def listed(self) -> QueueItem:
        """As the server's API shows it."""
        return QueueItem(
            id=self.id,
            f_port=self.f_port,
            data=self.data,
            is_pending=self.is_pending,
            confirmed=self.confirmed,
            f_cnt_down=self.f_cnt_down,
            expires_at=self.expires_at,
        )


class Dropped(Enum):
    """Why an item left the head without being sent."""

    NOT_ACKNOWLEDGED = "not_acknowledged"
    EXPIRED = "expired"
    TOO_LARGE = "too_large"


class DeviceQueue:
    """What waits for one device, oldest first. It has no size limit, as the original has none."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: deque[QueueEntry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[QueueEntry]:
        return iter(self._entries)

    def append(self, entry: QueueEntry) -> None:
        """Put it last."""
        self._entries.append(entry)

    def items(self) -> tuple[QueueItem, ...]:
        """Everything that waits, pending included."""
        return tuple(entry.listed() for entry in self._entries)

    def find(self, item_id: str) -> QueueEntry | None:
        """The item with this id, if it is still here."""
        return next((entry for entry in self._entries if entry.id == item_id), None)

    def pending(self) -> QueueEntry | None:
        """The confirmed item that was sent and waits for its ACK."""
        return next((entry for entry in self._entries if entry.is_pending), None)

    def remove(self, entry: QueueEntry) -> None:
        """Take it out. Raises ValueError when it is not here."""
        self._entries.remove(entry)

    def clear(self) -> None:
        """Drop everything, pending items too."""
        self._entries.clear()

    def blocked(self, now_s: float) -> bool:
        """True when every item is pending with its timeout ahead: the scheduler passes by."""
        return all(
            entry.is_pending and entry.timeout_s is not None and entry.timeout_s > now_s
            for entry in self._entries
        )

    def settle_head(
        self, now_s: float, now_at: float, size_most: int
    ) -> tuple[QueueEntry | None, list[tuple[QueueEntry, Dropped]]]:
        """Drop what may not be sent from the head, until an item may; that item and the dropped.

        The item is None when the queue is empty or its head is pending.
        """
        dropped: list[tuple[QueueEntry, Dropped]] = []
        while self._entries:
            head = self._entries[0]
            if head.is_pending:
                if head.timeout_s is not None and head.timeout_s > now_s:
                    return None, dropped
                reason = Dropped.NOT_ACKNOWLEDGED
            elif head.expires_at is not None and head.expires_at <= now_at:
                reason = Dropped.EXPIRED
            elif len(head.data) > size_most:
                reason = Dropped.TOO_LARGE
            else:
                return head, dropped
            dropped.append((self._entries.popleft(), reason))
        return None, dropped
