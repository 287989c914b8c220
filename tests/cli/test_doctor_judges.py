"""What the doctor makes of facts, without a server."""

import pytest

from api.cli.doctor import judge
from api.cli.doctor.finding import Level
from lorawan.airtime import REGIONS, region
from lorawan.chirpstack.inspection import DeviceState, ProfileInfo
from lorawan.network import (
    GatewayInfo,
    HttpIntegration,
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkInvalid,
    NetworkRefused,
    NetworkUnavailable,
)

NOW = 1_760_000_000.0
RIGHT = ProfileInfo("Kuando", "EU868", "LORAWAN_1_0_3", False, True, 5)
OURS = "http://lamp/api/v1/webhooks/chirpstack"


@pytest.mark.parametrize(
    ("error", "tenant_id", "word"),
    [
        (NetworkRefused("x"), None, "make a new API key"),
        (NetworkForbidden("x"), None, "chirpstack.tenant_id"),
        (NetworkForbidden("x"), "t", "correct chirpstack.tenant_id"),
        (NetworkUnavailable("x"), None, "chirpstack.target"),
        (NetworkInvalid("x"), None, "chirpstack.target"),
        (NetworkFault("x"), None, "own log"),
    ],
)
def test_why_chirpstack_is_not_reached(
    error: NetworkError, tenant_id: str | None, word: str
) -> None:
    finding = judge.unreached(error, "host:8080", tls=False, tenant_id=tenant_id)
    assert finding.level is Level.PROBLEM
    assert word in finding.remedy


def test_rx2_at_its_default_is_dear_and_at_dr3_is_not() -> None:
    plan = region("EU868")
    default, none = judge.rx2(plan, None, {})
    assert default.level is Level.WARNING
    assert "DR0 (SF12)" in default.says
    assert none.level is Level.UNKNOWN
    better, used = judge.rx2(plan, 3, {plan.rx2(3): 4})
    assert (better.level, used.level) == (Level.OK, Level.OK)
    _, wrong = judge.rx2(plan, 3, {plan.rx2(0): 4})
    assert (wrong.level, "SF12" in wrong.says) == (Level.PROBLEM, True)
    assert "no duty cycle" in next(judge.rx2(region("US915"), None, {})).says
    assert next(judge.rx2(region("RU864"), 3, {})).level is Level.OK, "there is nothing better"


def test_profiles_of_another_region_or_version() -> None:
    levels = [each.level for each in judge.profiles([RIGHT], "EU868")]
    assert levels == [Level.OK]
    assert next(judge.profiles([RIGHT], "US915")).level is Level.WARNING
    other = ProfileInfo("Kuando", "EU868", "LORAWAN_1_1_0", False, True, 0)
    assert "1.0.3" in next(judge.profiles([other], "EU868")).remedy


def test_lights_silent_unheard_and_not_yet_class_c() -> None:
    fresh = DeviceState("a" * 16, "CLASS_C", NOW - 60)
    silent = DeviceState("b" * 16, "CLASS_A", NOW - 90_000)
    never = DeviceState("c" * 16, "CLASS_A", None)

    def look(*states: DeviceState) -> list[Level]:
        return [each.level for each in judge.lights(3, states, NOW, 3_600.0, "kuando")]

    assert look(fresh) == [Level.OK, Level.OK]
    assert look(fresh, silent, never) == [Level.WARNING, Level.PROBLEM]
    assert look(never) == [Level.PROBLEM]
    assert look() == [Level.UNKNOWN]
    assert next(judge.lights(0, (), NOW, 1.0, "kuando")).level is Level.PROBLEM


def test_gateways_and_clock() -> None:
    on, off = GatewayInfo("g1", "Roof", last_seen_at=NOW - 5), GatewayInfo("g2")
    assert judge.gateways([on], NOW, 300).level is Level.OK
    assert judge.gateways([on, off], NOW, 300).level is Level.WARNING
    assert judge.gateways([off], NOW, 300).level is Level.PROBLEM
    assert judge.gateways([], NOW, 300).level is Level.PROBLEM
    assert judge.clock([on], [], NOW).level is Level.OK
    assert judge.clock([on], [], NOW - 600).level is Level.PROBLEM
    assert judge.clock([off], [], NOW).level is Level.UNKNOWN


