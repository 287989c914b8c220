"""Named sources of randomness: each part of the world draws from its own, all from one seed.

What one light or gateway draws never shifts what another draws, so that two worlds of one seed
differ only where something was done to them differently.
"""

import random

Span = tuple[float, float]
"""A uniform range of seconds, both ends included."""


class Each(dict[str, random.Random]):
    """One source for each name of a kind, made when first asked for: 2.5 kB each."""

    def __init__(self, seed: int | str, kind: str) -> None:
        super().__init__()
        self._prefix = f"{seed}/{kind}/"

    def __missing__(self, name: str) -> random.Random:
        # seeded by text: SHA-512 of it, so that no hash seed of a process plays a part
        source = self[name] = random.Random(self._prefix + name)
        return source


class Chance:
    """All the chance of one world."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed

    def of(self, what: str) -> random.Random:
        """The source of one thing, from its beginning."""
        return random.Random(f"{self.seed}/{what}")

    def each(self, kind: str) -> Each:
        """The sources of a kind of thing, by name."""
        return Each(self.seed, kind)
