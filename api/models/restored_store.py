"""What a store that was set back would command again, as HTTP shows it."""

from collections.abc import Sequence

import msgspec

from actors.restored_store import RestoredStore, RestoredStoreDevice
from actors.storage.unreadable_records import Unreadable

LIGHTS_MOST = 1_000


class UnreadableList(msgspec.Struct, frozen=True):
    """At most 1,000 of them."""

    records: Sequence[Unreadable]


class RestoredStoreView(msgspec.Struct, frozen=True):
    """`open` while a decision is waited for; the rest is null or empty otherwise."""

    open: bool
    at: float | None = None
    """When the store was set back (Unix seconds)."""
    cause: str | None = None
    """A text to follow "the store"."""
    copied_at: float | None = None
    """When the copy was made; null for a fail-over."""
    keep_shown: bool = False
    """Decided to keep what is shown; lights not heard since are waited for."""
    total: int = 0
    lights: list[RestoredStoreDevice] = []
    """At most 1,000 of `total`."""

    @classmethod
    def of(cls, found: RestoredStore | None) -> "RestoredStoreView":
        """The view of what waits for a decision, or of nothing."""
        if found is None:
            return cls(False)
        return cls(
            True,
            found.at,
            found.cause,
            found.copied_at,
            found.keep_shown,
            len(found.lights),
            found.lights[:LIGHTS_MOST],
        )
