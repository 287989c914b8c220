"""What is noted of who heard an uplink, and what is read back."""

from actors.device.reception_note import HEARD_MOST, noted
from actors.storage.history import HistoryEntry, line
from actors.storage.signal_history import POINTS_MOST, SignalPoint, points_of, read
from lorawan.events import Reception
from store.memory import MemoryStore


def test_every_gateway_is_noted_the_best_first_and_read_back() -> None:
    heard = noted([Reception("aa", -110, -3.25), Reception("bb", -90, 7.0)])
    assert heard == "bb,-90,7;aa,-110,-3.25"
    entry = HistoryEntry("e", 5.0, "status", {"f_cnt": 9, "heard": heard})
    assert points_of(entry) == [
        SignalPoint(5.0, "bb", -90, 7.0, 9),
        SignalPoint(5.0, "aa", -110, -3.25, 9),
    ]
    many = noted(Reception(f"{n:016x}", -90, float(n)) for n in range(80))
    assert many.count(";") == HEARD_MOST - 1


def test_lines_of_an_older_version_and_odd_ones() -> None:
    old = {"f_cnt": 9, "gateway": "aa", "rssi_dbm": -97, "snr_db": 7.5}
    assert points_of(HistoryEntry("e", 5.0, "status", old)) == [SignalPoint(5.0, "aa", -97, 7.5, 9)]
    for kind, detail in (
        ("uplink", {"f_cnt": 1, "gateway": "aa", "note": "x"}),
        ("status", {"f_cnt": 1, "heard": ""}),
        ("status", {"f_cnt": 1, "heard": "aa;bb,x,1;cc,1,"}),
        ("status", {"heard": "aa,1,1"}),
        ("txack", {"f_cnt": 1, "heard": "aa,1,1"}),
    ):
        assert points_of(HistoryEntry("e", 5.0, kind, detail)) == []


async def test_too_many_points_are_cut_and_that_is_told() -> None:
    store = MemoryStore()
    await store.open()
    heard = ";".join(f"{n:02x},-90,1" for n in range(10))
    count = POINTS_MOST // 10 + 5
    await store.commit(
        [
            line("d", f"{n:05}", float(n), "status", {"f_cnt": n, "heard": heard})
            for n in range(count)
        ]
    )
    found = await read(store, "d", since=0, until=1e9)
    assert (len(found.points), found.complete) == (POINTS_MOST, False)
    assert found.points[-1].f_cnt == count - 1
    few = await read(store, "d", since=count - 2, until=1e9)
    assert (len(few.points), few.complete, few.points[0].f_cnt) == (20, True, count - 2)
