"""Threads and connections: for each node one of each kind of work.

Calls of one kind to one node go in their order. Kinds do not wait for each other: a snapshot of a
large shard holds up no commit, and what callers by HTTP wait for does not queue behind commits.
"""

from collections.abc import Callable, Hashable, Sequence
from contextlib import AsyncExitStack, suppress
from enum import StrEnum
from functools import partial

import trio

from store.engine.redis.errors import Elsewhere
from store.engine.redis.node import Answer, Command, Node
from store.engine.redis.places import Places
from store.errors import StoreClosed, StoreError
from store.threaded import Worker

Asked = tuple[str, Command]
"""A hash tag and a command about keys that have it."""


class Work(StrEnum):
    """Kinds of work."""

    COMMIT = "redis-writer"
    """Commits and leases."""
    POST = "redis-poster"
    """Commands and messages."""
    READ = "redis-reader"


class _Lane:
    """One thread, one connection."""

    def __init__(self, work: Work, places: Places, place: Hashable, *, is_grouping: bool) -> None:
        self.node = Node(
            partial(places.dial, place),
            partial(places.lost, place),
            era=places.era,
            is_grouping=is_grouping,
        )
        self.worker = Worker(work)


class Lanes:
    """Sends commands to the nodes that have their shards; with `is_grouping` several scripts of
    one call are carried out at once."""

    def __init__(self, places: Places, *, is_grouping: bool = False) -> None:
        self._places = places
        self._is_grouping = is_grouping
        self._lanes: dict[tuple[Work, Hashable], _Lane] = {}
        """A cluster has some ten nodes; one that left keeps an idle lane until the end."""
        self._closed = False
        self.check_place: Callable[[Hashable], None] = lambda _: None
        """Raises StoreUnavailable for a node that is not to be asked."""

    async def ask(
        self, work: Work, asked: Sequence[Asked], *, confirm: int = 0, answer_s: float | None = None
    ) -> list[Answer]:
        """The answer to each, once `confirm` replicas of its node have what was written.

        A StoreError in place of each answer of a node that did not give one. Raises it where no
        node gave any. Where a node names another one, that is asked, once.
        """
        if self._closed:
            raise StoreClosed("redis: the engine is closed")
        answers = await self._ask_once(work, asked, confirm, answer_s)
        moved = [each for each, answer in enumerate(answers) if isinstance(answer, Elsewhere)]
        if moved:
            again = [asked[each] for each in moved]
            with suppress(StoreError):  # what the others said must not be lost by it
                found = await self._ask_once(work, again, confirm, answer_s)
                for each, answer in zip(moved, found, strict=True):
                    answers[each] = answer
        return answers

    async def ask_whole(
        self, work: Work, asked: Sequence[Asked], *, answer_s: float | None = None
    ) -> list[Answer]:
        """The same for a transaction: all of it again, or nothing."""
        answers = await self._ask_once(work, asked, 0, answer_s)
        if any(isinstance(answer, Elsewhere) for answer in answers):
            answers = await self._ask_once(work, asked, 0, answer_s)
        return answers

    async def _ask_once(
        self, work: Work, asked: Sequence[Asked], confirm: int, answer_s: float | None
    ) -> list[Answer]:
        answers: list[Answer] = [None] * len(asked)
        errors: list[StoreError] = []
        groups: dict[Hashable, list[int]] = {}
        for number, (tag, _) in enumerate(asked):
            try:
                place = self._places.node_of(tag)
                self.check_place(place)
                groups.setdefault(place, []).append(number)
            except StoreError as error:
                answers[number] = error
                errors.append(error)

        async def ask_node(place: Hashable, numbers: list[int]) -> None:
            commands = [asked[number][1] for number in numbers]
            try:
                given = await self._ask_node(work, place, commands, confirm, answer_s)
            except StoreError as error:
                errors.append(error)
                given = [error] * len(numbers)
            for number, answer in zip(numbers, given, strict=True):
                answers[number] = answer

        if len(groups) == 1:
            ((place, numbers),) = groups.items()
            await ask_node(place, numbers)
        else:
            async with trio.open_nursery() as nursery:
                for place, numbers in groups.items():
                    nursery.start_soon(ask_node, place, numbers)
        if errors and all(isinstance(answer, StoreError) for answer in answers):
            raise errors[0]
        return answers

    @property
    def connections(self) -> int:
        """That were made until now, in all lanes."""
        return sum(lane.node.connections for lane in list(self._lanes.values()))

    async def close(self) -> None:
        """Close every connection when what is on its way has ended; idempotent, shields itself."""
        self._closed = True
        async with AsyncExitStack() as last:  # each is closed also where another one hangs
            for lane in self._lanes.values():
                last.push_async_callback(lane.worker.close, lane.node.drop)
        self._places.close()

    async def _ask_node(
        self,
        work: Work,
        place: Hashable,
        commands: Sequence[Command],
        confirm: int,
        answer_s: float | None,
    ) -> list[Answer]:
        lane = self._lanes.get((work, place))
        if lane is None:
            lane = self._lanes[work, place] = _Lane(
                work, self._places, place, is_grouping=self._is_grouping
            )
        node = lane.node
        return await lane.worker.run(node.ask, commands, confirm, node.failures, answer_s=answer_s)
