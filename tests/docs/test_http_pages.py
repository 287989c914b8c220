"""docs/http.md against the app: each route, scope, status, problem and field that it names."""

import json
import re
from typing import Any

import pytest

from api.http.problems import KINDS
from api.models.columns import EVENTS
from docs.generate.http import EVERYWHERE, Route, every_route
from docs.generate.parts import ROOT
from docs.generate.service import openapi
from docs.generate.settings import every_setting
from lorawan.network import GatewayState

TEXT = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
ROUTES = {f"{route.method} {route.path}": route for route in every_route()}
STATUS_OF = {kind.slug: kind.status for kind in KINDS}


def sections() -> dict[str, str]:
    """The text below each heading that is a route."""
    parts = re.split(r"^### `([A-Z]+ /[^`]*)`$", TEXT, flags=re.MULTILINE)
    texts = [re.split(r"^##+ ", text, flags=re.MULTILINE)[0] for text in parts[2::2]]
    return dict(zip(parts[1::2], texts, strict=True))


SECTIONS = sections()


def known_words() -> set[str]:
    """Every name that means something in the API."""
    words = {state.value for state in GatewayState} | set(EVENTS)

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            words.update(value.get("properties", {}))
            words.update(each for each in value.get("enum", ()) if isinstance(each, str))
            if isinstance(value.get("name"), str):
                words.add(value["name"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(openapi())
    return words


def test_every_route_has_a_section_and_every_section_a_route() -> None:
    assert sorted(SECTIONS) == sorted(ROUTES)


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_section_names_only_problems_that_its_route_has(name: str) -> None:
    route, slugs = ROUTES[name], set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", SECTIONS[name]))
    assert slugs & set(STATUS_OF) <= {*route.problems, *EVERYWHERE, *_other_words(route)}


def _other_words(route: Route) -> set[str]:
    """Words that are a problem's name and something else, too."""
    return {"expired", "rejected", "superseded", "withdrawn", "parked"}


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_section_names_only_statuses_that_its_route_has(name: str) -> None:
    text = SECTIONS[name]
    told = {int(found) for found in re.findall(r"^\| (\d{3})\b", text, re.MULTILINE)}
    told |= {int(found) for found in re.findall(r"\b(\d{3}) (?:with|or|when|where|`)", text)}
    assert told <= {*ROUTES[name].statuses}


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_section_names_the_scope_of_its_route(name: str) -> None:
    told = re.findall(r"[Ss]cope\s+`([a-z]+)`", SECTIONS[name])
    assert set(told) <= {ROUTES[name].scope}
    if ROUTES[name].scope == "operator":
        assert told, "who may do this is said where it is described"


def test_each_status_stands_beside_a_problem_of_that_status() -> None:
    pairs = [
        (int(status), slug)
        for status, slugs in re.findall(r"\b([45]\d\d)((?: `[a-z-]+`,?)+)", TEXT)
        for slug in re.findall(r"`([a-z-]+)`", slugs)
    ]
    assert len(pairs) > 30
    assert [(status, slug) for status, slug in pairs if STATUS_OF.get(slug) != status] == []


def test_the_table_of_errors_is_that_of_the_code() -> None:
    table = TEXT[TEXT.index("| `type` =") :].split("\n\n")[0]
    told = {
        slug: statuses
        for slugs, statuses in re.findall(r"^\| (`[^|]*) \| ([\d, ]+) \|", table, re.MULTILINE)
        for slug in re.findall(r"`([a-z-]+)`", slugs)
    }
    assert sorted(told) == sorted(STATUS_OF)
    wrong = [s for s, each in told.items() if str(STATUS_OF[s]) not in each.split(", ")]
    assert wrong == []


def test_every_field_that_is_named_exists() -> None:
    settings = {setting.name for setting in every_setting()}
    words = set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", TEXT))
    assert sorted(words - known_words()) == []
    dotted = set(re.findall(r"`((?:web|policy|gateways|radio|alerts|store)\.[a-z_.0-9]+)`", TEXT))
    assert sorted(name for name in dotted if not any(s.startswith(name) for s in settings)) == []


def test_every_field_that_the_pages_read_exists() -> None:
    wire = (ROOT / "api" / "static" / "app" / "base" / "wire.js").read_text(encoding="utf-8")
    told = set(re.findall(r"@property \{[^}]*\} \[?([a-z0-9_]+)", wire))
    assert len(told) > 80
    assert sorted(told - known_words()) == []


def test_every_example_has_the_fields_of_what_it_shows() -> None:
    schemas = openapi()["components"]["schemas"]
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
    rollout, plan, problem = shown
    assert set(plan) == set(schemas["PlanDetail"]["properties"])
    assert list(rollout) == list(schemas["RolloutView"]["properties"])
    assert set(problem) <= set(schemas["ProblemView"]["properties"])
