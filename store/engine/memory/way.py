"""The way from a process to the servers, with everything that may happen to a request on it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

import msgspec
import trio

from store.engine.epochs import Leaps
from store.engine.memory.data import Data
from store.engine.memory.servers import Master, MemoryServers, Script
from store.errors import StoreClosed, StoreError, StoreUnavailable

P = TypeVar("P")
T = TypeVar("T")

ANSWER_S = 2.0
"""For so long an answer is waited for; `CONNECT_S` for the first on a new connection."""
CONNECT_S = 0.5
WAIT_S = 1.0


class Request(msgspec.Struct, frozen=True):
    """One round trip: the name of the method, and what it is about."""

    name: str
    about: tuple[str, ...]


class Fate(msgspec.Struct, frozen=True):
    """What happens to a request on its way; by default nothing."""

    delay_s: float = 0.0
    """It arrives so much later."""
    back_s: float = 0.0
    """Its answer does."""
    lost: bool = False
    """It never arrives."""
    unanswered: bool = False
    """It is carried out, and its answer is lost."""
    late_s: float | None = None
    """Its caller gives up; it arrives so much after that, behind whatever came meanwhile."""
    again_s: float | None = None
    """It is carried out, and so much later once more."""
    cut: int | None = None
    """The connection breaks after so many of its scripts were carried out."""


Hook = Callable[[Request], Awaitable[None]]


async def _nothing(_request: Request) -> None:
    """Nothing happens."""


class Way:
    """Requests of one process. `need` replicas must confirm what is acknowledged.

    `before` is awaited as a request leaves, `after` as its answer is handed to its caller: to wait
    there is a process that stands still. `fate` says what happens in between, `hears` whether
    a bell arrives.
    """

    def __init__(
        self,
        servers: MemoryServers | None = None,
        *,
        need: int = 0,
        latency_s: float = 0.0005,
        fate: Callable[[Request], Fate] | None = None,
    ) -> None:
        self.servers = servers or MemoryServers()
        self.need = need
        self.latency_s = latency_s
        self._leaps = Leaps()
        self._slow_there = False
        self.fate = fate or (lambda _request: Fate())
        self.before: Hook = _nothing
        self.after: Hook = _nothing
        self.hears: Callable[[str], bool] = lambda _name: True
        self.cut_off = False
        """No request arrives."""
        self.deaf = False
        """Requests arrive, answers do not."""
        self.parted: set[int] = set()
        """Parts of the engine that this process alone does not reach."""
        self.finds: Callable[[int], Master | None] = lambda part: self.servers.masters[part]
        """Which master a new connection leads to: whoever is on the wrong side of a split finds
        the old one."""
        self.connected: dict[int, Master] = {}
        self.connections = 0
        """As `Engine.connections`."""
        self.is_open = False
        self.is_closed = False

    async def read_each(
        self,
        name: str,
        shards: Sequence[str],
        read: Callable[[Data, str], T],
        *,
        some: bool = False,
    ) -> dict[str, T]:
        """Of each shard, from the master that has it, all masters at once. With `some` those are
        left out of which no server answers, if any other does."""
        found: dict[str, T] = {}
        errors: list[StoreError] = []

        async def read_part(names: Sequence[str]) -> None:
            def read_all(data: Data) -> dict[str, T]:
                return {shard: read(data, shard) for shard in names}

            try:
                found.update(await self.read_one(name, names, names[0], read_all))
            except StoreError as error:
                errors.append(error)

        await self._at_once(read_part, self._by_part(shards).values())
        if errors and not (some and found):
            raise errors[0]
        return {shard: found[shard] for shard in shards if shard in found}

    def _by_part(self, tags: Sequence[str]) -> dict[int, list[str]]:
        parts: dict[int, list[str]] = {}
        for tag in tags:
            parts.setdefault(self.servers.part_of(tag), []).append(tag)
        return parts

    async def _at_once(self, act: Callable[[P], Awaitable[None]], parts: Collection[P]) -> None:
        """One for each master; whoever is silent holds up only the end."""
        if len(parts) == 1:
            await act(*parts)
        elif parts:
            async with trio.open_nursery() as nursery:
                for part in parts:
                    nursery.start_soon(act, part)

    async def read_one(
        self, name: str, about: Sequence[str], tag: str, read: Callable[[Data], T]
    ) -> T:
        """What the master of this hash tag holds, at one instant."""
        request = Request(name, tuple(about))
        fate, back_s = await self._leave(request)
        master = await self._reach(self.servers.part_of(tag))
        answer = read(master.read())
        await self._arrive(request, fate, back_s)
        return answer

    async def write(
        self, name: str, scripts: Sequence[tuple[str, Script]], *, need: int | None = None
    ) -> list[Any]:
        """Scripts by hash tag, in one pipeline for each master; then WAIT. An error stands for what
        is unknown.

        Raises StoreUnavailable where nothing else would be in the answer.
        """
        if not scripts:
            return []
        request = Request(name, tuple(tag for tag, _ in scripts))
        fate, back_s = await self._leave(request, scripts)
        answers: list[Any] = [None] * len(scripts)
        parts: dict[int, list[int]] = {}
        for n, (tag, _) in enumerate(scripts):
            parts.setdefault(self.servers.part_of(tag), []).append(n)

        async def write_part(part: int) -> None:
            todo = [scripts[n][1] for n in parts[part]]
            given: Sequence[Any]
            try:
                given = await self._carry_out(part, todo, fate, self.need if need is None else need)
            except StoreUnavailable as error:
                given = [error] * len(todo)
            for n, answer in zip(parts[part], given, strict=True):
                answers[n] = answer

        await self._at_once(write_part, sorted(parts))
        if all(isinstance(answer, StoreUnavailable) for answer in answers):
            raise StoreUnavailable("memory: no server has confirmed it") from answers[0]
        await self._arrive(request, fate, back_s)
        return answers

    async def _carry_out(
        self, part: int, scripts: Sequence[Script], fate: Fate, need: int
    ) -> list[Any]:
        master = await self._reach(part, scripts)
        if master.lacks_replicas:
            raise StoreUnavailable("memory: too few replicas follow the master")
        todo = scripts if fate.cut is None else scripts[: fate.cut]
        answers, upto = master.run(todo), master.written
        if fate.again_s is not None:
            master.later(trio.current_time() + fate.again_s, todo)
        if fate.cut is not None:
            raise StoreUnavailable("memory: the connection broke")
        if not await master.wait(upto, need, WAIT_S):
            self.connected.pop(part, None)
            raise StoreUnavailable("memory: too few replicas have confirmed it")
        return answers

    async def _leave(
        self, request: Request, scripts: Sequence[tuple[str, Script]] = ()
    ) -> tuple[Fate, float]:
        """The way of a request to the server, and how long its answer will be on its way.

        Every other request takes its time before it is carried out, the others afterwards: both
        orders are seen, and a simulated house sleeps half as often.
        """
        self.check()
        await self.before(request)
        fate = self.fate(request)
        self._slow_there = not self._slow_there
        there_s, back_s = (self.latency_s, 0.0) if self._slow_there else (0.0, self.latency_s)
        if there_s or fate.delay_s:
            await trio.sleep(there_s + fate.delay_s)
        if self.cut_off or fate.lost:
            await self._give_up()
        if fate.late_s is not None:
            due_s = trio.current_time() + ANSWER_S + fate.late_s
            part_of = self.servers.part_of
            for part in sorted({part_of(tag) for tag, _ in scripts}):
                mine = [script for tag, script in scripts if part_of(tag) == part]
                self._found(part).later(due_s, mine)
            await self._give_up()
        return fate, back_s + fate.back_s

    async def _arrive(self, request: Request, fate: Fate, back_s: float) -> None:
        """The way of an answer back."""
        if back_s:
            await trio.sleep(back_s)
        if self.cut_off or self.deaf or fate.unanswered:
            await self._give_up()
        await self.after(request)

    async def _give_up(self) -> None:
        """No answer comes: the connections are dropped."""
        await trio.sleep(ANSWER_S)
        self.connected.clear()
        raise StoreUnavailable("memory: no answer")

    async def _reach(self, part: int, scripts: Sequence[Script] = ()) -> Master:
        """The master of a part. Raises StoreUnavailable: in time where it hangs, and then carries
        out what it was sent when it goes on."""
        is_known = part in self.connected
        master = self._found(part)
        parted = part in self.parted
        if not master.hangs and not parted:
            return master
        if is_known and not parted:  # a new connection is tried first
            master.later(trio.current_time(), scripts)
        await trio.sleep(ANSWER_S if is_known else CONNECT_S)
        if self.connected.get(part) is master:
            del self.connected[part]
        raise StoreUnavailable("memory: no answer")

    def _found(self, part: int) -> Master:
        master = self.connected.get(part) or self.finds(part)
        if master is None or not master.answers or master.read_only:
            self.connected.pop(part, None)
            raise StoreUnavailable("memory: no server takes writes")
        if not master.hangs and part not in self.parted and part not in self.connected:
            self.connected[part] = master
            self.connections += 1
        return master

    def check(self) -> None:
        """Raise StoreClosed unless it is open."""
        if self.is_closed or not self.is_open:
            raise StoreClosed("memory: the engine is not open")
