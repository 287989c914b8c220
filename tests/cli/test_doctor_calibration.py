"""What the doctor says of what was measured."""

from typing import Any

from api.cli.doctor.calibration import judged
from api.cli.doctor.finding import Level

SOFTWARE = {
    "sw_rev": 61,
    "samples": 5,
    "delay_s": 1.0,
    "least_s": 0.99,
    "most_s": 1.01,
    "at_most": False,
}
GATEWAY: dict[str, Any] = {
    "gateway_id": "0016c001f153a14c",
    "name": "Roof",
    "lag_s": 0.08,
    "basis": "excluded",
    "basics_station": False,
    "answers": 12,
    "order_to_txack_s": [0.06, 0.15],
    "slow_tick": False,
}
UNKNOWN = {"kind": "firmware", "name": "68", "words": "software 6.8", "tried": 0, "next_at": 0.0}


def said(**found: object) -> list[tuple[str, Level, str, str]]:
    whole = {"automatic": True, "run": None, "unknown": [], "software": [], "gateways": []} | found
    return [(one.check, one.level, one.says, one.remedy) for one in judged(whole)]


def test_what_is_known_is_told() -> None:
    first, second = said(software=[SOFTWARE], gateways=[GATEWAY])
    assert first[1] is second[1] is Level.OK
    assert first[2] == "software 6.1 answers after 1.00 s (0.99-1.01 s, 5 measured)"
    assert second[2].startswith("gateway Roof: its forwarder sends 0.08 s after its txack")


def test_what_is_not_known_is_told_with_what_to_do() -> None:
    [(check, level, says, remedy)] = said(unknown=[UNKNOWN])
    assert (check, level) == ("calibration", Level.UNKNOWN)
    assert "software 6.8" in says
    assert "lamplighter calibrate" in remedy
    assert "looks by itself" in remedy
    [(_, _, _, remedy)] = said(unknown=[UNKNOWN], automatic=False)
    assert "does not look by itself" in remedy
    [(_, _, _, remedy)] = said(unknown=[UNKNOWN | {"tried": 4, "next_at": None}])
    assert "does not look by itself" in remedy


def test_a_scheduler_that_runs_once_a_second_is_named_with_the_setting_to_change() -> None:
    found = said(gateways=[GATEWAY | {"slow_tick": True, "order_to_txack_s": [0.1, 0.95]}])
    check, level, says, remedy = found[-1]
    assert (check, level) == ("scheduler", Level.WARNING)
    assert "0.10 and 0.95 s" in says
    assert 'interval="100ms"' in remedy


def test_many_gateways_are_counted() -> None:
    found = said(gateways=[GATEWAY | {"gateway_id": f"{n:016x}", "name": ""} for n in range(8)])
    assert len(found) == 6
    assert found[-1][2] == "3 gateways more are known"


def test_basics_station_and_an_upper_bound_are_told_as_such() -> None:
    station = GATEWAY | {"basics_station": True, "lag_s": 0.0, "basis": "acknowledged"}
    first, second = said(
        software=[SOFTWARE | {"at_most": True, "delay_s": 0.92}], gateways=[station]
    )
    assert "within 0.92 s or sooner" in first[2]
    assert "Basics Station" in second[2]
