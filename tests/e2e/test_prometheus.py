"""A real Prometheus reads a real service, answers what the dashboard asks, judges the alerts."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from actors.alerts.finding import AlertKind
from docs.generate.parts import ROOT
from lorawan.network import HttpIntegration
from tests.support.mosquitto import Mosquitto
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.processes import Running
from tests.support.prometheus import Prometheus
from tests.support.redis_server import RedisServer

TOKEN, ORDERS, EVENTS = (
    "token-of-prometheus-alone",
    "token-of-who-gives-orders",
    "token-of-chirpstack-alone",
)
START_S = 90.0
RED = {"red": 255, "green": 0, "blue": 0}
RULES = ROOT / "deploy" / "alerts.yml"
DASHBOARD = (ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8")
EXPRESSIONS = [
    target["expr"].replace("$job", "lamplighter").replace("$__rate_interval", "1m")
    for panel in json.loads(DASHBOARD)["panels"]
    for target in panel.get("targets", ())
]
ADDED = re.compile(r"_(bucket|count|sum)$")
"""What a histogram's name gets for its samples."""


def scraped(site: Site) -> dict[str, Any]:
    """As docs/monitoring.md tells it, but more often."""
    address = site.url.removeprefix("http://")
    target = {"targets": [address], "labels": {"site": site.url}}
    scrape = {
        "job_name": "lamplighter",
        "authorization": {"credentials": TOKEN},
        "static_configs": [target],
    }
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    return {"global": often, "rule_files": [str(RULES)], "scrape_configs": [scrape]}


def asked_for() -> set[str]:
    """Every metric that the dashboard or an alert names."""
    text = DASHBOARD + RULES.read_text(encoding="utf-8")
    found = re.findall(r"\b((?:lamplighter|process)_[a-z_]+)\b(?=[^a-z_-])", text)
    return {ADDED.sub("", name) for name in found} - set(AlertKind)


@pytest.mark.timeout(240)
async def test_prometheus_reads_all_that_dashboard_and_alerts_ask_for_and_no_alert_fires(
    tmp_path: Path,
) -> None:
    async with pretend_site() as site:
        url = f"{site.url}/api/v1/webhooks/chirpstack"
        allowed = {"Authorization": f"Bearer {EVENTS}"}
        site.poster.set_up("", HttpIntegration("", url, headers=allowed))
        with (
            RedisServer() as valkey,
            Mosquitto() as broker,
            Prometheus(scraped(site)) as prometheus,
        ):
            config = site.config(
                tmp_path,
                valkey.url,
                tokens={"viewer": [TOKEN], "operator": [ORDERS], "webhook": [EVENTS]},
                **{
                    "chirpstack.events": {"url": valkey.url},
                    "mqtt": {"url": broker.url},
                },
            )
            with Running(tmp_path, "serve", "--config", str(config)) as service:
                await verified_once(site, service)
                headers = {"authorization": f"Bearer {TOKEN}"}
                async with httpx2.AsyncClient(timeout=30.0) as http:
                    assert (await http.get(f"{site.url}/metrics")).status_code == 401
                    answer = await http.get(f"{site.url}/metrics", headers=headers)
                    told = set(re.findall(r"^# TYPE (\w+) ", answer.text, re.MULTILINE))
                    assert asked_for() - told == set()
                    await judged(http, prometheus)


async def verified_once(site: Site, service: Running) -> None:
    """The service is ready, and a light has proven a colour."""
    dev_eui = next(iter(site.world.stations))
    headers = {"authorization": f"Bearer {ORDERS}"}
    async with httpx2.AsyncClient(base_url=site.url, timeout=120.0, headers=headers) as http:

        async def ready() -> bool:
            assert service.process is not None
            assert service.process.poll() is None, service.errors
            if (await http.get("/readyz")).status_code != 200:
                return False
            known = (await http.get("/api/v1/devices")).json()["devices"]
            return len(known) == 2 and all(one["phase"] == "idle" for one in known)

        await until("ready, and both lights have their settings", ready, START_S)
        done = await http.post(f"/api/v1/downlink/{dev_eui}", json=RED)
        assert done.status_code == 200, done.text


async def judged(http: httpx2.AsyncClient, prometheus: Prometheus) -> None:
    """Prometheus has read it and answers what the dashboard asks; each rule is well and silent."""

    async def ask(expr: str) -> list[dict[str, Any]]:
        answer = (await http.get(f"{prometheus.url}/api/v1/query", params={"query": expr})).json()
        assert answer["status"] == "success", (expr, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def rules() -> list[dict[str, Any]]:
        answer = (await http.get(f"{prometheus.url}/api/v1/rules")).json()
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]

    async def counted() -> bool:
        # two scrapes of it, for whatever is told as a rate
        lights = await ask("min_over_time(sum(lamplighter_devices)[3s:1s]) == 2")
        return bool(lights) and all(rule["health"] == "ok" for rule in await rules())

    await until("scraped and judged", counted, START_S)
    empty = [expr for expr in EXPRESSIONS if not await ask(expr)]
    assert [expr for expr in empty if not may_be_empty(expr)] == []
    firing = [rule["name"] for rule in await rules() if rule["state"] == "firing"]
    assert firing == []


def may_be_empty(expr: str) -> bool:
    """What has no sample at two lights that just began: nothing learned, graded or alerted."""
    rare = (
        "grade",
        "learner_",
        "answer_",
        "pace_",
        "alerts_open_by_kind",
        "airtime_budget",
        "actor_restarts",
    )
    return any(one in expr for one in rare)
