"""What the store knows, put back into the parts before any of them runs."""

import msgspec
import structlog
import trio

from actors import airlog
from actors.device.model import Device, Stage
from actors.device.records import read_device
from actors.keys import read_key
from actors.parts import Parts
from store.port import Record, Table

log = structlog.get_logger()

CLOCK_SLACK_S = 60.0
"""An item lives half a minute; ChirpStack's clock may be behind ours."""
FAR_FUTURE = 1e12
"""Past every time of any clock, in Unix seconds: ours may have been ahead."""
DECODE_CHUNK = 500
"""Records decoded between two checkpoints, about 20 us each: 10 ms."""


async def restore(parts: Parts) -> None:
    """Idempotency keys, airtime and lights. Raises StoreError when the store cannot be read."""
    store, now = parts.world.store, parts.world.clock.now()
    keys = [read_key(record) for record in await store.scan(Table.IDEMPOTENCY)]
    parts.keys.restore(keys, now)
    devices: list[Device] = []
    for count, record in enumerate(await store.scan(Table.DEVICE), start=1):
        device = _readable(record)
        if device is not None:
            devices.append(device)
        if count % DECODE_CHUNK == 0:
            await trio.lowlevel.checkpoint()
    await _restore_airtime(parts, now)
    for device in devices:
        queued = device.in_queue is not None and device.in_queue[1] + CLOCK_SLACK_S > now
        asked = device.attempt is not None and device.attempt.stage is Stage.SUBMITTED
        if queued or asked:
            parts.dispatcher.in_flight_before(device.hearings, sure=queued)
    known = await parts.fleet.restore(devices)
    log.info("restored", devices=known, idempotency_keys=len(keys))


async def _restore_airtime(parts: Parts, now: float) -> None:
    """The sliding hour of every gateway goes on over a restart."""
    lines = await parts.world.store.entries(
        airlog.STREAM, since=now - airlog.WINDOW_S, until=FAR_FUTURE, most=airlog.LINES_MOST
    )
    for entry in lines:
        sent = airlog.read_line(entry)
        if sent is not None:
            parts.dispatcher.sent_before(sent.gateway_id, min(entry.at, now), sent.airtime_s)


def _readable(record: Record) -> Device | None:
    """One odd record must not keep the others from starting; it stays in the store as it is."""
    try:
        return read_device(record)
    except msgspec.MsgspecError as error:
        log.exception("a light's record cannot be read", dev_eui=record.key, problem=str(error))
        return None
