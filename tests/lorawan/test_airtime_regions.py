import pytest

from lorawan.airtime import REGIONS, UnknownRegion, downlink_airtime_s, region
from lorawan.events.model import Modulation


# ChirpStack's defaults, chirpstack/chirpstack, lrwn/src/region.
@pytest.mark.parametrize(
    ("name", "frequency_hz", "dr", "factor", "bandwidth_hz", "duty_cycle"),
    [
        ("EU868", 869_525_000, 0, 12, 125_000, 0.10),
        ("EU433", 434_665_000, 0, 12, 125_000, 0.10),
        ("US915", 923_300_000, 8, 12, 500_000, None),
        ("AU915", 923_300_000, 8, 12, 500_000, None),
        ("AS923", 923_200_000, 2, 10, 125_000, None),
        ("AS923_2", 921_400_000, 2, 10, 125_000, None),
        ("AS923_3", 916_600_000, 2, 10, 125_000, None),
        ("AS923_4", 917_300_000, 2, 10, 125_000, None),
        ("IN865", 866_550_000, 2, 10, 125_000, None),
        ("KR920", 921_900_000, 0, 12, 125_000, None),
        ("CN470", 505_300_000, 0, 12, 125_000, None),
        ("CN779", 786_000_000, 0, 12, 125_000, 0.01),
        ("RU864", 869_100_000, 0, 12, 125_000, 0.01),
    ],
)
def test_rx2_by_default(name, frequency_hz, dr, factor, bandwidth_hz, duty_cycle):
    plan = region(name)
    assert plan is REGIONS[name]
    assert (plan.rx2_frequency_hz, plan.rx2_dr, plan.duty_cycle) == (frequency_hz, dr, duty_cycle)
    assert plan.rx2() == plan.rx2(None) == plan.rx2(dr) == Modulation(factor, bandwidth_hz)


def test_every_region_is_tested_above():
    assert len(REGIONS) == 13


@pytest.mark.parametrize(
    ("name", "dr", "factor", "bandwidth_hz"),
    [
        ("EU868", 3, 9, 125_000),
        ("EU868", 5, 7, 125_000),
        ("EU868", 6, 7, 250_000),
        ("US915", 9, 11, 500_000),
        ("US915", 12, 8, 500_000),
        ("US915", 13, 7, 500_000),
        ("CN470", 6, 7, 500_000),
        ("KR920", 5, 7, 125_000),
    ],
)
def test_rx2_at_another_rate(name, dr, factor, bandwidth_hz):
    assert region(name).rx2(dr) == Modulation(factor, bandwidth_hz)


# FSK, RFU, LR-FHSS, and the uplink rates of the American plans.
@pytest.mark.parametrize(
    ("name", "dr"),
    [
        *(("EU868", 7), ("EU868", 8), ("EU868", -1), ("US915", 0), ("US915", 4), ("US915", 14)),
        *(("IN865", 6), ("KR920", 6)),
    ],
)
def test_what_is_no_lora_downlink_rate(name, dr):
    with pytest.raises(UnknownRegion, match=f"{name} .* not DR {dr}"):
        region(name).rx2(dr)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *(("eu868", "EU868"), ("us915_0", "US915"), ("au915_7", "AU915"), ("cn470_10", "CN470")),
        *(("as923", "AS923"), ("as923_2", "AS923_2"), ("as923_3", "AS923_3")),
        *(("AS923-4", "AS923_4"), ("as923-1", "AS923"), ("AS923_1", "AS923")),
        *(("in865", "IN865"), ("kr920", "KR920"), ("ru864", "RU864"), ("eu433", "EU433")),
    ],
)
def test_the_ids_of_chirpstack(given, meant):
    assert region(given).name == meant


@pytest.mark.parametrize(
    "name",
    [
        *("", "_", "EU", "ism2400", "EU868 ", "eu868_2", "us915_8", "us915_00", "us915_٣"),
        *("as923_5", "as923_0", "us915_", "us915_0_1", "cn470_12"),
    ],
)
def test_other_names_are_unknown(name):
    with pytest.raises(UnknownRegion, match="EU868, EU433"):
        region(name)


@pytest.mark.parametrize("name", REGIONS)
def test_every_rate_has_an_airtime(name):
    times = [
        downlink_airtime_s(5, rate) for _, rate in sorted(region(name).downlink_data_rates.items())
    ]
    assert times == sorted(times, reverse=True)


# From the field: a network with its own RX2, and the usual slip of writing MHz.
def test_an_operators_own_frequency_of_rx2():
    assert region("AU915").at(925_100_000).rx2_frequency_hz == 925_100_000
    assert region("AU915").at(925_100_000).duty_cycle is None
    for wrong in (925, 925_100, 869_525_000):
        with pytest.raises(UnknownRegion, match="in Hz"):
            region("AU915").at(wrong)


@pytest.mark.parametrize(
    ("frequency_hz", "duty_cycle"),
    [
        (863_500_000, 0.001),
        (868_100_000, 0.01),
        (868_900_000, 0.001),
        (869_525_000, 0.10),
        (869_800_000, 0.01),
    ],
)
def test_the_duty_cycle_in_europe_is_that_of_the_frequency(frequency_hz, duty_cycle):
    assert region("EU868").at(frequency_hz).duty_cycle == duty_cycle


def test_between_the_bands_of_europe_nothing_is_sent():
    with pytest.raises(UnknownRegion, match="no downlinks"):
        region("EU868").at(869_300_000)


@pytest.mark.parametrize("name", REGIONS)
def test_the_plans_own_frequency_is_inside_it(name):
    plan = region(name)
    assert plan.at(plan.rx2_frequency_hz) == plan
