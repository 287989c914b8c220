"""The way from a process to the servers, with everything that may happen to a request on it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
import trio

from store.engine.epochs import Leaps
from store.engine.memory.data import Data
from store.engine.memory.servers import Master, MemoryServers, Script
from store.errors import StoreClosed, StoreUnavailable

T = TypeVar("T")

ANSWER_S = 2.0
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
        self.finds: Callable[[int], Master | None] = lambda part: self.servers.masters[part]
        """Which master a new connection leads to: whoever is on the wrong side of a split finds
        the old one."""
        self.connected: dict[int, Master] = {}
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
        """Of each shard, from the master that has it. With `some` those are left out of which no
        server answers, if any other does."""
        parts = self._by_part(shards)
        found: dict[str, T] = {}
        for part, names in parts.items():

            def read_all(data: Data, names: list[str] = names) -> dict[str, T]:
                return {shard: read(data, shard) for shard in names}

            try:
                found |= await self.read(name, names, part, read_all)
            except StoreUnavailable:
                if not some or (not found and names is list(parts.values())[-1]):
                    raise
        return found

    def _by_part(self, shards: Sequence[str]) -> dict[int, list[str]]:
        if len(self.servers.masters) == 1:
            return {0: list(shards)} if shards else {}
        parts: dict[int, list[str]] = {}
        for shard in shards:
            parts.setdefault(self.servers.part_of(shard), []).append(shard)
        return parts

    async def read(
        self, name: str, about: Sequence[str], part: int, read: Callable[[Data], T]
    ) -> T:
        """What one master holds, at one instant."""
        request = Request(name, tuple(about))
        fate, back_s = await self._leave(request)
        answer = read(self._master(part).read())
        await self._arrive(request, fate, back_s)
        return answer

    async def write(
        self, name: str, scripts: Sequence[tuple[str | None, Script]], *, need: int | None = None
    ) -> list[Any]:
        """Scripts in one pipeline for each master; then WAIT. An error stands for what is unknown.

        Raises StoreUnavailable where nothing else would be in the answer.
        """
        if not scripts:
            return []
        request = Request(name, tuple(shard or "" for shard, _ in scripts))
        fate, back_s = await self._leave(request, scripts)
        answers: dict[int, Any] = {}
        for part in sorted({self.part(shard) for shard, _ in scripts}):
            mine = [n for n, (shard, _) in enumerate(scripts) if self.part(shard) == part]
            todo = [scripts[n][1] for n in mine]
            try:
                of_part = await self._carry_out(
                    part, todo, fate, self.need if need is None else need
                )
            except StoreUnavailable as error:
                answers |= dict.fromkeys(mine, error)
            else:
                answers |= dict(zip(mine, of_part, strict=True))
        found = [answers[n] for n in range(len(scripts))]
        if all(isinstance(answer, StoreUnavailable) for answer in found):
            raise StoreUnavailable("memory: no server has confirmed it") from found[0]
        await self._arrive(request, fate, back_s)
        return found

    async def _carry_out(
        self, part: int, scripts: Sequence[Script], fate: Fate, need: int
    ) -> list[Any]:
        master = self._master(part)
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
        self, request: Request, scripts: Sequence[tuple[str | None, Script]] = ()
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
            for part in sorted({self.part(shard) for shard, _ in scripts}):
                mine = [script for shard, script in scripts if self.part(shard) == part]
                self._master(part).later(due_s, mine)
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

    def _master(self, part: int) -> Master:
        master = self.connected.get(part) or self.finds(part)
        if master is None or not master.answers or master.read_only:
            self.connected.pop(part, None)
            raise StoreUnavailable("memory: no server takes writes")
        self.connected[part] = master
        return master

    def part(self, shard: str | None) -> int:
        """Which master has a shard; None is what lies with the first."""
        return 0 if shard is None else self.servers.part_of(shard)

    def check(self) -> None:
        """Raise StoreClosed unless it is open."""
        if self.is_closed or not self.is_open:
            raise StoreClosed("memory: the engine is not open")
