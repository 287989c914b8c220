"""Who did what, when: the audit, a stream of the fleet as a whole.

That of a command is stored in the commit in which its light takes it, so the two are there or not
together; in a cluster it lies in the shard of its light, and the parts are merged when it is read.

Any other entry is written once what it tells was done, and is handed to the store's writer without
waiting for it: the record of what was done names who did it (`by`) in its own commit, so that a
crash in the milliseconds between loses a line of this list, never who did it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec
import structlog

from actors.clocks.clock import Clock
from actors.messaging.mailbox import Offer
from actors.plain_text import one_line
from store.port import Append, Entry, Store, Write

log = structlog.get_logger()

STREAM = "audit"
ENTRIES_MOST = 1_000
"""Of one reading: some 300 bytes each. The first takes as many as are asked for."""
LOOKED_AT_MOST = 10_000
"""For one page: ten readings, some 50 ms."""
TEXT_MOST = 200
"""Characters of each text in an entry: a name, an id, a reason."""
DETAILS_MOST = 16
"""Facts beside an entry; with `TEXT_MOST` an entry has 4 kB at the very most."""

Fact = str | int | float | bool | None


class Act(StrEnum):
    """What people and programs do."""

    COMMAND = "command"
    WITHDRAW = "withdraw"
    FORGET_WANTED = "forget_wanted"
    ASK = "ask"
    INITIALIZE = "initialize"
    FLUSH = "flush"
    REMOVE = "remove"
    REVIVE = "revive"
    ROLLOUT = "rollout"
    ROLLOUT_CHANGE = "rollout_change"
    ROLLOUT_AGAIN = "rollout_again"
    SCENE_SAVE = "scene_save"
    SCENE_DELETE = "scene_delete"
    SCENE_APPLY = "scene_apply"
    SCHEDULE_SAVE = "schedule_save"
    SCHEDULE_DELETE = "schedule_delete"
    PLAN_SAVE = "plan_save"
    PLAN_DELETE = "plan_delete"
    HOOK_SAVE = "hook_save"
    HOOK_SECRET = "hook_secret"  # noqa: S105 the name of a deed
    HOOK_REPLAY = "hook_replay"
    HOOK_TEST = "hook_test"
    HOOK_DELETE = "hook_delete"
    ACKNOWLEDGE = "acknowledge"
    CALIBRATE = "calibrate"
    RESTORED_STORE = "restored_store"
    REFUSED = "refused"
    """Somebody whose token is known asked for what it does not allow."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did."""

    id: str
    at: float
    """Unix seconds."""
    by: str
    """Who: the name of a token or of a person whom the proxy signed in, `operator 2` for a token
    without a name, `local` where no token is configured."""
    scope: str
    """What the caller may do; `everything` where no token is configured."""
    what: str
    on: str = ""
    """The light (its DevEUI), rollout, alert and so on; empty for the fleet as a whole."""
    detail: dict[str, Fact] = {}
    peer: str = ""
    """The address that it came from."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AuditEntry)


def append_of(entry: AuditEntry) -> Append:
    """The write that stores it."""
    return Append(STREAM, entry.id, entry.at, _encoder.encode(entry))


def read_entry(stored: Entry) -> AuditEntry:
    """One stored entry; what cannot be read is shown as such, so that it hides no other."""
    try:
        return _decoder.decode(stored.value)
    except msgspec.MsgspecError as error:
        return AuditEntry(
            id=stored.entry,
            at=stored.at,
            by="",
            scope="",
            what="unreadable",
            detail={"error": one_line(str(error), TEXT_MOST)},
        )


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, newest first. `next_until` is `until` of the next page; None where there is none."""

    entries: list[AuditEntry]
    next_until: float | None


async def read(
    store: Store,
    *,
    since: float,
    until: float,
    most: int,
    wanted: Callable[[AuditEntry], bool] = lambda entry: True,
) -> AuditPage:
    """At most `most` wanted entries with since <= at < until, newest first.

    At most `LOOKED_AT_MOST` are looked at; a page may then hold fewer, even none, and the next one
    goes on from there. Raises StoreError.
    """
    found: list[AuditEntry] = []
    looked_at, reading = 0, min(most, ENTRIES_MOST)
    while looked_at < LOOKED_AT_MOST:
        stored = await store.entries(STREAM, since=since, until=until, most=reading)
        looked_at += reading
        for entry in map(read_entry, stored):
            until = entry.at
            if wanted(entry):
                found.append(entry)
            if len(found) == most:
                return AuditPage(found, until)
        if len(stored) < reading:
            return AuditPage(found, None)
        reading = min(ENTRIES_MOST, LOOKED_AT_MOST - looked_at)
    return AuditPage(found, until)


class AuditLog:
    """Writes entries. `tell` takes one without waiting: the store's writer, or in a cluster the way
    to the owner of the fleet's shard."""

    def __init__(
        self, tell: Callable[[AuditEntry], None], clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._new_id = new_id
        self._newest_at = 0.0

    def write(
        self,
        what: Act,
        on: str = "",
        *,
        by: str,
        scope: str,
        peer: str = "",
        detail: Mapping[str, Fact] | None = None,
    ) -> None:
        """Note what was done. Never waits and never fails for the caller."""
        self._tell(self.made(what, on, by=by, scope=scope, peer=peer, detail=detail))

    def made(
        self,
        what: Act,
        on: str = "",
        *,
        by: str,
        scope: str,
        peer: str = "",
        detail: Mapping[str, Fact] | None = None,
    ) -> AuditEntry:
        """The entry, for whoever stores it together with what it tells of."""
        facts = list((detail or {}).items())[:DETAILS_MOST]
        return AuditEntry(
            id=self._new_id(),
            at=self._at(),
            by=_short(by),
            scope=scope,
            what=what.value,
            on=_short(on),
            detail={name: _short(it) if isinstance(it, str) else it for name, it in facts},
            peer=_short(peer),
        )

    def _at(self) -> float:
        """Now, and later than the entry before: a page ends between two of them."""
        now = self._clock.now()
        ahead = self._newest_at - now
        self._newest_at = math.nextafter(self._newest_at, math.inf) if 0 <= ahead < 1 else now
        return self._newest_at


def of_command(entry: AuditEntry | None, command_id: str) -> AuditEntry | None:
    """The entry, with the command that it tells of."""
    if entry is None:
        return None
    return msgspec.structs.replace(entry, detail={"command_id": command_id, **entry.detail})


def into(offer: Callable[[Sequence[Write]], Offer]) -> Callable[[AuditEntry], None]:
    """Where entries go in the process that has the fleet's shard: to the store's writer."""

    def tell(entry: AuditEntry) -> None:
        if offer([append_of(entry)]) is not Offer.ACCEPTED:
            log.error("an entry of the audit is lost", what=entry.what, by=entry.by, on=entry.on)

    return tell


def _short(text: str) -> str:
    return one_line(text, TEXT_MOST)
