"""deploy/grafana.json: what Grafana's classic model asks of one, and valid PromQL."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs.generate.parts import ROOT
from tests.support.prometheus import promtool

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
ROWS: list[dict[str, Any]] = [one for one in DASHBOARD["panels"] if one["type"] == "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
COLUMNS = 24
UNITS = {"short", "s", "percentunit", "bytes", "reqps", "cps"}
"""Those of Grafana's that are used; an unknown one would be shown behind each number."""


def names(panel: dict[str, Any]) -> str:
    return str(panel["title"])


def test_it_is_a_dashboard_of_the_schema_that_it_names() -> None:
    assert DASHBOARD["schemaVersion"] == 39
    assert DASHBOARD["uid"] == "lamplighter"
    assert "id" not in DASHBOARD, "Grafana numbers what it takes in"
    assert DASHBOARD["time"] == {"from": "now-6h", "to": "now"}
    assert [one["title"] for one in ROWS] == [
        "Fleet",
        "Reliability",
        "Gateways",
        "Air",
        "Service",
        "Cluster (several processes)",
    ]


def test_where_it_reads_from_and_which_fleet_is_chosen_on_it() -> None:
    source, job = DASHBOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    assert (job["name"], job["type"]) == ("job", "query")
    assert job["query"]["query"] == "label_values(lamplighter_build_info, job)"
    used = {"type": "prometheus", "uid": "${datasource}"}
    assert job["datasource"] == used
    for panel in PANELS:
        assert panel["datasource"] == used
        assert all(target["datasource"] == used for target in panel["targets"])


def test_panels_have_numbers_of_their_own_and_lie_beside_each_other() -> None:
    numbers = [one["id"] for one in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        across = range(place["x"], place["x"] + place["w"])
        assert across.stop <= COLUMNS
        down = range(place["y"], place["y"] + place["h"])
        cells = set(itertools.product(across, down))
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", PANELS, ids=names)
def test_each_panel_says_what_it_shows_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["type"] in {"stat", "timeseries", "state-timeline", "bargauge"}
    assert panel["description"].endswith(".")
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    first, *steps = defaults["thresholds"]["steps"]
    assert first["value"] is None
    values = [step["value"] for step in steps]
    assert values == sorted(values)
    assert all(step["color"] in {"green", "orange", "red"} for step in (first, *steps))
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == sorted(set(letters))
    assert letters[0] == "A"


def test_where_less_is_worse_the_lowest_is_red() -> None:
    [verified] = [one for one in PANELS if one["title"] == "Commands verified"]
    assert verified["fieldConfig"]["defaults"]["thresholds"]["steps"] == [
        {"color": "red", "value": None},
        {"color": "orange", "value": 0.9},
        {"color": "green", "value": 0.99},
    ]


def test_every_expression_is_promql_and_of_the_chosen_fleet(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": chosen(expr)}
        for number, expr in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "panels.yml"  # JSON is YAML, too
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout
    assert f"{len(rules)} rules found" in done.stdout
    for expr in EXPRESSIONS:
        selected = re.findall(r"\b(?:lamplighter|process)_\w+(\{[^}]*\})?", expr)
        assert selected
        assert all('job="$job"' in one for one in selected), expr


def chosen(expr: str) -> str:
    """As Grafana asks, once a fleet is chosen."""
    return expr.replace("$job", "lamplighter").replace("$__rate_interval", "5m")
