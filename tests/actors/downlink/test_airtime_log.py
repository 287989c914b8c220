"""What the gateways sent counts for its hour, whatever becomes of the date and of the service."""

import pytest

from actors.downlink.airtime_budget import AirtimeCharge
from actors.downlink.airtime_log import KEY, AirtimeLog
from store.port import Put, Record

NOW = 1_760_000_000.0
YEAR_S = 365 * 86_400.0
UP_S = 50_000.0
"""The host has been up for so long."""


def kept(puts: list[Put]) -> list[Record]:
    return [Record(one.key, one.value, one.at) for one in puts]


def after(log: AirtimeLog, records: list[Record], elapsed_s: float, now: float) -> dict[str, float]:
    spent: dict[str, float] = {}
    for gateway_id, _, airtime_s in log.restore(records, elapsed_s, now):
        spent[gateway_id] = spent.get(gateway_id, 0.0) + airtime_s
    return spent


def a_frame(airtime_s: float = 1.3, host: str = "boot-1") -> list[Record]:
    log = AirtimeLog(host)
    return kept(log.charged([AirtimeCharge("a", UP_S, airtime_s)], UP_S, NOW))


@pytest.mark.parametrize("set_s", [0.0, 90.0, -90.0, YEAR_S, -YEAR_S])
def test_a_frame_counts_for_its_hour_however_the_date_is_set(set_s: float) -> None:
    records = a_frame()
    for passed_s, spent in ((0.0, 1.3), (3_500.0, 1.3), (3_700.0, None)):
        log = AirtimeLog("boot-1")
        found = after(log, records, UP_S + passed_s, NOW + passed_s + set_s)
        assert found.get("a") == (None if spent is None else pytest.approx(spent))


def test_after_a_reboot_the_dates_tell_how_old_a_frame_is() -> None:
    records = a_frame()
    assert after(AirtimeLog("boot-2"), records, 30.0, NOW + 3_500.0) == {"a": pytest.approx(1.3)}
    assert after(AirtimeLog("boot-2"), records, 30.0, NOW + 3_700.0) == {}


def test_after_a_reboot_with_an_earlier_date_a_frame_counts_as_just_sent() -> None:
    [charge] = AirtimeLog("boot-2").restore(a_frame(), 30.0, NOW - YEAR_S)
    assert charge.at == pytest.approx(30.0, abs=60.0)


def test_where_no_boot_is_known_the_dates_tell() -> None:
    records = a_frame(host="")
    assert after(AirtimeLog(""), records, 30.0, NOW + 3_500.0) == {"a": pytest.approx(1.3)}
    assert after(AirtimeLog(""), records, UP_S, NOW + 3_700.0) == {}


def test_what_was_restored_is_stored_again_with_the_next_frame() -> None:
    log = AirtimeLog("boot-1")
    log.restore(a_frame(), UP_S + 60.0, NOW)
    records = kept(log.charged([AirtimeCharge("a", UP_S + 70.0, 0.5)], UP_S + 70.0, NOW))
    assert after(AirtimeLog("boot-1"), records, UP_S + 80.0, NOW) == {"a": pytest.approx(1.8)}


def test_a_record_holds_no_more_than_an_hour_of_minutes() -> None:
    log, puts = AirtimeLog("boot-1"), []
    for minute in range(1_000):
        at = UP_S + minute * 60.0
        puts = log.charged([AirtimeCharge("a", at, 6.0)], at, NOW + minute * 60.0)
    assert len(puts) == 1
    assert len(puts[0].value) < 1_000
    assert after(AirtimeLog("boot-1"), kept(puts), UP_S + 59_940.0, NOW) == {
        "a": pytest.approx(360.0, abs=7.0)
    }


def test_a_record_that_cannot_be_read_and_others_of_the_table_keep_nobody_from_starting() -> None:
    records = [
        Record(KEY + "b", b"\x00 no json", NOW),
        Record("something else", b"{}", NOW),
        *a_frame(),
    ]
    assert after(AirtimeLog("boot-1"), records, UP_S, NOW) == {"a": pytest.approx(1.3)}
