"""What a commit tells everybody: the records of it that are shown, taken from its own writes.

So nobody has to think of publishing, and what is told is exactly what is stored. History, verdicts
and idempotency keys are not told: they are read from the store by whoever asks for them.
"""

from collections.abc import Sequence

import msgspec

from store.port import Delete, Outcome, Put, Table

VIEW = "view/"
"""Begins the keys of META records that exist in order to be shown."""
LEARNED = "learned:"
"""Begins the keys of META records of what the lights' answers taught, which every process needs."""
SHOWN = frozenset({Table.DEVICE, Table.COMMAND, Table.ALERT, Table.ROLLOUT})

Change = Put | Delete
"""One record that is new, changed or gone."""


class _Shown(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A record as it is told; without `value` it is gone."""

    table: Table
    key: str
    at: float = 0.0
    value: bytes | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[_Shown])


def encode_feed(outcome: Outcome) -> bytes:
    """The body of a commit's feed entry; empty where it shows nothing."""
    told = [_Shown(put.table, put.key, put.at, put.value) for put in outcome.puts if _shown(put)]
    told += [_Shown(gone.table, gone.key) for gone in outcome.deletes if _shown(gone)]
    return _encoder.encode(told) if told else b""


def decode_feed(body: bytes) -> Sequence[Change]:
    """What a feed entry tells. Raises msgspec.MsgspecError for what is not one."""
    if not body:
        return ()
    return [
        Delete(one.table, one.key)
        if one.value is None
        else Put(one.table, one.key, one.value, one.at)
        for one in _decoder.decode(body)
    ]


def _shown(change: Change) -> bool:
    if change.table is Table.META:
        return change.key.startswith((VIEW, LEARNED))
    return change.table in SHOWN
