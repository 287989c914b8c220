"""Moments as ChirpStack writes them: RFC 3339 with up to nine digits of a second.

Both forms of one moment, JSON's text and Protobuf's numbers, give the very same float, so that an
event replayed in the other encoding is recognised.
"""

import re
from datetime import datetime

# Not `datetime.fromisoformat` alone: it cuts off after six digits, and takes dates without a time.
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_NANOS = 10**9
# Years 1 to 9999, as Protobuf's Timestamp and RFC 3339 have them.
_SECONDS = range(-62_135_596_800, 253_402_300_800)


class Instant:
    """One moment, as a type of its own so that the decoder calls `parse` for it."""

    __slots__ = ("at",)

    def __init__(self, at: float) -> None:
        self.at = at
        """Unix seconds UTC."""

    @classmethod
    def parse(cls, text: str) -> "Instant":
        """From RFC 3339. Raises `ValueError`."""
        match = _RFC_3339.fullmatch(text)
        if match is None:
            raise ValueError("Expected an RFC 3339 time with an offset")
        whole, fraction, offset = match.groups()
        try:
            moment = datetime.fromisoformat(whole.upper() + offset.upper())
        except ValueError as error:
            raise ValueError(f"Expected an RFC 3339 time: {error}") from error
        return cls.of(int(moment.timestamp()), int((fraction or "").ljust(9, "0")))

    @classmethod
    def of(cls, seconds: int, nanos: int) -> "Instant":
        """From Protobuf's Timestamp. Raises `ValueError`."""
        if not 0 <= nanos < _NANOS:
            raise ValueError("Expected 0 to 999,999,999 nanoseconds")
        if seconds not in _SECONDS:
            raise ValueError("Expected a year from 1 to 9999")
        # Division of whole numbers is rounded once, to the nearest float.
        return cls((seconds * _NANOS + nanos) / _NANOS)
