"""Examples for the OpenAPI description, made from its schemas.

An example that is written by hand is wrong with the next field; one that is made from the schema is
not. What a field holds is known by its name (`_VALUES`), so that the examples are of one small
site. What is sent has to make sense as a whole and stands in `_BODIES`. Pure.
"""

from collections.abc import Mapping
from typing import Any

_REF = "#/components/schemas/"
_AT = 1_760_000_000.0
_DEV_EUI, _OTHER_DEV_EUI = "2020203907290902", "2020203907290903"
_GATEWAY = "0016c001f153a14c"
_COMMAND = "01K7A3VBZG4Q2N8W6E5T1R9YHC"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RED = {"red": 255, "green": 0, "blue": 0}
_GREEN = {"red": 0, "green": 255, "blue": 0}

_VALUES: Mapping[str, Any] = {
    "acknowledged_by": "alice",
    "actor_id": f"lights/{_DEV_EUI}",
    "alert_id": "01K7A3W0000000000000000000",
    "application": "Office",
    "application_id": "5b6d2b4e-4f7f-4e8a-9e6f-1c2d3e4f5a6b",
    "application_name": "Office",
    "attempt": 1,
    "attempts": 1,
    "as_wanted": True,
    "blue": 0,
    "capacity": 32,
    "boot": "5f0c",
    "by": "alice",
    "command_id": _COMMAND,
    "correlation_id": "order-4711",
    "cron": "0 7 * * 1-5",
    "days": 7.0,
    "depth": 0,
    "dev_addr": "01abcdef",
    "dev_eui": _DEV_EUI,
    "digest": _DIGEST,
    "failures_most": 5,
    "gateway": _GATEWAY,
    "gateway_id": _GATEWAY,
    "green": 0,
    "height": 800,
    "hours": 24.0,
    "keep": True,
    "kind": "light_silent",
    "limit": 100,
    "media_type": "image/png",
    "name": "Desk 02",
    "off": 0,
    "offset": 0,
    "on": 255,
    "order": 0,
    "ordered_by": "alice",
    "pace_per_min": 30.0,
    "part": None,
    "plan_id": "01K7A3X0000000000000000000",
    "profile_name": "Kuando Busylight",
    "reason": None,
    "red": 255,
    "refused": 0,
    "reported_current": True,
    "request_id": "order-4711",
    "restarts": 0,
    "revision": 3,
    "rollout_id": "01K7A3Y0000000000000000000",
    "rssi_dbm": -97,
    "run_id": "01K7A3Z0000000000000000000",
    "scene_name": "Night",
    "search": "Desk",
    "snr_db": 7.5,
    "software_rev": 5.8,
    "steps_omitted": 0,
    "subject": _DEV_EUI,
    "summary": "Desk 02 has been silent for an hour",
    "sw_rev": 58,
    "tag": "floor=2",
    "time_zone": "Europe/Berlin",
    "version": "0.2.0",
    "width": 1_200,
}
_OF_SCHEMA: Mapping[str, Mapping[str, Any]] = {
    "ActorNode": {"id": f"lights/{_DEV_EUI}"},
    "AlertShown": {"id": "01K7A3W0000000000000000000"},
    "CommandSummary": {"id": _COMMAND},
    "CommandView": {"id": _COMMAND},
    "DeviceSummary": {"command_id": None, "command_status": None, "reachable": True},
    "GatewayShown": {"name": "Roof"},
    "PlanDetail": {"id": "01K7A3X0000000000000000000", "name": "Ground floor"},
    "PlanHead": {"id": "01K7A3X0000000000000000000", "name": "Ground floor"},
    "RolloutDetail": {"id": "01K7A3Y0000000000000000000", "name": "Evening"},
    "RolloutView": {"id": "01K7A3Y0000000000000000000", "name": "Evening"},
    "SceneSummary": {"name": "Night"},
    "SceneView": {"name": "Night"},
    "ScheduleView": {"name": "Every morning"},
}
_WORDS: Mapping[str, str] = {
    "ChildState": "running",
    "CommandStatus": "verified",
    "Phase": "idle",
    "Reach": "reachable",
    "Scope": "operator",
    "State": "running",
    "StepKind": "verified",
}
"""Of each enumeration the usual one."""
_BODIES: Mapping[str, Any] = {
    "Acknowledgement": {"by": "alice"},
    "CalibrationRequest": {"sw_revs": [58], "lights": 3},
    "DownlinkRequest": {**_RED, "on": 5, "off": 5},
    "HookPatch": {"enabled": False},
    "HookRequest": {
        "name": "Facility desk",
        "url": "https://desk.example/lamplighter",
        "kinds": ["verdicts", "alerts"],
    },
    "InitializeRequest": {"force": False},
    "PlanChange": {"name": "Ground floor", "lights": {_DEV_EUI: [0.25, 0.4]}},
    "PlanCreate": {"name": "Ground floor"},
    "ReplayRequest": {"since": _AT},
    "RestoredStoreDecision": {"decision": "resume"},
    "RolloutAgain": {"pace_per_min": 10.0},
    "RolloutChange": {"state": "paused"},
    "RolloutRequest": {**_GREEN, "filter": {"tag": "floor=2"}, "name": "Evening"},
    "SceneApply": {"pace_per_min": 60.0},
    "SceneRequest": {
        "name": "Night",
        "parts": [{"light": _GREEN, "dev_euis": [_DEV_EUI]}, {"light": _RED, "tag": "floor=2"}],
    },
    "ScheduleRequest": {"name": "Every morning", "cron": "0 7 * * 1-5", "scene": "Night"},
}
_TEXTS: Mapping[str, str] = {
    "application/jsonl": '{"at":1760000000.0,"by":"alice","what":"command"}\n',
    "text/csv": "at,by,what\r\n2025-10-09T08:53:20Z,alice,command\r\n",
    "text/plain": "lamplighter_lights 2000\n",
}
_PARAMETERS: Mapping[str, Any] = {
    "by": "alice",
    "gateway_id": _GATEWAY,
    "name": "Night",
    "on": _DEV_EUI,
    "since": _AT - 86_400.0,
    "until": _AT,
}
_DEEP = 8
"""An actor has children, which have children."""