def test_integrations_and_the_webhook() -> None:
    def of(urls: str) -> Level:
        return next(judge.integrations({"app": HttpIntegration("a", urls, {})})).level

    assert of(OURS) is Level.OK
    assert of(f"http://other/x,{OURS}") is Level.OK
    assert of("http://other/x") is Level.PROBLEM
    assert of(f"{OURS},https://lamp/api/v1/webhooks/chirpstack") is Level.WARNING
    assert next(judge.integrations({"app": None})).level is Level.PROBLEM
    levels = {status: judge.webhook(OURS, status, "") for status in (None, 401, 403, 404, 422)}
    assert levels.pop(422).level is Level.OK
    assert {each.level for each in levels.values()} == {Level.PROBLEM}


def test_rights_and_version() -> None:
    assert [judge.rights(x).level for x in (True, False, None)] == ["ok", "problem", "unknown"]
    assert [judge.version(x).level for x in (True, False, None)] == [
        "unknown",
        "warning",
        "unknown",
    ]


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("duty", [None, 0.001, 0.01, 1.0])
def test_rx2_is_judged_in_every_region_at_every_rate(name: str, duty: float | None) -> None:
    plan = region(name) if duty is None else region(name).with_duty(duty)
    for dr in (None, *plan.downlink_data_rates):
        found = list(judge.rx2(plan, dr, {}))
        assert [each.check for each in found] == ["RX2", "RX2 in use"]


def test_a_change_of_rx2_reaches_a_light_with_its_next_uplink() -> None:
    warned = next(judge.rx2(region("EU868"), 0, {}))
    assert "next uplink, and ChirpStack with the uplink after that" in warned.remedy
    assert "join" not in warned.remedy
    wide = next(judge.rx2(region("US915").with_duty(0.01), None, {}))
    assert "rx2_dr = 11" in wide.remedy


# From the field: a network whose own region file names another RX2 than the plan.
def test_downlinks_on_another_frequency_are_not_passed_over() -> None:
    plan = region("AU915")
    *_, other = judge.rx2(plan, None, {}, {925_100_000: 3, 923_900_000: 1})
    assert other.level is Level.WARNING
    assert "radio.rx2_frequency_hz = 925100000" in other.remedy
    *_, right = judge.rx2(plan.at(925_100_000), None, {plan.rx2(): 3}, {923_900_000: 1})
    assert right.level is Level.OK


def test_a_width_that_differs_is_another_rate() -> None:
    plan = region("EU868")
    *_, wrong = judge.rx2(plan, 5, {plan.rx2(6): 2})
    assert wrong.level is Level.PROBLEM
    assert "SF7 at 250 kHz" in wrong.says


def test_a_profile_of_every_region_of_the_maker_fits_its_setting() -> None:
    for name in ("EU868", "US915", "AU915", "IN865", "AS923", "AS923_2", "AS923_3", "AS923_4"):
        profile = ProfileInfo("Kuando", name, "LORAWAN_1_0_3", False, True, 5)
        [finding] = judge.profiles([profile], region(name.lower()).name)
        assert finding.level is Level.OK


def test_a_disabled_light_is_never_called_right() -> None:
    off = DeviceState("a" * 16, "CLASS_C", NOW - 60, name="Desk 4", disabled=True)
    on = DeviceState("b" * 16, "CLASS_C", NOW - 60)
    told = next(judge.lights(2, [off, on], NOW, 3_600.0, "kuando"))
    assert told.level is Level.PROBLEM
    assert "Desk 4" in told.says
    assert "disabled" in told.says
    alone = [each.level for each in judge.lights(1, [off], NOW, 3_600.0, "kuando")]
    assert alone == [Level.PROBLEM]


def test_a_webhook_that_refuses_like_somebody_else_is_not_ours() -> None:
    assert judge.webhook(OURS, 400, "", ours=False).level is Level.PROBLEM
    assert judge.webhook(OURS, 422, "", ours=True).level is Level.OK
    for status in (301, 302, 307, 308):
        assert "redirect" in judge.webhook(OURS, status, "", ours=False).says


def test_urls_that_are_none_are_not_ours_and_break_nothing() -> None:
    found = list(judge.integrations({"app": HttpIntegration("a", f"http://[,junk,{OURS}", {})}))
    assert [each.level for each in found] == [Level.OK]
