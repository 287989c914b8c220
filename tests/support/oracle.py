"""Holds every verdict of a service against what the pretend lights really showed.

It asks the world and never the service what a light shows.
"""

import trio

from actors.device.command import Command, CommandStatus
from actors.device.model import Device, Phase
from lorawan.kuando import LightState
from simulation.world.world import World
from tests.support.running_application import RunningApplication

SLACK_S = 0.001
"""Times go through floating point twice."""


class Oracle:
    """Follows the board and knows the world."""

    def __init__(
        self, home: RunningApplication, world: World, accepted: dict[str, Command]
    ) -> None:
        self._home = home
        self._world = world
        self.accepted = accepted
        self.verified = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with self._home.application.board.subscribe(10_000) as follower:
            task_status.started()
            async for batch in follower:
                for change in batch:
                    if isinstance(change.what, Command):
                        self._judge(change.what)
                    elif isinstance(change.what, Device):
                        self._judge_phase(change.what)

    def _judge(self, command: Command) -> None:
        self.accepted[command.id] = command
        if command.status is CommandStatus.VERIFIED:
            self.verified += 1
            assert command.ended_at is not None
            shown = showed(self._world, command.dev_eui, command.accepted_at, command.ended_at)
            assert command.light in shown, f"{command.dev_eui} never showed {command.light}"

    def _judge_phase(self, device: Device) -> None:
        if device.phase is Phase.FAILED and device.pursuit is not None:
            assert device.reported != device.pursuit.goal, "failed, and yet it shows the goal"


def showed(world: World, dev_eui: str, since: float, until: float) -> list[LightState | None]:
    """Everything that a light really showed in that time (Unix seconds)."""
    epoch_at = world.kernel.epoch_at
    truth = world.stations[dev_eui].light.truth
    before = [s.light for s in truth if s.since_s <= since - epoch_at + SLACK_S][-1:]
    return before + [s.light for s in truth if since <= s.since_s + epoch_at <= until + SLACK_S]
