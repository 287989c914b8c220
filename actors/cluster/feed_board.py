"""Shows on this process's board what others stored: one record of a feed, or all of a shard."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog
import trio

from actors.alerts.repository import read_alert
from actors.board.board import Board
from actors.board.changes import DeviceRemoved
from actors.board.plan import PlanRemoved
from actors.cluster import views
from actors.device.model import Device
from actors.device.records import read_command, read_device
from actors.replace import replace
from actors.rollouts.repository import read_rollout
from store.engine.shards import FLEET, shard_of
from store.port import Delete, Put, Record, Table

log = structlog.get_logger()

TABLES = (Table.DEVICE, Table.ALERT, Table.ROLLOUT, Table.META)
"""What a snapshot has. Commands that ended are read when somebody asks for them."""
DOUBTFUL_S = 120.0
"""For so long a verdict that is shown is looked up again where its shard is read as a whole. A
failover forgets seconds, and whoever knew them may be gone."""
REMOVED = "it was taken off"
LOST = "it was lost in a fail-over; while the trouble lasts it is told anew"
CHUNK = 250
"""Records shown between two checkpoints, some 30 us each: 8 ms."""
UNREADABLE_MOST = 1_000
"""Keys of odd records that were told of, so that each is told of once."""


class FeedBoard:
    """`meta` is given the records of Table.META that are not shown by themselves; `now` tells Unix
    seconds."""

    def __init__(
        self,
        board: Board,
        *,
        now: Callable[[], float],
        meta: Callable[[Put], None] = lambda put: None,
    ) -> None:
        self._board = board
        self._now = now
        self._meta = meta
        self._unreadable: set[str] = set()

    def show(self, change: Put | Delete) -> None:
        """One record is new, changed or gone."""
        if isinstance(change, Delete):
            self._gone(change.table, change.key)
            return
        try:
            self._show(change)
        except msgspec.MsgspecError as error:
            self._odd(change, error)

    async def show_all(
        self,
        shard: str,
        tables: Mapping[Table, Sequence[Record]],
        *,
        still: Callable[[], bool] = lambda: True,
    ) -> Sequence[str]:
        """A whole shard, all of TABLES as they are at one instant; until it is not `still` another
        process's.

        Returns what `keep_only` does.
        """
        lights: dict[str, str | None] = {}
        records = [(table, record) for table, some in tables.items() for record in some]
        for count, (table, record) in enumerate(records, start=1):
            put = Put(table, record.key, record.value, record.at)
            if table is Table.DEVICE:
                lights[record.key] = self._show_light(put)
            else:
                self.show(put)
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()
                if not still():
                    return ()
        if shard == FLEET:
            self._keep_only_told(tables)
        return self.keep_only(shard, lights)

    def _keep_only_told(self, tables: Mapping[Table, Sequence[Record]]) -> None:
        """What is once for the fleet and was told by nobody is gone, or was lost by a failover."""
        board = self._board
        told = {table: {record.key for record in tables[table]} for table in TABLES}
        for plan in board.plans:
            if f"{views.PLAN}{plan.id}" not in told[Table.META]:
                board.publish(PlanRemoved(plan.id, plan.name))
        for gateway_id in [*board.gateways]:
            if (key := f"{views.GATEWAY}{gateway_id}") not in told[Table.META]:
                self._gone(Table.META, key)
        for rollout_id in [*board.rollouts]:
            if rollout_id not in told[Table.ROLLOUT]:
                board.forget_rollout(rollout_id)
        for alert in board.alerts():
            if alert.closed_at is None and alert.id not in told[Table.ALERT]:
                board.publish(replace(alert, closed_at=self._now(), close_reason=LOST))

    def keep_only(self, shard: str, lights: Mapping[str, str | None]) -> Sequence[str]:
        """These are all lights of a shard, each with its open command: show no other one.

        Returns the ids of the commands that are shown and may be stored otherwise, to be read by
        themselves (`show_command`): open ones that no light pursues, and those that ended lately.
        """
        board = self._board
        for dev_eui in board.lights_in(shard):
            if dev_eui not in lights:
                self._gone(Table.DEVICE, dev_eui)
        return [
            command.id
            for command in [*board.open_commands.values(), *board.ended_lately(DOUBTFUL_S)]
            if shard_of(command.dev_eui) == shard and lights.get(command.dev_eui) != command.id
        ]

    def show_command(self, command_id: str, record: Record | None) -> None:
        """A command by itself, as it is stored; None: not at all, any more."""
        if record is None:
            self._board.forget_command(command_id)
        else:
            self.show(Put(Table.COMMAND, record.key, record.value, record.at))

    def show_light(self, device: Device) -> str | None:
        """Show a light as it is stored, if it changed; the id of its open command."""
        board = self._board
        if board.devices.get(device.dev_eui) != device:
            board.publish(device)
        command = device.command
        if command is None:
            return None
        if board.command(command.id) != command:
            board.publish(command)
        return command.id

    def _show(self, put: Put) -> None:
        board = self._board
        match put.table:
            case Table.DEVICE:
                self._show_light(put)
            case Table.COMMAND:
                command = read_command(Record(put.key, put.value, put.at))
                if board.command(command.id) != command:
                    board.publish(command)
            case Table.ALERT:
                alert = read_alert(put.value)
                if board.alert(alert.id) != alert:
                    board.publish(alert)
            case Table.ROLLOUT:
                rollout = read_rollout(put)
                if rollout is not None and board.rollouts.get(rollout.id) != rollout:
                    board.publish(rollout)
            case Table.META:
                if not views.show(put, board):
                    self._meta(put)
            case Table.IDEMPOTENCY | Table.PLAN | Table.PICTURE:
                pass

    def _show_light(self, put: Put) -> str | None:
        try:
            device = read_device(Record(put.key, put.value, put.at))
        except msgspec.MsgspecError as error:
            self._odd(put, error)
            return None
        return self.show_light(device)

    def _gone(self, table: Table, key: str) -> None:
        if table is Table.DEVICE:
            device = self._board.devices.get(key)
            if device is not None:
                self._board.publish(DeviceRemoved(key, device.name, REMOVED))
        elif table is Table.ROLLOUT and "/" not in key:
            self._board.forget_rollout(key)
        elif table is Table.META and key.startswith(views.GATEWAY):
            gateway = self._board.gateways.get(key.removeprefix(views.GATEWAY))
            if gateway is not None and gateway != gateway.forgotten():
                self._board.publish(gateway.forgotten())
        elif table is Table.META and key.startswith(views.PLAN):
            for plan in self._board.plans:
                if f"{views.PLAN}{plan.id}" == key:
                    self._board.publish(PlanRemoved(plan.id, plan.name))

    def _odd(self, put: Put, error: msgspec.MsgspecError) -> None:
        """A newer program's, perhaps: it is not shown, and nothing is written over it."""
        name = f"{put.table}:{put.key}"
        if name not in self._unreadable and len(self._unreadable) < UNREADABLE_MOST:
            self._unreadable.add(name)
            log.warning("a record of another process cannot be read", record=name, error=str(error))
