"""Any history of three processes and five shards: lost and late requests, sleeps, leaving."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.cluster.keeper import balance
from actors.cluster.keeper.messages import Able, LeaveAsked
from actors.cluster.keeper.state import Stage, weight_of
from actors.cluster.keeper.times import KeeperTimes
from actors.replace import replace
from store.engine.shards import FLEET
from tests.support.lease_model import LeaseModel, World

SHARDS = ("00", "01", "02", "03", FLEET)
RATES = (0.991, 1.0, 1.009)
TIMES = KeeperTimes()
numbers = st.integers(0, len(RATES) - 1)
places = st.integers(0, 99)


class AnyHistory(RuleBasedStateMachine):
    """Small steps in any order; whoever believes in its lease has it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = LeaseModel(SHARDS, TIMES, RATES)
        self.world: World = self.model.begin()
        self.set_back = False

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 1.9, 3.0, 5.9, 6.2]))
    def time_passes(self, seconds: float) -> None:
        self.world = self.model.passes(self.world, seconds)

    @rule(number=numbers, what=st.sampled_from(["look", "renew"]))
    def somebody_asks(self, number: int, what: str) -> None:
        if len(self.world.processes[number].on_way) < 8:
            self.world = self.model.ask(self.world, number, what)

    @rule(number=numbers)
    def all_answers_come(self, number: int) -> None:
        self.world = self.model.at_once(self.world, number)

    @rule(number=numbers, place=places)
    def the_engine_carries_out(self, number: int, place: int) -> None:
        if index := self._one_of(number, place, carried_out=False):
            self.world = self.model.carry_out(self.world, number, index - 1)

    @rule(number=numbers, place=places)
    def an_answer_comes(self, number: int, place: int) -> None:
        if index := self._one_of(number, place, carried_out=True):
            self.world = self.model.answer(self.world, number, index - 1)

    @rule(number=numbers, place=places)
    def an_answer_never_comes(self, number: int, place: int) -> None:
        on_way = self.world.processes[number].on_way
        waiting = [n for n, asked in enumerate(on_way) if asked.awaited]
        if waiting:
            index = waiting[place % len(waiting)]
            self.world = self.model.give_up(self.world, number, index)

    @rule(number=numbers, sees=st.booleans(), can=st.booleans())
    def somebody_cannot(self, number: int, sees: bool, can: bool) -> None:
        self.world = self.model.tell(self.world, number, Able(sees, can))

    @precondition(lambda self: not any(one.state.leaving for one in self.world.processes))
    @rule(number=numbers)
    def somebody_leaves(self, number: int) -> None:
        self.world = self.model.tell(self.world, number, LeaveAsked())

    @invariant()
    def whoever_believes_in_its_lease_has_it(self) -> None:
        if not self.set_back:
            assert self.model.broken(self.world) is None

    def _one_of(self, number: int, place: int, *, carried_out: bool) -> int:
        on_way = self.world.processes[number].on_way
        found = [n for n, asked in enumerate(on_way) if asked.carried_out is carried_out]
        return found[place % len(found)] + 1 if found else 0

    def teardown(self) -> None:
        """Whatever happened: once all works again, each shard has one owner and none moves."""
        left = [one.state.boot for one in self.world.processes if one.state.leaving]
        world = self.model.settle(forgotten(self.world), 30.0)
        assert_settled(self.model, world, left)
        assert owners(self.model.settle(world, 6.0)) == owners(world)


def forgotten(world: World) -> World:
    """All that was on its way is lost, and its callers are told so."""
    processes = []
    for one in world.processes:
        held = {s: h for s, h in one.state.held.items() if h.stage is not Stage.GIVING}
        processes.append(replace(one, state=replace(one.state, held=held, taking={}), on_way=()))
    return replace(world, processes=tuple(processes))


def owners(world: World) -> dict[str, str]:
    """By the engine's leases."""
    return {shard: lease.token for shard, lease in world.leases.items()}


def assert_settled(model: LeaseModel, world: World, left: list[str]) -> None:
    loads: dict[str, int] = {}
    for shard in SHARDS:
        tokens = model.valid(world, shard)
        assert tokens == [world.leases[shard].token], shard
        owner = world.leases[shard].owner
        assert owner not in left
        loads[owner] = loads.get(owner, 0) + weight_of(shard)
    fair = -(-sum(weight_of(shard) for shard in SHARDS) // (len(RATES) - len(left)))
    for one in world.processes:
        if one.state.boot not in left:
            now = one.clock
            assert balance.Reckoning(one.state, now, TIMES).fair == fair
    assert max(loads.values()) <= max(fair + 1, weight_of(FLEET))


class AnyHistoryWithFailovers(AnyHistory):
    """The engine forgets leases as well, as after a failover without `WAIT`: it comes to rest."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = self.world.leases

    @rule()
    def a_replica_has_this(self) -> None:
        self.kept = self.world.leases

    @rule()
    def the_replica_is_promoted(self) -> None:
        self.world = replace(self.world, leases=self.kept)
        self.set_back = True


TestAnyHistoryWithFailovers = AnyHistoryWithFailovers.TestCase
TestAnyHistoryWithFailovers.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None
)
TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
