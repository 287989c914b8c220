"""What a store that was set back would command again, as HTTP shows it."""

import msgspec

from actors.service_api import RestoredStore
from api.models.commands import LightView


class UnreadableView(msgspec.Struct, frozen=True):
    """A record that is kept though it cannot be read."""

    table: str
    key: str
    why: str


class UnreadableList(msgspec.Struct, frozen=True):
    """At most 1,000 of them."""

    records: list[UnreadableView]


class RestoredStoreLightView(msgspec.Struct, frozen=True):
    """A light whose older wish differs from what it shows, or of which that is not known."""

    dev_eui: str
    name: str
    wanted: LightView
    """What would be sent again."""
    shown: LightView | None
    heard_since: bool
    """A status came since the setback; otherwise `shown` is as old as the copy."""


class RestoredStoreView(msgspec.Struct, frozen=True):
    """`open` while a decision is waited for; the rest is null or empty otherwise."""

    open: bool
    at: float | None = None
    """When the store was set back (Unix seconds)."""
    cause: str | None = None
    """In words, to follow "the store"."""
    copied_at: float | None = None
    """When the copy was made; null for a fail-over."""
    keep_shown: bool = False
    """Decided to keep what is shown; lights not heard since are waited for."""
    total: int = 0
    lights: list[RestoredStoreLightView] = []
    """At most 1,000 of `total`."""

    @classmethod
    def of(cls, found: RestoredStore | None) -> "RestoredStoreView":
        """The view of a setback, or of none."""
        if found is None:
            return cls(False)
        lights = [
            RestoredStoreLightView(
                one.dev_eui,
                one.name,
                LightView.of(one.wanted),
                None if one.shown is None else LightView.of(one.shown),
                one.heard_since,
            )
            for one in found.lights[:1_000]
        ]
        return cls(
            True,
            found.at,
            found.cause,
            found.copied_at,
            found.keep_shown,
            len(found.lights),
            lights,
        )
