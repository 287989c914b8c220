"""The live feed: what is shown changes, and is told at once (docs/live.md)."""
