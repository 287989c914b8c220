"""What callers see, as flat lists of names and types that two versions can be compared by.

It imports nothing of Lamplighter, so that the surface of an old version is read by the same code.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Flat = dict[str, str]

ANSWER = re.compile(r"[2-5]\d\d( |$)")
KEYS = ("entry", "id", "dev_eui", "gateway_id")
"""By these the elements of a list are found again."""


def http(description: Mapping[str, Any]) -> dict[str, Flat]:
    """For each operation of an OpenAPI description the type of every name in it.

    `? NAME` is a parameter, `> FIELD` a field of the body (`!` behind it: required), and
    `200 FIELD` one of an answer.
    """
    found = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            flat: Flat = {
                "scope": " ".join(sorted(key for one in operation["security"] for key in one))
            }
            for one in operation["parameters"]:
                mark = "!" if one.get("required") else ""
                flat[f"? {one['in']} {one['name']}{mark}"] = _type(one["schema"], description)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name, kind in _fields(content["schema"], description, "", marked=True):
                    flat[f"> {name}"] = kind
            for status, answer in operation["responses"].items():
                flat[status] = " ".join(sorted(re.findall(r"urn:[\w:-]+", answer["description"])))
                contents = answer.get("content", {})
                for media_type, content in contents.items():
                    if media_type == "application/problem+json":
                        continue  # the same everywhere; its kinds are told above
                    if media_type != "application/json" and "application/json" in contents:
                        continue  # for who asks for it: JSON stays what everybody is answered
                    for name, kind in _fields(content["schema"], description, ""):
                        flat[f"{status} {name}"] = kind
            found[f"{method.upper()} {path}"] = flat
    return found


def _resolved(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = description
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _alternatives(
    schema: Mapping[str, Any], description: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    schema = _resolved(schema, description)
    for one in schema.get("anyOf", schema.get("oneOf", [schema])):
        inner = _resolved(one, description)
        yield from _alternatives(inner, description) if "anyOf" in inner else (inner,)


def _type(schema: Mapping[str, Any], description: Mapping[str, Any]) -> str:
    found = set()
    for one in _alternatives(schema, description):
        if "enum" in one:
            found |= {repr(value) for value in one["enum"]}
        else:
            kinds = one.get("type", "any")
            found |= {kinds} if isinstance(kinds, str) else set(kinds)
    return " ".join(sorted(found))


def _fields(
    schema: Mapping[str, Any],
    description: Mapping[str, Any],
    name: str,
    *,
    marked: bool = False,
    depth: int = 8,
) -> Iterator[tuple[str, str]]:
    yield name or "(all)", _type(schema, description)
    for one in _alternatives(schema, description) if depth else ():
        for key, inner in one.get("properties", {}).items():
            mark = "!" if marked and key in one.get("required", ()) else ""
            place = f"{name}.{key}{mark}".removeprefix(".")
            yield from _fields(inner, description, place, marked=marked, depth=depth - 1)
        if isinstance(inner := one.get("items"), dict):
            yield from _fields(inner, description, f"{name}[]", marked=marked, depth=depth - 1)
        if isinstance(inner := one.get("additionalProperties"), dict):
            yield from _fields(inner, description, f"{name}.*", marked=marked, depth=depth - 1)


def message(value: Any, name: str = "") -> Flat:
    """The types of a JSON message by place; of a list those of all its elements."""
    found: dict[str, set[str]] = {}
    _walk(value, name, found)
    return {place: " ".join(sorted(kinds)) for place, kinds in sorted(found.items())}


def _walk(value: Any, name: str, found: dict[str, set[str]]) -> None:
    kind = "null" if value is None else type(value).__name__
    found.setdefault(name, set()).add("number" if kind in {"int", "float"} else kind)
    if isinstance(value, dict):
        for key, inner in value.items():
            _walk(inner, f"{name}.{key}".removeprefix("."), found)
    if isinstance(value, list):
        for inner in value:
            _walk(inner, f"{name}[]", found)


def commands(command: Any, path: str = "lamplighter") -> dict[str, Flat]:
    """For each verb its options (all spellings, and the variable) and its arguments, in order.

    `command` is Typer's, whose classes are Click's or its own, by its version.
    """
    found: dict[str, Flat] = {}
    for name, inner in getattr(command, "commands", {}).items():
        found |= commands(inner, f"{path} {name}")
    flat: Flat = {}
    for order, one in enumerate(command.params):
        shape = "flag" if getattr(one, "is_flag", False) else f"values: {one.nargs}"
        if one.opts[0].startswith("-"):
            flat |= dict.fromkeys((*one.opts, *one.secondary_opts), shape)
        else:
            flat[f"argument {order}"] = f"{one.name} {shape}{' required' if one.required else ''}"
        if one.envvar is not None:
            flat[f"${one.envvar}"] = shape
    return {path: flat} | found


def settings(model: type[BaseModel]) -> Flat:
    """Every setting by its place in the file, with its default."""
    found: Flat = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {f"{name}.{inner}": value for inner, value in settings(kind).items()}
        elif hasattr(kind, "__dataclass_fields__"):
            default = field.default
            found |= {f"{name}.{one}": repr(getattr(default, one)) for one in default.__slots__}
        else:
            found[name] = "required" if field.is_required() else repr(field.default)
    return found


def metrics(text: str) -> Flat:
    """The families of a page of Prometheus, each with its kind and the names of its labels."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels: dict[str, set[str]] = {name: set() for name in kinds}
    for line in text.splitlines():
        if match := re.match(r"([a-z_]+)\{(.*)\} ", line):
            family = re.sub(r"_(bucket|sum|count|total|created)$", "", match[1])
            for known in (match[1], family, f"{family}_total"):
                if known in labels:
                    labels[known] |= set(re.findall(r'(\w+)="', match[2])) - {"le"}
    return {
        name: f"{kind} {' '.join(sorted(labels[name]))}".strip() for name, kind in kinds.items()
    }


