import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.airtime import downlink_airtime_s, time_on_air_s, uplink_airtime_s
from lorawan.events.model import Modulation
from tests.support import lorawan_strategies as some

COLOUR_BYTES = 5
STATUS_BYTES = 25

# TimeOnAirTest of the ns-3 LoRaWAN module: signetlabdei/lorawan, test/lorawan-test-suite.cc.
# Bytes, spreading factor, explicit header, coding rate, bandwidth, preamble, low data rate, s.
NS3 = [
    (10, 7, True, 1, 125_000, 8, False, 0.041216),
    (10, 8, True, 1, 125_000, 8, False, 0.072192),
    (10, 8, False, 1, 125_000, 8, False, 0.072192),
    (10, 8, False, 2, 125_000, 8, False, 0.078336),
    (10, 8, False, 2, 125_000, 10, False, 0.082432),
    (10, 8, False, 2, 125_000, 10, True, 0.082432),
    (10, 10, False, 2, 125_000, 10, True, 0.280576),
    (10, 10, False, 2, 250_000, 10, True, 0.14028),
    (10, 10, False, 2, 500_000, 10, True, 0.070144),
    (10, 10, True, 2, 500_000, 10, True, 0.082432),
    (10, 10, True, 2, 500_000, 8, True, 0.078336),
    (10, 12, True, 2, 500_000, 8, True, 0.264192),
    (50, 12, True, 2, 500_000, 8, True, 0.657408),
    (50, 12, True, 2, 125_000, 8, True, 2.629632),
    (50, 12, True, 1, 125_000, 8, True, 2.301952),
]


@pytest.mark.parametrize(
    ("phy", "factor", "header", "rate", "bandwidth", "preamble", "low", "seconds"), NS3
)
def test_the_values_of_ns3(phy, factor, header, rate, bandwidth, preamble, low, seconds):
    airtime_s = time_on_air_s(
        phy,
        factor,
        bandwidth,
        coding_rate=rate,
        explicit_header=header,
        preamble=preamble,
        low_data_rate=low,
    )
    assert airtime_s == pytest.approx(seconds, abs=0.0001)


@pytest.mark.parametrize(
    ("factor", "bandwidth", "colour_ms", "status_ms"),
    [
        (7, 125_000, 51.5, 82.2),
        (8, 125_000, 92.7, 143.9),
        (9, 125_000, 185.3, 267.3),
        (10, 125_000, 329.7, 493.6),
        (11, 125_000, 659.5, 1069.1),
        (12, 125_000, 1318.9, 1974.3),
        (8, 500_000, 23.2, 36.0),
        (12, 500_000, 288.8, None),
    ],
)
def test_a_colour_and_a_status(factor, bandwidth, colour_ms, status_ms):
    modulation = Modulation(spreading_factor=factor, bandwidth_hz=bandwidth)
    colour_s = downlink_airtime_s(COLOUR_BYTES, modulation)
    assert colour_s * 1000 == pytest.approx(colour_ms, abs=0.051)
    if status_ms is not None:
        for size in (24, STATUS_BYTES):
            status_s = uplink_airtime_s(size, modulation)
            assert status_s * 1000 == pytest.approx(status_ms, abs=0.051)


@pytest.mark.parametrize(
    ("factor", "bandwidth", "more_ms"),
    [
        (7, 125_000, 0),
        (8, 125_000, 10.24),
        (9, 125_000, 0),
        (10, 125_000, 0),
        (11, 125_000, 81.92),
        (12, 125_000, 0),
        (12, 500_000, 40.96),
    ],
)
def test_what_the_sixth_byte_costs(factor, bandwidth, more_ms):
    modulation = Modulation(spreading_factor=factor, bandwidth_hz=bandwidth)
    more_s = downlink_airtime_s(6, modulation) - downlink_airtime_s(5, modulation)
    assert more_s * 1000 == pytest.approx(more_ms, abs=0.001)


@pytest.mark.parametrize(
    ("factor", "in_ten_percent", "in_one_percent", "answers"),
    [
        (7, 6996, 699, 438),
        (8, 3884, 388, 250),
        (9, 1942, 194, 134),
        (10, 1091, 109, 72),
        (11, 545, 54, 33),
        (12, 272, 27, 18),
    ],
)
def test_frames_per_hour(factor, in_ten_percent, in_one_percent, answers):
    modulation = Modulation(spreading_factor=factor, bandwidth_hz=125_000)
    colour_s = downlink_airtime_s(COLOUR_BYTES, modulation)
    assert 360 // colour_s == in_ten_percent
    assert 36 // colour_s == in_one_percent
    assert 36 // uplink_airtime_s(STATUS_BYTES, modulation) == pytest.approx(answers, abs=1)


def test_without_a_payload_crc():
    with_crc, without = (time_on_air_s(18, 9, 125_000, crc=crc) for crc in (True, False))
    assert without == pytest.approx(0.164864)
    assert with_crc == pytest.approx(0.185344)


def test_low_data_rate_by_itself_from_16_ms_a_symbol():
    for factor, bandwidth, low in (
        (10, 125_000, False),
        (11, 125_000, True),
        (12, 500_000, False),
        (8, 16_000, True),
    ):
        by_itself = time_on_air_s(50, factor, bandwidth)
        assert by_itself == time_on_air_s(50, factor, bandwidth, low_data_rate=low)
        assert by_itself != time_on_air_s(50, factor, bandwidth, low_data_rate=not low)


@pytest.mark.parametrize(("code_rate", "rate"), [("CR_4_5", 1), ("CR_4_8", 4), ("CR_LI_4_8", 1)])
def test_the_code_rate_of_a_modulation(code_rate, rate):
    modulation = Modulation(spreading_factor=9, bandwidth_hz=125_000, code_rate=code_rate)
    assert downlink_airtime_s(5, modulation) == time_on_air_s(18, 9, 125_000, coding_rate=rate)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((-1, 7, 125_000), "0 to 255 bytes"),
        ((256, 7, 125_000), "0 to 255 bytes"),
        ((10, 6, 125_000), "spreading factor"),
        ((10, 13, 125_000), "spreading factor"),
        ((10, 7, 0), "bandwidth"),
    ],
)
def test_what_the_formula_does_not_cover(arguments, words):
    with pytest.raises(ValueError, match=words):
        time_on_air_s(*arguments)


@pytest.mark.parametrize("coding_rate", [0, 5])
def test_coding_rates_are_1_to_4(coding_rate):
    with pytest.raises(ValueError, match="coding rate"):
        time_on_air_s(10, 7, 125_000, coding_rate=coding_rate)


@given(some.modulations(), st.integers(0, 241))
def test_a_longer_payload_never_takes_less(modulation, size):
    assert downlink_airtime_s(size, modulation) <= downlink_airtime_s(size + 1, modulation)


@given(some.modulations(), st.integers(0, 242))
def test_airtimes_are_whole_microseconds(modulation, size):
    airtime_us = downlink_airtime_s(size, modulation) * 1e6
    assert airtime_us == pytest.approx(round(airtime_us), abs=1e-6)
