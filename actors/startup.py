"""What the store knows, put back into the parts before any of them runs.

A record that cannot be read keeps nothing else from starting, and nothing is written in its place:
whether a newer version wrote it or it is damaged is for a person to find out.
"""

from collections.abc import Sequence

import msgspec
import structlog
import trio

from actors.board.rollout import Rollout, State
from actors.device.model import Device, Stage
from actors.device.records import read_device
from actors.downlink import airtime_log
from actors.quality import repository as quality
from actors.rollouts import decisions
from actors.rollouts.model import Wish
from actors.rollouts.repository import read_rollouts, rollout_put
from actors.storage.idempotency import KeyRecord, read_key
from actors.wiring import Parts
from store.mark import MARK_KEY, SetBackMark, read_mark
from store.port import Record, Table

log = structlog.get_logger()

CLOCK_SLACK_S = 60.0
"""An item lives half a minute; ChirpStack's clock may be behind ours."""
FAR_FUTURE = 1e12
"""Past every time of any clock, in Unix seconds: ours may have been ahead."""
DECODE_CHUNK = 500
"""Records decoded between two checkpoints, about 20 us each: 10 ms."""


async def restore(parts: Parts) -> None:
    """Idempotency keys, what was learned, airtime and lights.

    Raises StoreError when the store cannot be read.
    """
    store, now = parts.environment.store, parts.environment.clock.now()
    keys = _keys(parts, await store.scan(Table.IDEMPOTENCY))
    parts.keys.restore(keys, now)
    devices: list[Device] = []
    for count, record in enumerate(await store.scan(Table.DEVICE), start=1):
        device = _readable(parts, record)
        if device is not None:
            devices.append(device)
        if count % DECODE_CHUNK == 0:
            await trio.lowlevel.checkpoint()
    meta = await store.scan(Table.META)
    _restore_learned(parts, meta)
    if parts.events.stream is not None:
        parts.events.stream.restore(meta)
    await _restore_mark(parts, devices)
    await _restore_airtime(parts, meta, now)
    parts.fleetwide.quality.restore(quality.read(meta))
    parts.fleetwide.calibrator.restore(meta)
    for device in devices:
        queued = (device.queued_until or 0.0) + CLOCK_SLACK_S > now
        asked = device.attempt is not None and device.attempt.stage is Stage.SUBMITTED
        if queued or asked:
            parts.fleetwide.dispatcher.in_flight_before(device.hearings, sure=queued)
    known = await parts.fleet.restore(devices)
    parts.unreadable.tell()
    log.info("restored", devices=known, idempotency_keys=len(keys))


def _keys(parts: Parts, records: Sequence[Record]) -> list[KeyRecord]:
    found = []
    for record in records:
        try:
            found.append(read_key(record))
        except msgspec.MsgspecError as error:
            # Whose it is, is not known: a request that shows it must not take its place.
            parts.keys.reserve(record.key)
            parts.unreadable.found(Table.IDEMPOTENCY, record.key, error)
    return found


def _readable(parts: Parts, record: Record) -> Device | None:
    """A light; an odd one stays in the store as it is, and so does its command."""
    try:
        return read_device(record)
    except msgspec.MsgspecError as error:
        parts.unreadable.found(Table.DEVICE, record.key, error)
        parts.fleet.keep_out(record.key)
        parts.fleetwide.sweeper.spare(Table.COMMAND)
        return None


def _restore_learned(parts: Parts, meta: Sequence[Record]) -> None:
    """Before a light runs, so that none goes by less than was known."""
    for key, error in parts.fleetwide.learning.restore(meta):
        parts.unreadable.found(Table.META, key, error)


async def _restore_mark(parts: Parts, devices: Sequence[Device]) -> None:
    record = await parts.environment.store.get(Table.META, MARK_KEY)
    if record is None:
        return
    try:
        mark = read_mark(record)
    except msgspec.MsgspecError:
        mark = SetBackMark(record.at, "was set back (what is noted of that cannot be read)")
    parts.fleetwide.restored_store.restore(mark, devices)
    await _pause_rollouts(parts, mark)


async def _pause_rollouts(parts: Parts, mark: SetBackMark) -> None:
    """A rollout of before the restore would command light after light: a person resumes it."""
    store, now = parts.environment.store, parts.environment.clock.now()
    paused = []
    for rollout, _ in read_rollouts(await store.scan(Table.ROLLOUT)):
        if rollout.state is State.RUNNING and rollout.changed_at <= mark.at:
            after = decisions.steered(rollout, Wish(state=State.PAUSED), now)
            if isinstance(after, Rollout):
                paused.append(rollout_put(after))
    if paused:
        await store.commit(paused)
        log.warning("rollouts paused after a restored store", rollouts=len(paused))


async def _restore_airtime(parts: Parts, meta: Sequence[Record], now: float) -> None:
    """The sliding hour of every gateway goes on over a restart."""
    store, clock = parts.environment.store, parts.environment.clock
    steady = clock.steady()
    elapsed_s = clock.elapsed_s(steady)
    for gateway_id, at, airtime_s in parts.fleetwide.airtime_log.restore(meta, elapsed_s, now):
        parts.fleetwide.dispatcher.sent_before(gateway_id, steady - (elapsed_s - at), airtime_s)
    lines = await store.entries(
        airtime_log.STREAM,
        since=now - airtime_log.WINDOW_S,
        until=FAR_FUTURE,
        most=airtime_log.LINES_MOST,
    )
    for entry in lines:
        sent = airtime_log.read_line(entry)
        if sent is not None:
            at = min(entry.at, now) - clock.stepped_s
            parts.fleetwide.dispatcher.sent_before(sent.gateway_id, at, sent.airtime_s)
