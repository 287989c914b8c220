"""Bells are noted by a thread while the loop takes them."""

from collections.abc import Iterator

from store.engine.redis.ear import _Ear
from store.engine.redis.keys import Keys
from store.engine.redis.places import OneServer
from store.engine.redis.url import target_of


class Interrupted(dict[str, None]):
    """The thread notes one more bell after whoever goes through it has begun to."""

    def __iter__(self) -> Iterator[str]:
        steps = super().__iter__()
        self.setdefault("late")
        return steps


async def test_a_bell_that_is_noted_while_another_is_taken_does_no_harm() -> None:
    heard: list[str] = []
    ear = _Ear(OneServer(target_of("redis://nobody")), Keys("x"), heard.append)
    ear._noted = Interrupted(first=None)
    ear._take()
    assert heard == ["first"]
