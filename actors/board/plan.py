"""A floor plan as everybody is told of it: its name, its place in the order, and which picture.

The picture itself and the places on it are asked for: neither belongs into a live feed. `_at` is
Unix seconds.
"""

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """A picture of a plan, known by its content."""

    digest: str
    """SHA-256 of its bytes, in hex: whoever has a picture of this digest need not ask again."""
    media_type: str
    """`image/png`, `image/jpeg` or `image/svg+xml`, by its content."""
    width: int
    """In pixels; of a drawing, in its own units."""
    height: int
    size_bytes: int


class PlanHead(msgspec.Struct, frozen=True, kw_only=True):
    """A floor plan without its places."""

    id: str
    name: str
    order: int
    """Plans are listed by it, then by name."""
    revision: int
    """One more with each change: what an ETag tells."""
    picture: Picture | None = None
    """None while none was given."""
    changed_at: float = 0.0
    by: str = ""
    """Who changed it last; empty where nobody is named."""


class PlanRemoved(msgspec.Struct, frozen=True):
    """A plan is no longer there."""

    id: str
    name: str
