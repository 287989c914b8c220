import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.kuando import (
    F_PORT,
    LightState,
    OtherReport,
    ReportKind,
    SetLight,
    Status,
    UnknownReport,
    encode,
    parse_uplink,
)
from tests.support import lorawan_strategies as some

DATA = Path(__file__).parents[1] / "data"
UPLINKS = [v for v in json.loads((DATA / "kuando.json").read_text()) if v["direction"] == "up"]
BLUE_BLINKING = "c4ffffff210000000400000003000000" + "00ff006464" + "440f01"


def parse(hexadecimal):
    return parse_uplink(F_PORT, bytes.fromhex(hexadecimal))


def test_every_uplink_of_the_documents_is_here():
    assert len(UPLINKS) == 11


@pytest.mark.parametrize("vector", UPLINKS, ids=lambda vector: vector["hex"])
def test_uplinks_of_the_documents(vector):
    report = parse(vector["hex"])
    decoded = vector["decoded"]
    if decoded is not None:
        assert isinstance(report, Status)
        assert {
            "rssi": report.rssi_dbm,
            "snr": report.snr_raw,
            "downlinks_received": report.downlinks_received,
            "uplinks_sent": report.uplinks_sent,
            "red": report.light.red,
            "blue": report.light.blue,
            "green": report.light.green,
            "on": report.light.on,
            "off": report.light.off,
            "sw_rev": report.sw_rev,
            "hw_rev": report.hw_rev,
            "adr_state": report.adr,
            "high_brightness": report.high_brightness,
        } == decoded
    elif vector.get("fragment"):
        assert report == UnknownReport(f_port=15, raw=bytes.fromhex(vector["hex"]))
    else:
        kinds = {"ff10": ReportKind.JOIN_EUI_WRITTEN, "ff11": ReportKind.APP_KEY_WRITTEN}
        assert report == OtherReport(kind=kinds[vector["hex"]], raw=bytes.fromhex(vector["hex"]))


def test_the_order_is_red_blue_green():
    report = parse(BLUE_BLINKING)
    assert isinstance(report, Status)
    assert report.light == LightState(red=0, green=0, blue=255, on=100, off=100)


@given(some.statuses(), some.INT32)
def test_the_signal_never_shows_in_the_colour(status, rssi_dbm):
    """Decoders at a wrong offset read the sign extension of the RSSI as white."""
    payload = bytearray(some.status_bytes(status))
    payload[0:4] = rssi_dbm.to_bytes(4, "little", signed=True)
    report = parse_uplink(F_PORT, bytes(payload))
    assert isinstance(report, Status)
    assert report.light == status.light
    assert report.downlinks_received == status.downlinks_received
    assert report.rssi_dbm == rssi_dbm


@given(some.statuses(), some.lights())
def test_the_colour_never_shows_in_the_rest(status, light):
    payload = bytearray(some.status_bytes(status))
    payload[16:21] = encode(SetLight(light=light, reply=False))
    report = parse_uplink(F_PORT, bytes(payload))
    assert isinstance(report, Status)
    assert report.light == light
    assert (report.rssi_dbm, report.snr_raw) == (status.rssi_dbm, status.snr_raw)
    assert report.downlinks_received == status.downlinks_received
    assert (report.sw_rev, report.hw_rev, report.adr) == (status.sw_rev, status.hw_rev, status.adr)


@given(some.statuses())
def test_a_status_is_read_as_it_was_written(status):
    assert parse_uplink(F_PORT, some.status_bytes(status)) == status


def test_counters_are_unsigned():
    report = parse("00000000" + "00000000" + "ffffffff" + "00000080" + "0000000000" + "380c01")
    assert isinstance(report, Status)
    assert report.downlinks_received == 2**32 - 1
    assert report.uplinks_sent == 2**31


@pytest.mark.parametrize(
    ("hexadecimal", "kind", "value"),
    [
        ("09012d", ReportKind.CPU_TEMPERATURE, 45),
        ("090250", ReportKind.THROTTLE, 80),
        ("0903ff", ReportKind.RESET_CAUSE, 255),
        ("090401", ReportKind.ADR, 1),
        ("0905" + "93ffffff", ReportKind.RSSI, -109),
        ("0906" + "1e000000", ReportKind.SNR, 30),
        ("0907" + "000000000000", ReportKind.POWER, None),
        ("00" * 19, ReportKind.SOUND_MODEL, None),
        ("00" * 20, ReportKind.SOUND_MODEL, None),
    ],
)
def test_other_reports(hexadecimal, kind, value):
    raw = bytes.fromhex(hexadecimal)
    assert parse(hexadecimal) == OtherReport(kind=kind, raw=raw, value=value)


def test_the_short_status():
    assert parse("c3040000" + "0102030405" + "01") == OtherReport(
        kind=ReportKind.SHORT_STATUS,
        raw=bytes.fromhex("c3040000010203040501"),
        light=LightState(red=1, green=3, blue=2, on=4, off=5),
        uplinks_sent=1219,
        high_brightness=1,
    )


@pytest.mark.parametrize(
    "hexadecimal",
    [
        *("", "ff", "ff12", "fe10", "090545", "080145", "090793ffffff", "0805ffffffff"),
        *("0908" + "00" * 6, "0807" + "00" * 6, "00" * 9, "00" * 23, "00" * 26),
    ],
)
def test_what_is_not_documented_stays_raw(hexadecimal):
    assert parse(hexadecimal) == UnknownReport(f_port=15, raw=bytes.fromhex(hexadecimal))


@given(st.integers(0, 255).filter(lambda f_port: f_port != F_PORT), some.statuses())
def test_other_ports_are_no_status(f_port, status):
    payload = some.status_bytes(status)
    assert parse_uplink(f_port, payload) == UnknownReport(f_port=f_port, raw=payload)


@given(st.binary(max_size=64))
def test_every_payload_is_read(payload):
    report = parse_uplink(F_PORT, payload)
    if isinstance(report, Status):
        assert len(payload) in {24, 25}
        assert some.status_bytes(report) == payload
    else:
        assert report.raw == payload
