"""What the store's writer has done so far."""

from dataclasses import dataclass

from actors.messaging.mailbox import MailboxStatistics


@dataclass(frozen=True, slots=True)
class StoreWriterStatistics:
    """Counted since the start. `failures` are commits that the store could not carry out."""

    commits: int
    requests: int
    writes: int
    failures: int
    batch_most: int
    failing_since: float | None
    mailbox: MailboxStatistics
    waiting: int = 0
    """Requests whose part of the store is away."""
    refused: int = 0
    """Requests whose part of the store was taken over by another process."""
