"""Carries out what the keeper decided: asks the engine, has actors started and stopped."""

from collections.abc import Callable
from typing import assert_never

import structlog
import trio

from actors.clocks.clock import Clock
from actors.cluster.keeper.lines import ShardLines
from actors.cluster.keeper.messages import (
    Fence,
    Forget,
    Gave,
    Give,
    Observation,
    SetBack,
    SetBackEnded,
    Start,
    Started,
    StartFailed,
    Stop,
    Stopped,
    Take,
    TakeAnswered,
    TakeUnknown,
)
from actors.cluster.keeper.ports import KeeperPorts
from actors.cluster.keeper.state import Held, Stage
from actors.cluster.keeper.times import KeeperTimes
from store.engine.port import Engine
from store.errors import StoreError, StoreTaken, StoreUnavailable

log = structlog.get_logger()

AGAIN_S = 0.5
"""Until a call that failed is made again."""

Deed = Take | Start | SetBack | Fence | Stop | Give | Forget


class Hands:
    """Runs in one nursery at a time; what was cut off by its end is taken up by `resume`.

    `held` says what of a shard is held now, `step` takes what came of an action, `look` asks for a
    look soon.
    """

    def __init__(
        self,
        engine: Engine,
        boot: str,
        ports: KeeperPorts,
        clock: Clock,
        times: KeeperTimes,
        *,
        held: Callable[[str], Held | None],
        step: Callable[[Observation], None],
        look: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._boot = boot
        self._ports = ports
        self._clock = clock
        self._times = times
        self._held = held
        self._step = step
        self._look = look
        self._lines = ShardLines()
        self._nursery: trio.Nursery | None = None
        self._to_fence: set[str] = set()  # 65 at most

    def begin(self, nursery: trio.Nursery) -> None:
        """Act in this nursery from here on."""
        self._lines.forget()
        self._nursery = nursery
        for shard in sorted(self._to_fence):
            self.do(Fence(shard))

    def end(self) -> None:
        """It is gone."""
        self._nursery = None

    def resume(self, shard: str, held: Held) -> None:
        """Begin anew what was under way for a shard when the nursery before this one ended."""
        if held.stage is Stage.STARTING:
            self.do(Fence(shard))
            self.do(Start(shard, held.lease))
        elif held.stage is Stage.DRAINING:
            self.do(Stop(shard, at_once=False))
        elif held.stage is Stage.GIVING:
            self.do(Give(shard))

    def do(self, deed: Deed) -> None:
        """Begin it; never waits."""
        if isinstance(deed, Fence):
            self._to_fence.add(deed.shard)
        nursery = self._nursery
        if nursery is None:  # between two runs
            return
        match deed:
            case Take():
                nursery.start_soon(self._take, deed)
            case Start(shard=shard):
                self._lines.then(nursery, shard, lambda: self._start(shard))
            case SetBack(shard=shard):
                nursery.start_soon(self._set_back, shard)
            case Fence(shard=shard):
                self._lines.instead(nursery, shard, lambda: self._fence(shard))
            case Stop(shard=shard, at_once=True):
                self._lines.instead(nursery, shard, lambda: self._stop_at_once(shard))
            case Stop(shard=shard):
                self._lines.then(nursery, shard, lambda: self._stop(shard))
            case Give(shard=shard):
                self._lines.then(nursery, shard, lambda: self._give(shard))
            case Forget(boot=boot):
                nursery.start_soon(self._forget, boot)
            case _:
                assert_never(deed)

    async def _take(self, take: Take) -> None:
        sent = self._clock.steady()
        try:
            lease = await self._engine.take(take.shard, take.seen, self._boot)
        except StoreError as error:
            log.info("whether a shard was taken is not known", shard=take.shard, why=str(error))
            self._step(TakeUnknown(take.shard))
        else:
            self._step(TakeAnswered(take.shard, sent, lease))
        self._look()

    async def _start(self, shard: str) -> None:
        while (held := self._held(shard)) is not None:
            try:
                await self._ports.taken(shard, held.lease)
            except (StoreUnavailable, StoreTaken) as error:
                # Whether it is another's by now, the next look says, which cancels this.
                log.warning("a shard could not be started yet", shard=shard, problem=str(error))
                self._look()
                await self._ports.fenced(shard)
                await trio.sleep(AGAIN_S)
            except Exception:
                log.exception("a shard cannot be started here", shard=shard)
                await self._ports.fenced(shard)
                self._step(StartFailed(shard))
                break
            else:
                self._step(Started(shard))
                break

    async def _set_back(self, shard: str) -> None:
        log.warning("the engine forgot that a shard is ours", shard=shard)
        while (held := self._held(shard)) is not None and held.set_back:
            try:
                await self._ports.set_back(shard)
            except StoreUnavailable as error:
                log.warning("a shard could not be looked after", shard=shard, problem=str(error))
                await trio.sleep(AGAIN_S)
            except StoreTaken:  # the store has told so by itself
                break
            except Exception:
                log.exception("a shard cannot be set right", shard=shard)
                if self._nursery is not None:
                    self._lines.instead(self._nursery, shard, lambda: self._give_up(shard))
                break
            else:
                break
        self._step(SetBackEnded(shard))
        self._look()

    async def _give_up(self, shard: str) -> None:
        await self._ports.fenced(shard)
        self._step(StartFailed(shard))

    async def _fence(self, shard: str) -> None:
        log.warning("a shard is another's", shard=shard)
        await self._ports.fenced(shard)
        self._to_fence.discard(shard)

    async def _stop(self, shard: str) -> None:
        ended = False
        with trio.move_on_after(self._times.drain_s):
            try:
                await self._ports.leave(shard)
                ended = True
            except Exception:
                log.exception("a shard did not end well", shard=shard)
        if ended:
            self._step(Stopped(shard))
        else:
            await self._stop_at_once(shard)

    async def _stop_at_once(self, shard: str) -> None:
        await self._ports.fenced(shard)
        self._step(Stopped(shard))

    async def _give(self, shard: str) -> None:
        with trio.move_on_after(self._times.ttl_s):  # after that the lease is over anyway
            # A look may see that it was given before this is answered.
            while (held := self._held(shard)) is not None and held.stage is Stage.GIVING:
                try:
                    await self._engine.give(shard, held.lease.token)
                    break
                except StoreError as error:
                    log.info("a shard could not be given yet", shard=shard, problem=str(error))
                    await trio.sleep(AGAIN_S)
        self._step(Gave(shard))
        self._look()

    async def _forget(self, boot: str) -> None:
        try:
            await self._engine.forget_member(boot)
        except StoreError as error:
            log.info("a member could not be struck off yet", boot=boot, problem=str(error))
