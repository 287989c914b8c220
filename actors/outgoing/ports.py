"""Who posts events, and what came of it: the port behind which HTTP is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try."""

    status: int | None
    """Of the receiver's answer; None where there was none."""
    error: str | None
    """Why the event does not count as taken, in words; None where it does."""
    took_s: float
    text: str = ""
    """How the body of an answer that was no 2xx begins."""
    wait_s: float | None = None
    """What the receiver asks to wait for."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has the event."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more."""
        return self.status == 410


class Sender(Protocol):
    """Posts signed events. Raises nothing but a cancellation; every wait in it has an end."""

    async def post(self, url: str, event_id: str, body: bytes, secrets: Sequence[str]) -> Answer:
        """Post this once. The signature is by each of the secrets."""
        ...


class NoSender:
    """Where nothing can be posted: a world without receivers."""

    async def post(self, url: str, event_id: str, body: bytes, secrets: Sequence[str]) -> Answer:
        """Say so."""
        return Answer(None, "nothing is posted from here", 0.0)
