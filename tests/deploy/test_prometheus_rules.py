"""deploy/alerts.yml: each alert fires when what it tells of holds, and none while all is well.

The rules are evaluated by promtool, over an hour and a half of pretended samples: of a fleet of one
process and a fleet of two, for each case.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from actors.alerts.finding import AlertKind
from api.guide.pages import rendered
from docs.generate.parts import ROOT
from tests.support.prometheus import promtool

RULES = ROOT / "deploy" / "alerts.yml"
TEXT = RULES.read_text(encoding="utf-8")
NAMES = re.findall(r"^ +- alert: (\w+)$", TEXT, re.MULTILINE)
SITE = "https://lights.example.org"
ONE = f'job="lamplighter", site="{SITE}", instance="a:8080"'
NORTH = f'job="lamplighter-halls", site="{SITE}", instance="north:8080"'
SOUTH = f'job="lamplighter-halls", site="{SITE}", instance="south:8080"'
INTERVAL, SAMPLES = "2m", 45
AT = "84m"

Series = Mapping[str, str]


def steady(value: float) -> str:
    return f"{value}x{SAMPLES}"


def rising(by: float) -> str:
    return f"0+{by}x{SAMPLES}"


def then(before: float, after: float) -> str:
    """It changes after an hour."""
    return f"{before}x29 {after}x15"


def process(labels: str) -> dict[str, str]:
    """What each process tells while all is well."""
    return {
        f"up{{{labels}}}": steady(1),
        f'lamplighter_build_info{{{labels}, version="0.2.0"}}': steady(1),
        f"lamplighter_ready{{{labels}}}": steady(1),
        f"lamplighter_event_stream_connected{{{labels}}}": steady(1),
        f"lamplighter_journal_healthy{{{labels}}}": steady(1),
        f'lamplighter_journal_commit_seconds_bucket{{{labels}, le="0.05"}}': rising(100),
        f'lamplighter_journal_commit_seconds_bucket{{{labels}, le="1.0"}}': rising(100),
        f'lamplighter_journal_commit_seconds_bucket{{{labels}, le="+Inf"}}': rising(100),
        f"process_start_time_seconds{{{labels}}}": steady(1_000),
        f"process_open_fds{{{labels}}}": steady(40),
        f"process_max_fds{{{labels}}}": steady(1_024),
        f'lamplighter_actor_restarts_total{{{labels}, actor="device"}}': steady(3),
        f'lamplighter_commands_total{{{labels}, verdict="verified"}}': rising(1),
        f'lamplighter_commands_total{{{labels}, verdict="expired"}}': steady(1),
        f'lamplighter_commands_total{{{labels}, verdict="rejected"}}': steady(0),
        f'lamplighter_time_to_verify_seconds_bucket{{{labels}, le="10.0"}}': rising(1),
        f'lamplighter_time_to_verify_seconds_bucket{{{labels}, le="300.0"}}': rising(1),
        f'lamplighter_time_to_verify_seconds_bucket{{{labels}, le="+Inf"}}': rising(1),
        f"lamplighter_time_to_verify_seconds_count{{{labels}}}": rising(1),
    }


def fleet(labels: str) -> dict[str, str]:
    """What one process tells of the whole fleet while all is well; some lights are never."""
    reach = {"reachable": 90, "silent": 4, "no_gateway_online": 1, "never_heard": 30, "disabled": 5}
    gateway = f'{labels}, gateway_id="g1"'
    return {
        f'lamplighter_devices{{{labels}, phase="idle"}}': steady(120),
        f'lamplighter_devices{{{labels}, phase="failed"}}': steady(10),
        **{
            f'lamplighter_devices_by_reachability{{{labels}, reachability="{one}"}}': steady(count)
            for one, count in reach.items()
        },
        f"lamplighter_uplink_newest_age_seconds{{{labels}}}": steady(20),
        f'lamplighter_commands_oldest_age_seconds{{{labels}, pursuit="working"}}': steady(4),
        f'lamplighter_commands_oldest_age_seconds{{{labels}, pursuit="overdue"}}': steady(80_000),
        f"lamplighter_commands_overdue{{{labels}}}": steady(6),
        **{
            f'lamplighter_alerts_open_by_kind{{{labels}, kind="{kind.value}"}}': steady(0)
            for kind in AlertKind
        },
        f'lamplighter_gateways{{{labels}, state="online"}}': steady(3),
        f'lamplighter_gateways{{{labels}, state="offline"}}': steady(1),
        f'lamplighter_gateway_info{{{gateway}, name="Roof"}}': steady(1),
        f"lamplighter_gateway_airtime_seconds{{{gateway}}}": steady(200),
        f"lamplighter_gateway_airtime_budget_seconds{{{gateway}}}": steady(352),
        f"lamplighter_dispatcher_gateways_unproven{{{labels}}}": steady(0),
        f"lamplighter_mqtt_connected{{{labels}}}": steady(1),
    }


def member(labels: str, here: int) -> dict[str, str]:
    """What a process of several tells of the others while all is well."""
    return {
        f'lamplighter_cluster_shards{{{labels}, state="owned"}}': steady(65),
        f'lamplighter_cluster_shards{{{labels}, state="unowned"}}': steady(0),
        f"lamplighter_cluster_fleet_here{{{labels}}}": steady(here),
        f"lamplighter_cluster_engine_silent_seconds{{{labels}}}": steady(0.4),
        f"lamplighter_cluster_behind_seconds{{{labels}}}": steady(0.2),
    }


WELL: Series = {
    **process(ONE),
    **fleet(ONE),
    **process(NORTH),
    **fleet(NORTH),
    **member(NORTH, 1),
    **process(SOUTH),
    **member(SOUTH, 0),
}


class Case(NamedTuple):
    """Samples that differ from those of a good day, and what fires then: severity and labels."""

    changed: Series
    severity: str
    labels: str


FLEET = f'job="lamplighter", site="{SITE}"'
HALLS = f'job="lamplighter-halls", site="{SITE}"'


def kind(name: str) -> str:
    return f'lamplighter_alerts_open_by_kind{{{ONE}, kind="{name}"}}'


def verdicts(name: str) -> str:
    return f'lamplighter_commands_total{{{ONE}, verdict="{name}"}}'


def verify(le: str) -> str:
    return f'lamplighter_time_to_verify_seconds_bucket{{{ONE}, le="{le}"}}'


def committed(le: str) -> str:
    return f'lamplighter_journal_commit_seconds_bucket{{{ONE}, le="{le}"}}'


CASES: Mapping[str, Case] = {
    "LamplighterDown": Case({f"up{{{ONE}}}": then(1, 0)}, "critical", ONE),
    "LamplighterFleetUntold": Case(
        {
            f'lamplighter_devices{{{NORTH}, phase="{phase}"}}': "1x29 stale"
            for phase in ("idle", "failed")
        }
        | {f"lamplighter_cluster_fleet_here{{{NORTH}}}": steady(0)},
        "critical",
        HALLS,
    ),
    "LamplighterTwoDispatchers": Case(
        {f"lamplighter_cluster_fleet_here{{{SOUTH}}}": then(0, 1)}, "critical", HALLS
    ),
    "LamplighterNotReady": Case({f"lamplighter_ready{{{ONE}}}": then(1, 0)}, "warning", ONE),
    "LamplighterStreamUnread": Case(
        {f"lamplighter_event_stream_connected{{{SOUTH}}}": then(1, 0)}, "warning", SOUTH
    ),
    "LamplighterStoreFailing": Case(
        {f"lamplighter_journal_healthy{{{ONE}}}": then(1, 0)}, "critical", ONE
    ),
    "LamplighterStoreSlow": Case(
        {committed("0.05"): steady(0), committed("1.0"): rising(50)}, "warning", ONE
    ),
    "LamplighterRestarts": Case(
        {f"process_start_time_seconds{{{ONE}}}": "1000x24 2000x2 3000x2 4000x2 5000x12"},
        "warning",
        ONE,
    ),
    "LamplighterActorsCrash": Case(
        {f'lamplighter_actor_restarts_total{{{ONE}, actor="device"}}': rising(2)},
        "warning",
        f'{FLEET}, actor="device"',
    ),
    "LamplighterFilesUsedUp": Case({f"process_open_fds{{{ONE}}}": steady(1_000)}, "warning", ONE),
    "LamplighterShardUnowned": Case(
        {
            f'lamplighter_cluster_shards{{{one}, state="{state}"}}': values
            for one in (NORTH, SOUTH)
            for state, values in (("owned", then(65, 44)), ("unowned", then(0, 21)))
        },
        "critical",
        HALLS,
    ),
    "LamplighterEngineSilent": Case(
        {f"lamplighter_cluster_engine_silent_seconds{{{SOUTH}}}": "0x29 0+120x15"},
        "critical",
        SOUTH,
    ),
    "LamplighterBehind": Case(
        {f"lamplighter_cluster_behind_seconds{{{SOUTH}}}": then(0, 30)}, "warning", SOUTH
    ),
    "LamplighterTrouble": Case(
        {kind("webhooks_missing"): then(0, 1)}, "critical", f'{FLEET}, kind="webhooks_missing"'
    ),
    "LamplighterWarning": Case(
        {kind("gateway_offline"): then(0, 2)}, "warning", f'{FLEET}, kind="gateway_offline"'
    ),
    "LamplighterNotice": Case(
        {kind("light_silent"): then(0, 2)}, "info", f'{FLEET}, kind="light_silent"'
    ),
    "LamplighterManySilent": Case(
        {
            f'lamplighter_devices_by_reachability{{{ONE}, reachability="no_gateway_online"}}': (
                then(1, 40)
            )
        },
        "critical",
        FLEET,
    ),
    "LamplighterNothingHeard": Case(
        {f"lamplighter_uplink_newest_age_seconds{{{ONE}}}": rising(120)}, "critical", FLEET
    ),
    "LamplighterCommandWaits": Case(
        {f'lamplighter_commands_oldest_age_seconds{{{ONE}, pursuit="working"}}': rising(120)},
        "warning",
        FLEET,
    ),
    "LamplighterCommandsFail": Case({verdicts("expired"): rising(0.25)}, "critical", FLEET),
    "LamplighterManyOverdue": Case(
        {f"lamplighter_commands_overdue{{{ONE}}}": then(6, 30)}, "warning", FLEET
    ),
    "LamplighterSlowToVerify": Case({verify("10.0"): rising(0.4)}, "warning", FLEET),
    "LamplighterNoGatewayOnline": Case(
        {
            f'lamplighter_gateways{{{ONE}, state="online"}}': then(3, 0),
            f'lamplighter_gateways{{{ONE}, state="offline"}}': then(1, 4),
        },
        "critical",
        FLEET,
    ),
    "LamplighterAirtimeUsedUp": Case(
        {f'lamplighter_gateway_airtime_seconds{{{ONE}, gateway_id="g1"}}': then(200, 340)},
        "warning",
        f'{FLEET}, gateway_id="g1", name="Roof"',
    ),
    "LamplighterGatewayUnanswered": Case(
        {f"lamplighter_dispatcher_gateways_unproven{{{ONE}}}": then(0, 1)}, "warning", FLEET
    ),
    "LamplighterBridgeDown": Case(
        {f"lamplighter_mqtt_connected{{{ONE}}}": then(1, 0)}, "warning", FLEET
    ),
}
QUIET: Mapping[str, Series] = {
    "few": {verdicts("verified"): "0x40 10x4", verdicts("expired"): "0x40 8x4"},
    "cut-off": {
        f'lamplighter_cluster_shards{{{SOUTH}, state="owned"}}': then(65, 0),
        f'lamplighter_cluster_shards{{{SOUTH}, state="unowned"}}': then(0, 65),
    },
}
"""No alert either: too few commands for a share; a process that knows of no owner, and is alone."""


def place(name: str, changed: Series) -> Series:
    """The samples of both fleets on such a day, as jobs of their own."""
    return {renamed(name, one): values for one, values in {**WELL, **changed}.items()}


def renamed(name: str, labels: str) -> str:
    return labels.replace('job="lamplighter', f'job="lamplighter-{name}')


def fires(name: str, case: Case) -> str:
    fixed = f'alertname="{name}", alertstate="firing", severity="{case.severity}"'
    return f"{fixed}, {renamed(name, case.labels)}"


def checked(folder: Path, series: Series, firing: Sequence[str], *told: dict[str, Any]) -> str:
    """What promtool says where these are not all that fires at the end; else nothing."""
    expected = [{"labels": f"ALERTS{{{labels}}}", "value": 1} for labels in firing]
    firing_now = 'ALERTS{alertstate="firing"}'
    test = {
        "interval": INTERVAL,
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [{"expr": firing_now, "eval_time": AT, "exp_samples": expected}],
        "alert_rule_test": told,
    }
    path = folder / "alerts_test.yml"  # JSON is YAML, too
    made = {"rule_files": [str(RULES)], "evaluation_interval": INTERVAL, "tests": [test]}
    path.write_text(json.dumps(made), encoding="utf-8")
    done = promtool("test", "rules", str(path))
    return "" if done.returncode == 0 else done.stdout


def test_the_rules_are_valid() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    assert done.returncode == 0, done.stdout


def test_each_alert_fires_alone_when_what_it_tells_of_holds_and_none_while_all_is_well(
    tmp_path: Path,
) -> None:
    assert sorted(CASES) == sorted(NAMES), "each alert has its case"
    series = dict(place("well", {}))
    for name, changed in QUIET.items():
        series |= place(name, changed)
    for name, one in CASES.items():
        assert set(one.changed) <= set(WELL), "a sample that nobody tells"
        series |= place(name, one.changed)
    assert checked(tmp_path, series, [fires(name, one) for name, one in CASES.items()]) == ""


def test_what_is_said_names_the_fleet_and_leads_to_the_paragraph(tmp_path: Path) -> None:
    name, case = "LamplighterWarning", CASES["LamplighterWarning"]
    job = f"lamplighter-{name}"
    said = {
        "exp_labels": {"job": job, "site": SITE, "kind": "gateway_offline", "severity": "warning"},
        "exp_annotations": {
            "summary": f"{job}: gateway offline (2 open)",
            "description": "The page Alerts says of what, since when, and what to do.",
            "runbook_url": f"{SITE}/help/operations#alert-gateway-offline",
        },
    }
    told = {"eval_time": AT, "alertname": name, "exp_alerts": [said]}
    series = place(name, case.changed)
    assert checked(tmp_path, series, [fires(name, case)], told) == ""
    assert "FAILED" in checked(tmp_path, series, [])  # what does not hold is noticed


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_is_told_in_words_with_a_link_to_the_guide(name: str) -> None:
    rule = TEXT.split(f"- alert: {name}\n")[1].split("- alert: ")[0]
    for word in ("severity:", "summary:", "description:"):
        assert f" {word}" in rule
    [(chapter, anchor)] = re.findall(r'runbook_url: "{{ \$labels.site }}/help/(\w+)#(.+)"', rule)
    if "{{" in anchor:
        return  # by kind: the next test
    assert anchor in rendered(chapter).anchors


def test_each_kind_of_alert_is_told_by_one_rule_and_has_its_paragraph() -> None:
    told = [kind for found in re.findall(r'kind=~"([^"]+)"', TEXT) for kind in found.split("|")]
    assert sorted(told) == sorted(kind.value for kind in AlertKind)
    anchors = {f"alert-{one.replace('_', '-')}" for one in told}
    assert anchors <= rendered("operations").anchors
