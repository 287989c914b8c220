"""The dashboard as Grafana's classic JSON model, schema 39 (10.4); newer ones take it over."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from docs.generate.grafana.panel import Kind, Panel, Row
from docs.generate.grafana.rows_of_fleet import AIR, FLEET, GATEWAYS, RELIABILITY
from docs.generate.grafana.rows_of_service import CLUSTER, SERVICE

ROWS: Sequence[Row] = (FLEET, RELIABILITY, GATEWAYS, AIR, SERVICE, CLUSTER)
SCHEMA = 39
WIDTH = 24
HEIGHT, STAT_HEIGHT = 8, 4
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> str:
    """What `deploy/grafana.json` holds."""
    made = {
        "uid": "lamplighter",
        "title": "Lamplighter",
        "description": "Lights on LoRaWAN that show what they were told to show, with proof.",
        "tags": ["lamplighter", "lorawan"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_source(), _job()]},
        "panels": list(_placed()),
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
    }


def _job() -> dict[str, Any]:
    """One job is one fleet."""
    asked = "label_values(lamplighter_build_info, job)"
    return {
        "name": "job",
        "label": "Fleet",
        "type": "query",
        "datasource": SOURCE,
        "definition": asked,
        "query": {"query": asked, "refId": "job"},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
    }


def _placed() -> Iterator[dict[str, Any]]:
    """Rows below each other; their panels from left to right, and on below what is full."""
    number, y = 1, 0
    for row in ROWS:
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y},
            "panels": [],
        }
        number, y, x, tall = number + 1, y + 1, 0, 0
        for panel in row.panels:
            height = STAT_HEIGHT if panel.kind is Kind.STAT else HEIGHT
            if x + panel.width > WIDTH:
                x, y, tall = 0, y + tall, 0
            place = {"h": height, "w": panel.width, "x": x, "y": y}
            yield _panel(panel, number, place)
            number, x, tall = number + 1, x + panel.width, max(tall, height)
        y += tall


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "color": {"mode": "palette-classic" if panel.kind is Kind.TIME else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": _steps(panel)},
    }
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.kind is Kind.TIME:
        warned = panel.warn is not None or panel.alarm is not None
        defaults["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 25 if panel.stacked else 5,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if warned else "off"},
        }
    return {
        "id": number,
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel.kind),
        "targets": [
            {
                "refId": chr(ord("A") + count),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": ask.expr,
                "legendFormat": ask.legend,
                "range": panel.kind not in {Kind.STAT, Kind.BARS},
                "instant": panel.kind in {Kind.STAT, Kind.BARS},
            }
            for count, ask in enumerate(panel.asks)
        ],
    }


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """Colours from below upwards; the first has no value."""
    ends = [("orange", panel.warn), ("red", panel.alarm)]
    known = [(colour, value) for colour, value in ends if value is not None]
    if not panel.falling:
        return [_step("green", None), *(_step(colour, value) for colour, value in known)]
    # below the lowest it is worst: each colour reaches up to where the better one begins
    upward = sorted(known, key=lambda one: one[1])
    colours = [*(colour for colour, _ in upward), "green"]
    values = [None, *(value for _, value in upward)]
    return [_step(colour, value) for colour, value in zip(colours, values, strict=True)]


def _step(colour: str, value: float | None) -> dict[str, Any]:
    return {"color": colour, "value": value}


def _options(kind: Kind) -> dict[str, Any]:
    newest = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match kind:
        case Kind.STAT:
            return {"reduceOptions": newest, "colorMode": "value", "graphMode": "none"}
        case Kind.BARS:
            return {"reduceOptions": newest, "orientation": "horizontal", "displayMode": "basic"}
        case Kind.STATES:
            return {"showValue": "never", "mergeValues": True, "rowHeight": 0.8}
        case Kind.TIME:
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
