"""Keeps this process a member of the cluster, and its shards under leases: the shell of `core.py`.

Renewals and looks run in the loop that serves the actors, and not in a thread beside it: a process
whose loop is stuck must lose its shards.
"""

import math
from collections import deque
from collections.abc import Sequence

import structlog
import trio

from actors.clocks.clock import Clock
from actors.cluster.keeper import balance, core
from actors.cluster.keeper.hands import AGAIN_S, Hands
from actors.cluster.keeper.leases import known_s
from actors.cluster.keeper.messages import (
    Able,
    FenceTold,
    LeaveAsked,
    Looked,
    LookFailed,
    Observation,
    Renewed,
    Retaken,
    Tell,
)
from actors.cluster.keeper.ports import KeeperPorts
from actors.cluster.keeper.sight import view_of
from actors.cluster.keeper.state import Held, State
from actors.cluster.keeper.times import KeeperTimes
from actors.cluster.keeper.view import MOVES_MOST, ClusterView, Move
from actors.replace import replace
from store.engine.port import Engine, Lease, Member
from store.engine.shards import ALL_SHARDS
from store.errors import StoreError

log = structlog.get_logger()

SOONEST_S = 0.05
"""Between two looks, however often somebody rings: 20/s of some 0.3 ms of the engine at most."""
FORGET_S = 1.0
"""To be struck off the list of members; the others do so after a minute."""
STRANGER_S = 15.0
"""So long whoever never saw the list of members takes nothing; then a free shard is better here
than nowhere, and what is too much is given once others are known."""
LOOK = ("the leases cannot be read", "the leases are read again")
RENEW = ("our leases cannot be renewed", "our leases are renewed again")
TELL = ("the others cannot be told that we are here", "the others are told again")
"""What the engine is asked for time and again, in the words of the log."""


