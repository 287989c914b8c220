"""Which carried requests were begun by whoever owns the fleet's shard, as it is stored there.

A request may lie in an inbox twice (`twice.py`), or be read again by the next owner, whose memory
does not know of it. So what changes something is noted before it is begun, in a commit under the
lease: whoever takes the shard later reads that; whoever lost it cannot note it, and does not begin.
Nobody begins a request after its deadline, so it is not kept for longer. Pure.
"""

from collections.abc import Iterable

import msgspec
import structlog

from actors.cluster.messages import CarriedRequest
from actors.storage.record_version import checked, stamped
from store.port import Put, Record, Table

log = structlog.get_logger()

KEY = "carried"
"""Of the record in `Table.META`."""
LOOKS_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, however often."""
SLACK_S = 60.0
"""Beyond its deadline: two owners may read different clocks of an engine's."""
KEPT_MOST = 1_000
"""Of 40 bytes each, 40 kB in each commit at the very worst: 14 a second, for which people and
programs would have to make rollouts or edit hooks. The oldest give way."""


class BegunRequest(msgspec.Struct, frozen=True, array_like=True):
    """`deadline_at` is Unix seconds by the engine's clock."""

    asker: str
    id: int
    deadline_at: float


class BegunRecord(msgspec.Struct, frozen=True):
    """As stored, the oldest first."""

    requests: tuple[BegunRequest, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(BegunRecord)


class BegunRequests:
    """Those of the last minute or so."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, int], BegunRequest] = {}

    def begin(self, request: CarriedRequest, now: float) -> Put:
        """What is to be stored before this request is begun; `now` by the engine's clock."""
        key = (request.asker, request.id)
        self._begun[key] = BegunRequest(request.asker, request.id, request.deadline_at)
        for old in [key for key, one in self._begun.items() if one.deadline_at + SLACK_S < now]:
            del self._begun[old]
        while len(self._begun) > KEPT_MOST:
            del self._begun[next(iter(self._begun))]
        record = BegunRecord(tuple(self._begun.values()))
        return Put(Table.META, KEY, stamped(_encoder.encode(record)), now)

    def restore(self, meta: Iterable[Record]) -> Iterable[tuple[str, int]]:
        """Those that owners before began, of all records of `Table.META`: who asked, and the
        number that it gave. What cannot be read is told and left out."""
        self._begun.clear()
        for record in meta:
            if record.key == KEY:
                try:
                    found = _decoder.decode(checked(record.value)).requests
                except msgspec.MsgspecError as error:
                    log.warning("requests begun before cannot be read", error=str(error))
                else:
                    self._begun.update({(one.asker, one.id): one for one in found})
        return list(self._begun)
