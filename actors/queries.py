"""What is read of the store for people: histories and figures, each within a deadline.

What the board knows is asked of the board.
"""

from collections.abc import Callable, Collection, Sequence

import msgspec

from actors.board.board import Board
from actors.board.outlook import RiskTold
from actors.board.reachability import Reachability
from actors.clocks.clock import Clock
from actors.device.model import Device
from actors.fleet import Fleet
from actors.gateways import outages
from actors.gateways.observed import Span
from actors.gateways.outages import GatewayPast
from actors.metrics import downlink_metrics, reliability
from actors.metrics.downlinks import DownlinkMetrics
from actors.metrics.reliability import Reliability
from actors.plans.model import Plan
from actors.plans.records import read_plan
from actors.quality.model import LightDay, LightRisk, QualityView
from actors.storage import audit, history, signal_history
from actors.storage.audit import AuditEntry, AuditPage
from actors.storage.deadline import store_deadline
from actors.storage.history import Lines
from actors.storage.signal_history import Points
from actors.storage.unreadable_records import UnreadableRecord
from actors.supervision import ChildReport
from store.port import Store, Table

Sees = Callable[[str], bool]
"""Whether a light, by its DevEUI, exists for who asks."""


class DeviceInspection(msgspec.Struct, frozen=True):
    """One device and its actor, as they are now."""

    device: Device
    actor: ChildReport | None
    next_timer_at: float | None
    reachability: Reachability
    risk: RiskTold | None = None
    """As its view on the board tells it."""
    quality: LightRisk | None = None
    days: Sequence[LightDay] = ()


class Queries:
    """Reads only. Every reading of the store raises StoreError.

    `watched` tells since when the gateways are watched, as far as that is not in the store yet;
    `quality` answers None where another process runs it.
    """

    def __init__(
        self,
        store: Store,
        board: Board,
        fleet: Fleet,
        clock: Clock,
        quality: Callable[[], QualityView | None],
        *,
        watched: Callable[[], Span | None],
    ) -> None:
        self._store = store
        self._board = board
        self._fleet = fleet
        self._clock = clock
        self._quality = quality
        self._watched = watched

    def device(self, dev_eui: str) -> DeviceInspection | None:
        """One device with its actor; None for one that is not known."""
        device = self._board.devices.get(dev_eui)
        if device is None:
            return None
        quality = self._quality()
        return DeviceInspection(
            device=device,
            actor=self._fleet.report(dev_eui),
            next_timer_at=self._fleet.due_at(dev_eui),
            reachability=self._board.reachability(device),
            risk=self._board.risks.get(dev_eui),
            quality=None if quality is None else quality.light(dev_eui),
            days=() if quality is None else quality.days(dev_eui),
        )

    async def history(
        self,
        dev_eui: str,
        *,
        since: float,
        until: float,
        most: int,
        kinds: Collection[str] = (),
    ) -> Lines:
        """What happened to a device, newest first; only of these kinds where some are named."""
        with store_deadline():
            return await history.read(
                self._store, dev_eui, since=since, until=until, most=most, kinds=kinds
            )

    async def signal(self, dev_eui: str, *, since: float, until: float) -> Points:
        """How the gateways heard a device, oldest first."""
        with store_deadline():
            return await signal_history.read(self._store, dev_eui, since=since, until=until)

    async def gateway_past(self, gateway_id: str, *, since: float, until: float) -> GatewayPast:
        """When a gateway was away, and when anybody looked."""
        gateway, watched = self._board.gateways.get(gateway_id), self._watched()
        with store_deadline():
            return await outages.read(
                self._store, gateway_id, gateway, watched, since=since, until=until
            )

    async def audit(
        self, *, since: float, until: float, most: int, wanted: Callable[[AuditEntry], bool]
    ) -> AuditPage:
        """Who did what, newest first."""
        with store_deadline():
            return await audit.read(self._store, since=since, until=until, most=most, wanted=wanted)

    async def downlinks(
        self, dev_eui: str | None, hours: float, sees: Sees | None = None
    ) -> DownlinkMetrics:
        """Success of downlinks, of all devices (that are seen) or of one."""
        count = sum(
            dev_eui in (None, command.dev_eui) and (sees is None or sees(command.dev_eui))
            for command in self._board.open_commands.values()
        )
        with store_deadline():
            now = self._clock.now()
            return await downlink_metrics(self._store, dev_eui, hours, now, count, sees)

    async def reliability(self, hours: float, sees: Sees | None = None) -> Reliability:
        """Spread of times and attempts, and the worst devices, of those that are seen."""
        with store_deadline():
            return await reliability(self._store, hours, self._clock.now(), sees)

    async def plan(self, plan_id: str) -> Plan | None:
        """A floor plan with its places; None for one that is not known."""
        with store_deadline():
            record = await self._store.get(Table.PLAN, plan_id)
        try:
            return None if record is None else read_plan(record)
        except msgspec.MsgspecError as error:
            raise UnreadableRecord(f"the record of plan {plan_id} cannot be read") from error

    async def picture(self, digest: str) -> bytes | None:
        """The picture of a plan; None where no plan has it."""
        with store_deadline():
            record = await self._store.get(Table.PICTURE, digest)
        return None if record is None else record.value