class Keeper:
    """Owns what it may, gives what it must, and says for how long a lease holds."""

    def __init__(
        self,
        engine: Engine,
        member: Member,
        ports: KeeperPorts,
        clock: Clock,
        times: KeeperTimes | None = None,
    ) -> None:
        self.times = times or KeeperTimes()
        self._engine = engine
        self._member = member
        self._ports = ports
        self._clock = clock
        self._state = State(boot=member.boot)
        self._hands = Hands(
            engine,
            member.boot,
            ports,
            clock,
            self.times,
            held=self._held,
            step=self._step,
            look=self._look_soon,
        )
        self._moves: deque[Move] = deque(maxlen=MOVES_MOST)
        self._wake_look, self._wake_tell = trio.Event(), trio.Event()
        self._wake_renew = trio.Event()
        self._changed = trio.Event()
        self._awaits = False
        self._begun_at = math.inf
        self._left = False
        self._failing: set[tuple[str, str]] = set()
        """Of LOOK, RENEW and TELL those that failed when they were last tried."""

    # ------------------------------------------------------------------ what it says

    @property
    def owned(self) -> Sequence[str]:
        """The shards that are ours, those included whose actors are still starting."""
        return [shard for shard in ALL_SHARDS if shard in self._state.held]

    def valid_for_s(self, shard: str) -> float:
        """For how long our lease of a shard surely holds; 0 where it is not ours or has lapsed."""
        return core.valid_for_s(self._state, shard, self._clock.steady())

    @property
    def is_alone(self) -> bool:
        """Whether no other process was on the list when that was looked at last, within 1 s."""
        return self._state.looked_at is not None and not self._state.members

    def known_s(self, shard: str) -> float:
        """For how long we know that this shard has had an owner."""
        return known_s(self._state, shard, self._clock.steady())

    def may_begin(self, shard: str) -> bool:
        """Whether something that cannot be taken back may begin now: it ends within `margin_s`."""
        return self.valid_for_s(shard) >= self.times.margin_s

    def view(self) -> ClusterView:
        """What is seen of the cluster now."""
        now = self._clock.steady()
        ahead_s = self._clock.now() - now
        newest_first = tuple(reversed(self._moves))
        return view_of(
            self._state, self._member, newest_first, now, self.times, lambda at: at + ahead_s
        )

    # ------------------------------------------------------------------ what it is told

    def told_fenced(self, shard: str) -> None:
        """The store found one of our shards to be another's, and writes it no more."""
        self._step(FenceTold(shard))

    def told_retaken(self, shard: str, lease: Lease) -> None:
        """The store took one of our shards again, which a failover had forgotten to be ours."""
        self._step(Retaken(shard, lease))
        self._wake_renew.set()

    def rang(self, shard: str) -> None:
        """A bell of this shard: it may have been given. It rings for each inbox entry as well, so
        it counts only while a shard is awaited."""
        if self._awaits and shard not in self._state.held:
            self._wake_look.set()

    async def leave(self) -> None:
        """Give every shard to the others within `leave_s`, and leave within FORGET_S more. `run`
        must be running."""
        self._step(LeaveAsked())
        self._wake_tell.set()
        self._wake_look.set()
        with trio.move_on_after(self.times.leave_s):
            while self._state.held or self._state.taking:
                self._changed = trio.Event()
                await self._changed.wait()
        if self._state.held:
            log.warning("shards were not given in time", shards=len(self._state.held))
        self._left = True
        with trio.move_on_after(FORGET_S):
            try:
                await self._engine.forget_member(self._member.boot)
            except StoreError as error:
                log.warning("the list of members could not be left", problem=str(error))

    # ------------------------------------------------------------------ its tasks

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Take part until cancelled; `started` after the first look, or its failure."""
        try:
            async with trio.open_nursery() as nursery:
                held = {s: replace(h, set_back=False) for s, h in self._state.held.items()}
                self._state = replace(self._state, held=held, taking={})
                self._hands.begin(nursery)
                self._begun_at = self._clock.steady()
                for shard, one in held.items():
                    self._hands.resume(shard, one)
                await nursery.start(self._tell)
                await nursery.start(self._look)
                nursery.start_soon(self._renew)
                task_status.started()
        finally:
            self._hands.end()

    async def _look(self, task_status: trio.TaskStatus[None]) -> None:
        """Look at all leases and members, for ever."""
        while True:
            self._wake_look = trio.Event()
            self._step(self._able())
            sent = self._clock.steady()
            self._ports.looking()
            try:
                leases = await self._engine.look(ALL_SHARDS)
                members = await self._members()
            except StoreError as error:
                self._fails(LOOK, error)
                self._step(LookFailed())
            else:
                self._works(LOOK)
                self._step(Looked(sent, leases, members))
                self._ports.looked(leases)
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            now = self._clock.steady()
            next_at, self._awaits = core.next_look(self._state, now, self.times)
            await trio.sleep(SOONEST_S)
            with trio.move_on_after(max(0.0, next_at - now - SOONEST_S)):
                await self._wake_look.wait()

    async def _members(self) -> Sequence[Member] | None:
        """None where they cannot be read now. Raises StoreError while that may pass and nobody is
        known: whoever knows of no others takes all that is free."""
        try:
            return await self._engine.members()
        except StoreError as error:
            waited_s = self._clock.steady() - self._begun_at
            if self._state.looked_at is None and waited_s < STRANGER_S:
                raise
            log.debug("the list of members cannot be read", problem=str(error))
            return None

    async def _renew(self) -> None:
        """Renew all leases, for ever; what was not answered soon again."""
        while True:
            self._wake_renew = trio.Event()
            self._step(self._able())
            sent = self._clock.steady()
            tokens = core.to_renew(self._state, sent, self.times)
            every_s = self.times.renew_s
            if tokens:
                try:
                    results = await self._engine.renew(tokens)
                except StoreError as error:
                    self._fails(RENEW, error)
                    every_s = AGAIN_S
                else:
                    self._works(RENEW)
                    every_s = every_s if len(results) == len(tokens) else AGAIN_S
                    self._step(Renewed(sent, results))
            await trio.sleep(SOONEST_S)
            with trio.move_on_after(max(0.0, sent + every_s - self._clock.steady())):
                await self._wake_renew.wait()

    async def _tell(self, task_status: trio.TaskStatus[None]) -> None:
        """Show the others that we are here, for ever."""
        while not self._left:
            self._wake_tell = trio.Event()
            now = self._clock.steady()
            unable = balance.cannot_serve(self._state, now, self.times)
            self._member = replace(
                self._member,
                beat=self._member.beat + 1,
                load=balance.own_load(self._state),
                sees_network=self._ports.sees_network(),
                leaving=self._state.leaving or unable,
            )
            try:
                await self._engine.tell_member(self._member)
            except StoreError as error:
                self._fails(TELL, error)
            else:
                self._works(TELL)
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            # The second time comes soon: the others know by it that we are alive.
            every_s = self.times.renew_s if self._member.beat > 1 else self.times.soon_s
            with trio.move_on_after(every_s):
                await self._wake_tell.wait()

    def _held(self, shard: str) -> Held | None:
        return self._state.held.get(shard)

    def _look_soon(self) -> None:
        self._wake_look.set()

    def _able(self) -> Able:
        return Able(self._ports.sees_network(), self._ports.can_serve())

    def _step(self, told: Observation) -> None:
        self._state, actions = core.step(self._state, told, self._clock.steady(), self.times)
        for action in actions:
            if isinstance(action, Tell):
                self._tell_move(action)
            else:
                self._hands.do(action)
        self._changed.set()

    def _tell_move(self, move: Tell) -> None:
        log.info("a shard has an owner", shard=move.shard, owner=move.after, why=move.why.value)
        at, dark_s = self._clock.now(), round(move.dark_s, 3)
        self._moves.append(Move(at, move.shard, move.why, move.before, move.after, dark_s))

    def _fails(self, what: tuple[str, str], error: StoreError) -> None:
        """Told once, until it `_works` again: looks may be answered while renewals are not, where
        no replica confirms them."""
        self._ports.failed()
        if what not in self._failing:
            log.warning(what[0], problem=str(error))
            self._failing.add(what)

    def _works(self, what: tuple[str, str]) -> None:
        if what in self._failing:
            log.info(what[1])
            self._failing.remove(what)
