"""The commands that this process accepted lately, in case a failover loses some of them.

A command's 2xx rests on the engine and on the memory of whoever accepted it: for 30 s it is
remembered here, and after a failover each that is not there any more is accepted once more.
"""

from collections import OrderedDict
from collections.abc import Sequence

from store.engine.port import Accept
from store.port import Table

KEPT_S = 30.0
"""As long as an owner keeps its commits (`shard_log.py`)."""
KEPT_BYTES_MOST = 64 * 1024 * 1024
"""30 s of 1,000 commands a second, 2 kB each: an inbox message, a record, a key and 300 bytes."""
ACCEPT_BYTES = 300


class AcceptLog:
    """Accepted commands by id, oldest first. `now` is seconds on a clock that only rises."""

    def __init__(self) -> None:
        self.dropped = 0
        """Forgotten before their time, for want of room."""
        self._kept: OrderedDict[str, tuple[float, Accept]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, accept: Accept, now: float) -> None:
        """It is acknowledged from now on."""
        self._forget_old(now)
        before = self._kept.pop(accept.command_id, None)
        if before is not None:
            self._bytes -= _bytes(before[1])
        self._kept[accept.command_id] = (now, accept)
        self._bytes += _bytes(accept)
        while self._bytes > KEPT_BYTES_MOST:
            self._drop()
            self.dropped += 1

    def kept(self, now: float) -> Sequence[Accept]:
        """Those that a failover just now may have lost, oldest first."""
        self._forget_old(now)
        return [accept for _, accept in self._kept.values()]

    def _forget_old(self, now: float) -> None:
        while self._kept and now - next(iter(self._kept.values()))[0] > KEPT_S:
            self._drop()

    def _drop(self) -> None:
        _, (_, accept) = self._kept.popitem(last=False)
        self._bytes -= _bytes(accept)


def where(accept: Accept) -> tuple[str, Table, str]:
    """The record that shows whether the engine has it."""
    return accept.shard, Table.COMMAND, accept.command_id


def _bytes(accept: Accept) -> int:
    return ACCEPT_BYTES + len(accept.record) + len(accept.message) + len(accept.key_record)