def broken(old: Flat, new: Flat, where: str, changed: Mapping[str, str]) -> list[str]:
    """Names of `old` that are missing in `new` or of another type, but for those that were changed
    on purpose.

    What is sent may be of more types than before, what is answered may not; but an answer's words
    (enumerations) and the kinds of problems may grow.
    """
    found = []
    for name, kind in old.items():
        place = f"{where} {name}"
        if any(re.fullmatch(pattern, place) for pattern in changed):
            continue
        if name not in new:
            found.append(f"{place} is missing")
        elif not set(kind.split()) <= set(new[name].split()):
            found.append(f"{place} was {kind}, is {new[name]}")
        elif ANSWER.match(name) and _kinds(new[name]) - _kinds(kind):
            found.append(f"{place} was {kind}, may be {new[name]}")
    return found


def _kinds(kinds: str) -> set[str]:
    return {"string" if kind[0] in "'u" else kind for kind in kinds.split()}


def unlike(old: Flat, new: Flat) -> list[str]:
    """Names that are missing, or of other types. What was null in one run may not be in another."""
    found = []
    for name, kinds in old.items():
        before, now = set(kinds.split()) - {"null"}, set(new.get(name, "").split()) - {"null"}
        if name not in new:
            found.append(f"{name} is missing")
        elif before and now and not before <= now:
            found.append(f"{name} was {kinds}, is {new[name]}")
    return found


def differences(old: Any, new: Any, where: str, otherwise: Mapping[str, str]) -> list[str]:
    """Where `new` does not say what `old` did; what it says beside it is no matter."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key, value in old.items():
            place = f"{where}.{key}".replace(" .", " ")
            found += (
                differences(value, new[key], place, otherwise)
                if key in new
                else [f"{place} is missing"]
            )
        return found
    if isinstance(old, list) and isinstance(new, list):
        return differences(keyed(old), keyed(new), where, otherwise)
    if old == new or any(re.fullmatch(pattern, where) for pattern in otherwise):
        return []
    return [f"{where} was {old!r}, is {new!r}"]


def keyed(values: list[Any]) -> dict[str, Any]:
    """A list by the names of its elements, or by their places."""
    for key in KEYS:
        found = {f"[{one.get(key)}]": one for one in values if isinstance(one, dict)}
        if len(found) == len(values) > 0 and "[None]" not in found:
            return found
    return {f"[{index}]": one for index, one in enumerate(values)}
