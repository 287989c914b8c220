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
from actors.environment import Environment
from actors.fleetwide import Fleetwide
from actors.quality import repository as quality
from actors.rollouts import decisions
from actors.rollouts.model import Wish
from actors.rollouts.repository import read_rollouts, rollout_put
from actors.storage.idempotency import IdempotencyKeys, KeyRecord, read_key
from actors.storage.unreadable_records import UnreadableRecords
from actors.wiring import ProcessParts
from store.mark import MARK_KEY, SetBackMark, read_mark
from store.port import Record, Table

log = structlog.get_logger()

CLOCK_SLACK_S = 60.0
"""An item lives half a minute; ChirpStack's clock may be behind ours."""
FAR_FUTURE = 1e12
"""Past every time of any clock, in Unix seconds: ours may have been ahead."""
DECODE_CHUNK = 500
"""Records decoded between two checkpoints, about 20 us each: 10 ms."""


async def restore(parts: ProcessParts) -> None:
    """Idempotency keys, what was learned, airtime and lights.

    Raises StoreError when the store cannot be read.
    """
    store, now = parts.environment.store, parts.environment.clock.now()
    keys = read_keys(parts.keys, parts.unreadable, await store.scan(Table.IDEMPOTENCY))
    parts.keys.restore(keys, now)
    devices: list[Device] = []
    for count, record in enumerate(await store.scan(Table.DEVICE), start=1):
        device = _readable(parts, record)
        if device is not None:
            devices.append(device)
        if count % DECODE_CHUNK == 0:
            await trio.lowlevel.checkpoint()
    meta = await store.scan(Table.META)
    if parts.events.stream is not None:
        parts.events.stream.restore(meta)
    await restore_fleetwide(parts.fleetwide, parts.unreadable, meta, devices)
    known = await parts.fleet.restore(devices)
    parts.unreadable.tell()
    log.info("restored", devices=known, idempotency_keys=len(keys))


async def restore_fleetwide(
    its: Fleetwide,
    unreadable: UnreadableRecords,
    meta: Sequence[Record],
    devices: Sequence[Device],
) -> None:
    """What was learned, what waits for a decision, airtime, and what may be in flight for these
    lights: all of them, or what is in flight for the others is not known.

    Raises StoreError when the store cannot be read.
    """
    now = its.ports.environment.clock.now()
    for key, error in its.learning.restore(meta):  # before a light runs
        unreadable.found(Table.META, key, error)
    await _restore_mark(its, devices)
    await _restore_airtime(its, meta, now)
    its.quality.restore(quality.read(meta))
    its.calibrator.restore(meta)
    for device in devices:
        queued = (device.queued_until or 0.0) + CLOCK_SLACK_S > now
        asked = device.attempt is not None and device.attempt.stage is Stage.SUBMITTED
        if queued or asked:
            its.dispatcher.in_flight_before(device.hearings, sure=queued)


def read_keys(
    kept: IdempotencyKeys, unreadable: UnreadableRecords, records: Sequence[Record]
) -> list[KeyRecord]:
    """The idempotency keys that can be read; of the others nobody gets the key."""
    found = []
    for record in records:
        try:
            found.append(read_key(record))
        except msgspec.MsgspecError as error:
            # Whose it is, is not known: a request that shows it must not take its place.
            kept.reserve(record.key)
            unreadable.found(Table.IDEMPOTENCY, record.key, error)
    return found


def _readable(parts: ProcessParts, record: Record) -> Device | None:
    """A light; an odd one stays in the store as it is, and so does its command."""
    try:
        return read_device(record)
    except msgspec.MsgspecError as error:
        parts.unreadable.found(Table.DEVICE, record.key, error)
        parts.fleet.keep_out(record.key)
        parts.fleetwide.sweeper.spare(Table.COMMAND)
        return None


async def _restore_mark(its: Fleetwide, devices: Sequence[Device]) -> None:
    record = await its.ports.environment.store.get(Table.META, MARK_KEY)
    if record is None:
        return
    try:
        mark = read_mark(record)
    except msgspec.MsgspecError:
        mark = SetBackMark(record.at, "was set back (what is noted of that cannot be read)")
    its.restored_store.restore(mark, devices)
    await _pause_rollouts(its.ports.environment, mark)


async def _pause_rollouts(environment: Environment, mark: SetBackMark) -> None:
    """A rollout of before the restore would command light after light: a person resumes it."""
    store, now = environment.store, environment.clock.now()
    paused = []
    for rollout, _ in read_rollouts(await store.scan(Table.ROLLOUT)):
        if rollout.state is State.RUNNING and rollout.changed_at <= mark.at:
            after = decisions.steered(rollout, Wish(state=State.PAUSED), now)
            if isinstance(after, Rollout):
                paused.append(rollout_put(after))
    if paused:
        await store.commit(paused)
        log.warning("rollouts paused after a restored store", rollouts=len(paused))


async def _restore_airtime(its: Fleetwide, meta: Sequence[Record], now: float) -> None:
    """The sliding hour of every gateway goes on over a restart."""
    store, clock = its.ports.environment.store, its.ports.environment.clock
    steady = clock.steady()
    elapsed_s = clock.elapsed_s(steady)
    for gateway_id, at, airtime_s in its.airtime_log.restore(meta, elapsed_s, now):
        its.dispatcher.sent_before(gateway_id, steady - (elapsed_s - at), airtime_s)
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
            its.dispatcher.sent_before(sent.gateway_id, at, sent.airtime_s)
