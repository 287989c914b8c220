"""The alerts in the store: what a restart goes on from."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog
import trio

from actors.alerts.decision import Decision, StoredAlert
from actors.board.changes import AlertView
from actors.messaging.reply import ActorError
from actors.storage.commits import Commits
from actors.storage.record_version import checked, stamped
from store.errors import StoreError
from store.port import Put, Record, Table

log = structlog.get_logger()

SAVE_WAIT_S = 5.0
"""The store is given so long; then a person is told anyway."""
SAVE_MOST = 500
"""Alerts in one commit, some 400 bytes each: 200 kB."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StoredAlert)


class AlertWriter(Commits, Protocol):
    """What is needed of the store writer."""

    async def scan(self, table: Table) -> Sequence[Record]:
        """All records of a table, as soon as the store answers."""
        ...


def read_alert(value: bytes) -> AlertView:
    """A stored alert as the board shows it. Raises msgspec.MsgspecError for what is not one."""
    return _decoder.decode(checked(value)).view


class AlertRepository:
    """Reads the alerts at the start, and writes them through the store writer."""

    def __init__(self, store_writer: AlertWriter) -> None:
        self._store_writer = store_writer

    async def read(self) -> list[StoredAlert]:
        """All that can be read. Raises StoreError."""
        stored: list[StoredAlert] = []
        for record in await self._store_writer.scan(Table.ALERT):
            try:
                stored.append(_decoder.decode(checked(record.value)))
            except msgspec.MsgspecError as error:
                log.warning("stored alert is unreadable", alert=record.key, error=str(error))
        return stored

    async def save(self, decisions: Sequence[Decision], now: float) -> None:
        """Store what was decided, or give up after some seconds: a store that fails is an alert."""
        puts = [
            Put(Table.ALERT, decision.view.id, stamped(_encoder.encode(decision.stored)), now)
            for decision in decisions
        ]
        with trio.move_on_after(SAVE_WAIT_S) as deadline:
            for first in range(0, len(puts), SAVE_MOST):
                try:
                    await self._store_writer.commit(puts[first : first + SAVE_MOST])
                except (ActorError, StoreError) as error:
                    log.warning("alerts not stored", error=str(error))
        if deadline.cancelled_caught:
            log.warning("alerts are told before they are stored", alerts=len(puts))
