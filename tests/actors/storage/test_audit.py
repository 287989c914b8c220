"""The audit: entries are bounded, ordered, read by pages, and outlive what else is stored."""

from collections.abc import Sequence

from actors.messaging.mailbox import Offer
from actors.storage import audit
from actors.storage.audit import Act, AuditEntry, AuditLog, append_of, into, read_entry
from store.memory import MemoryStore
from store.port import Append, Entry, Streams, Write


class Clock:
    at = 1_000.0

    def now(self) -> float:
        return self.at

    def steady(self) -> float:
        return self.at

    @property
    def stepped_s(self) -> float:
        return 0.0


def log_of(written: list[AuditEntry], clock: Clock) -> AuditLog:
    return AuditLog(written.append, clock, lambda: f"id-{len(written):05d}")


def test_an_entry_is_bounded_and_holds_plain_text_only() -> None:
    written: list[AuditEntry] = []
    detail = {f"fact{n}": "x\x1b[31m" * 1_000 for n in range(99)}
    log_of(written, Clock()).write(
        Act.REMOVE, "on" * 999, by="al\nice", scope="operator", detail=detail
    )
    [entry] = written
    assert (entry.by, len(entry.on), len(entry.detail)) == ("al ice", 200, 16)
    assert "\x1b" not in str(entry.detail)
    assert len(append_of(entry).value) < 5_000


def test_entries_of_one_moment_have_an_order_and_a_clock_set_back_is_followed() -> None:
    written: list[AuditEntry] = []
    clock = Clock()
    log = log_of(written, clock)
    for at in (1_000.0, 1_000.0, 999.9, 500.0):
        clock.at = at
        log.write(Act.ASK, by="alice", scope="operator")
    first, second, third, back = (entry.at for entry in written)
    assert first < second < third < 1_000.001
    assert back == 500.0


async def test_pages_follow_each_other_without_a_gap() -> None:
    store = MemoryStore()
    await store.open()
    writes: list[Write] = []

    def offer(some: Sequence[Write]) -> Offer:
        writes.extend(some)
        return Offer.ACCEPTED

    log = AuditLog(into(offer), Clock(), iter(f"id-{n:05d}" for n in range(99_999)).__next__)
    for number in range(2_500):
        log.write(Act.ASK, f"light-{number % 2}", by="alice", scope="operator")
    await store.commit(writes)
    until, seen = 9_999.0, []
    for _ in range(99):
        page = await audit.read(
            store, since=0.0, until=until, most=400, wanted=lambda one: one.on == "light-1"
        )
        seen += [entry.id for entry in page.entries]
        if page.next_until is None:
            break
        until = page.next_until
    assert len(seen) == len(set(seen)) == 1_250
    assert seen == sorted(seen, reverse=True)


async def test_a_narrow_filter_looks_at_so_many_and_says_where_to_go_on() -> None:
    store = MemoryStore()
    await store.open()
    entries = [
        AuditEntry(id=f"{n:06d}", at=float(n), by="bob", scope="viewer", what="ask")
        for n in range(audit.LOOKED_AT_MOST + 10)
    ]
    await store.commit([append_of(entry) for entry in entries])
    page = await audit.read(store, since=0.0, until=1e9, most=5, wanted=lambda one: one.at < 5)
    assert (page.entries, page.next_until) == ([], 10.0)
    rest = await audit.read(store, since=0.0, until=10.0, most=5, wanted=lambda one: one.at < 5)
    assert [entry.at for entry in rest.entries] == [4.0, 3.0, 2.0, 1.0, 0.0]


def test_an_entry_that_cannot_be_read_is_shown_as_such() -> None:
    odd = read_entry(Entry("e1", 5.0, b"{"))
    assert (odd.id, odd.at, odd.what) == ("e1", 5.0, "unreadable")


def test_an_entry_for_which_there_is_no_room_breaks_nothing() -> None:
    entry = AuditEntry(id="1", at=1.0, by="a", scope="viewer", what="ask")
    into(lambda writes: Offer.FULL)(entry)
    assert Streams(only=("a",)).has("a")
    assert not Streams(but=("a",)).has("a")
    assert isinstance(append_of(entry), Append)
