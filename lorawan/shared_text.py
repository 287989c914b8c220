"""Equal texts of a fleet, kept once: names of applications and profiles, tags, ids of gateways.

Each event and each stored record brings its own copies of them; without this a light would keep
half a kilobyte that every other light keeps as well.
"""

from functools import lru_cache

SHARED_MOST = 4_096
"""Of 200 characters at most: 1 MB. Of a fleet with more, the others are merely not shared."""


@lru_cache(maxsize=SHARED_MOST)
def shared(text: str) -> str:
    """The same text; of equal ones the first that was seen lately."""
    return text


def shared_tags(tags: dict[str, str]) -> dict[str, str]:
    """The same tags, their names and values shared."""
    return {shared(name): shared(value) for name, value in tags.items()}
