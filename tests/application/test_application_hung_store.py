"""A store that takes calls and never answers: whoever asks is told within the time promised."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
import trio
from trio.testing import MockClock

from actors.commands import CommandOrder
from actors.refusal import Refusal
from actors.rollouts.model import Order
from lorawan.kuando.light_state import LightState
from simulation.world.world import World
from store.errors import StoreUnavailable
from store.memory import MemoryStore
from store.port import Entry, Record, Table
from tests.support.running_application import RunningApplication, make_world, running_application

RED = LightState(255, 0, 0)
PROMISED_S = 11.5


class HungStore(MemoryStore):
    """It hangs once `hung` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.hung = False
        self.check_every_s = 2.0

    async def _hang(self) -> None:
        if self.hung:
            await trio.sleep_forever()

    async def commit(self, writes: object) -> None:
        await self._hang()
        await super().commit(writes)  # type: ignore[arg-type]

    async def check(self) -> None:
        await self._hang()

    async def get(self, table: Table, key: str) -> Record | None:
        await self._hang()
        return await super().get(table, key)

    async def entries(
        self, stream: str, *, since: float, until: float, most: int, newest_first: bool = True
    ) -> Sequence[Entry]:
        await self._hang()
        return await super().entries(
            stream, since=since, until=until, most=most, newest_first=newest_first
        )


@pytest.fixture
async def world(nursery: trio.Nursery, autojump_clock: MockClock) -> World:
    world = make_world()
    nursery.start_soon(world.run)
    return world


def questions(home: RunningApplication, dev_eui: str) -> dict[str, Callable[[], Awaitable[object]]]:
    application = home.application
    span = {"since": 0.0, "until": 2e9}
    return {
        "command": lambda: application.commands.give(
            CommandOrder(dev_eui=dev_eui, light=RED, keep=True)
        ),
        "find": lambda: application.commands.find("unknown"),
        "history": lambda: application.queries.history(dev_eui, **span, most=9),
        "commands": lambda: application.commands.of_device(dev_eui, 9),
        "signal": lambda: application.queries.signal(dev_eui, **span),
        "metrics": lambda: application.queries.downlinks(None, 24.0),
        "reliability": lambda: application.queries.reliability(24.0),
        "rollout": lambda: application.rollouts.create(
            Order(
                dev_euis=(dev_eui,),
                light=RED,
                keep=True,
                ttl_s=None,
                name="test",
                pace_per_min=60.0,
                failures_most=1,
                correlation_id="",
                idempotency_key=None,
                fingerprint="",
            )
        ),
    }


@pytest.mark.parametrize("phase_s", [0.1, 1.9])
async def test_every_question_is_answered_in_time(
    world: World, autojump_clock: MockClock, phase_s: float
) -> None:
    store = HungStore()
    async with running_application(world, store=store) as home:
        await home.settled()
        await trio.sleep(phase_s)
        store.hung = True
        answers: dict[str, object] = {}

        async def ask(name: str, question: Callable[[], Awaitable[object]]) -> None:
            began = trio.current_time()
            try:
                answer = await question()
                answers[name] = (
                    home.application.cause_of(answer) if isinstance(answer, Refusal) else answer
                )
            except StoreUnavailable as error:
                answers[name] = type(error)
            assert trio.current_time() - began < PROMISED_S, name

        async with trio.open_nursery() as nursery:
            for name, question in questions(home, next(iter(world.stations))).items():
                nursery.start_soon(ask, name, question)
        refused = {"command", "rollout"}
        assert {answers[name] for name in refused} <= {Refusal.STORE_FAILING, StoreUnavailable}
        assert {answers[name] for name in answers.keys() - refused} == {StoreUnavailable}
        assert home.application.initializer.start(None, force=False) is Refusal.STORE_FAILING
        assert any(
            "not answered" in problem for problem in home.application.readiness.check().problems
        )
