"""How a rollout lies in the store: a small record of its own, and its lights in pieces.

A change of one light rewrites the small record and one piece, some 6 kB, in one commit, however
many lights there are.

    {id}           the rollout with its counts
    {id}/{piece}   50 of its lights, in their order
"""

from collections.abc import Iterable, Sequence

import msgspec
import structlog

from actors.rollouts.model import Part, Rollout
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table, Write

log = structlog.get_logger()

PIECE = 50
"""Lights in one record: about 5 kB."""

_encoder = msgspec.json.Encoder()
_rollouts = msgspec.json.Decoder(Rollout)
_parts = msgspec.json.Decoder(list[Part])


def head(rollout: Rollout) -> Put:
    """The write for the rollout alone."""
    return Put(Table.ROLLOUT, rollout.id, stamped(_encoder.encode(rollout)), rollout.changed_at)


def pieces(rollout: Rollout, parts: Sequence[Part], indices: Iterable[int]) -> list[Write]:
    """The writes for the pieces in which these lights stand."""
    return [
        Put(
            Table.ROLLOUT,
            _key(rollout.id, number),
            _encoder.encode(parts[number * PIECE : (number + 1) * PIECE]),
            rollout.changed_at,
        )
        for number in sorted({index // PIECE for index in indices})
    ]


def removal(rollout: Rollout) -> list[Write]:
    """The writes that make it forgotten."""
    numbers = range(-(-rollout.total // PIECE))
    keys = [rollout.id, *(_key(rollout.id, number) for number in numbers)]
    return [Delete(Table.ROLLOUT, key) for key in keys]


def read(records: Iterable[Record]) -> list[tuple[Rollout, list[Part]]]:
    """Every whole rollout among these records, oldest first; what is odd is told and left."""
    heads: list[Rollout] = []
    found: dict[str, bytes] = {}
    for record in records:
        if "/" in record.key:
            found[record.key] = record.value
            continue
        try:
            heads.append(_rollouts.decode(checked(record.value)))
        except msgspec.MsgspecError as error:
            log.warning("stored rollout is unreadable", rollout=record.key, error=str(error))
    whole = []
    for rollout in sorted(heads, key=lambda one: (one.created_at, one.id)):
        parts: list[Part] = []
        try:
            for number in range(-(-rollout.total // PIECE)):
                parts += _parts.decode(found[_key(rollout.id, number)])
        except (KeyError, msgspec.MsgspecError) as error:
            log.warning("stored rollout lacks lights", rollout=rollout.id, error=str(error))
            continue
        whole.append((rollout, parts))
    return whole


def _key(rollout_id: str, number: int) -> str:
    return f"{rollout_id}/{number:05d}"
