"""What the board holds: the newest of everything by id, and how much of what has ended."""

from collections.abc import Sequence
from typing import TypeVar

from actors.board.changes import ActorView, AlertView, GatewayView
from actors.board.lights_by_shard import LightsByShard
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead
from actors.board.rollout import Rollout
from actors.device.command import Command
from actors.device.model import Device

T = TypeVar("T")

# About 3 kB each with its timeline: 30 MB.
COMMANDS_KEPT = 10_000
ALERTS_KEPT = 1_000
# Actor states in which there is nothing to show.
WELL = frozenset({"starting", "running", "stopped", "finished"})


class BoardContents:
    """Bounds: the lights, gateways and rollouts there are, one open command per light, the alerts
    that are open, and so many ended commands and closed alerts as are given."""

    __slots__ = (
        "_alerts_kept",
        "_commands_kept",
        "actors",
        "alerts_closed",
        "alerts_open",
        "by_shard",
        "commands_ended",
        "commands_open",
        "devices",
        "gateways",
        "plans",
        "risks",
        "rollouts",
    )

    def __init__(self, commands_kept: int, alerts_kept: int) -> None:
        self._commands_kept = commands_kept
        self._alerts_kept = alerts_kept
        self.devices: dict[str, Device] = {}
        self.by_shard = LightsByShard()
        """Of the same."""
        self.risks: dict[str, RiskTold] = {}
        """Of lights that are among `devices`, about 150 bytes each."""
        self.gateways: dict[str, GatewayView] = {}
        self.actors: dict[str, ActorView] = {}
        """Those that are not well."""
        self.plans: dict[str, PlanHead] = {}
        self.rollouts: dict[str, Rollout] = {}
        """Oldest first; their actor bounds them."""
        self.commands_open: dict[str, Command] = {}
        self.commands_ended: dict[str, Command] = {}
        """Oldest first."""
        self.alerts_open: dict[str, AlertView] = {}
        self.alerts_closed: dict[str, AlertView] = {}
        """Oldest first."""

    def keep_device(self, device: Device) -> None:
        """A new light, or a newer record of one that is known."""
        if device.dev_eui not in self.devices:
            self.by_shard.add(device.dev_eui)
        self.devices[device.dev_eui] = device

    def forget_device(self, dev_eui: str) -> None:
        """It is none of ours any more; nothing for one that is not known."""
        self.devices.pop(dev_eui, None)
        self.by_shard.forget(dev_eui)
        self.risks.pop(dev_eui, None)

    def command(self, command_id: str) -> Command | None:
        """An open command, or one of the newest ended ones."""
        return self.commands_open.get(command_id) or self.commands_ended.get(command_id)

    def alert(self, alert_id: str) -> AlertView | None:
        """An open alert, or one of the newest closed ones."""
        return self.alerts_open.get(alert_id) or self.alerts_closed.get(alert_id)

    def alerts(self) -> Sequence[AlertView]:
        """Open and recent alerts, newest first."""
        alerts = [*self.alerts_open.values(), *self.alerts_closed.values()]
        return sorted(alerts, key=lambda alert: (alert.opened_at, alert.id), reverse=True)

    def keep_command(self, command: Command) -> None:
        """In place of the same command as it was."""
        if not command.status.final:
            self.commands_ended.pop(command.id, None)
            self.commands_open[command.id] = command
            return
        self.commands_open.pop(command.id, None)
        _keep_newest(self.commands_ended, command.id, command, self._commands_kept)

    def keep_gateway(self, gateway: GatewayView) -> bool:
        """In place of the gateway as it was. True when it is new, went offline or came back."""
        before = self.gateways.get(gateway.gateway_id)
        self.gateways[gateway.gateway_id] = gateway
        return before is None or before.online is not gateway.online

    def keep_alert(self, alert: AlertView) -> None:
        """In place of the same alert as it was."""
        if alert.closed_at is None:
            self.alerts_closed.pop(alert.id, None)
            self.alerts_open[alert.id] = alert
            return
        self.alerts_open.pop(alert.id, None)
        _keep_newest(self.alerts_closed, alert.id, alert, self._alerts_kept)

    def keep_actor(self, actor: ActorView) -> None:
        """Show it while it is not well."""
        if actor.state in WELL:
            self.actors.pop(actor.id, None)
        else:
            self.actors[actor.id] = actor


def _keep_newest(ended: dict[str, T], key: str, value: T, most: int) -> None:
    ended.pop(key, None)
    ended[key] = value
    if len(ended) > most:
        del ended[next(iter(ended))]
