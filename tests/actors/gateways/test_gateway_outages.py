"""Outages, made of what several runs of the service noted."""

import pytest

from actors.board.changes import GatewayView
from actors.gateways.observed import Outage, Span, WatchLog
from actors.gateways.outages import GatewayPast, OutageLog, outages, read, stream
from store.memory import MemoryStore
from store.port import Append, Entry, Write


class ClockByHand:
    """A clock that is set by hand."""

    at = 0.0

    def now(self) -> float:
        return self.at

    def steady(self) -> float:
        return self.at

    @property
    def stepped_s(self) -> float:
        return 0.0


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
    store, clock, written = MemoryStore(), ClockByHand(), list[Write]()
    await store.open()
    log = OutageLog(written.extend, clock)
    for at, online in ((10, True), (20, False), (30, True), (500, False)):
        clock.at = at
        log.changed("g", online)
    await store.commit(written)
    await store.commit(written)  # an ambiguous commit is repeated
    gone = GatewayView("g", online=False, since=500.0)
    past = await read(store, "g", gone, None, since=0, until=1e9)
    assert past.outages == [Outage(500, None), Outage(20, 30)]
    assert (past.observed_s, past.availability) == (0.0, None), "nobody noted that he looked"
    past = await read(store, "g", gone, None, since=100, until=1e9)
    assert past.outages == [Outage(500, None)]
    assert len(await store.entries(stream("g"), since=0, until=1e9, most=9)) == 4


WEEK_S = 7 * 86_400.0


class Logs:
    """Both logs over one store, told of a list every 30 s."""

    def __init__(self, at: float) -> None:
        self.clock, self.store, self.written = ClockByHand(), MemoryStore(), list[Write]()
        self.clock.at = at
        self.begin()

    def begin(self) -> None:
        """A run of the service begins."""
        self.watched = WatchLog(self.written.extend, self.clock)
        self.log = OutageLog(self.written.extend, self.clock)

    def look(self, for_s: float, *, listed: bool = True) -> None:
        """A list, or none, every 30 s."""
        until = self.clock.at + for_s
        while self.clock.at <= until:
            if listed:
                self.watched.listed()
                self.log.still(lambda _: True)
            else:
                self.watched.failed()
            self.clock.at += 30.0
        self.clock.at = until

    async def week(self, gateway: GatewayView) -> GatewayPast:
        """What is known of the last seven days."""
        await self.store.open()
        await self.store.commit(self.written)
        now, running = self.clock.at, self.watched.running()
        return await read(self.store, "g", gateway, running, since=now - WEEK_S, until=now)


async def test_availability_is_of_the_time_that_was_observed() -> None:
    """From the field: 27 minutes offline of the 36 since the start read "99.73 % of 7 days"."""
    logs = Logs(10 * WEEK_S)
    logs.log.changed("g", online=True)
    logs.look(9 * 60)
    gone_at = logs.clock.at
    logs.log.changed("g", online=False)
    logs.look(27 * 60)
    past = await logs.week(GatewayView("g", online=False, since=gone_at))
    assert past.observed_s == pytest.approx(36 * 60, abs=31)
    assert past.away_s == pytest.approx(27 * 60, abs=31)
    assert past.availability == pytest.approx(0.25, abs=0.02)
    assert past.outages == [Outage(gone_at, None)], "the fresh outage is there"


async def test_what_nobody_looked_at_is_neither_up_nor_down() -> None:
    logs = Logs(10 * WEEK_S)
    logs.log.changed("g", online=True)
    logs.look(3_600)
    logs.log.changed("g", online=False)
    logs.look(3_600)
    logs.clock.at += 86_400  # the service is down for a day
    logs.begin()
    logs.log.changed("g", online=True)
    came_at = logs.clock.at
    logs.look(3_600)
    logs.look(3_600, listed=False)  # ChirpStack gives no list
    logs.look(3_600)
    past = await logs.week(GatewayView("g", since=came_at))
    assert past.observed_s == pytest.approx(4 * 3_600, abs=700), "300 s a run may be forgotten"
    assert past.away_s == pytest.approx(3_600, abs=350)
    assert [round(one.length_s / 3_600) for one in past.observed] == [2, 1, 1]


async def test_a_gateway_that_is_new_was_not_observed_before() -> None:
    logs = Logs(10 * WEEK_S)
    logs.log.changed("other", online=True)
    logs.look(86_400)
    logs.log.changed("g", online=True)
    new_at = logs.clock.at
    logs.look(3_600)
    past = await logs.week(GatewayView("g", since=new_at))
    assert past.observed_s == pytest.approx(3_600, abs=31)
    assert past.availability == 1.0


async def test_a_gateway_that_never_changes_is_observed_as_long_as_lines_are_kept() -> None:
    """Its first line is pruned after a week, and its view is as old as this run."""
    logs = Logs(10 * WEEK_S)
    logs.log.changed("g", online=True)
    logs.look(WEEK_S + 3 * 86_400)
    logs.begin()
    logs.log.changed("g", online=True)
    began_at = logs.clock.at
    logs.look(60)
    now = logs.clock.at
    kept = [one for one in logs.written if isinstance(one, Append) and one.at >= now - WEEK_S]
    logs.written[:] = kept
    past = await logs.week(GatewayView("g", since=began_at))
    assert past.observed_s > WEEK_S - 86_400 - 700
    assert past.observed[-1] == Span(pytest.approx(past.observed[0].since), now)  # type: ignore[arg-type]