def example_of_answer(
    media_type: str, schema: Mapping[str, Any], components: Mapping[str, Any]
) -> Any:
    """What is answered; None for a file."""
    if media_type == "application/json":
        return example_of(schema, components)
    return _TEXTS.get(media_type)


def example_of_body(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    """What is sent: as it is known to make sense, else with what is required."""
    title = str(schema.get("title", ""))
    if title in _BODIES:
        return _BODIES[title]
    return example_of(schema, components, only_required=True)


def example_of_parameter(
    name: str, schema: Mapping[str, Any], components: Mapping[str, Any]
) -> Any:
    """What stands in a path or a query."""
    value = _PARAMETERS.get(name, _VALUES.get(name))
    if value is not None and _fits(value, schema):
        return value
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return example_of(kinds[0], components)


def example_of(
    schema: Mapping[str, Any],
    components: Mapping[str, Any],
    *,
    only_required: bool = False,
    name: str = "",
    inside: str = "",
    depth: int = 0,
) -> Any:
    """A value of this schema; `name` is the field that holds it, `inside` the schema of that."""

    def inner(one: Mapping[str, Any], name: str = name, inside: str = inside) -> Any:
        return example_of(
            one,
            components,
            only_required=only_required,
            name=name,
            inside=inside,
            depth=depth + 1,
        )

    known = _OF_SCHEMA.get(inside, {}).get(name, _VALUES.get(name, schema))
    if known is not schema and _fits(known, schema):
        return known
    if "$ref" in schema:
        referred = str(schema["$ref"]).removeprefix(_REF)
        if "enum" in (target := components.get(referred, {})):
            return _WORDS.get(referred, target["enum"][0])
        return inner(target, "", referred)
    if "anyOf" in schema:
        kinds = schema["anyOf"]
        timed = name.endswith("_at") and any(one.get("type") == "number" for one in kinds)
        if any(one.get("type") == "null" for one in kinds) and not timed and _is_plain(kinds):
            return None
        return inner(next(one for one in kinds if one.get("type") != "null"))
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            wanted = schema.get("properties", {})
            if only_required:
                wanted = {k: v for k, v in wanted.items() if k in schema.get("required", ())}
            title = str(schema.get("title", inside))
            return {key: inner(one, key, title) for key, one in wanted.items()}
        case "array":
            items, least = schema.get("items", {}), max(1, int(schema.get("minItems", 1)))
            one = name.removesuffix("s")
            return [] if depth > _DEEP or not items else [inner(items, one)] * least
        case "number":
            return _AT if name.endswith("_at") or name in {"at", "since", "now"} else 0.5
        case "integer":
            return max(1, int(schema.get("minimum", 1)))
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return name or "text"


def _is_plain(kinds: list[Mapping[str, Any]]) -> bool:
    return all("$ref" not in one for one in kinds)


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value that is known by its field's name is of this schema's type."""
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    if "$ref" in schema or "enum" in schema:
        return False
    match schema.get("type"):
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case _:
            return False
