"""What the service is given: the numbers of all its parts, and the world outside.

Plain frozen values.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import trio

from actors.alerts import AlertPolicy, Finding, Notifier
from actors.board.board import Board
from actors.calibration.model import CalibrationPolicy
from actors.clocks.clock import RunClock
from actors.commands import Commands
from actors.device.policy import Policy
from actors.downlink import DispatchPolicy
from actors.gateways import WatchPolicy
from actors.hooks import Hooks
from actors.outgoing.ports import NoSender, Sender
from actors.storage.audit import AuditLog
from actors.supervision import ChildSpec
from actors.sweeper import SweepPolicy
from lorawan.network import NetworkServer
from lorawan.stream.source import EventSource
from store.port import Store


@dataclass(frozen=True, slots=True)
class Policies:
    """The numbers of all parts."""

    device: Policy = field(default_factory=Policy)
    dispatch: DispatchPolicy = field(default_factory=DispatchPolicy)
    watch: WatchPolicy = field(default_factory=WatchPolicy)
    alerts: AlertPolicy = field(default_factory=AlertPolicy)
    sweep: SweepPolicy = field(default_factory=SweepPolicy)
    calibration: CalibrationPolicy = field(default_factory=CalibrationPolicy)
    profile_contains: str = "kuando"
    time_zone: str = "UTC"
    """Of the site, by its IANA name: schedules go by it."""


@dataclass(frozen=True, slots=True)
class IntegrationPorts:
    """What an integration may ask of the service: everything that is shown, and to give orders."""

    board: Board
    commands: Commands
    clock: RunClock
    audit: AuditLog
    """Where it is written down who gave an order."""
    alone: bool = True
    """Whether all lights are on the board from the beginning; in a cluster they come to it."""


class Integration(Protocol):
    """A way into other people's tools that runs once for the fleet."""

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Its body, as of every actor."""
        ...

    def statistics(self) -> Any:
        """A frozen dataclass of numbers, for `/metrics`."""
        ...

    def findings(self) -> Iterable[Finding]:
        """What may be worth an alert, and what is well now."""
        ...


@dataclass(frozen=True, slots=True)
class Environment:
    """What the service is given from outside: time, chance, names, and the two servers."""

    store: Store
    network: NetworkServer
    clock: RunClock
    rng: random.Random
    boot: str
    """Names this run of the service."""
    new_id: Callable[[], str]
    events: EventSource | None = None
    """ChirpStack's stream of events, where it can be read."""
    events_name: str = ""
    """Names that stream, so that a mark in another one is known to be none in this."""
    notifiers: Sequence[Notifier] = ()
    notifier_children: Sequence[ChildSpec] = ()
    """Notifiers that are actors themselves."""
    hooks: Hooks = field(default_factory=Hooks)
    sender: Sender = field(default_factory=NoSender)
    """Posts events to the receivers of hooks."""
    integrations: Mapping[str, Callable[[IntegrationPorts], Integration]] = field(
        default_factory=dict
    )
    """By the name of their actor and metrics: made anew where the fleet's shard is taken."""
