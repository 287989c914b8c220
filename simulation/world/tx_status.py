"""A gateway's answer to a frame, as the wire names it."""

from enum import StrEnum


class TxStatus(StrEnum):
    """What a gateway says of one downlink."""

    OK = "OK"
    TOO_LATE = "TOO_LATE"
    TOO_EARLY = "TOO_EARLY"
    COLLISION_PACKET = "COLLISION_PACKET"
    COLLISION_BEACON = "COLLISION_BEACON"
    TX_FREQ = "TX_FREQ"
    TX_POWER = "TX_POWER"
    GPS_UNLOCKED = "GPS_UNLOCKED"
    QUEUE_FULL = "QUEUE_FULL"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    DUTY_CYCLE_OVERFLOW = "DUTY_CYCLE_OVERFLOW"


TRANSIENT_ERRORS = (
    TxStatus.TOO_LATE,
    TxStatus.COLLISION_PACKET,
    TxStatus.QUEUE_FULL,
    TxStatus.INTERNAL_ERROR,
    TxStatus.GPS_UNLOCKED,
    TxStatus.DUTY_CYCLE_OVERFLOW,
)
