"""Planning takes time where much waits; how much of the process it may have is tried here."""

from random import Random

import trio

from actors.clocks.clock import RunClock
from actors.downlink import Dispatcher
from actors.downlink.dispatcher import REST, REST_MOST_S
from tests.support.dispatcher_kit import POLICY, START, attempt, hearings
from tests.support.scripted_network import ScriptedNetwork

TOLD_EVERY_S = 0.001


class PlanningClock(RunClock):
    """A clock on which each round of planning takes `plan_s`."""

    def __init__(self, plan_s: float) -> None:
        super().__init__(START)
        self.plan_s = plan_s
        self.rounds = 0

    def steady(self) -> float:
        return super().steady() + self.rounds * self.plan_s

    def slack_s(self) -> float:
        """Asked once in each round."""
        self.rounds += 1
        return POLICY.clock_slack_s


async def rounds_in_a_second(plan_s: float) -> int:
    """How often the dispatcher plans while it is told something every millisecond."""
    clock = PlanningClock(plan_s)
    network = ScriptedNetwork(RunClock(START), Random(1), latency_s=10.0)
    dispatcher = Dispatcher(
        network, lambda dev_eui, event: None, clock, Random(2), POLICY, server_slack_s=clock.slack_s
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(dispatcher.run)
        clock.rounds = 0
        for number in range(round(1.0 / TOLD_EVERY_S)):
            dispatcher.submit(f"light-{number}", attempt(number), hearings())
            await trio.sleep(TOLD_EVERY_S)
        nursery.cancel_scope.cancel(reason="enough")
    return clock.rounds


async def test_planning_that_takes_no_time_is_done_at_once(autojump_clock: object) -> None:
    assert await rounds_in_a_second(0.0) >= 990


async def test_the_dispatcher_rests_for_as_long_as_planning_is_worth(
    autojump_clock: object,
) -> None:
    assert await rounds_in_a_second(0.005) >= 1.0 / (REST * 0.005 + 2 * TOLD_EVERY_S)
    assert await rounds_in_a_second(0.005) <= 1.0 / (REST * 0.005) + 1


async def test_no_rest_is_longer_than_a_frame_can_wait(autojump_clock: object) -> None:
    assert await rounds_in_a_second(0.1) >= 1.0 / (1.2 * REST_MOST_S)
