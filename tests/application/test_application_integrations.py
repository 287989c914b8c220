"""An integration that runs once for the fleet: what it finds wrong becomes an alert, in time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import trio
from trio.testing import MockClock

from actors.alerts import AlertKind, Finding
from actors.board.changes import AlertView
from tests.support.running_application import (
    RunningApplication,
    make_world,
    running_application,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Nothing much."""

    connected: bool = False


@dataclass
class Bridge:
    """As the one to MQTT looks from outside; the test moves its broker."""

    away_since: float | None = None
    began: trio.Event = field(default_factory=trio.Event)

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        self.began.set()
        await trio.sleep_forever()

    def statistics(self) -> Counted:
        return Counted(connected=self.away_since is None)

    def findings(self) -> Iterator[Finding]:
        since = self.away_since
        yield Finding(AlertKind.BROKER_AWAY, "mqtt", since is not None, "the broker", since)


def open_alerts(home: RunningApplication) -> list[AlertView]:
    return [one for one in home.board.alerts() if one.closed_at is None]


async def test_a_broker_is_told_of_when_it_is_away_for_five_minutes_and_again_when_it_is_back(
    autojump_clock: MockClock,
) -> None:
    world, bridge = make_world(lights=1), Bridge()
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world, integrations={"mqtt": lambda ports: bridge}) as home:
            assert bridge.began.is_set()
            bridge.away_since = home.now()
            await trio.sleep(270)
            bridge.away_since = None  # a restart of the broker: nobody is told
            await trio.sleep(60)
            bridge.away_since = home.now()
            await trio.sleep(290)
            assert open_alerts(home) == []
            await trio.sleep(60)
            [alert] = open_alerts(home)
            assert (alert.kind, alert.since) == ("broker_away", bridge.away_since)
            bridge.away_since = None
            await trio.sleep(30)
            assert open_alerts(home) == []
        nursery.cancel_scope.cancel()
