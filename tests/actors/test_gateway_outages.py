"""Outages, made of what several runs of the service noted."""

from actors.board.changes import GatewayView
from actors.gateways.outages import OutageLog, outages, read, stream
from actors.surface import Outage
from store.memory import MemoryStore
from store.port import Entry, Write


class Hands:
    """A clock that is set by hand."""

    at = 0.0

    def now(self) -> float:
        return self.at


def lines(*told: tuple[float, str]) -> list[Entry]:
    return [Entry(f"{at}", at, word.encode()) for at, word in told]


HERE, GONE = GatewayView("g", online=True), GatewayView("g", online=False, since=90.0)


def test_an_outage_over_a_restart_is_one() -> None:
    told = lines((1, "online"), (5, "offline"), (9, "offline"), (12, "online"), (13, "online"))
    assert outages(told, HERE) == [Outage(5, 12)]


def test_the_running_outage_has_no_end_and_the_newest_comes_first() -> None:
    told = lines((5, "offline"), (12, "online"), (90, "offline"))
    assert outages(told, GONE) == [Outage(90, None), Outage(5, 12)]


def test_an_outage_whose_beginning_is_forgotten_is_told_all_the_same() -> None:
    assert outages([], GONE) == [Outage(90.0, None)]
    assert outages(lines((4, "online")), HERE) == []


async def test_changes_are_noted_and_read_back() -> None:
    store, clock, written = MemoryStore(), Hands(), list[Write]()
    await store.open()
    log = OutageLog(written.extend, clock)
    for at, online in ((10, True), (20, False), (30, True), (500, False)):
        clock.at = at
        log.changed("g", online)
    await store.commit(written)
    await store.commit(written)  # an ambiguous commit is repeated
    gone = GatewayView("g", online=False, since=500.0)
    assert await read(store, "g", gone, since=0, until=1e9) == [Outage(500, None), Outage(20, 30)]
    assert await read(store, "g", gone, since=100, until=1e9) == [Outage(500, None)]
    assert len(await store.entries(stream("g"), since=0, until=1e9, most=9)) == 4
